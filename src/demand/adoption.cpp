// SPDX-License-Identifier: Apache-2.0
#include <natgpu/demand/adoption.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <natgpu/core/ensure.hpp>

namespace natgpu::demand {
namespace {

/// The market's non-adopters: lowest dispositions first, as long as the ceiling holds.
std::vector<std::uint32_t> market_of(const Organisation* first, std::uint32_t count, double room) {
  std::vector<std::uint32_t> open;
  for (std::uint32_t i = 0; i < count; ++i)
    if (!first[i].any_ai_at_start) open.push_back(i);
  std::sort(open.begin(), open.end(), [first](std::uint32_t a, std::uint32_t b) {
    return std::make_pair(first[a].disposition, a) < std::make_pair(first[b].disposition, b);
  });
  std::size_t members = 0;
  while (members < open.size() && first[open[members]].represents <= room)
    room -= first[open[members++]].represents;
  open.resize(members);
  return open;
}

}  // namespace

BassAdoption::BassAdoption(const Adoption& spec, const Organisation* first, std::uint32_t count)
    : p_(spec.innovation), q_(spec.imitation) {
  double total = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    total += first[i].represents;
    if (first[i].any_ai_at_start) adopters_ += first[i].represents;
  }
  total_ = total;
  market_ = spec.market * total;
  constexpr double rounding = 1e-6;  // 0.29 x 100 is 28.999...: a ceiling of 29 organisations is meant
  for (const std::uint32_t i : market_of(first, count, market_ - adopters_ + rounding))
    candidates_.push_back({first[i].threshold, i, first[i].represents});
  std::sort(candidates_.begin(), candidates_.end(), [](const Candidate& a, const Candidate& b) {
    return std::make_pair(a.threshold, a.ordinal) < std::make_pair(b.threshold, b.ordinal);
  });
  schedule();
}

double BassAdoption::rate() const {
  return market_ > 0 ? factor_ * (p_ + q_ * adopters_ / market_) : 0.0;
}

void BassAdoption::schedule() {
  next_time_ = never;
  if (next_ == candidates_.size()) return;
  const double wait_s = std::max(candidates_[next_].threshold - hazard_, 0.0) / rate();
  constexpr double farthest_s = 9e12;             // what ticks of 63 bits hold
  if (!(since_s_ + wait_s < farthest_s)) return;  // rate 0 too
  const auto ticks =
      static_cast<std::int64_t>(std::ceil((since_s_ + wait_s) * static_cast<double>(ticks_per_second)));
  next_time_ = std::max(Instant{Duration{ticks}}, earliest_);
}

std::uint32_t BassAdoption::adopt() {
  NATGPU_ENSURE(next_time_ != never, "an organisation adopts only when one is due");
  const Candidate& due = candidates_[next_];
  since_s_ += std::max(due.threshold - hazard_, 0.0) / rate();
  hazard_ = std::max(hazard_, due.threshold);
  adopters_ += due.weight;
  earliest_ = next_time_ + one_tick;
  ++next_;
  const std::uint32_t ordinal = due.ordinal;
  schedule();
  return ordinal;
}

void BassAdoption::set_factor(double factor, Instant now) {
  NATGPU_ENSURE(factor >= 0 && now <= next_time_, "a hazard changes at an instant not yet passed");
  const double now_s = in_seconds(now.time_since_epoch());
  hazard_ += rate() * std::max(now_s - since_s_, 0.0);
  since_s_ = std::max(now_s, since_s_);
  factor_ = factor;
  earliest_ = std::max(earliest_, now + one_tick);
  schedule();
}

double BassAdoption::share() const {
  return total_ > 0 ? adopters_ / total_ : 0.0;
}

}  // namespace natgpu::demand
