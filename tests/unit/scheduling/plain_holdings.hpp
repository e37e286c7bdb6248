// SPDX-License-Identifier: Apache-2.0
// drf and maxmin over several pools as plain loops: nothing is kept from pass to pass but who waits and who
// runs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <natgpu/conformance/plain_accounts.hpp>
#include <natgpu/scheduling/account_dispatcher.hpp>

namespace natgpu::testing {

/// For GPUs alone; none and fit without announced changes.
template <scheduling::Backfill B>
class PlainHoldings {
 public:
  PlainHoldings(scheduling::SharedResources resources, std::vector<scheduling::GroupSpec> groups,
                std::vector<double> weights)
      : resources_(std::move(resources)),
        groups_(std::move(groups)),
        weights_(std::move(weights)),
        free_(resources_.gpus_of.size()),
        capacity_(free_.size()) {}

  void submit(const scheduling::Claimant& who, const scheduling::WaitingJob& job, std::uint32_t group) {
    waiting_.push_back({job, who.account, group, 0, 0});
  }
  bool withdraw_of(const scheduling::WaitingJob& job) {
    waiting_.erase(find(waiting_, job));
    return true;
  }
  void finish_of(const scheduling::WaitingJob& job, std::int64_t, std::uint32_t pool) {
    free_[pool] += job.gpus;
    running_.erase(find(running_, job));
  }
  void extend(const scheduling::WaitingJob& job, std::int64_t end) { find(running_, job)->end = end; }
  void foresee(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    steps_.push_back({pool, at, delta});
    if (delta > 0) aside_.clear();
  }
  void withdraw_foreseen(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    steps_.erase(std::find_if(steps_.begin(), steps_.end(), [&](const Step& s) {
      return s.pool == pool && s.at == at && s.delta == delta;
    }));
    if (delta < 0) aside_.clear();
  }
  void change_capacity(std::uint32_t pool, std::int64_t delta) {
    free_[pool] += delta;
    capacity_[pool] += delta;
    if (delta > 0) aside_.clear();
  }
  std::int64_t free(std::uint32_t pool) const { return free_[pool]; }
  std::size_t waiting() const { return waiting_.size(); }

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    now_ = now;
    std::set<std::uint64_t> passed = aside_;
    std::set<std::uint32_t> dropped;
    std::size_t blocked = 0;
    closed_.assign(free_.size(), false);
    reserved_.assign(free_.size(), {});
    while (const Asks* next = conformance::first_by_share(
               waiting_, passed, dropped, [this](std::uint32_t account) { return share(account); })) {
      const Asks asked = *next;
      const std::vector<scheduling::PoolChoice>& pools = groups_[asked.group].choices;
      const auto room = std::find_if(pools.begin(), pools.end(), [&](const scheduling::PoolChoice& c) {
        return !closed_[c.pool] && starts(asked, c);
      });
      if (room != pools.end()) {
        const std::int64_t requested = scheduling::time_at_speed(asked.job.requested, room->speed);
        waiting_.erase(find(waiting_, asked.job));
        running_.push_back(asked);
        running_.back().pool = room->pool;
        running_.back().end = now + requested;
        free_[room->pool] -= asked.job.gpus;
        sink.start(asked.job, room->pool, requested);
        continue;
      }
      const scheduling::PoolChoice* first = ends_first(asked);
      if (first == nullptr || B == scheduling::Backfill::easy) {
        passed.insert(asked.job.order.id);
        if (B != scheduling::Backfill::easy || (blocked > 0 && !looks_on(blocked))) continue;
        if (first == nullptr)
          aside_.insert(asked.job.order.id);
        else if (++blocked; !reserved_[first->pool].there)
          reserve(asked, *first);
        continue;
      }
      dropped.insert(asked.account);
      if (B == scheduling::Backfill::none)
        for (const scheduling::PoolChoice& c : pools) closed_[c.pool] = true;
    }
  }

 private:
  struct Asks {
    scheduling::WaitingJob job;
    std::uint32_t account, group, pool;
    std::int64_t end;
  };
  struct Step {
    std::uint32_t pool;
    std::int64_t at, delta;
  };
  struct Reserved {
    bool there = false;
    std::int64_t shadow = 0, until = 0, gpus = 0;
  };
  using List = std::vector<Asks>;

  static typename List::iterator find(List& list, const scheduling::WaitingJob& job) {
    return std::find_if(list.begin(), list.end(), [&](const Asks& a) { return a.job.slot == job.slot; });
  }
  std::int64_t free_at(std::uint32_t pool, std::int64_t t) const {
    std::int64_t free = free_[pool];
    for (const Asks& a : running_)
      if (a.pool == pool && a.end <= t) free += a.job.gpus;
    for (const Step& s : steps_)
      if (s.pool == pool && s.at <= t) free += s.delta;
    return free;
  }
  std::vector<std::int64_t> instants(std::uint32_t pool, std::int64_t from) const {
    std::vector<std::int64_t> all{from};
    for (const Asks& a : running_)
      if (a.pool == pool && a.end > from) all.push_back(a.end);
    for (const Step& s : steps_)
      if (s.pool == pool && s.at > from) all.push_back(s.at);
    std::sort(all.begin(), all.end());
    return all;
  }
  bool holds(std::uint32_t pool, std::int64_t from, std::int64_t until, std::int64_t gpus) const {
    for (const std::int64_t t : instants(pool, from))
      if (t < until && free_at(pool, t) < gpus) return false;
    return true;
  }
  bool starts(const Asks& asked, const scheduling::PoolChoice& c) const {
    const std::int64_t end = now_ + scheduling::time_at_speed(asked.job.requested, c.speed);
    if (!holds(c.pool, now_, end, asked.job.gpus)) return false;
    const Reserved& r = reserved_[c.pool];
    return !r.there || end <= r.shadow ||
           holds(c.pool, r.shadow, std::min(end, r.until), asked.job.gpus + r.gpus);
  }
  std::int64_t hole(const Asks& asked, const scheduling::PoolChoice& c) const {
    const std::int64_t requested = scheduling::time_at_speed(asked.job.requested, c.speed);
    for (const std::int64_t t : instants(c.pool, now_))
      if (holds(c.pool, t, t + requested, asked.job.gpus)) return t;
    return scheduling::Profile::forever;
  }
  std::int64_t first_end(const Asks& asked, const scheduling::PoolChoice& c) const {
    const std::int64_t at = hole(asked, c);
    return at == scheduling::Profile::forever ? at
                                              : at + scheduling::time_at_speed(asked.job.requested, c.speed);
  }
  /// Where it would end first, or null if no pool can ever hold it.
  const scheduling::PoolChoice* ends_first(const Asks& asked) const {
    const scheduling::PoolChoice* best = nullptr;
    for (const scheduling::PoolChoice& c : groups_[asked.group].choices)
      if (first_end(asked, c) < (best == nullptr ? scheduling::Profile::forever : first_end(asked, *best)))
        best = &c;
    return best;
  }
  /// Whether one more blocked job is looked at: a pool is without a reservation, and there are GPUs to give.
  bool looks_on(std::size_t blocked) const {
    bool open = false, any_free = false;
    for (std::uint32_t p = 0; p < free_.size(); ++p) {
      const bool gains = std::any_of(steps_.begin(), steps_.end(),
                                     [p](const Step& s) { return s.pool == p && s.delta > 0; });
      open |= !reserved_[p].there && (capacity_[p] > 0 || gains);
      any_free |= free_[p] > 0;
    }
    return blocked < scheduling::BlockedFront::limit && open && any_free;
  }
  void reserve(const Asks& asked, const scheduling::PoolChoice& c) {
    reserved_[c.pool] = {true, hole(asked, c), first_end(asked, c), asked.job.gpus};
  }
  double share(std::uint32_t account) const {
    double most = 0;
    for (std::size_t r = 0; r < resources_.sizes.size(); ++r) {
      std::int64_t held = 0;
      for (const Asks& a : running_)
        if (a.account == account && resources_.gpus_of[a.pool] == r) held += a.job.gpus;
      if (resources_.sizes[r] > 0)
        most = std::max(
            most, static_cast<double>(held) / (static_cast<double>(resources_.sizes[r]) * weights_[account]));
    }
    return most;
  }

  scheduling::SharedResources resources_;
  std::vector<scheduling::GroupSpec> groups_;
  std::vector<double> weights_;
  std::vector<std::int64_t> free_, capacity_;  ///< by pool
  std::set<std::uint64_t> aside_;  ///< easy: jobs that nothing would hold, until capacity is gained
  List waiting_, running_;
  std::vector<Step> steps_;
  std::int64_t now_ = 0;
  std::vector<bool> closed_;        ///< by pool, in a pass
  std::vector<Reserved> reserved_;  ///< by pool, in a pass
};

}  // namespace natgpu::testing
