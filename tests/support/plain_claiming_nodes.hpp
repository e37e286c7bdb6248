// SPDX-License-Identifier: Apache-2.0
// Waiting jobs that claim the machines of others, by class or by quota, in plain loops: for each of them what
// each machine would have is counted anew, with one victim more and with one less. A job's queue is its
// class, its user its account.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "plain_preemptive_nodes.hpp"

namespace natgpu::testing {

class PlainClaimingNodes : public PlainPreemptiveNodes {
 public:
  using PlainPreemptiveNodes::PlainPreemptiveNodes;

  std::map<std::int32_t, std::int64_t> shares;  ///< by user; 1 where it is not named
  int claims = 0, spared = 0, kept = 0,
      in_vain = 0;  ///< in_vain: nothing was taken, for all would not have done

 protected:
  void preempting_pass(std::int64_t t) override {
    std::vector<std::size_t> queue;
    for (std::size_t i = 0; i < jobs.size(); ++i)
      if (jobs[i].waiting) queue.push_back(i);
    std::stable_sort(queue.begin(), queue.end(),
                     [this](std::size_t a, std::size_t b) { return key(a) < key(b); });
    blocked_ = false;
    kept_.clear();
    then_ = now_;
    for (std::size_t i = 0; i < jobs.size(); ++i)
      if (states_[i].leaves != never_) release(jobs[i], then_);
    if (options_.quota_reclaim)
      for (std::size_t k = 0; k < queue.size();) {
        const std::size_t i = queue[k];
        if (!within_quota(log_.jobs[i].user, asked(i))) {
          ++k;
          continue;
        }
        queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(k));
        serve(i, true, t);
        k = 0;  // whoever stands before it may have become entitled
      }
    for (const std::size_t i : queue) serve(i, options_.by_class, t);
  }

 private:
  bool has_classes() const { return options_.order == scheduling::Order::priority; }
  std::int64_t key(std::size_t i) const { return has_classes() ? log_.jobs[i].queue : log_.jobs[i].submit_s; }
  std::int64_t asked(std::size_t i) const { return log_.jobs[i].gpus == 0 ? 0 : milli(i); }

  std::int64_t share_of(std::int32_t user) const {
    const auto it = shares.find(user);
    return it != shares.end() ? it->second : 1;
  }
  /// held x sum of the shares <= share x GPUs that are up
  bool within_quota(std::int32_t user, std::int64_t more) const {
    std::set<std::int32_t> users;
    std::int64_t sum = 0, up = 0, held = more;
    for (const workload::LogJob& j : log_.jobs)
      if (users.insert(j.user).second) sum += share_of(j.user);
    for (const Machine& m : now_) up += m.up ? static_cast<std::int64_t>(m.free.size()) : 0;
    for (std::size_t i = 0; i < jobs.size(); ++i)
      if (jobs[i].running && log_.jobs[i].user == user) held += asked(i);
    if (const auto it = kept_.find(user); it != kept_.end()) held += it->second;
    return held * sum <= share_of(user) * up * 1000;
  }

  std::vector<std::size_t> victims_for(std::size_t claimant, std::int64_t t) const {
    std::vector<std::size_t> order, victims;
    for (std::size_t i = 0; i < jobs.size(); ++i)
      if (jobs[i].running && states_[i].started < t && !safe(i, t)) order.push_back(i);
    std::sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
      return std::tuple(has_classes() ? key(a) : 0, states_[a].started, a) >
             std::tuple(has_classes() ? key(b) : 0, states_[b].started, b);
    });
    for (const std::size_t i : order) {
      if (options_.by_class && key(i) <= key(claimant)) continue;
      std::int64_t taken = 0;  // of its account
      for (const std::size_t v : victims)
        if (log_.jobs[v].user == log_.jobs[i].user) taken += asked(v);
      if (options_.quota_reclaim && within_quota(log_.jobs[i].user, -taken)) continue;
      victims.push_back(i);
    }
    return victims;
  }
  /// What is free both now and when all notices are over.
  Machines least() const {
    Machines both = now_;
    for (std::size_t m = 0; m < both.size(); ++m) {
      both[m].cpu = std::min(now_[m].cpu, then_[m].cpu);
      both[m].memory = std::min(now_[m].memory, then_[m].memory);
      for (std::size_t g = 0; g < both[m].free.size(); ++g) {
        both[m].free[g] = std::min(now_[m].free[g], then_[m].free[g]);
        if (now_[m].mig < 0) continue;
        both[m].taken[g] = now_[m].taken[g] | then_[m].taken[g];
        both[m].free[g] = 1000 - PlainMig(now_[m].mig).milli(both[m].taken[g]);
      }
    }
    return both;
  }
  bool fits_without(const std::vector<std::size_t>& victims, std::size_t i, std::vector<Held>& held) {
    Machines machines = then_;
    for (const std::size_t v : victims) release(jobs[v], machines);
    return place(machines, i, held);
  }
  void serve(std::size_t i, bool may_claim, std::int64_t t) {
    if (blocked_) return;
    std::vector<Held> held;
    std::vector<std::size_t> victims;
    Machines free = least();
    const bool starts = place(free, i, held);
    bool found = starts || fits_without({}, i, held);
    if (!found && may_claim) {
      const std::vector<std::size_t> all = victims_for(i, t);
      for (std::size_t n = 0; n < all.size() && !found; ++n) {
        victims.push_back(all[n]);
        found = fits_without(victims, i, held);
      }
      in_vain += !found && !all.empty();
    }
    blocked_ = !(starts || (found && rule().notice == 0)) && options_.backfill != scheduling::Backfill::fit &&
               holdable(i);
    if (!found) return;
    for (std::size_t k = victims.size(); k-- > 0;) {
      std::vector<std::size_t> fewer = victims;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(k));
      if (!fits_without(fewer, i, held)) continue;
      victims = fewer;
      ++spared;
    }
    if (!starts) fits_without(victims, i, held);
    claims += !victims.empty();
    for (const std::size_t v : victims) {
      ++fates[v].preemptions;
      release(jobs[v], then_);
      if (rule().notice == 0) {
        leave(v, t);
        continue;
      }
      stop(v, t);
      jobs[v].running = false;
      states_[v].leaves = t + rule().notice;
    }
    for (const Held& h : held) take(then_[h.machine], h);
    if (starts || rule().notice == 0) return begin(i, t, held);
    ++kept;
    if (options_.quota_reclaim && may_claim) kept_[log_.jobs[i].user] += asked(i);
  }

  Machines then_;                              ///< when all notices are over, but for what is kept
  std::map<std::int32_t, std::int64_t> kept_;  ///< by user, for entitled jobs, in this pass
  bool blocked_ = false;
};

}  // namespace natgpu::testing
