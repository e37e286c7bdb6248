// SPDX-License-Identifier: Apache-2.0
// Conservative backfilling as plain loops over lists: every question is answered from the running jobs, the
// announced changes and the reservations, instant by instant.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include <natgpu/conformance/plain_dispatcher.hpp>

namespace natgpu::conformance {

using scheduling::QueueKey;

class PlainConservative : public PlainBooks {
 public:
  PlainConservative(std::size_t count, std::vector<GroupSpec> specs, std::size_t limit)
      : PlainBooks(count, std::move(specs)), limit_(limit), lost_(count), unsettled_(count) {}

  void submit(const Queued& q) {
    PlainBooks::submit(q);
    fresh_.push_back(q.job.order.id);
  }
  void withdraw(std::size_t i) {
    const std::uint64_t id = waiting[i].job.order.id;
    freed_ |= reserved_.erase(id) > 0;
    shelf_.erase(id);
    for (auto* list : {&fresh_, &again_})
      list->erase(std::remove(list->begin(), list->end(), id), list->end());
    PlainBooks::withdraw(i);
  }
  void finish(std::size_t i) {
    freed_ = true;
    PlainBooks::finish(i);
  }
  void extend(std::size_t i, std::int64_t end) {
    if (end > running[i].end)
      lost_[running[i].pool] = true;
    else
      freed_ = true;
    PlainBooks::extend(i, end);
  }
  void change_capacity(std::uint32_t pool, std::int64_t delta) {
    PlainBooks::change_capacity(pool, delta);
    // What was announced and happens changes nothing of what was planned.
    const bool as_announced =
        (delta > 0) == (unsettled_[pool] > 0) && std::abs(delta) <= std::abs(unsettled_[pool]);
    if (as_announced) unsettled_[pool] -= delta;
    if (as_announced && delta < 0) return;
    change(pool, delta);
  }
  void foresee(std::uint32_t pool, const Step& step) {
    PlainBooks::foresee(pool, step);
    change(pool, step.delta);
  }
  /// The step happens.
  void withdraw_foreseen(std::uint32_t pool, std::size_t i, std::int64_t now) {
    unsettled_[pool] += pools[pool].foreseen[i].delta;
    PlainBooks::withdraw_foreseen(pool, i, now);
  }
  /// The waiting jobs stand in another order: who is no longer among the first gives its reservation up.
  void keep_first() {
    std::sort(waiting.begin(), waiting.end(),
              [](const Queued& a, const Queued& b) { return a.job.order < b.job.order; });
    std::size_t stand_before = 0;
    for (const Queued& q : waiting) {
      const std::uint64_t id = q.job.order.id;
      if (reserved_.count(id) == 0 && !is_behind(q)) continue;
      if (++stand_before > limit_) freed_ |= reserved_.erase(id) > 0;
    }
  }
  std::uint64_t broken_promises() const { return broken_; }
  /// The start reserved for a job, or `forever`.
  std::int64_t promised(std::uint64_t id) const {
    const auto it = reserved_.find(id);
    return it != reserved_.end() ? it->second.start : Profile::forever;
  }

  StartsOfPass pass(std::int64_t now) {
    now_ = now;
    starts_.clear();
    std::sort(waiting.begin(), waiting.end(),
              [](const Queued& a, const Queued& b) { return a.job.order < b.job.order; });
    restore();
    const bool limited = limit_ != std::numeric_limits<std::size_t>::max();
    if (limited) {
      fresh_.clear();
      again_.clear();
      keep_first();
    }
    if (freed_) sweep();
    freed_ = false;
    start_due();
    take(again_);
    if (limited) move_up();
    if (limited) start_behind();
    take(fresh_);
    return starts_;
  }

 private:
  struct Place {
    std::uint32_t pool = 0;
    std::int64_t start = Profile::forever, end = Profile::forever, gpus = 0;
  };

  void change(std::uint32_t pool, std::int64_t delta) {
    if (delta < 0) lost_[pool] = true;
    if (delta <= 0) return;
    freed_ = true;
    for (const Queued& q : waiting)  // all that has no place, and is not behind the limit, tries again
      if (shelf_.count(q.job.order.id) > 0) again_.push_back(q.job.order.id);
    shelf_.clear();
  }
  std::int64_t level(std::uint32_t pool, std::int64_t t) const {
    std::int64_t free = pools[pool].free;
    for (const Held& h : running)
      if (h.pool == pool && h.end <= t) free += h.gpus;
    for (const Step& s : pools[pool].foreseen)
      if (s.at <= t) free += s.delta;
    for (const auto& [id, p] : reserved_)
      if (p.pool == pool && p.start <= t && t < p.end) free -= p.gpus;
    return free;
  }
  std::vector<std::int64_t> instants(std::uint32_t pool) const {
    std::vector<std::int64_t> all{now_};
    for (const Held& h : running)
      if (h.pool == pool && h.end > now_) all.push_back(h.end);
    for (const Step& s : pools[pool].foreseen)
      if (s.at > now_) all.push_back(s.at);
    for (const auto& [id, p] : reserved_)
      if (p.pool == pool)
        for (const std::int64_t t : {p.start, p.end})
          if (t > now_) all.push_back(t);
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }
  std::int64_t hole(std::uint32_t pool, std::int64_t gpus, std::int64_t length) const {
    const auto all = instants(pool);
    std::vector<std::int64_t> levels;
    for (const std::int64_t t : all) levels.push_back(level(pool, t));
    for (std::size_t i = 0; i < all.size(); ++i) {
      bool holds = true;
      for (std::size_t k = i; k < all.size() && (k == i || all[k] < all[i] + length); ++k)
        holds &= levels[k] >= gpus;
      if (holds) return all[i];
    }
    return Profile::forever;
  }
  /// The place of earliest end with a start no later than `promise`. @pre the job holds none
  Place find_place(const Queued& q, std::int64_t promise) const {
    Place best;
    for (const PoolChoice& c : groups[q.group].choices) {
      const std::int64_t length = time_at_speed(q.job.requested, c.speed);
      const std::int64_t at = hole(c.pool, q.job.gpus, length);
      if (at == Profile::forever || at > promise || at + length >= best.end) continue;
      best = {c.pool, at, at + length, q.job.gpus};
    }
    return best;
  }
  void restore() {
    std::vector<bool> short_of(pools.size());
    for (std::uint32_t p = 0; p < pools.size(); ++p) {
      if (lost_[p] || unsettled_[p] > 0)
        for (const std::int64_t t : instants(p)) short_of[p] = short_of[p] || level(p, t) < 0;
      lost_[p] = false;
      unsettled_[p] = 0;
    }
    std::map<std::uint64_t, Place> removed;
    for (const auto& [id, p] : reserved_)
      if (short_of[p.pool]) removed[id] = p;
    for (const auto& [id, p] : removed) reserved_.erase(id);
    for (const Queued& q : waiting) {
      const std::uint64_t id = q.job.order.id;
      if (removed.count(id) == 0) continue;
      const Place place = find_place(q, Profile::forever);
      broken_ += place.start > removed[id].start;
      if (place.start == Profile::forever)
        shelf_[id] = true;
      else
        reserved_[id] = place;
    }
  }
  void sweep() {
    for (const Queued& q : waiting) {
      const auto it = reserved_.find(q.job.order.id);
      if (it == reserved_.end()) continue;
      const std::int64_t promise = it->second.start;
      reserved_.erase(it);
      reserved_[q.job.order.id] = find_place(q, promise);
    }
  }
  void start(const Queued& q, std::uint32_t pool, std::int64_t end) {
    pools[pool].free -= q.job.gpus;
    running.push_back({pool, q.job.gpus, end, q.job.order.id});
    starts_.emplace_back(q.job.order.id, pool);
    reserved_.erase(q.job.order.id);
    waiting.erase(std::find_if(waiting.begin(), waiting.end(),
                               [&](const Queued& w) { return w.job.order == q.job.order; }));
  }
  void start_due() {
    const auto all = waiting;
    for (const Queued& q : all) {
      const auto it = reserved_.find(q.job.order.id);
      if (it == reserved_.end() || it->second.start > now_ || q.job.gpus > pools[it->second.pool].free)
        continue;
      const Place p = it->second;
      start(q, p.pool, p.end - p.start + now_);
    }
  }
  bool is_fresh(std::uint64_t id) const {
    return std::count(fresh_.begin(), fresh_.end(), id) + std::count(again_.begin(), again_.end(), id) > 0;
  }
  bool is_behind(const Queued& q) const {  // waits, without a place, and not because nothing can hold it
    const std::uint64_t id = q.job.order.id;
    return reserved_.count(id) == 0 && shelf_.count(id) == 0 && !is_fresh(id);
  }
  void settle(const Queued& q) {
    const Place p = find_place(q, Profile::forever);
    if (p.start == Profile::forever)
      shelf_[q.job.order.id] = true;
    else if (p.start == now_ && q.job.gpus <= pools[p.pool].free)
      start(q, p.pool, p.end);
    else
      reserved_[q.job.order.id] = p;
  }
  void move_up() {
    const auto all = waiting;
    for (const Queued& q : all)
      if (is_behind(q) && reserved_.size() < limit_) settle(q);
  }
  bool start_now(const Queued& q) {
    for (const PoolChoice& c : groups[q.group].choices) {
      const std::int64_t length = time_at_speed(q.job.requested, c.speed);
      if (q.job.gpus > pools[c.pool].free || hole(c.pool, q.job.gpus, length) != now_) continue;
      start(q, c.pool, now_ + length);
      return true;
    }
    return false;
  }
  void start_behind() {
    const auto all = waiting;
    for (const Queued& q : all)
      if (is_behind(q)) start_now(q);
  }
  void take(std::vector<std::uint64_t>& fresh) {
    const auto ids = std::exchange(fresh, {});
    const auto all = waiting;
    for (const Queued& q : all)
      if (std::count(ids.begin(), ids.end(), q.job.order.id) > 0) settle(q);
  }

  std::size_t limit_;
  std::int64_t now_ = 0;
  std::map<std::uint64_t, Place> reserved_;
  std::map<std::uint64_t, bool> shelf_;
  std::vector<std::uint64_t> fresh_, again_;
  std::vector<bool> lost_;
  std::vector<std::int64_t> unsettled_;  ///< announced changes taken out of the plan and not made since
  bool freed_ = false;
  std::uint64_t broken_ = 0;
  StartsOfPass starts_;
};

}  // namespace natgpu::conformance
