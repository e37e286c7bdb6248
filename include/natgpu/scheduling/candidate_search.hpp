// SPDX-License-Identifier: Apache-2.0
// Backfill fit, easy and easy-sjbf: who else may start, found by an index over what waits.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <natgpu/scheduling/pass_books.hpp>

namespace natgpu::scheduling {

/// Merges, in queue order, the first candidate of each group with the newcomers, and starts what fits. A
/// queued job found no place in the last pass, so it is searched for only where that may have changed: in
/// pools that have gained since, or whose reservation holds back less. Newcomers are tried everywhere.
/// O((starts + 1) log n) with n jobs waiting, but for false alarms of the sieve.
///
/// Under easy-sjbf there are two of it: in queue order, for pools without a reservation, and then by request,
/// for pools with one.
template <Backfill B, class By = ByQueueOrder>
class CandidateSearch {
 public:
  /// @param changed  pools that have changed since the last search, or whose reservations were made anew
  template <class Sink>
  void start_candidates(PassBooks<B>& b, const std::vector<std::uint32_t>& changed, Sink& sink) {
    note_gains(b, changed);
    if (gains_.empty()) {
      while (b.newcomers_left()) consider(b, b.take_newcomer(), sink);
      return;
    }
    live_.clear();
    for (JobGroup& g : b.groups)
      if (!index(b, g).empty() && accepts_a_gain(g)) {
        g.has_next = g.begun = false;
        live_.push_back(&g);
      }
    for (;;) {
      if (JobGroup* first = find_first(b); first != nullptr)
        start_candidate(b, *first, sink);
      else if (b.newcomers_left())
        consider(b, b.take_newcomer(), sink);
      else
        break;
    }
  }

 private:
  using Key = typename By::Key;
  static constexpr bool beside = std::is_same_v<By, ByRequest>;  ///< reservations, and nowhere else
  static const auto& index(const PassBooks<B>& b, const JobGroup& g) {
    if constexpr (beside)
      return b.line_of(g);
    else
      return g.queue;
  }
  template <class Group>
  static auto& last(Group& g) {
    if constexpr (beside)
      return g.last_by_request;
    else
      return g.last;
  }
  static bool fits_in(const PassBooks<B>& b, const PoolState& p, const WaitingJob& job, double speed) {
    if constexpr (beside)
      return b.fits_beside(p, job, speed);
    else
      return b.fits_in(p, job, speed);
  }

  /// A pool in which a job that found no place before may find one.
  struct Gain {
    std::uint32_t pool = 0;
    std::uint32_t version = 0;      ///< of the pool when the rest was worked out
    std::uint32_t admitted = 0;     ///< a bit for each size class of which something is free
    std::uint32_t unbound = 0;      ///< a bit for each that fits beside the reservation, however long
    std::int64_t until_shadow = 0;  ///< ticks that the others may ask for
    std::int64_t until_dip = 0;     ///< ticks until the first foreseen fall that matters, or forever
  };

  void note_gains(PassBooks<B>& b, const std::vector<std::uint32_t>& changed) {
    gains_.clear();
    for (const std::uint32_t i : changed) {
      PoolState& p = b.pools[i];
      if (B == Backfill::easy_sjbf && p.blocked != beside) continue;
      if (p.available() > 0 && (p.improved || (reserves_for_blocked(B) && p.holds_back_less())))
        gains_.emplace_back().pool = i;
      p.improved = false;
    }
  }
  bool accepts_a_gain(const JobGroup& g) const {
    return std::any_of(gains_.begin(), gains_.end(),
                       [&g](const Gain& gain) { return g.choice_of[gain.pool] >= 0; });
  }
  template <class Sink>
  void consider(PassBooks<B>& b, const Newcomer& n, Sink& sink) {
    JobGroup& g = b.groups[n.group];
    const int choice = beside ? b.choose_beside(g, n.job) : b.choose(g, n.job);
    if (choice < 0) {
      b.remaining.push_back(n);
      return;
    }
    if constexpr (beside) b.leave_queue(g, n.job);
    b.start(g, choice, n.job, sink);
  }
  template <class Sink>
  void start_candidate(PassBooks<B>& b, JobGroup& g, Sink& sink) {
    const WaitingJob job = g.next;
    g.has_next = false;
    last(g) = By::key(job);
    g.begun = true;
    b.leave_queue(g, job);
    b.start(g, choose(b, g, job), job, sink);
  }
  /// As PassBooks::choose, of the pools that have gained: a queued job has found no place in the others.
  int choose(const PassBooks<B>& b, const JobGroup& g, const WaitingJob& job) const {
    int first = -1;
    for (const Gain& gain : gains_) {
      const int choice = g.choice_of[gain.pool];
      if (choice < 0 || (first >= 0 && first < choice)) continue;
      if (fits_in(b, b.pools[gain.pool], job, g.choices[static_cast<std::size_t>(choice)].speed))
        first = choice;
    }
    return first;
  }
  /// The group of the first queued job that may start, if it stands before the next newcomer, or null.
  JobGroup* find_first(PassBooks<B>& b) {
    Key bound_key;
    const Key* bound = b.newcomers_left() ? By::key_in(b.newcomer().job, bound_key) : nullptr;
    JobGroup* first = nullptr;
    for (std::size_t i = 0; i < live_.size();) {
      JobGroup& g = *live_[i];
      if (!find_candidate(b, g, bound)) {
        live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      ++i;
      if (!g.has_next || (bound != nullptr && *bound < By::key(g.next))) continue;
      first = &g;
      bound = By::key_in(g.next, bound_key);
    }
    return first;
  }
  /// Finds the group's first job that may start, if it stands before `bound`.
  /// @returns whether there is one, or may be one behind the bound
  bool find_candidate(PassBooks<B>& b, JobGroup& g, const Key* bound) {
    if (g.has_next) {
      if (choose(b, g, g.next) >= 0) return true;
      last(g) = By::key(g.next);  // what started meanwhile took its place
      g.begun = true;
      g.has_next = false;
    }
    const Sieve sieve = sieve_for(b, g);
    if (sieve.admitted == 0) return false;
    const auto found = index(b, g).find(sieve, g.begun ? &last(g) : nullptr, bound,
                                        [&](const WaitingJob& job) { return choose(b, g, job) >= 0; });
    g.has_next = found.job != nullptr;
    if (g.has_next) g.next = *found.job;
    return g.has_next || found.more;
  }
  /// Per size class the longest request that may start at once in any pool that has gained.
  Sieve sieve_for(PassBooks<B>& b, const JobGroup& g) {
    Sieve sieve;
    const std::uint32_t occupied = index(b, g).occupied();
    for (Gain& gain : gains_) {
      const int choice = g.choice_of[gain.pool];
      if (choice < 0) continue;
      PoolState& p = b.pools[gain.pool];
      if (gain.version != p.version) look_at(b, p, gain);
      sieve.largest = std::max(sieve.largest, p.available());
      const double speed = g.choices[static_cast<std::size_t>(choice)].speed;
      for (std::uint32_t rest = gain.admitted & occupied; rest != 0; rest &= rest - 1) {
        const auto size = static_cast<std::size_t>(std::countr_zero(rest));
        if (const std::int64_t most = room(b, p, gain, size); most > 0)
          sieve.admit(size, longest_request(most, speed));
      }
    }
    return sieve;
  }
  /// A bit for each size class whose least size is at most so many GPUs.
  static std::uint32_t classes_up_to(std::int64_t gpus) {
    const auto classes =
        static_cast<int>(std::bit_width(static_cast<std::uint64_t>(std::max<std::int64_t>(gpus, 0))));
    return (std::uint32_t{1} << std::min<int>(classes, size_classes)) - 1;
  }
  /// Brings a gain up to date with the pool's free GPUs, its reservation and its foreseen falls.
  static void look_at(const PassBooks<B>& b, const PoolState& p, Gain& gain) {
    gain.version = p.version;
    gain.admitted = gain.unbound = classes_up_to(p.available());
    if (reserves_for_blocked(B) && p.blocked) {
      gain.unbound &= classes_up_to(p.reservation.spare);
      gain.until_shadow = p.reservation.shadow - b.now;
    }
    const std::int64_t until_dip = b.with_profile ? p.profile.first_dip() - b.now : Profile::forever;
    gain.until_dip = until_dip < b.longest_on_pools ? until_dip : Profile::forever;
  }
  /// Ticks that a job of the size class may ask for in a pool, at most; none if not above 0.
  static std::int64_t room(const PassBooks<B>& b, PoolState& p, const Gain& gain, std::size_t size) {
    const std::int64_t room = (gain.unbound >> size & 1) != 0 ? Profile::forever : gain.until_shadow;
    if (gain.until_dip >= room) return room;
    const std::int64_t fall = p.falls.below(p.profile, p.version, p.free, size);
    return fall != Profile::forever ? std::min(room, fall - b.now) : room;
  }

  std::vector<Gain> gains_;
  std::vector<JobGroup*> live_;  ///< groups in which the search goes on
};

}  // namespace natgpu::scheduling
