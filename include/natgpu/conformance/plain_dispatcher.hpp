// SPDX-License-Identifier: Apache-2.0
// The rules of none, fit, easy and easy-sjbf over several pools as plain loops: no index, nothing kept from
// pass to pass. What `Dispatcher` must agree with, and what `natgpu policy check` compares with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/scheduling/dispatcher.hpp>

namespace natgpu::conformance {

using scheduling::Backfill;
using scheduling::GroupSpec;
using scheduling::PoolChoice;
using scheduling::Profile;
using scheduling::time_at_speed;
using scheduling::WaitingJob;

struct Held {
  std::uint32_t pool;
  std::int64_t gpus, end;
  std::uint64_t id;
};
struct Queued {
  std::uint32_t group;
  WaitingJob job;
};
using StartsOfPass = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

/// The end that counts once a job has its GPUs.
using SettledEnd = std::int64_t (*)(std::uint64_t id, std::int64_t now, std::int64_t requested_end);
inline std::int64_t as_requested(std::uint64_t, std::int64_t, std::int64_t requested_end) {
  return requested_end;
}

/// What happens between passes.
struct PlainBooks {
  struct Step {
    std::int64_t at, delta;
  };
  struct Pool {
    std::int64_t free = 0, capacity = 0;
    std::vector<Step> foreseen;
    bool blocked = false;
    std::int64_t shadow = 0, until = 0, reserved = 0;
  };
  PlainBooks(std::size_t count, std::vector<GroupSpec> specs, SettledEnd settled = as_requested)
      : pools(count), groups(std::move(specs)), settled_end(settled) {}

  void submit(const Queued& q) { waiting.push_back(q); }
  void withdraw(std::size_t i) { waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i)); }
  void finish(std::size_t i) {
    pools[running[i].pool].free += running[i].gpus;
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
  }
  void extend(std::size_t i, std::int64_t end) { running[i].end = end; }
  void change_capacity(std::uint32_t pool, std::int64_t delta) {
    pools[pool].free += delta;
    pools[pool].capacity += delta;
  }
  void foresee(std::uint32_t pool, const Step& step) { pools[pool].foreseen.push_back(step); }
  void withdraw_foreseen(std::uint32_t pool, std::size_t i, std::int64_t /*now*/) {
    pools[pool].foreseen.erase(pools[pool].foreseen.begin() + static_cast<std::ptrdiff_t>(i));
  }

  std::vector<Pool> pools;
  std::vector<GroupSpec> groups;
  SettledEnd settled_end;
  std::vector<Held> running;
  std::vector<Queued> waiting;
};

/// easy-sjbf goes through the queue twice: in queue order, to start what fits in pools without a reservation
/// and to make reservations, and then by (requested, queue order), to start what fits beside them.
template <Backfill B>
class PlainDispatcher : public PlainBooks {
 public:
  using PlainBooks::PlainBooks;

  StartsOfPass pass(std::int64_t now) {
    StartsOfPass starts;
    std::sort(waiting.begin(), waiting.end(),
              [](const Queued& a, const Queued& b) { return a.job.order < b.job.order; });
    for (Pool& p : pools) p.blocked = false;
    std::size_t blocked_jobs = 0;
    for (std::size_t i = 0; i < waiting.size();) {
      const Queued q = waiting[i];
      if (start_if(B == Backfill::easy_sjbf ? without_reservation : any_pool, now, i, starts)) continue;
      ++i;
      if (B == Backfill::none) block(now, q);
      if (!reserves || blocked_jobs >= most_blocked) continue;
      const bool is_candidate = B == Backfill::easy_sjbf && choose(with_reservation, now, q) >= 0;
      if (is_candidate || reserve(now, q)) ++blocked_jobs;
    }
    if (B != Backfill::easy_sjbf) return starts;
    std::stable_sort(waiting.begin(), waiting.end(),
                     [](const Queued& a, const Queued& b) { return a.job.requested < b.job.requested; });
    for (std::size_t i = 0; i < waiting.size();)
      if (!start_if(with_reservation, now, i, starts)) ++i;
    return starts;
  }

 private:
  static constexpr bool reserves = B == Backfill::easy || B == Backfill::easy_sjbf;
  static constexpr std::size_t most_blocked = scheduling::BlockedFront::limit;
  enum Where { any_pool, without_reservation, with_reservation };

  /// @returns whether the i-th waiting job has started, and left
  bool start_if(Where where, std::int64_t now, std::size_t i, StartsOfPass& starts) {
    const Queued q = waiting[i];
    const int choice = choose(where, now, q);
    if (choice < 0) return false;
    const PoolChoice& c = groups[q.group].choices[static_cast<std::size_t>(choice)];
    pools[c.pool].free -= q.job.gpus;
    running.push_back({c.pool, q.job.gpus,
                       settled_end(q.job.order.id, now, now + time_at_speed(q.job.requested, c.speed)),
                       q.job.order.id});
    starts.emplace_back(q.job.order.id, c.pool);
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
    return true;
  }
  std::int64_t free_at(std::uint32_t pool, std::int64_t t) const {
    std::int64_t free = pools[pool].free;
    for (const Held& h : running)
      if (h.pool == pool && h.end <= t) free += h.gpus;
    for (const Step& s : pools[pool].foreseen)
      if (s.at <= t) free += s.delta;
    return free;
  }
  std::vector<std::int64_t> instants(std::uint32_t pool, std::int64_t from) const {
    std::vector<std::int64_t> all{from};
    for (const Held& h : running)
      if (h.pool == pool && h.end > from) all.push_back(h.end);
    for (const Step& s : pools[pool].foreseen)
      if (s.at > from) all.push_back(s.at);
    std::sort(all.begin(), all.end());
    return all;
  }
  bool holds(std::uint32_t pool, std::int64_t from, std::int64_t until, std::int64_t gpus) const {
    for (const std::int64_t t : instants(pool, from))
      if ((t == from || t < until) && free_at(pool, t) < gpus) return false;
    return true;
  }
  std::int64_t hole(std::uint32_t pool, std::int64_t now, std::int64_t gpus, std::int64_t length) const {
    for (const std::int64_t t : instants(pool, now))
      if (holds(pool, t, t + length, gpus)) return t;
    return Profile::forever;
  }
  bool starts_in(std::uint32_t pool, std::int64_t now, std::int64_t gpus, std::int64_t requested) const {
    const Pool& p = pools[pool];
    if (B == Backfill::none && p.blocked) return false;
    const std::int64_t end = now + requested;
    if (!holds(pool, now, end, gpus)) return false;
    if (!reserves || !p.blocked || end <= p.shadow) return true;
    return holds(pool, p.shadow, std::min(end, p.until), gpus + p.reserved);
  }
  int choose(Where where, std::int64_t now, const Queued& q) const {
    const auto& choices = groups[q.group].choices;
    for (std::size_t c = 0; c < choices.size(); ++c)
      if ((where == any_pool || (where == with_reservation) == pools[choices[c].pool].blocked) &&
          starts_in(choices[c].pool, now, q.job.gpus, time_at_speed(q.job.requested, choices[c].speed)))
        return static_cast<int>(c);
    return -1;
  }
  void block(std::int64_t now, const Queued& q) {
    for (const PoolChoice& c : groups[q.group].choices)
      if (hole(c.pool, now, q.job.gpus, time_at_speed(q.job.requested, c.speed)) != Profile::forever)
        pools[c.pool].blocked = true;
  }
  /// @returns false if no pool can ever hold it
  bool reserve(std::int64_t now, const Queued& q) {
    const PoolChoice* best = nullptr;
    std::int64_t best_at = 0, best_end = Profile::forever;
    for (const PoolChoice& c : groups[q.group].choices) {
      const std::int64_t requested = time_at_speed(q.job.requested, c.speed);
      const std::int64_t at = hole(c.pool, now, q.job.gpus, requested);
      if (at == Profile::forever || at + requested >= best_end) continue;
      best = &c;
      best_at = at;
      best_end = at + requested;
    }
    if (best == nullptr) return false;
    Pool& p = pools[best->pool];
    if (p.blocked) return true;
    p.blocked = true;
    p.shadow = best_at;
    p.until = best_end;
    p.reserved = q.job.gpus;
    return true;
  }
};

}  // namespace natgpu::conformance
