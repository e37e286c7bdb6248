// SPDX-License-Identifier: Apache-2.0
// One pool as a scheduling pass sees it, and the test of a start in it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/profile.hpp>
#include <natgpu/scheduling/spec.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// GPUs held for the first blocked job of a pool, from its earliest start on.
struct Reservation {
  std::int64_t shadow = 0;  ///< earliest start of the job it is for
  std::int64_t until = 0;   ///< its requested end from there
  std::int64_t gpus = 0;
  std::int64_t spare = 0;  ///< free at the shadow, less `gpus`, less what outlives the shadow since
  std::uint64_t holder = 0;
};

/// First stretches with a number of GPUs free, kept until the profile changes: the blocked jobs at the head
/// of a queue ask for the same few sizes again and again.
class Stretches {
 public:
  /// The earliest t >= now with `size` GPUs free during all of [t, t + length).
  Profile::Hole hole(const Profile& profile, std::uint32_t version, std::int64_t now, std::int64_t free,
                     std::int64_t size, std::int64_t length) {
    Known& k = find(profile, version, free, size);
    const Profile::Hole from = k.from;
    if (from.at == Profile::forever) return from;
    const std::int64_t end = std::max(from.at, now) + length;
    if (end <= profile.first_dip()) return from;
    if (!k.knows_end) {
      k.end = profile.end_of_stretch(free, size);
      k.knows_end = true;
    }
    return end <= k.end ? from : profile.hole(now, free, size, length);
  }
  /// An instant that the first stretch of `size` does not precede, from what is known; 0 if nothing is.
  std::int64_t not_before(std::uint32_t version, std::int64_t size) const {
    std::int64_t bound = 0;
    if (version == version_)
      for (const Known& k : known_)
        if (k.size <= size) bound = std::max(bound, k.from.at);
    return bound;
  }

 private:
  struct Known {
    std::int64_t size;
    Profile::Hole from;
    std::int64_t end = 0;
    bool knows_end = false;
  };
  Known& find(const Profile& profile, std::uint32_t version, std::int64_t free, std::int64_t size) {
    if (version != version_) {
      known_.clear();
      version_ = version;
    }
    for (Known& k : known_)
      if (k.size == size) return k;
    return known_.emplace_back(Known{size, profile.start_of_stretch(free, size)});
  }
  std::vector<Known> known_;
  std::uint32_t version_ = 0;
};

/// First instants from which fewer GPUs than a size class's least are free, kept until the profile changes:
/// all groups that accept a pool ask for the same.
class Falls {
 public:
  std::int64_t below(const Profile& profile, std::uint32_t version, std::int64_t free, std::size_t size) {
    if (version != version_) {
      known_ = 0;
      version_ = version;
    }
    const std::uint32_t bit = std::uint32_t{1} << size;
    if ((known_ & bit) == 0) {
      at_[size] = profile.first_below(std::int64_t{1} << size, free);
      known_ |= bit;
    }
    return at_[size];
  }

 private:
  std::array<std::int64_t, size_classes> at_{};
  std::uint32_t known_ = 0;
  std::uint32_t version_ = 0;
};

/// The GPUs of one pool now and ahead, and what stands before them. Instants and lengths are ticks.
struct PoolState {
  struct Step {
    std::int64_t at, delta;  ///< an announced change, GPUs
  };
  std::int64_t free = 0;      ///< idle
  std::int64_t due = 0;       ///< held by jobs whose requested end is now (arrival_first only)
  std::int64_t capacity = 0;  ///< idle or held by jobs
  std::uint32_t version = 1;  ///< counts changes of `free` and of the profile
  bool blocked = false;       ///< none: a blocked job stands before it; easy: `reservation` is held
  bool improved = true;       ///< since the last scan more has become free, now or later
  std::uint32_t losses = 0;   ///< counts changes by which less is free, now or later
  bool worsened = true;       ///< since the last walk of the front less is free, now or later
  bool worse = true;          ///< the same, as the walk under way takes account of it
  Reservation reservation;
  std::vector<Step> plan;       ///< announced changes still to come, by instant
  std::int64_t latest_end = 0;  ///< no job that has started will hold GPUs after it
  Profile profile;
  Stretches stretches;
  Falls falls;
  Reservation last_reservation;  ///< as the last scan left it
  bool was_blocked = false;

  std::int64_t available() const { return free + due; }
  /// Whether there is, or is to be, anything to hold a job.
  bool may_hold() const { return capacity > 0 || !plan.empty(); }
  void announce(std::int64_t at, std::int64_t delta) {
    const auto behind = std::find_if(plan.begin(), plan.end(), [at](const Step& s) { return s.at > at; });
    plan.insert(behind, {at, delta});
  }
  void withdraw(std::int64_t at, std::int64_t delta) {
    const auto it =
        std::find_if(plan.begin(), plan.end(), [=](const Step& s) { return s.at == at && s.delta == delta; });
    NATGPU_ENSURE(it != plan.end(), "only what was announced is withdrawn");
    plan.erase(it);
  }
  /// Announced gains that should have come by now. They are nobody's until they come.
  std::int64_t gains_due(std::int64_t now) const {
    std::int64_t gpus = 0;
    for (const Step& s : plan)
      if (s.at <= now && s.delta > 0) gpus += s.delta;
    return gpus;
  }
  /// GPUs that it will hold at best, as things stand.
  std::int64_t most_planned() const {
    std::int64_t level = capacity, most = capacity;
    for (const Step& s : plan) most = std::max(most, level += s.delta);
    return most;
  }
  /// Whether the plan leaves `gpus` for so long at some time after the last running job has ended: enough to
  /// know that the profile can hold them, and cheaper to see.
  bool holds_when_all_is_over(std::int64_t now, std::int64_t gpus, std::int64_t requested) const {
    const std::int64_t from = std::max(now, latest_end);
    std::int64_t level = capacity, start = from;
    for (const Step& s : plan) {
      if (level >= gpus && s.at > from && s.at - start >= requested) return true;
      const bool enough = level >= gpus;
      level += s.delta;
      if (!enough || s.at <= from) start = std::max(from, s.at);
    }
    return level >= gpus;
  }

  /// Forgets the reservation, but keeps it to be compared with its successor.
  void release_reservation() {
    was_blocked = blocked;
    if (blocked) last_reservation = reservation;
    blocked = false;
  }
  /// Takes back what `release_reservation` did, and any reservation since.
  void restore_reservation() {
    blocked = was_blocked;
    if (blocked) reservation = last_reservation;
  }
  /// Whether the reservation leaves more to others than the last one did.
  bool holds_back_less() const {
    return was_blocked &&
           (!blocked || reservation.holder != last_reservation.holder ||
            reservation.shadow > last_reservation.shadow || reservation.spare > last_reservation.spare);
  }
};

/// Whether blocked jobs hold reservations under it, one for each pool.
constexpr bool reserves_for_blocked(Backfill b) {
  return b == Backfill::easy || b == Backfill::easy_sjbf;
}

/// The test of a start: fits during all of [now, now + requested), beside the pool's reservation if there is
/// one. What easy-sjbf starts in queue order starts before nobody: beside a reservation the test is easy's.
/// @param with_profile  whether the profile is kept
template <Backfill B>
bool fits(const PoolState& p, std::int64_t now, std::int64_t gpus, std::int64_t requested,
          bool with_profile) {
  if (gpus > p.available()) return false;
  if constexpr (B == Backfill::none || B == Backfill::easy_sjbf) {
    if (p.blocked) return false;
  }
  const std::int64_t end = now + requested;
  const bool dips = with_profile && p.profile.first_dip() < end;
  if (dips && p.profile.least(now, end, p.free) < gpus) return false;
  if constexpr (B == Backfill::easy) {
    const Reservation& r = p.reservation;
    if (p.blocked && end > r.shadow) {
      if (gpus > r.spare) return false;
      if (dips && p.profile.least(r.shadow, std::min(end, r.until), p.free) - r.gpus < gpus) return false;
    }
  }
  return true;
}

}  // namespace natgpu::scheduling
