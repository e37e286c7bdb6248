// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/gavel_shares.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/water_filling.hpp>

namespace natgpu::scheduling {
namespace {

std::vector<double> las_shares(double gpus, const std::vector<ShareClaim>& claims) {
  std::vector<double> demands, weights;
  for (const ShareClaim& c : claims) {
    demands.push_back(static_cast<double>(c.gpus));
    weights.push_back(c.weight);
  }
  std::vector<double> shares = water_filling(gpus, demands, weights);
  for (std::size_t i = 0; i < shares.size(); ++i) shares[i] /= demands[i];
  return shares;
}

/// The least share with which the job takes no more than `rho` times its isolated time; 1 where none does.
double share_for(double rho, const ShareClaim& c) {
  const double left = rho * c.isolated - c.elapsed;
  return left > c.remaining ? c.remaining / left : 1.0;
}
double gpus_for(double rho, const std::vector<ShareClaim>& claims) {
  double gpus = 0;
  for (const ShareClaim& c : claims) gpus += static_cast<double>(c.gpus) * share_for(rho, c);
  return gpus;
}
/// The least rho whose shares fit, between two doubles that follow each other.
double least_rho(double gpus, const std::vector<ShareClaim>& claims) {
  double low = 0, high = 1;
  while (gpus_for(high, claims) > gpus) {
    low = high;
    high *= 2;
  }
  for (double middle = low + (high - low) / 2; low < middle && middle < high; middle = low + (high - low) / 2)
    (gpus_for(middle, claims) > gpus ? low : high) = middle;
  return high;
}

std::vector<double> ftf_shares(double gpus, const std::vector<ShareClaim>& claims) {
  double asked = 0;
  for (const ShareClaim& c : claims) {
    NATGPU_ENSURE(c.remaining > 0 && c.isolated > 0, "who has a share has work left");
    asked += static_cast<double>(c.gpus);
  }
  std::vector<double> shares(claims.size(), 1.0);
  if (asked <= gpus) return shares;
  const double rho = least_rho(gpus, claims);
  for (std::size_t i = 0; i < claims.size(); ++i) shares[i] = share_for(rho, claims[i]);
  return shares;
}

}  // namespace

double isolated_share(double gpus, double weight_of_all, const ShareClaim& claim) {
  return std::min(1.0, gpus * (claim.weight / weight_of_all) / static_cast<double>(claim.gpus));
}

std::vector<double> time_shares(Order order, double gpus, const std::vector<ShareClaim>& claims) {
  NATGPU_ENSURE(by_target(order) && gpus > 0, "shares of time are those of gavel-las or gavel-ftf, on GPUs");
  return order == Order::gavel_ftf ? ftf_shares(gpus, claims) : las_shares(gpus, claims);
}

std::int64_t on_grid(double share) {
  const double multiples = std::floor(share * static_cast<double>(whole_share) + 0.5);
  return std::clamp(static_cast<std::int64_t>(multiples), std::int64_t{1}, whole_share);
}

}  // namespace natgpu::scheduling
