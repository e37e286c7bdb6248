// SPDX-License-Identifier: Apache-2.0
// What "2 exaflops" and "fifteen-fold" may mean, side by side. FACTS: headline is H100e, government-usable.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <natgpu/supply/spec.hpp>

namespace natgpu::supply {

/// One way to read the national target.
struct Reading {
  std::string_view id;     ///< "h100e", "fp64_strict", "units", "bf16_15x", "units_52000"
  std::string_view title;  ///< one line for reports
  std::string_view unit;   ///< "H100e", "EFLOP/s fp64_tensor", "GPU", "EFLOP/s bf16"
  double target;           ///< in that unit
  std::string_view source;
  double (*of)(const Device&);  ///< what one device counts for, in that unit
};

/// The five readings, headline first: H100e, then alternates A1 to A4 of FACTS 2.4. A5 there, the national
/// view with private fleets, differs in scope and not in measure: count tranches of scope `private` as well
/// for it.
const std::vector<Reading>& readings();

/// What `units` devices count for under a reading, in the reading's unit.
double reading_value(const Reading& reading, const Device& device, double units);

/// Peak of a precision in EFLOP/s: "fp64_tensor", "bf16", "fp8". @throws InvariantError on another word
double eflops(const Device& device, std::string_view precision, double units);

}  // namespace natgpu::supply
