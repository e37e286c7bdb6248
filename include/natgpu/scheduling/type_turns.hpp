// SPDX-License-Identifier: Apache-2.0
// Whose next round is due, on which type of GPU: under gavel-las and gavel-ftf.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <natgpu/scheduling/gavel_shares.hpp>

namespace natgpu::scheduling {

/// A mark for each job on each type where it has a share. It moves by time received there over the share, and
/// the job's next round is due half a round over the share behind it.
///
/// Types go at paces of their own, for gangs leave more idle on one than on another. No type is further ahead
/// of the last than two turns of its least share; else a job with shares of two would long go to one alone.
class TypeTurns {
 public:
  /// @param round  ticks
  TypeTurns(std::size_t types, std::int64_t round) : types_(types), round_(round) {}

  /// The slot is another job's from now on.
  void begin(std::uint32_t slot) {
    turns_.resize(std::max(turns_.size(), (slot + std::size_t{1}) * types_));
    std::fill_n(turns_.begin() + static_cast<std::ptrdiff_t>(slot * types_), types_, Turn{});
  }
  /// Time that the job had GPUs of the type, in a run that is over.
  void receive(std::uint32_t slot, std::size_t type, std::int64_t ticks) { at(slot, type).received += ticks; }
  /// Moves the mark by what was received since. @param running  ticks of the present run on the type
  void settle(std::uint32_t slot, std::size_t type, std::int64_t running) {
    Turn& t = at(slot, type);
    const std::int64_t received = t.received + running;
    if (t.share > 0) t.mark += mark_moves(received - t.counted, t.share);
    t.counted = received;
  }
  /// The shares of the coming rounds. Those that round to nothing are none; but everybody has one.
  /// @param fastest  who has nothing else has it there
  void entitle(std::uint32_t slot, std::span<const double> shares, std::size_t fastest) {
    std::size_t largest = fastest;
    for (std::size_t type = 0; type < types_; ++type) {
      if (shares[type] > shares[largest]) largest = type;
      Turn& t = at(slot, type);
      if (t.share == 0) t.is_new = true;
      t.share = shares[type] * 2 * whole_share < 1 ? 0 : on_grid(shares[type]);
    }
    Turn& t = at(slot, largest);
    t.share = std::max<std::int64_t>(t.share, 1);
  }
  /// The job takes no part until it has shares again.
  void drop(std::uint32_t slot) {
    for (std::size_t type = 0; type < types_; ++type) at(slot, type).share = 0;
  }
  bool has_share(std::uint32_t slot, std::size_t type) const { return at(slot, type).share > 0; }
  std::int64_t due(std::uint32_t slot, std::size_t type) const { return due(at(slot, type)); }

  /// Newcomers join where the first is due, nobody stands too far ahead of that, and no type of the others.
  /// @param slots  of all jobs that may have shares
  void align(const std::vector<std::uint32_t>& slots) {
    starts_.assign(types_, {});
    std::int64_t begin = none;
    for (std::size_t type = 0; type < types_; ++type) {
      starts_[type] = start_of(slots, type);
      begin = std::min(begin, starts_[type].first);
    }
    for (std::size_t type = 0; type < types_; ++type) {
      const auto [first, limit] = starts_[type];
      if (first == none) continue;
      const std::int64_t ahead = std::max<std::int64_t>(first - begin - limit, 0);
      for (const std::uint32_t slot : slots) {
        Turn& t = at(slot, type);
        if (t.share == 0) continue;
        t.mark = std::min(t.is_new ? first : t.mark, first + limit) - ahead;
        t.is_new = false;
      }
    }
  }

 private:
  static constexpr std::int64_t none = std::numeric_limits<std::int64_t>::max();
  /// A job on a type. Lengths are ticks.
  struct Turn {
    std::int64_t share = 0;  ///< over whole_share, at the last round
    std::int64_t mark = 0;
    std::int64_t received = 0;  ///< before the present run
    std::int64_t counted = 0;   ///< received, by which the mark has moved
    bool is_new = true;         ///< it had no share at the last round
  };
  /// Where a type stands.
  struct Start {
    std::int64_t first = none;  ///< the first due, but for newcomers; `none`: nobody has a share
    std::int64_t limit = 0;     ///< two turns of its least share
  };

  Turn& at(std::uint32_t slot, std::size_t type) { return turns_[slot * types_ + type]; }
  const Turn& at(std::uint32_t slot, std::size_t type) const { return turns_[slot * types_ + type]; }
  std::int64_t due(const Turn& t) const { return t.mark + mark_moves(round_, t.share) / 2; }
  Start start_of(const std::vector<std::uint32_t>& slots, std::size_t type) const {
    Start start;
    std::int64_t least = whole_share;
    bool any = false;
    for (const std::uint32_t slot : slots) {
      const Turn& t = at(slot, type);
      if (t.share == 0) continue;
      any = true;
      least = std::min(least, t.share);
      if (!t.is_new) start.first = std::min(start.first, due(t));
    }
    if (!any) return start;
    if (start.first == none) start.first = 0;
    start.limit = mark_moves(2 * round_, least);
    return start;
  }

  std::size_t types_;
  std::int64_t round_;
  std::vector<Turn> turns_;  ///< [slot x types + type]
  std::vector<Start> starts_;
};

}  // namespace natgpu::scheduling
