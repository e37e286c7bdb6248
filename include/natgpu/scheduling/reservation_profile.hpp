// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include <natgpu/scheduling/capacity_step.hpp>
#include <natgpu/scheduling/summary_sequence.hpp>

namespace natgpu::scheduling {

/// Free GPUs of one pool over time to come with the reservations of waiting jobs in it, so that it rises and
/// falls many times: running jobs hold theirs to their requested ends, reservations from start to end, and
/// capacity changes as announced. Times are ticks.
///
/// add: O(log n) in the number of different instants ahead. earliest: O(log n) for each stretch that is too
/// short.
class ReservationProfile {
 public:
  static constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();

  /// Adds `delta` GPUs from `at` on.
  void add(std::int64_t at, std::int64_t delta) {
    if (delta != 0) add_to_step(steps_, at, delta);
  }
  /// Takes `gpus` for all of [from, until).
  void hold(std::int64_t from, std::int64_t until, std::int64_t gpus) {
    add(from, -gpus);
    add(until, gpus);
  }
  void release(std::int64_t from, std::int64_t until, std::int64_t gpus) { hold(from, until, -gpus); }

  /// GPUs free at `now`, all steps up to it taken: requested ends and reservations that begin then.
  /// @param free_now  GPUs free before the first step
  std::int64_t level(std::int64_t now, std::int64_t free_now) const {
    auto cursor = steps_.begin();
    return pass_over(cursor, now, free_now);
  }
  /// The greatest shortfall to come, at most 0: with fewer than so many free now, something does not fit.
  std::int64_t lowest() const { return steps_.total().lowest; }

  /// The most GPUs free at any instant of [from, until).
  std::int64_t highest(std::int64_t from, std::int64_t until, std::int64_t free_now) const {
    return free_now + steps_.up_to(from).sum + steps_.between(from, until - 1).highest;
  }
  /// The longest stretch of at least `size` free GPUs that touches [from, until); `forever` where it has no
  /// end, or where more stretches touch than are worth a look. @pre now <= from < until
  std::int64_t longest(std::int64_t now, std::int64_t free_now, std::int64_t size, std::int64_t from,
                       std::int64_t until) const {
    auto cursor = steps_.empty() ? steps_.begin() : steps_.after(from);
    std::int64_t free = free_now + steps_.up_to(from).sum;
    std::int64_t begin = free >= size ? rise_before(cursor, free, size, now) : forever;
    std::int64_t longest = 0;
    for (int looks = 0; looks < most_looks; ++looks) {
      if (begin == forever) {
        const Step* rise = next_rise(cursor, free, size, until);
        if (rise == nullptr) return longest;
        free += rise->delta;
        ++cursor.index;
        begin = rise->at;
      }
      const Step* fall = first_fall(cursor, free, size, forever);
      if (fall == nullptr) return forever;
      longest = std::max(longest, fall->at - begin);
      if (fall->at >= until) return longest;
      free += fall->delta;
      ++cursor.index;
      begin = forever;
    }
    return forever;
  }

  /// The earliest t with now <= t < before and `size` GPUs free during all of [t, min(t + length, before)),
  /// or `forever`. With `before` the start of a hold of `size` GPUs for `length`, this is where that hold
  /// could move to: behind `before` the room is its own.
  /// @param free_now  GPUs free before the first step
  std::int64_t earliest(std::int64_t now, std::int64_t free_now, std::int64_t size, std::int64_t length,
                        std::int64_t before = forever) const {
    return hole_behind(steps_.begin(), free_now, now, before, size, length, before);
  }
  /// As `earliest`, but with from <= t < latest. @pre now <= from < latest <= before
  std::int64_t earliest_within(std::int64_t from, std::int64_t latest, std::int64_t free_now,
                               std::int64_t size, std::int64_t length, std::int64_t before) const {
    const auto cursor = steps_.empty() ? steps_.begin() : steps_.after(from);
    return hole_behind(cursor, free_now + steps_.up_to(from).sum, from, latest, size, length, before);
  }
  /// Whether `size` GPUs are free during all of [now, now + length).
  bool fits(std::int64_t now, std::int64_t free_now, std::int64_t size, std::int64_t length) const {
    auto cursor = steps_.begin();
    std::int64_t free = pass_over(cursor, now, free_now);
    return free >= size && first_fall(cursor, free, size, now + length) == nullptr;
  }
  /// The first instant, at or after `now`, at which fewer than `size` are free, or `forever`.
  std::int64_t first_below(std::int64_t now, std::int64_t free_now, std::int64_t size) const {
    auto cursor = steps_.begin();
    std::int64_t free = pass_over(cursor, now, free_now);
    if (free < size) return now;
    const Step* fall = first_fall(cursor, free, size, forever);
    return fall != nullptr ? fall->at : forever;
  }

  std::size_t steps() const { return steps_.size(); }

 private:
  using Step = CapacityStep;
  /// Sum over a stretch, and the extremes of its running sum (after each step; of the empty prefix: 0).
  struct Sums {
    std::int64_t sum = 0;
    std::int64_t lowest = 0;
    std::int64_t highest = 0;
    std::int64_t first = forever;  ///< instant of the first step
    friend bool operator==(const Sums&, const Sums&) = default;
  };
  struct Traits {
    static constexpr std::size_t leaf_size = 32;
    static constexpr bool counts_all = true;
    using Entry = Step;
    using Key = std::int64_t;
    using Summary = Sums;
    static Key key(const Entry& e) { return e.at; }
    static void absorb(Summary& s, const Entry& e) {
      s.sum += e.delta;
      s.lowest = std::min(s.lowest, s.sum);
      s.highest = std::max(s.highest, s.sum);
      s.first = std::min(s.first, e.at);
    }
    static bool absorb_anywhere(Summary&, const Entry&) { return false; }
    static bool forget(const Summary&, const Entry&) { return false; }
    static Summary combine(const Summary& a, const Summary& b) {
      return {a.sum + b.sum, std::min(a.lowest, a.sum + b.lowest), std::max(a.highest, a.sum + b.highest),
              std::min(a.first, b.first)};
    }
  };

  using Steps = SummarySequence<Traits>;

  /// Moves the cursor behind all steps up to `now`. @returns GPUs free there
  std::int64_t pass_over(Steps::Cursor& cursor, std::int64_t now, std::int64_t free) const {
    steps_.walk(
        cursor, [](const Sums& m) { return m.first == forever; },
        [&](const Step& s) { return s.at > now || (free += s.delta, false); });
    return free;
  }
  /// Enough to tell a stretch that is long enough from many that are not.
  static constexpr int most_looks = 32;

  /// @param cursor  behind all steps up to `from`, or where nothing before counts
  /// @param free    before the cursor
  std::int64_t hole_behind(Steps::Cursor cursor, std::int64_t free, std::int64_t from, std::int64_t latest,
                           std::int64_t size, std::int64_t length, std::int64_t before) const {
    std::int64_t start = from;
    for (;;) {
      if (free < size) {
        const Step* rise = next_rise(cursor, free, size, latest);
        if (rise == nullptr) return forever;
        free += rise->delta;
        start = std::max(from, rise->at);
        ++cursor.index;
      }
      const std::int64_t until = length < before - start ? start + length : before;
      const Step* fall = first_fall(cursor, free, size, until);
      if (fall == nullptr) return start;
      free += fall->delta;
      ++cursor.index;
    }
  }
  /// The first step before `until` from which on `size` are free, or null. `free`: before the cursor, and
  /// before that step after it. @pre free < size
  const Step* next_rise(Steps::Cursor& cursor, std::int64_t& free, std::int64_t size,
                        std::int64_t until) const {
    const Step* rise = steps_.walk(
        cursor,
        [&](const Sums& m) {
          if (m.first < until && free + m.highest >= size) return false;
          free += m.sum;
          return true;
        },
        [&](const Step& s) { return free + s.delta >= size || (free += s.delta, false); });
    return rise != nullptr && rise->at < until ? rise : nullptr;
  }
  /// Since when `size` have been free, at the earliest now. @param free  before the cursor, at least `size`
  std::int64_t rise_before(const Steps::Cursor& cursor, std::int64_t free, std::int64_t size,
                           std::int64_t now) const {
    const Step* rise = steps_.walk_back(
        cursor,
        [&](const Sums& m) {
          if (free - m.sum + m.lowest < size) return false;
          free -= m.sum;
          return true;
        },
        [&](const Step& s) { return free - s.delta < size || (free -= s.delta, false); });
    return rise != nullptr ? std::max(now, rise->at) : now;
  }
  /// The first step before `until` that leaves fewer than `size` free, or null. `free`: before the cursor,
  /// and before that step after it.
  const Step* first_fall(Steps::Cursor& cursor, std::int64_t& free, std::int64_t size,
                         std::int64_t until) const {
    const Step* fall = steps_.walk(
        cursor,
        [&](const Sums& m) {
          if (m.first < until && free + m.lowest < size) return false;
          free += m.sum;
          return true;
        },
        [&](const Step& s) { return s.at >= until || free + s.delta < size || (free += s.delta, false); });
    return fall != nullptr && fall->at < until ? fall : nullptr;
  }

  Steps steps_;
};

}  // namespace natgpu::scheduling
