// SPDX-License-Identifier: Apache-2.0
// Where in a space of inputs to look.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace natgpu::experiment {

/// One value in [0, 1) for each dimension.
using UnitPoint = std::vector<double>;

/// In each dimension exactly one point in each of n equal strata, at a uniform place in it.
/// Source: McKay, Beckman & Conover, Technometrics 21, 1979. A new dimension leaves the others' values alone.
std::vector<UnitPoint> latin_hypercube(std::size_t n, std::size_t dimensions, std::uint64_t seed);

/// The first n points of Sobol's sequence, its origin included.
/// Source: Sobol 1967, with the direction numbers of Joe & Kuo 2008 (Boost.Random).
std::vector<UnitPoint> sobol_points(std::size_t n, std::size_t dimensions);

/// Dimensions that sobol_points() has direction numbers for.
constexpr std::size_t most_sobol_dimensions = 3667;

}  // namespace natgpu::experiment
