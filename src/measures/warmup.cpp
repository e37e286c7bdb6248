// SPDX-License-Identifier: Apache-2.0
#include <natgpu/measures/warmup.hpp>

#include <algorithm>

namespace natgpu::measures {
namespace {

constexpr std::size_t fewest_left = 5;  ///< batches

/// Means of whole batches, against the last of them, so that a constant series has exactly no spread.
std::vector<double> batch_means(const std::vector<double>& series) {
  std::vector<double> means(series.size() / warmup_batch);
  for (std::size_t i = 0; i < means.size(); ++i) {
    for (std::size_t k = 0; k < warmup_batch; ++k) means[i] += series[i * warmup_batch + k];
    means[i] /= warmup_batch;
  }
  if (!means.empty())
    for (const double last = means.back(); double& mean : means) mean -= last;
  return means;
}

}  // namespace

std::optional<std::size_t> mser5(const std::vector<double>& series) {
  const std::vector<double> means = batch_means(series);
  if (means.size() < fewest_batches) return {};
  double sum = 0, squares = 0, best = 0;
  std::size_t cut = 0;
  bool any = false;
  const std::size_t least = std::max(fewest_left, means.size() / 5);
  for (std::size_t left = 1; left <= means.size(); ++left) {
    const double mean = means[means.size() - left];
    sum += mean;
    squares += mean * mean;
    if (left < least) continue;
    const auto n = static_cast<double>(left);
    const double error = std::max(squares - sum * sum / n, 0.0) / (n * n);
    if (any && error > best) continue;  // of equal ones the shorter cut
    any = true;
    best = error;
    cut = means.size() - left;
  }
  if (2 * cut > means.size()) return {};
  return cut * warmup_batch;
}

}  // namespace natgpu::measures
