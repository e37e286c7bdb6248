// SPDX-License-Identifier: Apache-2.0
// Conservative backfilling by plain loops over its own books: with MUTANT 1 the sweep goes through the jobs
// in the order of their reservations, not of the queue. What `natgpu policy check` must find, and, with
// MUTANT 0, must not.
#include <natgpu/policy.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#ifndef MUTANT
#define MUTANT 0
#endif

namespace {

class Conservative {
 public:
  void on_submit(const natgpu_job* job) {
    waiting_[job->id] = {job->gpus, job->requested};
    fresh_.insert(job->id);
  }
  void on_end(const natgpu_job* job) {
    running_.erase(job->id);
    freed_ = true;
  }
  void on_capacity(std::int64_t gpus, std::int64_t at) { changes_.push_back({at, gpus}); }

  void pass(const natgpu_host* host, std::int64_t now) {
    host_ = host;
    now_ = now;
    take_changes();
    restore();
    if (freed_) sweep();
    freed_ = false;
    start_due();
    for (const std::int64_t id : std::exchange(again_, {})) settle(id);
    for (const std::int64_t id : std::exchange(fresh_, {})) settle(id);
    for (const auto& [id, start] : reserved_) host->wake_at(host, start);
  }

 private:
  struct Job {
    std::int64_t gpus, requested;
  };
  struct Held {
    std::int64_t gpus, end;
  };
  using Step = std::pair<std::int64_t, std::int64_t>;  // instant, GPUs

  void take_changes() {
    for (auto& [at, gpus] : std::exchange(announced_, {})) {
      if (at > now_)
        announced_.push_back({at, gpus});
      else if (gpus > 0)
        lost_ = true;  // unless it is gained in a moment
    }
    for (const auto& [at, gpus] : std::exchange(changes_, {})) {
      if (at <= now_)
        capacity_ += gpus;
      else
        announced_.push_back({at, gpus});
      lost_ = lost_ || gpus < 0;
      if (gpus <= 0) continue;
      freed_ = true;
      again_.merge(shelf_);
      shelf_.clear();
    }
  }
  std::int64_t idle() const {
    std::int64_t free = capacity_;
    for (const auto& [id, h] : running_) free -= h.gpus;
    return free;
  }
  std::int64_t level(std::int64_t t) const {
    std::int64_t free = capacity_;
    for (const auto& [id, h] : running_)
      if (h.end > t) free -= h.gpus;
    for (const auto& [at, gpus] : announced_)
      if (at <= t) free += gpus;
    for (const auto& [id, start] : reserved_)
      if (start <= t && t < start + waiting_.at(id).requested) free -= waiting_.at(id).gpus;
    return free;
  }
  std::set<std::int64_t> instants() const {
    std::set<std::int64_t> all{now_};
    const auto note = [&](std::int64_t t) {
      if (t > now_) all.insert(t);
    };
    for (const auto& [id, h] : running_) note(h.end);
    for (const auto& [at, gpus] : announced_) note(at);
    for (const auto& [id, start] : reserved_) {
      note(start);
      note(start + waiting_.at(id).requested);
    }
    return all;
  }
  std::int64_t hole(const Job& job) const {
    const std::set<std::int64_t> all = instants();
    for (auto from = all.begin(); from != all.end(); ++from) {
      bool holds = true;
      for (auto t = from; t != all.end() && (t == from || *t < *from + job.requested); ++t)
        holds = holds && level(*t) >= job.gpus;
      if (holds) return *from;
    }
    return NATGPU_NEVER;
  }
  void reserve(std::int64_t id) {
    const std::int64_t start = hole(waiting_.at(id));
    if (start == NATGPU_NEVER)
      shelf_.insert(id);
    else
      reserved_[id] = start;
  }
  void restore() {
    bool short_of = false;
    if (!std::exchange(lost_, false)) return;
    for (const std::int64_t t : instants()) short_of = short_of || level(t) < 0;
    if (!short_of) return;
    for (const auto& [id, start] : std::exchange(reserved_, {})) reserve(id);
  }
  void sweep() {
    std::vector<Step> order;  // place, job
    for (const auto& [id, start] : reserved_) order.push_back({MUTANT == 1 ? start : id, id});
    std::sort(order.begin(), order.end());
    for (const auto& [place, id] : order) {
      reserved_.erase(id);
      reserved_[id] = hole(waiting_.at(id));
    }
  }
  void start(std::int64_t id) {
    const Job job = waiting_.at(id);
    if (host_->start(host_, id, 0) != NATGPU_OK) return;
    running_[id] = {job.gpus, now_ + job.requested};
    waiting_.erase(id);
    reserved_.erase(id);
  }
  void start_due() {
    const std::map<std::int64_t, std::int64_t> all = reserved_;
    for (const auto& [id, at] : all)
      if (at <= now_ && waiting_.at(id).gpus <= idle()) start(id);
  }
  void settle(std::int64_t id) {
    const Job job = waiting_.at(id);
    if (hole(job) == now_ && job.gpus <= idle())
      start(id);
    else
      reserve(id);
  }

  const natgpu_host* host_ = nullptr;
  std::int64_t now_ = 0, capacity_ = 0;
  bool freed_ = false, lost_ = false;
  std::map<std::int64_t, Job> waiting_;            // in queue order
  std::map<std::int64_t, std::int64_t> reserved_;  // starts
  std::set<std::int64_t> shelf_;                   // jobs that nothing announced can hold
  std::set<std::int64_t> again_;                   // off the shelf since the last pass
  std::set<std::int64_t> fresh_;                   // submitted since the last pass
  std::map<std::int64_t, Held> running_;
  std::vector<Step> announced_, changes_;
};

Conservative* of(void* state) {
  return static_cast<Conservative*>(state);
}

constexpr natgpu_policy policy = {
    .abi = NATGPU_POLICY_ABI,
    .size = sizeof(natgpu_policy),
    .key = nullptr,
    .create = [](const natgpu_host*) -> void* { return new Conservative; },
    .destroy = [](void* state) { delete of(state); },
    .on_submit = [](void* state, const natgpu_host*, const natgpu_job* job) { of(state)->on_submit(job); },
    .on_start = nullptr,
    .on_end = [](void* state, const natgpu_host*, const natgpu_job* job) { of(state)->on_end(job); },
    .on_capacity = [](void* state, const natgpu_host*, std::int64_t, std::int64_t gpus,
                      std::int64_t at) { of(state)->on_capacity(gpus, at); },
    .on_timer = nullptr,
    .pass = [](void* state, const natgpu_host* host, std::int64_t now) { of(state)->pass(host, now); },
    .on_withdraw = nullptr,
};

}  // namespace

NATGPU_POLICY(policy)
