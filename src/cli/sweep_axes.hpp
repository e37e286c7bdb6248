// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace natgpu::cli {

/// Paths that vary together, and the values they take, one row a step.
struct Axis {
  std::vector<std::string> paths;
  std::vector<std::vector<std::string>> rows;
};

/// "supply.sites[a].pue=1.1,1.2,1.3". Commas inside brackets, braces and quotes belong to a value.
/// @throws UsageError
Axis list_axis(const std::string& text);

/// "a=1,2;b=3,4": a and b step together. @throws UsageError
Axis zipped_axis(const std::string& text);

/// "path=8 GPU..20 GPU". Whole numbers where both ends are written whole.
struct Range {
  std::string path, unit;
  double low = 0, high = 0;
  bool whole = false;
};
/// @throws UsageError
Range read_range(const std::string& text);
/// The value at `u` of the way, 0 to 1, as a setting takes it; each whole number gets an equal part of the
/// way.
std::string value_at(const Range& range, double u);

/// Points spread over ranges "path=8 GPU..20 GPU" by "lhs:100" or "sobol:128". Whole numbers where both ends
/// are written whole. @throws UsageError
Axis sampled_axis(const std::vector<std::string>& ranges, const std::string& sample, std::uint64_t seed);

/// Every combination, the last axis fastest. @throws UsageError beyond a million points, or where a path
/// stands twice
Axis product(const std::vector<Axis>& axes);

}  // namespace natgpu::cli
