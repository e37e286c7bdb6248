// SPDX-License-Identifier: Apache-2.0
// The least that simulates something: one device, one sector with one class of jobs, a pool or two sites.
#pragma once

#include <string>

#include <fmt/format.h>

namespace natgpu::testing {

struct Tiny {
  std::string name = "tiny";
  std::string title = "";          ///< "{en: A pool, ko: 풀}"; empty: none
  std::string end = "2025-01-05";  ///< of the horizon, which begins with 2025
  int replications = 2;
  std::string device = "bf16: 989.4 TFLOP/s, power: 700 W, per_node: 1";
  std::string site = "{name: here}";  ///< of the GPUs
  std::string other_site = "";
  int gpus = 2;
  std::string request_rate = "4 /d";
  std::string run_time = "{dist: exponential, mean: 2 h}";
};

inline std::string tiny_scenario(const Tiny& t = {}) {
  return fmt::format(
      "schema: natgpu/1\nname: {}\n{}horizon: {{start: 2025-01-01, end: {}}}\nreplications: {}\n"
      "hardware:\n  - {{name: h100, {}}}\n"
      "supply:\n  sites:\n    - {}\n{}"
      "  tranches:\n"
      "    - {{name: first, site: here, device: h100, units: {} GPU, in_service: 2024-12-01}}\n"
      "demand:\n  sectors:\n    - name: sme\n      organisations: 5\n      request_rate: {}\n"
      "      adoption: {{initial: 1}}\n      onboarding: {{initial: 1}}\n      mix: [{{name: job, share: "
      "1}}]\n"
      "  batch:\n    - {{name: job, gpus: 1 GPU, run_time: {}}}\n",
      t.name, t.title.empty() ? "" : "title: " + t.title + "\n", t.end, t.replications, t.device, t.site,
      t.other_site.empty() ? "" : "    - " + t.other_site + "\n", t.gpus, t.request_rate, t.run_time);
}

}  // namespace natgpu::testing
