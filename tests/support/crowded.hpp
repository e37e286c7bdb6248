// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <fmt/format.h>

namespace natgpu::testing {

/// A pool of 8 GPUs that small and large jobs crowd, so that waits vary and backfill matters.
struct Crowd {
  const char* start = "2025-01-01";
  const char* end = "2025-01-15";
  double requests_a_day = 4;  ///< of each of ten organisations
  int large_share = 20;       ///< per cent of the jobs
  int large_hours = 1;        ///< mean run time
};

/// The scenario file; sections may be added at its end.
inline std::string crowded(const Crowd& c = {}) {
  return fmt::format(R"(schema: natgpu/1
name: crowded
horizon: {{start: {}, end: {}}}
replications: 3
hardware:
  - {{name: h100, bf16: 989.4 TFLOP/s, power: 700 W, per_node: 8}}
supply:
  sites:
    - {{name: here}}
  tranches:
    - {{name: first, site: here, device: h100, units: 8 GPU, in_service: 2024-12-01}}
demand:
  sectors:
    - name: sme
      organisations: 10
      request_rate: {} /d
      adoption: {{initial: 1}}
      onboarding: {{initial: 1}}
      mix: [{{name: small, share: {} %}}, {{name: large, share: {} %}}]
  batch:
    - {{name: small, gpus: 1 GPU, run_time: {{dist: exponential, mean: 1 h}}, overestimate: 2}}
    - {{name: large, gpus: 6 GPU, run_time: {{dist: exponential, mean: {} h}}, overestimate: 2}}
)",
                     c.start, c.end, c.requests_a_day, 100 - c.large_share, c.large_share, c.large_hours);
}

}  // namespace natgpu::testing
