// SPDX-License-Identifier: Apache-2.0
// Quota reclaim as plain loops: what accounts hold is counted anew for each question, and shares are compared
// as products.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/preemptive_rule.hpp>
#include <natgpu/scheduling/quota.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::conformance {

class PlainQuotaReclaim {
 public:
  PlainQuotaReclaim(scheduling::PreemptiveRule rule, std::vector<scheduling::Quota> quotas,
                    bool by_class = false)
      : PlainQuotaReclaim(std::move(rule), 1, {{{{0, 1.0}}}}, std::move(quotas), by_class) {}
  PlainQuotaReclaim(scheduling::PreemptiveRule rule, std::size_t pools,
                    std::vector<scheduling::GroupSpec> groups, std::vector<scheduling::Quota> quotas,
                    bool by_class = false)
      : rule_(std::move(rule)),
        groups_(std::move(groups)),
        quotas_(std::move(quotas)),
        by_class_(by_class),
        free_(pools),
        up_(pools) {}

  void attribute(std::uint32_t slot, std::uint32_t account) {
    if (slot >= account_of_.size()) account_of_.resize(slot + std::size_t{1});
    account_of_[slot] = account;
  }
  void submit(const scheduling::WaitingJob& job, const scheduling::Progress&, std::int64_t,
              std::uint32_t group = 0, bool firm = false) {
    waiting_.push_back({job, group, firm});
  }
  void withdraw_job(std::uint32_t slot) {
    waiting_.erase(
        std::find_if(waiting_.begin(), waiting_.end(), [=](const Waits& w) { return w.job.slot == slot; }));
  }
  void finish_job(std::uint32_t slot) {
    for (std::vector<Run>* runs : {&running_, &stopping_})
      for (std::size_t i = runs->size(); i-- > 0;)
        if ((*runs)[i].asks.job.slot == slot) {
          free_[(*runs)[i].where.pool] += (*runs)[i].asks.job.gpus;
          runs->erase(runs->begin() + static_cast<std::ptrdiff_t>(i));
        }
  }
  void change_capacity(std::uint32_t pool, std::int64_t delta) {
    free_[pool] += delta;
    up_[pool] += delta;
  }
  std::int64_t free(std::uint32_t pool) const { return free_[pool]; }

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (rule_.round > 0 && now % rule_.round != 0) return;
    now_ = now;
    std::vector<Waits> queue;
    std::swap(queue, waiting_);  // who comes back waits for the next pass
    std::sort(queue.begin(), queue.end(),
              [](const Waits& a, const Waits& b) { return a.job.order < b.job.order; });
    closed_.assign(free_.size(), false);
    idle_ = free_;
    coming_.assign(free_.size(), 0);
    kept_.assign(quotas_.size(), 0);
    for (const Run& r : stopping_) coming_[r.where.pool] += r.asks.job.gpus;
    std::vector<Waits> rest;
    for (std::size_t i = 0; i < queue.size();) {
      if (!within_quota(account(queue[i]), queue[i].job.gpus)) {
        ++i;
        continue;
      }
      const Waits w = queue[i];
      queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
      if (!serve(w, true, sink)) rest.push_back(w);
      i = 0;  // whoever stands before it may have become entitled
    }
    for (const Waits& w : queue)
      if (!serve(w, false, sink)) rest.push_back(w);
    waiting_.insert(waiting_.end(), rest.begin(), rest.end());
  }

 private:
  struct Waits {
    scheduling::WaitingJob job;
    std::uint32_t group;
    bool firm;
  };
  struct Run {
    Waits asks;
    scheduling::PoolChoice where;
    std::int64_t since;
    friend bool operator==(const Run& a, const Run& b) { return a.asks.job.slot == b.asks.job.slot; }
  };

  std::uint32_t account(const Waits& w) const { return account_of_[w.job.slot]; }
  /// GPUs of running jobs, and such as are kept for waiting ones.
  std::int64_t held_by(std::uint32_t a) const {
    std::int64_t held = kept_[a];
    for (const Run& r : running_)
      if (account(r.asks) == a) held += r.asks.job.gpus;
    return held;
  }
  bool within_quota(std::uint32_t a, std::int64_t more) const {
    const std::int64_t up = std::accumulate(up_.begin(), up_.end(), std::int64_t{0});
    return (held_by(a) + more) * quotas_[a].whole <= quotas_[a].part * up;
  }
  /// @returns whether the job starts
  template <class Sink>
  bool serve(const Waits& w, bool may_claim, Sink& sink) {
    const scheduling::PoolChoice* where = place_for(w, may_claim, sink);
    if (where == nullptr) {
      if (!rule_.skips)
        for (const scheduling::PoolChoice& c : groups_[w.group].choices) closed_[c.pool] = true;
      return false;
    }
    free_[where->pool] -= w.job.gpus;
    idle_[where->pool] -= w.job.gpus;
    running_.push_back({w, *where, now_});
    sink.start(w.job, where->pool, scheduling::time_at_speed(w.job.requested, where->speed));
    return true;
  }
  /// Where the job starts, after others have been stopped for it; null: nowhere, or not before GPUs that it
  /// keeps from those behind it come free.
  template <class Sink>
  const scheduling::PoolChoice* place_for(const Waits& w, bool may_claim, Sink& sink) {
    for (const scheduling::PoolChoice& c : groups_[w.group].choices)
      if (!closed_[c.pool] && w.job.gpus <= idle_[c.pool]) return &c;
    for (const scheduling::PoolChoice& c : groups_[w.group].choices) {
      if (closed_[c.pool]) continue;
      const std::int64_t lacking = w.job.gpus - idle_[c.pool] - coming_[c.pool];
      if (lacking > 0) {
        const std::vector<Run> victims = may_claim ? victims_for(lacking, c.pool) : std::vector<Run>();
        if (victims.empty()) continue;
        for (const Run& r : victims) stop(r, sink);
      }
      if (w.job.gpus <= idle_[c.pool]) return &c;
      coming_[c.pool] -= w.job.gpus - idle_[c.pool];
      idle_[c.pool] = 0;
      if (may_claim) kept_[account(w)] += w.job.gpus;
      return nullptr;
    }
    return nullptr;
  }
  template <class Sink>
  void stop(const Run& victim, Sink& sink) {
    running_.erase(std::find(running_.begin(), running_.end(), victim));
    const std::int64_t gpus = victim.asks.job.gpus;
    (rule_.notice > 0 ? coming_ : idle_)[victim.where.pool] += gpus;
    if (rule_.notice > 0)
      stopping_.push_back(victim);
    else
      free_[victim.where.pool] += gpus;
    sink.preempt(victim.asks.job);
  }
  /// None where they do not suffice.
  std::vector<Run> victims_for(std::int64_t lacking, std::uint32_t pool) const {
    std::vector<Run> order;
    for (const Run& r : running_)
      if (r.where.pool == pool && !r.asks.firm && r.since < now_ && now_ - r.since >= rule_.shield)
        order.push_back(r);
    std::sort(order.begin(), order.end(), [this](const Run& a, const Run& b) {
      return std::tuple(by_class_ ? a.asks.job.order.key : 0, a.since, a.asks.job.order.id) >
             std::tuple(by_class_ ? b.asks.job.order.key : 0, b.since, b.asks.job.order.id);
    });
    std::int64_t got = 0;
    std::vector<Run> chosen;
    for (const Run& r : order) {
      std::int64_t taken = 0;  // of its account
      for (const Run& c : chosen)
        if (account(c.asks) == account(r.asks)) taken += c.asks.job.gpus;
      if (got >= lacking || within_quota(account(r.asks), -taken)) continue;
      got += r.asks.job.gpus;
      chosen.push_back(r);
    }
    if (got < lacking) return {};
    for (std::size_t i = chosen.size(); i-- > 0;)
      if (got - chosen[i].asks.job.gpus >= lacking) {
        got -= chosen[i].asks.job.gpus;
        chosen.erase(chosen.begin() + static_cast<std::ptrdiff_t>(i));
      }
    return chosen;
  }

  scheduling::PreemptiveRule rule_;
  std::vector<scheduling::GroupSpec> groups_;
  std::vector<scheduling::Quota> quotas_;  ///< by account
  bool by_class_;
  std::vector<std::uint32_t> account_of_;  ///< by slot
  std::vector<Waits> waiting_;
  std::vector<Run> running_, stopping_;
  std::vector<std::int64_t> free_, up_;      ///< by pool
  std::vector<std::int64_t> idle_, coming_;  ///< by pool, in a pass: not given to anybody yet
  std::vector<std::int64_t> kept_;           ///< by account, in a pass: GPUs under notice, for waiting jobs
  std::vector<bool> closed_;                 ///< by pool, in a pass
  std::int64_t now_ = 0;
};

}  // namespace natgpu::conformance
