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

/// For GPUs alone, and without announced changes.
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
    waiting_.push_back({job, who.account, group, 0});
  }
  bool withdraw_of(const scheduling::WaitingJob& job) {
    waiting_.erase(find(waiting_, job));
    return true;
  }
  void finish_of(const scheduling::WaitingJob& job, std::int64_t, std::uint32_t pool) {
    free_[pool] += job.gpus;
    running_.erase(find(running_, job));
  }
  void change_capacity(std::uint32_t pool, std::int64_t delta) {
    free_[pool] += delta;
    capacity_[pool] += delta;
  }
  std::int64_t free(std::uint32_t pool) const { return free_[pool]; }
  std::size_t waiting() const { return waiting_.size(); }

  template <class Sink>
  void pass(std::int64_t, Sink&& sink) {
    std::set<std::uint64_t> passed;
    std::set<std::uint32_t> dropped;
    std::vector<bool> closed(free_.size());
    while (const Asks* next = conformance::first_by_share(
               waiting_, passed, dropped, [this](std::uint32_t account) { return share(account); })) {
      const Asks asked = *next;
      const std::vector<scheduling::PoolChoice>& pools = groups_[asked.group].choices;
      const auto room = std::find_if(pools.begin(), pools.end(), [&](const scheduling::PoolChoice& c) {
        return !closed[c.pool] && asked.job.gpus <= free_[c.pool];
      });
      if (room != pools.end()) {
        waiting_.erase(find(waiting_, asked.job));
        running_.push_back(asked);
        running_.back().pool = room->pool;
        free_[room->pool] -= asked.job.gpus;
        sink.start(asked.job, room->pool, scheduling::time_at_speed(asked.job.requested, room->speed));
      } else if (std::none_of(pools.begin(), pools.end(), [&](const scheduling::PoolChoice& c) {
                   return asked.job.gpus <= capacity_[c.pool];
                 })) {
        passed.insert(asked.job.order.id);
      } else {
        dropped.insert(asked.account);
        if (B == scheduling::Backfill::none)
          for (const scheduling::PoolChoice& c : pools) closed[c.pool] = true;
      }
    }
  }

 private:
  struct Asks {
    scheduling::WaitingJob job;
    std::uint32_t account, group, pool;
  };
  using List = std::vector<Asks>;

  static typename List::iterator find(List& list, const scheduling::WaitingJob& job) {
    return std::find_if(list.begin(), list.end(), [&](const Asks& a) { return a.job.slot == job.slot; });
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
  List waiting_, running_;
};

}  // namespace natgpu::testing
