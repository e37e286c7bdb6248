// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <natgpu/scheduling/reservation_profile.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// Where a pool's future has gained free GPUs since its reservations were last looked at. A job that holds
/// its earliest place finds an earlier one only
///
/// * right before it, if there is a gain at its very start, or
/// * in a stretch that touches a gain and is long enough.
///
/// So a sweep passes by every other job without a look at the profile. Times are ticks.
class Gains {
 public:
  static constexpr std::int64_t forever = ReservationProfile::forever;

  /// Between sweeps: a job ended or left, or capacity came, so that more is free in [from, until).
  void note(std::int64_t from, std::int64_t until) { noted_.push_back({from, until}); }

  /// The stretches of the last sweep count once more: jobs before those that made the room were not asked.
  /// @param everywhere  this sweep looks at all of the profile: no account is made
  void begin_sweep(std::int64_t now, const ReservationProfile& profile, std::int64_t free_now,
                   bool everywhere) {
    everywhere_ = everywhere;
    noted_.insert(noted_.end(), made_.begin(), made_.end());
    made_.clear();
    here_.clear();
    longest_.fill(0);
    if (!everywhere)
      for (const Room& s : noted_) add(std::max(s.from, now), s.until, now, profile, free_now);
    noted_.clear();
  }
  /// In a sweep: a job has moved and left this room.
  void moved(std::int64_t from, std::int64_t until, std::int64_t now, const ReservationProfile& profile,
             std::int64_t free_now) {
    made_.push_back({from, until});
    if (!everywhere_) add(from, until, now, profile, free_now);
  }
  /// The earliest hole for a job that now holds its earliest place, before `latest`; `forever` if there is
  /// none.
  /// @param before  its start in this pool, behind which the room is its own; `forever` if it is in another
  std::int64_t earliest(std::int64_t now, const ReservationProfile& profile, std::int64_t free_now,
                        std::int32_t gpus, std::int64_t length, std::int64_t latest,
                        std::int64_t before) const {
    if (everywhere_) return earliest_anywhere(now, profile, free_now, gpus, length, latest, before);
    const std::size_t size = size_class(gpus);
    if (length > longest_[size] && (before == forever || !gained_at(before - 1, gpus))) return forever;
    for (const Stretch& s : here_) {
      // In its own pool a gain behind its start lies in its own room, or beyond.
      if ((before == forever ? s.from - length + 1 : s.from) >= latest) break;
      const bool long_enough = length <= s.longest[size];
      if (s.most < gpus || (!long_enough && (before == forever || s.until < before))) continue;
      const std::int64_t from = std::max(now, s.from - length + 1), until = std::min(s.until, latest);
      if (from >= until) continue;
      const std::int64_t start = profile.earliest_within(from, until, free_now, gpus, length, before);
      // A hole that touches a later stretch and begins before this one would touch this one too.
      if (start != forever) return start;
    }
    return forever;
  }

 private:
  struct Room {
    std::int64_t from = 0, until = 0;
  };
  /// In [from, until) more is free than before, up to `most` at an instant.
  struct Stretch {
    std::int64_t from = 0, until = 0, most = 0;
    std::array<std::int64_t, size_classes> longest{};  ///< free stretch that touches it, by size class
  };

  static std::int64_t earliest_anywhere(std::int64_t now, const ReservationProfile& profile,
                                        std::int64_t free_now, std::int32_t gpus, std::int64_t length,
                                        std::int64_t latest, std::int64_t before) {
    const std::int64_t start = profile.earliest(now, free_now, gpus, length, before);
    return start < latest ? start : forever;
  }
  bool gained_at(std::int64_t at, std::int64_t gpus) const {
    const auto behind = std::upper_bound(here_.begin(), here_.end(), at,
                                         [](std::int64_t t, const Stretch& s) { return t < s.until; });
    return behind != here_.end() && behind->from <= at && behind->most >= gpus;
  }
  void add(std::int64_t from, std::int64_t until, std::int64_t now, const ReservationProfile& profile,
           std::int64_t free_now) {
    if (until <= from) return;
    Stretch s{from, until, profile.highest(from, until, free_now), {}};
    for (std::size_t size = 0; size < size_classes && std::int64_t{1} << size <= s.most; ++size) {
      s.longest[size] = profile.longest(now, free_now, std::int64_t{1} << size, from, until);
      longest_[size] = std::max(longest_[size], s.longest[size]);
    }
    unite(s);
  }
  void unite(Stretch s) {
    const auto first = std::lower_bound(here_.begin(), here_.end(), s.from,
                                        [](const Stretch& a, std::int64_t t) { return a.until < t; });
    auto last = first;
    for (; last != here_.end() && last->from <= s.until; ++last) {
      s.from = std::min(s.from, last->from);
      s.until = std::max(s.until, last->until);
      s.most = std::max(s.most, last->most);
      for (std::size_t size = 0; size < size_classes; ++size)
        s.longest[size] = std::max(s.longest[size], last->longest[size]);
    }
    if (first == last) {
      here_.insert(first, s);
    } else {
      *first = s;
      here_.erase(first + 1, last);
    }
  }

  std::vector<Room> noted_;    ///< since the last sweep
  std::vector<Room> made_;     ///< by moves of the present or last sweep
  std::vector<Stretch> here_;  ///< in a sweep: all of them united, in order of time
  bool everywhere_ = false;
  std::array<std::int64_t, size_classes> longest_{};  ///< that touches one, by size class
};

}  // namespace natgpu::scheduling
