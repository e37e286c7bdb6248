// SPDX-License-Identifier: Apache-2.0
#include <natgpu/supply/readings.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <natgpu/core/ensure.hpp>

namespace natgpu::supply {
namespace {

constexpr double flops_per_eflops = 1e18;

}  // namespace

const std::vector<Reading>& readings() {
  static const std::vector<Reading> rows = {
      {"h100e", "15 x 2,000 = 30,000 H100-equivalents (dense BF16 peak / 989.4 TFLOP/s)", "H100e", 30'000,
       "FACTS 2.4 baseline; 30,000 GPUs by 2030: Chosun and Aju, 18 Feb 2025; 15-fold: korea.net, 26 Sep "
       "2024",
       [](const Device& d) { return d.h100e(); }},
      {"fp64_strict", "2 EFLOP/s of FP64 tensor peak of the installed models", "EFLOP/s fp64_tensor", 2.0,
       "FACTS 2.4 A1; 2 EF by 2030: korea.net, 26 Sep 2024; FP64 tensor is inferred from 1 EF = 15,000 H100 "
       "(Kukmin "
       "Ilbo, 22 Jan 2025)",
       [](const Device& d) { return d.fp64_tensor / flops_per_eflops; }},
      {"units", "30,000 devices of any model", "GPU", 30'000,
       "FACTS 2.4 A2; 30,000 GPUs by 2030: Chosun and Aju, 18 Feb 2025", [](const Device&) { return 1.0; }},
      {"bf16_15x", "15 x 1.98 EFLOP/s of dense BF16 peak", "EFLOP/s bf16", 29.7,
       "FACTS 2.4 A3 and 2.2; base of 2,000 H100: Chosun, 18 Feb 2025",
       [](const Device& d) { return d.bf16 / flops_per_eflops; }},
      {"units_52000", "successor target: 52,000 devices by 2028", "GPU", 52'000,
       "FACTS 2.4 A4; 13k + 15k + 9k + 15k: Herald, Dec 2025", [](const Device&) { return 1.0; }},
  };
  return rows;
}

double reading_value(const Reading& reading, const Device& device, double units) {
  return reading.of(device) * units;
}

double eflops(const Device& device, std::string_view precision, double units) {
  static constexpr std::array<std::pair<std::string_view, double Device::*>, 3> peaks = {
      {{"fp64_tensor", &Device::fp64_tensor}, {"bf16", &Device::bf16}, {"fp8", &Device::fp8}}};
  const auto row =
      std::find_if(peaks.begin(), peaks.end(), [&](const auto& p) { return p.first == precision; });
  NATGPU_ENSURE(row != peaks.end(), "a precision is fp64_tensor, bf16 or fp8");
  return device.*(row->second) * units / flops_per_eflops;
}

}  // namespace natgpu::supply
