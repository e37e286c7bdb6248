// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/water_filling.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>

#include <natgpu/core/ensure.hpp>

namespace natgpu::scheduling {

std::vector<double> water_filling(double capacity, const std::vector<double>& demands,
                                  const std::vector<double>& weights) {
  NATGPU_ENSURE(weights.empty() || weights.size() == demands.size(), "each demand has a weight, or none has");
  NATGPU_ENSURE(capacity >= 0, "a capacity is not negative");
  const std::vector<double> all = weights.empty() ? std::vector<double>(demands.size(), 1.0) : weights;
  for (std::size_t i = 0; i < all.size(); ++i)
    NATGPU_ENSURE(all[i] > 0 && all[i] < std::numeric_limits<double>::infinity() && demands[i] >= 0,
                  "weights are positive and finite, demands not negative");
  std::vector<std::size_t> by_level(demands.size());  // in the order in which demands are met
  std::iota(by_level.begin(), by_level.end(), std::size_t{0});
  std::stable_sort(by_level.begin(), by_level.end(),
                   [&](std::size_t a, std::size_t b) { return demands[a] / all[a] < demands[b] / all[b]; });
  // The weight of those not yet met, from the last on, so that the last of all is its own weight exactly.
  std::vector<double> weight_from(demands.size() + 1);
  for (std::size_t k = demands.size(); k-- > 0;) weight_from[k] = weight_from[k + 1] + all[by_level[k]];
  std::vector<double> shares(demands.size());
  double left = capacity;
  for (std::size_t k = 0; k < by_level.size(); ++k) {
    const std::size_t i = by_level[k];
    shares[i] = std::min(demands[i], left * (all[i] / weight_from[k]));
    left = std::max(left - shares[i], 0.0);
  }
  return shares;
}

}  // namespace natgpu::scheduling
