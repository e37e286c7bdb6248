// SPDX-License-Identifier: Apache-2.0
#include <natgpu/experiment/design.hpp>

#include <algorithm>
#include <boost/random/sobol.hpp>
#include <numeric>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/random.hpp>

namespace natgpu::experiment {

std::vector<UnitPoint> latin_hypercube(std::size_t n, std::size_t dimensions, std::uint64_t seed) {
  std::vector<UnitPoint> points(n, UnitPoint(dimensions));
  Streams streams(seed, 0);
  const Stream order = streams.open("design", "strata"), place = streams.open("design", "place");
  for (std::size_t d = 0; d < dimensions; ++d) {
    std::vector<double> keys;
    for (std::size_t i = 0; i < n; ++i) keys.push_back(order.unit(d, static_cast<std::uint32_t>(i)));
    std::vector<std::size_t> strata(n);
    std::iota(strata.begin(), strata.end(), std::size_t{0});
    std::stable_sort(strata.begin(), strata.end(),
                     [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
    for (std::size_t i = 0; i < n; ++i)
      points[i][d] = (static_cast<double>(strata[i]) + place.unit(d, static_cast<std::uint32_t>(i))) /
                     static_cast<double>(n);
  }
  return points;
}

std::vector<UnitPoint> sobol_points(std::size_t n, std::size_t dimensions) {
  NATGPU_ENSURE(dimensions >= 1 && dimensions <= most_sobol_dimensions,
                "the sequence has so many dimensions");
  std::vector<UnitPoint> points(n, UnitPoint(dimensions));
  boost::random::sobol sequence(dimensions);
  constexpr double scale = 0x1.0p-64;
  static_assert(boost::random::sobol::max() == ~std::uint64_t{0});
  for (std::size_t i = 1; i < n; ++i)  // Boost leaves out the origin
    for (double& x : points[i]) x = static_cast<double>(sequence() >> 11) * 2048 * scale;
  return points;
}

}  // namespace natgpu::experiment
