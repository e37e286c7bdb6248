// SPDX-License-Identifier: Apache-2.0
// A dispatcher against plain loops over random events.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <natgpu/conformance/plain_dispatcher.hpp>

#include "catch.hpp"

namespace natgpu::scheduling {

using conformance::Held;
using conformance::Queued;
using conformance::StartsOfPass;

/// Some owners know a nearer end once their job has its GPUs, as services do of their replicas.
inline std::int64_t nearer_end(std::uint64_t id, std::int64_t now, std::int64_t requested_end) {
  if (id % 4 != 0) return requested_end;
  return std::max(now + 1, requested_end - static_cast<std::int64_t>(id % 23));
}

/// What may happen in a random workload.
struct Workload {
  std::size_t pools = 1, groups = 1;
  int steps = 120;
  std::int64_t largest = 8;  ///< GPUs of a job
  bool announced = false, ordered = true, changing = true;
};

/// Drives a dispatcher and plain loops through the same random events and compares every pass.
template <class Fast, class Plain>
class Duel {
 public:
  /// @param more  what both take beside pools and groups
  template <class... More>
  explicit Duel(std::uint64_t seed, const Workload& w, More... more)
      : random_(seed),
        w_(w),
        specs_(random_groups()),
        plain_(w.pools, specs_, more...),
        fast_(w.pools, specs_, false, more...) {
    plain_.settled_end = nearer_end;
    if (w.announced) fast_.keep_profile();
    for (std::uint32_t p = 0; p < w.pools; ++p) gain(p, below(2 * w.largest) + (w.changing ? 1 : w.largest));
  }
  /// @returns whether both agreed at every pass
  bool run() {
    for (int step = 0; step < w_.steps; ++step) {
      advance();
      release_due();
      const int events = static_cast<int>(below(4));
      for (int e = 0; e < events; ++e) happen();
      started_.clear();
      fast_.pass(now_, *this);
      const StartsOfPass plain = plain_.pass(now_);
      if (plain != started_) return false;
      if (fast_.waiting() != plain_.waiting.size()) return false;
      if constexpr (requires { plain_.broken_promises(); })
        if (fast_.broken_promises() != plain_.broken_promises()) return false;
    }
    return true;
  }
  void start(const WaitingJob& job, std::uint32_t pool, std::int64_t requested) {
    started_.emplace_back(job.order.id, pool);
    if constexpr (requires { plain_.broken_promises(); }) return;  // which asks for nothing of the kind
    const std::int64_t end = now_ + requested;
    if (const std::int64_t known = nearer_end(job.order.id, now_, end); known != end)
      fast_.extend(pool, job.gpus, end, known);
  }

 private:
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }

  std::vector<GroupSpec> random_groups() {
    std::vector<GroupSpec> all(w_.groups);
    for (GroupSpec& g : all) {
      for (std::uint32_t p = 0; p < w_.pools; ++p)
        if (g.choices.empty() ? p + 1 == w_.pools || below(2) == 0 : below(3) > 0)
          g.choices.push_back({p, w_.pools == 1 ? 1.0 : 0.25 * static_cast<double>(1 + below(8))});
      std::stable_sort(g.choices.begin(), g.choices.end(),
                       [](const PoolChoice& a, const PoolChoice& b) { return a.speed > b.speed; });
    }
    return all;
  }
  /// Requested ends, announced changes and reserved starts are instants of passes where there are promises.
  void advance() {
    std::int64_t next = now_ + 1 + below(20);
    if constexpr (requires { fast_.next_start(); }) {
      if (fast_.next_start() > now_) next = std::min(next, fast_.next_start());
      for (const Held& h : plain_.running) next = std::min(next, h.end);
      for (const auto& pool : plain_.pools)
        for (const auto& step : pool.foreseen) next = std::min(next, step.at);
    }
    now_ = next;
  }
  void happen() {
    const std::int64_t dice = below(100);
    if (dice < 60)
      submit();
    else if (dice < 80)
      finish_any();
    else if (dice < 84)
      withdraw_any();
    else if (dice < 86)
      release_any();
    else if (dice < 90 && w_.changing)
      gain(static_cast<std::uint32_t>(below(static_cast<std::int64_t>(w_.pools))), 1 + below(4));
    else if (dice < 94 && w_.changing)
      lose();
    else if (dice < 97)
      extend_any();
    else if (w_.announced)
      announce();
  }
  void submit() {
    WaitingJob job;
    job.order = {w_.ordered ? now_ : below(1000), next_id_++};
    job.requested = 1 + below(below(4) == 0 ? 400 : 40);
    job.gpus = static_cast<std::int32_t>(1 + below(below(3) == 0 ? w_.largest : 2));
    const auto group = static_cast<std::uint32_t>(below(static_cast<std::int64_t>(w_.groups)));
    put({group, job});
  }
  void put(const Queued& q) {
    jobs_[q.job.order.id] = q;
    plain_.submit(q);
    fast_.submit(q.group, q.job);
  }
  void finish(std::size_t i) {
    const Held h = plain_.running[i];
    plain_.finish(i);
    fast_.finish(h.pool, h.gpus, h.end);
  }
  void finish_any() {
    if (!plain_.running.empty())
      finish(static_cast<std::size_t>(below(static_cast<std::int64_t>(plain_.running.size()))));
  }
  /// Jobs whose requested end has come are gone, and what was announced happens.
  void release_due() {
    for (std::size_t i = plain_.running.size(); i-- > 0;)
      if (plain_.running[i].end <= now_) finish(i);
    for (std::uint32_t p = 0; p < w_.pools; ++p) {
      auto& foreseen = plain_.pools[p].foreseen;
      for (std::size_t i = foreseen.size(); i-- > 0;) {
        if (foreseen[i].at > now_) continue;
        const auto step = foreseen[i];
        plain_.withdraw_foreseen(p, i, now_);
        fast_.withdraw_foreseen(p, step.at, step.delta);
        if (step.delta > 0)
          gain(p, step.delta);
        else
          lose_from(p, -step.delta);
      }
    }
  }
  void withdraw_any() {
    if (plain_.waiting.empty()) return;
    const auto i = below(static_cast<std::int64_t>(plain_.waiting.size()));
    const Queued q = plain_.waiting[static_cast<std::size_t>(i)];
    plain_.withdraw(static_cast<std::size_t>(i));
    CHECK(fast_.withdraw(q.group, q.job.order, q.job.gpus));
    if (below(2) == 0) held_.push_back(q);  // others are gone for good
  }
  /// A job that was held is eligible again, and returns to its place.
  void release_any() {
    if (held_.empty()) return;
    const auto at = held_.begin() + below(static_cast<std::int64_t>(held_.size()));
    const Queued q = *at;
    held_.erase(at);
    put(q);
  }
  void gain(std::uint32_t pool, std::int64_t gpus) {
    plain_.change_capacity(pool, gpus);
    fast_.change_capacity(pool, gpus);
  }
  void lose() {
    const auto pool = static_cast<std::uint32_t>(below(static_cast<std::int64_t>(w_.pools)));
    lose_from(pool, 1 + below(6));
  }
  /// What runs there goes back to its place in the queue.
  void lose_from(std::uint32_t pool, std::int64_t gpus) {
    gpus = std::min(gpus, plain_.pools[pool].capacity);
    for (std::size_t i = plain_.running.size(); i-- > 0 && plain_.pools[pool].free < gpus;) {
      const Held h = plain_.running[i];
      if (h.pool != pool) continue;
      finish(i);
      put(jobs_.at(h.id));
    }
    plain_.change_capacity(pool, -gpus);
    fast_.change_capacity(pool, -gpus);
  }
  void extend_any() {
    if (plain_.running.empty()) return;
    const auto i = static_cast<std::size_t>(below(static_cast<std::int64_t>(plain_.running.size())));
    const Held h = plain_.running[i];
    const std::int64_t end = now_ + 1 + below(60);
    fast_.extend(h.pool, h.gpus, h.end, end);
    plain_.extend(i, end);
  }
  void announce() {
    const auto pool = static_cast<std::uint32_t>(below(static_cast<std::int64_t>(w_.pools)));
    const std::int64_t down = now_ + 1 + below(80), gpus = 1 + below(4);
    std::vector<std::pair<std::int64_t, std::int64_t>> steps{{down, -gpus}, {down + 1 + below(80), gpus}};
    for (const auto& [at, delta] : steps) {
      plain_.foresee(pool, {at, delta});
      fast_.foresee(pool, at, delta);
    }
  }

  std::mt19937_64 random_;
  Workload w_;
  std::vector<GroupSpec> specs_;
  Plain plain_;
  Fast fast_;
  std::map<std::uint64_t, Queued> jobs_;
  std::vector<Queued> held_;
  StartsOfPass started_;
  std::int64_t now_ = 0;
  std::uint64_t next_id_ = 0;
};

template <class Fast, class Plain, class... More>
std::vector<std::uint64_t> disagreements(std::uint64_t seeds, const Workload& w, More... more) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed)
    if (!Duel<Fast, Plain>(seed, w, more...).run()) all.push_back(seed);
  return all;
}
/// Workloads over one pool and over several, in order of submission and not, with announced outages and
/// without. @param more  what both take beside pools and groups
template <class Fast, class Plain, class... More>
void check_against_plain_loops(std::uint64_t seeds, More... more) {
  for (const std::size_t pools : {1U, 2U, 5U})
    for (const bool announced : {false, true})
      for (const bool ordered : {true, false}) {
        Workload w;
        w.pools = pools;
        w.groups = pools == 1 ? 1 : 3;
        w.announced = announced;
        w.ordered = ordered;
        INFO("pools " << pools << ", announced " << announced << ", in order " << ordered);
        CHECK(disagreements<Fast, Plain>(seeds, w, more...) == std::vector<std::uint64_t>{});
      }
}

}  // namespace natgpu::scheduling
