// SPDX-License-Identifier: Apache-2.0
// Jobs that progress together, exactly.
#pragma once

#include <cstdint>
#include <limits>
#include <set>
#include <tuple>
#include <vector>

#include <natgpu/core/time.hpp>

namespace natgpu::scheduling {

/// Jobs that progress at one pace: all of it with their GPUs to themselves, none without. Progress is counted
/// in whole parts of a tick, and a pace in such parts per tick: what a job has had by some instant is the
/// same number, however many instants lie between. A change of pace costs the same for one job and for a
/// million (a virtual clock, as in Demers, Keshav & Shenker, SIGCOMM 1989).
class Lane {
 public:
  static constexpr int bits = 52;
  static constexpr std::int64_t tick = std::int64_t{1} << bits;  ///< of service; a pace of 1
  /// What is left of a job's service and counts as rounding: paces are seldom whole parts. Some 1e-3 ticks.
  static constexpr std::int64_t rounding = tick >> 10;

  Area clock() const { return clock_; }
  std::int64_t pace() const { return pace_; }
  void run(std::int64_t ticks) { clock_ += Area{pace_} * ticks; }
  /// @param pace  from 0 to tick
  void set_pace(std::int64_t pace) { pace_ = pace; }

  std::size_t size() const { return jobs_.size(); }
  bool empty() const { return jobs_.empty(); }
  /// @param at  the clock at which the job has had its service; `nowhere`: never
  void add(Area at, std::uint64_t sequence, std::uint32_t slot) { jobs_.emplace(at, sequence, slot); }
  void remove(Area at, std::uint64_t sequence, std::uint32_t slot) { jobs_.erase({at, sequence, slot}); }
  /// Ticks until the first of the jobs has had its service at this pace, at least one; the greatest value:
  /// never.
  std::int64_t ticks_to_next() const {
    constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
    if (jobs_.empty() || pace_ == 0 || std::get<0>(*jobs_.begin()) == nowhere) return never;
    const Area left = std::get<0>(*jobs_.begin()) - clock_;
    if (left <= pace_) return 1;
    const Area ticks = (left + pace_ - 1) / pace_;
    return ticks < never ? static_cast<std::int64_t>(ticks) : never;
  }

  using Due = std::pair<std::uint64_t, std::uint32_t>;  ///< sequence, slot
  /// Jobs that have had their service, appended.
  void due(std::vector<Due>& all) const {
    for (const auto& [at, sequence, slot] : jobs_) {
      if (at > clock_) return;
      all.emplace_back(sequence, slot);
    }
  }
  /// All jobs, appended.
  void jobs(std::vector<Due>& all) const {
    for (const auto& [at, sequence, slot] : jobs_) all.emplace_back(sequence, slot);
  }

  static constexpr Area nowhere = Area{std::numeric_limits<std::int64_t>::max()} << 63;

 private:
  Area clock_ = 0;
  std::int64_t pace_ = 0;
  std::set<std::tuple<Area, std::uint64_t, std::uint32_t>> jobs_;
};

}  // namespace natgpu::scheduling
