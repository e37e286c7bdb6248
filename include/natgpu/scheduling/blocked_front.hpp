// SPDX-License-Identifier: Apache-2.0
// The blocked jobs at the head of the queue, and where each would end earliest: what easy's reservations
// follow from.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/pool_state.hpp>

namespace natgpu::scheduling {

/// The first jobs of the queue, in queue order, at most `limit` of them, each with its earliest start in
/// every pool it accepts. An estimate is kept as a lower bound while its pool changes and is worked out again
/// only when it could decide: most passes touch one pool, and most of these jobs look at another.
class BlockedFront {
 public:
  /// Blocked jobs looked at per pass in search of a reservation for each pool (docs/decisions/0005).
  static constexpr std::size_t limit = 16;

  static constexpr int none = -1;
  static constexpr std::uint32_t nobody = 0xffffffff;  ///< neither job nor pool

  struct Entry {
    WaitingJob job;
    std::uint32_t group = 0;
    std::uint32_t row = 0;  ///< of its estimates
    int best = none;        ///< the choice that ends it earliest
    std::int64_t best_end = 0;
    std::uint64_t seen = 0;        ///< the walk that looked at it last
    bool looked_at = false;        ///< in the last walk
    std::uint32_t holds = nobody;  ///< pool that it has the reservation of
  };

  /// @param choices  most pools that a group accepts
  void reserve(std::size_t choices) {
    width_ = choices;
    estimates_.resize((limit + 1) * choices);
    for (std::uint32_t r = 0; r <= limit; ++r) spare_rows_.push_back(r);
  }

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  Entry& operator[](std::size_t i) { return entries_[i]; }
  const QueueKey& last() const { return entries_.back().job.order; }
  /// Whether a job of that key stands among these, by the order of the queue.
  bool reaches(const QueueKey& key) const { return !entries_.empty() && key < last(); }

  /// Puts a job in its place; the last one falls off when there are too many.
  void insert(std::uint32_t group, const WaitingJob& job, const std::vector<PoolChoice>& choices) {
    Entry e;
    e.job = job;
    e.group = group;
    e.row = spare_rows_.back();
    spare_rows_.pop_back();
    Estimate* row = estimates(e);
    for (std::size_t c = 0; c < choices.size(); ++c)
      row[c] = {0, 0, time_at_speed(job.requested, choices[c].speed), 0, false};
    auto at = entries_.end();
    while (at != entries_.begin() && job.order < std::prev(at)->job.order) --at;
    entries_.insert(at, e);
    if (entries_.size() > limit) remove(limit);
  }
  void remove(std::size_t i) {
    spare_rows_.push_back(entries_[i].row);
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  void remove(const QueueKey& key) {
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (entries_[i].job.order == key) return remove(i);
  }

  /// Brings a job's best choice up to date. @returns false if no pool can ever hold it
  /// @param changed  pools whose version has changed since the last walk, at least
  /// @param exactly  whether its end must be known, and not only where it is earliest
  bool examine(Entry& e, const JobGroup& group, std::vector<PoolState>& pools,
               const std::vector<std::uint32_t>& changed, std::uint64_t walk, std::int64_t now,
               bool exactly = false) {
    Estimate* row = estimates(e);
    bool settled = e.best != none;
    if (e.seen + 1 >= walk) {
      for (const std::uint32_t p : changed)
        if (const int c = group.choice_of[p]; c != none) settled &= refresh(e, row[c], c, pools[p], now);
    } else {
      for (std::size_t c = 0; c < group.choices.size(); ++c) row[c].exact = false, row[c].at = 0;
      settled = false;
    }
    e.seen = walk;
    if (settled && exactly)
      settled = row[e.best].version == pools[group.choices[static_cast<std::size_t>(e.best)].pool].version;
    // A job that would fit at once, but for another's reservation, ends later with every pass.
    if (settled && row[e.best].at > now) return true;
    return settle(e, row, group, pools, now);
  }
  /// Whether only another's reservation keeps it from starting. @pre examined in this walk
  bool could_start_at_once(const Entry& e, std::int64_t now) const { return estimates(e)[e.best].at <= now; }
  /// The reservation in the pool of its best choice. @pre examined in this walk
  Reservation reservation_for(const Entry& e, std::int64_t now) const {
    const Estimate& best = estimates(e)[e.best];
    Reservation r;
    r.shadow = std::max(best.at, now);
    r.until = e.best_end;
    r.gpus = e.job.gpus;
    r.spare = best.free - e.job.gpus;
    r.holder = e.job.order.id;
    return r;
  }

 private:
  struct Estimate {
    std::int64_t at = 0;    ///< earliest start, or not before it
    std::int64_t free = 0;  ///< GPUs free then, if exact
    std::int64_t requested = 0;
    std::uint32_t version = 0;  ///< of the pool when it was worked out
    bool exact = false;         ///< then
    std::int64_t end(std::int64_t now) const { return std::max(at, now) + requested; }
  };
  Estimate* estimates(const Entry& e) { return estimates_.data() + e.row * width_; }
  const Estimate* estimates(const Entry& e) const { return estimates_.data() + e.row * width_; }

  /// Takes note of a pool's change. @returns whether the best choice stands as it is
  static bool refresh(const Entry& e, Estimate& x, int choice, const PoolState& p, std::int64_t now) {
    if (x.version == p.version) return true;
    const bool is_best = choice == e.best;
    if (!p.improved)
      return !is_best || e.holds != nobody;  // no reservation is put off by what starts beside it
    // Who only stands in line behind a reservation needs no more than that it does not end later there.
    if (is_best && e.holds == nobody && !p.worse && e.job.gpus > p.available()) return true;
    x.version = p.version;
    x.exact = false;
    x.at = p.stretches.not_before(p.version, e.job.gpus);
    return !is_best && (x.at == Profile::forever || x.end(now) > e.best_end);
  }
  /// Works out the earliest end, looking only at pools that could give it.
  static bool settle(Entry& e, Estimate* row, const JobGroup& group, std::vector<PoolState>& pools,
                     std::int64_t now) {
    if (e.best != none) {  // which may end earlier than was last worked out
      const PoolState& p = pools[group.choices[static_cast<std::size_t>(e.best)].pool];
      if (Estimate& x = row[e.best]; x.version != p.version)
        x.at = p.stretches.not_before(p.version, e.job.gpus);
    }
    for (;;) {
      e.best = none;
      e.best_end = Profile::forever;
      for (std::size_t c = 0; c < group.choices.size(); ++c) {
        if (row[c].at == Profile::forever) continue;
        if (const std::int64_t end = row[c].end(now); end < e.best_end) {
          e.best_end = end;
          e.best = static_cast<int>(c);
        }
      }
      if (e.best == none) return false;
      Estimate& x = row[e.best];
      PoolState& p = pools[group.choices[static_cast<std::size_t>(e.best)].pool];
      const bool dips = p.profile.first_dip() < e.best_end;
      if (x.exact && x.version == p.version && !(dips && x.at <= now)) return true;
      measure(x, e.job.gpus, p, now);
      if (x.at != Profile::forever && x.end(now) == e.best_end) return true;
    }
  }
  static void measure(Estimate& x, std::int64_t gpus, PoolState& p, std::int64_t now) {
    x.version = p.version;
    x.exact = true;
    const Profile::Hole h = p.stretches.hole(p.profile, p.version, now, p.free, gpus, x.requested);
    x.at = h.at;
    x.free = h.free;
  }

  std::vector<Entry> entries_;
  std::vector<Estimate> estimates_;
  std::vector<std::uint32_t> spare_rows_;
  std::size_t width_ = 0;
};

}  // namespace natgpu::scheduling
