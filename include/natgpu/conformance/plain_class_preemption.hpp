// SPDX-License-Identifier: Apache-2.0
// Preemption by class as plain loops: victims are found one by one, and each is tried for being spared.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include <natgpu/scheduling/preemptive_rule.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::conformance {

/// For notice 0.
class PlainClassPreemption {
 public:
  explicit PlainClassPreemption(scheduling::PreemptiveRule rule) : rule_(std::move(rule)) {}

  void submit(const scheduling::WaitingJob& job, const scheduling::Progress&, std::int64_t) {
    waiting_.push_back(job);
  }
  void finish_job(std::uint32_t slot) {
    const auto it =
        std::find_if(running_.begin(), running_.end(), [=](const Run& r) { return r.job.slot == slot; });
    free_ += it->job.gpus;
    running_.erase(it);
  }
  void change_capacity(std::uint32_t, std::int64_t delta) { free_ += delta; }

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (rule_.round > 0 && now % rule_.round != 0) return;
    std::vector<scheduling::WaitingJob> queue;
    std::swap(queue, waiting_);  // who comes back waits for the next pass
    std::sort(queue.begin(), queue.end(), [](const auto& a, const auto& b) { return a.order < b.order; });
    bool blocked = false;
    for (const scheduling::WaitingJob& job : queue) {
      if (!blocked)
        for (const std::uint32_t slot : victims_for(job, now)) {
          const auto it = std::find_if(running_.begin(), running_.end(),
                                       [=](const Run& r) { return r.job.slot == slot; });
          const scheduling::WaitingJob victim = it->job;
          free_ += victim.gpus;
          running_.erase(it);
          sink.preempt(victim);
        }
      if (blocked || job.gpus > free_) {
        blocked |= !rule_.skips;
        waiting_.push_back(job);
        continue;
      }
      free_ -= job.gpus;
      running_.push_back({job, now});
      sink.start(job, 0, job.requested);
    }
  }

 private:
  struct Run {
    scheduling::WaitingJob job;
    std::int64_t since;
  };
  /// Slots; none where the job fits, or cannot.
  std::vector<std::uint32_t> victims_for(const scheduling::WaitingJob& job, std::int64_t now) const {
    std::vector<Run> lower;
    for (const Run& r : running_)
      if (r.job.order.key > job.order.key && r.since < now && now - r.since >= rule_.shield)
        lower.push_back(r);
    std::sort(lower.begin(), lower.end(), [](const Run& a, const Run& b) {
      return std::tie(a.job.order.key, a.since, a.job.order.id) >
             std::tie(b.job.order.key, b.since, b.job.order.id);
    });
    std::int64_t got = free_;
    std::vector<Run> chosen;
    for (const Run& r : lower)
      if (got < job.gpus) {
        got += r.job.gpus;
        chosen.push_back(r);
      }
    std::vector<std::uint32_t> slots;
    if (got < job.gpus) return slots;
    std::reverse(chosen.begin(), chosen.end());
    for (const Run& r : chosen)
      if (got - r.job.gpus >= job.gpus)
        got -= r.job.gpus;
      else
        slots.push_back(r.job.slot);
    return slots;
  }

  scheduling::PreemptiveRule rule_;
  std::vector<scheduling::WaitingJob> waiting_;
  std::vector<Run> running_;
  std::int64_t free_ = 0;
};

}  // namespace natgpu::conformance
