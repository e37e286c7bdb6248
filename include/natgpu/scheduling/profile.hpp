// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include <natgpu/scheduling/capacity_step.hpp>
#include <natgpu/scheduling/summary_sequence.hpp>

namespace natgpu::scheduling {

/// Free GPUs of one pool over time to come, as a policy may know it: running jobs hold theirs to their
/// requested ends, and capacity changes as announced. Times are ticks.
///
/// hold and release: O(log n) in the number of different instants ahead. hole, least: O(log n) a dip.
class Profile {
 public:
  static constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();

  /// Adds `delta` GPUs from `at` on (positive: a running job's requested end; negative: an announced loss).
  void add(std::int64_t at, std::int64_t delta) {
    if (delta == 0) return;
    const std::int64_t before = add_to_step(steps_, at, delta);
    note_sign(before, -1);
    note_sign(before + delta, +1);
  }
  void remove(std::int64_t at, std::int64_t delta) { add(at, -delta); }

  bool has_dips() const { return dips_ > 0; }
  /// The first instant at which capacity falls, or `forever`.
  std::int64_t first_dip() const {
    if (dips_ == 0) return forever;
    if (!first_dip_known_) {
      auto from = steps_.begin();
      const Step* s = steps_.walk(
          from, [](const Sums& m) { return !m.falls; }, [](const Step& step) { return step.delta < 0; });
      first_dip_ = s != nullptr ? s->at : forever;
      first_dip_known_ = true;
    }
    return first_dip_;
  }

  /// GPUs that count as free at `now` because their hold ends at or before it.
  std::int64_t due(std::int64_t now) const {
    std::int64_t sum = 0;
    auto from = steps_.begin();
    steps_.walk(
        from, [](const Sums&) { return false; },
        [&](const Step& s) {
          if (s.at > now) return true;
          sum += s.delta;
          return false;
        });
    return sum;
  }

  struct Hole {
    std::int64_t at = forever;  ///< earliest start, or `forever`
    std::int64_t free = 0;      ///< GPUs free at that instant
  };
  /// When `size` GPUs are first free at once, and how many are then; at 0 if they are free already.
  /// `free_now`: free at this instant.
  Hole start_of_stretch(std::int64_t free_now, std::int64_t size) const {
    if (free_now >= size) return {0, free_now};
    auto cursor = steps_.begin();
    return reach(cursor, free_now, size);
  }
  /// From when on fewer are free again, or `forever`. @pre the stretch starts
  std::int64_t end_of_stretch(std::int64_t free_now, std::int64_t size) const {
    auto cursor = steps_.begin();
    std::int64_t free = free_now < size ? reach(cursor, free_now, size).free : free_now;
    const Step* s = fall(cursor, free, size);
    return s != nullptr ? s->at : forever;
  }
  /// The earliest t >= now with `size` GPUs free during all of [t, t + length).
  Hole hole(std::int64_t now, std::int64_t free_now, std::int64_t size, std::int64_t length) const {
    auto cursor = steps_.begin();
    std::int64_t free = free_now;
    std::int64_t start = now;
    for (;;) {
      if (free < size) {
        const Hole reached = reach(cursor, free, size);
        if (reached.at == forever) return {};
        free = reached.free;
        start = std::max(now, reached.at);
      }
      if (dips_ == 0) return {start, free};
      const std::int64_t free_at_start = free;
      const Step* drop = fall(cursor, free, size);
      if (drop == nullptr || drop->at >= start + length || start + length < start)
        return {start, free_at_start};
      free += drop->delta;
      ++cursor.index;
    }
  }

  /// Least number free during [from, until), given `free_now` before the first step. @pre from < until
  std::int64_t least(std::int64_t from, std::int64_t until, std::int64_t free_now) const {
    const std::int64_t at_first = free_now + steps_.up_to(from).sum;
    return at_first + steps_.between(from, until - 1).lowest;
  }

  /// The first instant from which fewer than `size` are free at some time, or `forever`. @pre size <=
  /// free_now
  std::int64_t first_below(std::int64_t size, std::int64_t free_now) const {
    return dips_ == 0 ? forever : end_of_stretch(free_now, size);
  }

  std::size_t steps() const { return steps_.size(); }

 private:
  using Step = CapacityStep;
  /// Sum over a stretch, and the extremes of its running sum (after each step; of the empty prefix: 0).
  struct Sums {
    std::int64_t sum = 0;
    std::int64_t lowest = 0;
    std::int64_t highest = 0;
    bool falls = false;
    friend bool operator==(const Sums&, const Sums&) = default;
  };
  struct Traits {
    static constexpr std::size_t leaf_size = 64;
    static constexpr bool counts_all = true;
    using Entry = Step;
    using Key = std::int64_t;
    using Summary = Sums;
    static Key key(const Entry& e) { return e.at; }
    static void absorb(Summary& s, const Entry& e) {
      s.sum += e.delta;
      s.lowest = std::min(s.lowest, s.sum);
      s.highest = std::max(s.highest, s.sum);
      s.falls |= e.delta < 0;
    }
    static bool absorb_anywhere(Summary& s, const Entry& e) {
      if (s.falls || e.delta < 0) return false;
      s.sum += e.delta;  // a stretch that never falls has its extremes at its ends
      s.highest = s.sum;
      return true;
    }
    static bool forget(Summary& s, const Entry& e) {
      if (s.falls) return false;
      s.sum -= e.delta;
      s.highest = s.sum;
      return true;
    }
    static Summary combine(const Summary& a, const Summary& b) {
      return {a.sum + b.sum, std::min(a.lowest, a.sum + b.lowest), std::max(a.highest, a.sum + b.highest),
              a.falls || b.falls};
    }
  };
  using Steps = SummarySequence<Traits>;
  /// Walks from the cursor, where `free` are free, to the first step that leaves `size` free, and past it.
  Hole reach(Steps::Cursor& cursor, std::int64_t free, std::int64_t size) const {
    const Step* s = steps_.walk(
        cursor,
        [&](const Sums& m) {
          if (free + m.highest >= size) return false;
          free += m.sum;
          return true;
        },
        [&](const Step& step) { return free + step.delta >= size || (free += step.delta, false); });
    if (s == nullptr) return {};
    ++cursor.index;
    return {s->at, free + s->delta};
  }
  /// Walks to the first step that leaves fewer than `size` free, or to the end (null). `free`: before the
  /// cursor, and before that step after it.
  const Step* fall(Steps::Cursor& cursor, std::int64_t& free, std::int64_t size) const {
    return steps_.walk(
        cursor,
        [&](const Sums& m) {
          if (free + m.lowest < size) return false;
          free += m.sum;
          return true;
        },
        [&](const Step& step) { return free + step.delta < size || (free += step.delta, false); });
  }
  void note_sign(std::int64_t delta, int count) {
    if (delta >= 0) return;
    dips_ += count;
    first_dip_known_ = false;
  }

  Steps steps_;
  std::int64_t dips_ = 0;
  mutable std::int64_t first_dip_ = forever;
  mutable bool first_dip_known_ = false;
};

}  // namespace natgpu::scheduling
