// SPDX-License-Identifier: Apache-2.0
// What the samplers of organisations, requests and services share.
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/law.hpp>
#include <natgpu/core/math.hpp>
#include <natgpu/core/random.hpp>
#include <natgpu/core/time.hpp>

namespace natgpu::demand {

/// A sampled time is cut here, so that no tail overruns the tick count: 1,000 years of 365.25 days, in
/// seconds.
inline constexpr double longest_seconds = 1000 * 365.25 * 86400;

inline Duration ticks_at_least_one(double seconds) {
  return ticks_from_seconds(seconds < longest_seconds ? seconds : longest_seconds);
}

/// A time that may be 0; negative and beyond `longest_seconds`: for ever.
inline Duration ticks_or_endless(double seconds) {
  if (seconds < 0 || !(seconds < longest_seconds)) return endless;
  return Duration{static_cast<std::int64_t>(seconds * static_cast<double>(ticks_per_second) + 0.5)};
}

/// Running sum of weights over their total, ending in 1.
template <class Share>
std::vector<double> cumulative_shares(const std::vector<Share>& shares) {
  double total = 0;
  for (const Share& s : shares) total += s.share;
  NATGPU_ENSURE(shares.empty() || total > 0, "a list of shares has a weight above zero");
  std::vector<double> cumulative;
  double sum = 0;
  for (const Share& s : shares) cumulative.push_back((sum += s.share) / total);
  if (!cumulative.empty()) cumulative.back() = 1.0;
  return cumulative;
}

/// The first entry whose running sum is above u. @pre u < 1, not empty
inline std::size_t pick_share(const std::vector<double>& cumulative, double u) {
  // Counted to the end, without a branch: lists are short, and where to stop could not be predicted.
  std::size_t i = 0;
  for (const double c : cumulative) i += u >= c;
  return i;
}

/// The law's value at uniform u where one uniform is enough, else from blocks of its own.
/// @param field  tells the laws of one draw apart; see the addresses in requests.hpp
inline double value_of(const Law& law, double u, const Stream& stream, std::uint64_t entity,
                       std::uint32_t index, std::uint32_t field) {
  if (law.has_quantile()) return law.quantile(u);
  constexpr std::uint32_t blocks_per_field = 1U << 16;
  Draw draw(stream, entity, index, blocks_per_field * (1 + field));
  return law.sample(draw);
}

}  // namespace natgpu::demand
