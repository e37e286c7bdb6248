// SPDX-License-Identifier: Apache-2.0
// The tightest loops we could write for one log, one policy and three statistics: what a replay is measured
// against. They assume what natgpu does not: jobs in order of submission, none larger than the machine, one
// pass per instant, no capacity changes. Each comes in two kinds: one hands back when every job started and
// ended, as a replay does, the other keeps the statistics only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <natgpu/workload/swf.hpp>

namespace natgpu::bench {

struct HandResult {
  double mean_wait_s = 0;
  double mean_bounded_slowdown = 0;
  double utilization = 0;
};

struct KeepNothing {
  explicit KeepNothing(std::size_t) {}
  void start(std::size_t, std::int64_t, std::int64_t) {}
};
struct KeepTimes {
  explicit KeepTimes(std::size_t jobs) : start_s(jobs, -1), end_s(jobs, -1) {}
  void start(std::size_t job, std::int64_t from, std::int64_t to) {
    start_s[job] = from;
    end_s[job] = to;
  }
  std::vector<std::int64_t> start_s, end_s;
};

/// Statistics as a replay reports them (slowdown floor 10 s).
template <class Keep>
class HandStatistics {
 public:
  explicit HandStatistics(const std::vector<workload::LogJob>& jobs)
      : jobs_(jobs), first_(jobs.front().submit_s), keep_(jobs.size()) {}
  std::int64_t start(std::size_t index, std::int64_t now) {
    const workload::LogJob& job = jobs_[index];
    const std::int64_t service = std::min(job.run_s, job.requested_s);
    const std::int64_t end = now + service;
    keep_.start(index, now, end);
    waited_ += now - job.submit_s;
    used_ += service * job.gpus;
    last_ = std::max(last_, end);
    slowdown_ += std::max(1.0, static_cast<double>(end - job.submit_s) /
                                   static_cast<double>(std::max<std::int64_t>(service, 10)));
    return end;
  }
  HandResult result(std::int64_t gpus) const {
    const auto n = static_cast<double>(jobs_.size());
    return {static_cast<double>(waited_) / n, slowdown_ / n,
            static_cast<double>(used_) / (static_cast<double>(gpus) * static_cast<double>(last_ - first_))};
  }

 private:
  const std::vector<workload::LogJob>& jobs_;
  std::int64_t first_, waited_ = 0, used_ = 0, last_ = 0;
  double slowdown_ = 0;
  Keep keep_;
};

/// Running jobs by the instant at which they end: a binary heap.
class HandHeap {
 public:
  struct Running {
    std::int64_t end;
    std::int64_t gpus;
    std::int64_t requested_end;
  };
  bool empty() const { return heap_.empty(); }
  const Running& top() const { return heap_.front(); }
  void push(const Running& job) {
    std::size_t i = heap_.size();
    heap_.push_back(job);
    for (; i > 0 && job.end < heap_[(i - 1) / 2].end; i = (i - 1) / 2) heap_[i] = heap_[(i - 1) / 2];
    heap_[i] = job;
  }
  void pop() {
    const Running last = heap_.back();
    heap_.pop_back();
    const std::size_t n = heap_.size();
    if (n == 0) return;
    std::size_t i = 0;
    for (std::size_t c = 1; c < n; c = 2 * i + 1) {
      c += c + 1 < n && heap_[c + 1].end < heap_[c].end;
      if (last.end <= heap_[c].end) break;
      heap_[i] = heap_[c];
      i = c;
    }
    heap_[i] = last;
  }

 private:
  std::vector<Running> heap_;
};

/// FCFS needs no queue: a job starts when the one before it has and enough GPUs are free.
template <class Keep>
HandResult hand_fcfs(const std::vector<workload::LogJob>& jobs, std::int64_t gpus) {
  HandStatistics<Keep> statistics(jobs);
  HandHeap running;
  std::int64_t now = 0, free = gpus;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const workload::LogJob& job = jobs[i];
    now = std::max(now, job.submit_s);
    while (!running.empty() && (running.top().end <= now || free < job.gpus)) {
      now = std::max(now, running.top().end);
      free += running.top().gpus;
      running.pop();
    }
    free -= job.gpus;
    running.push({statistics.start(i, now), job.gpus, 0});
  }
  return statistics.result(gpus);
}

/// EASY over arrays: running jobs also in a list sorted by requested end, waiting ones in queue order.
template <class Keep>
class HandEasy {
 public:
  HandEasy(const std::vector<workload::LogJob>& jobs, std::int64_t gpus)
      : jobs_(jobs), gpus_(gpus), free_(gpus), statistics_(jobs) {}

  HandResult run() {
    std::size_t next = 0;
    while (next < jobs_.size() || !running_.empty()) {
      now_ = running_.empty()       ? jobs_[next].submit_s
             : next == jobs_.size() ? running_.top().end
                                    : std::min(running_.top().end, jobs_[next].submit_s);
      const bool freed = release();
      const std::size_t newcomers = waiting_.size();
      for (; next < jobs_.size() && jobs_[next].submit_s == now_; ++next)
        waiting_.push_back({jobs_[next].requested_s, jobs_[next].gpus, static_cast<std::uint32_t>(next)});
      // With nothing freed, the reservation stands and only newcomers can start.
      pass(freed || newcomers == head_ ? head_ : newcomers, freed || newcomers == head_);
    }
    return statistics_.result(gpus_);
  }

 private:
  struct Waiting {
    std::int64_t requested;
    std::int32_t gpus;
    std::uint32_t job;
  };
  struct Hold {
    std::int64_t requested_end;
    std::int64_t gpus;
  };

  bool release() {
    bool any = false;
    for (; !running_.empty() && running_.top().end == now_; running_.pop(), any = true) {
      const auto& job = running_.top();
      free_ += job.gpus;
      auto hold = std::lower_bound(holds_.begin(), holds_.end(), job.requested_end, earlier);
      while (hold->gpus != job.gpus) ++hold;
      holds_.erase(hold);
    }
    return any;
  }
  void pass(std::size_t from, bool from_head) {
    if (from_head) {
      while (head_ < waiting_.size() && waiting_[head_].gpus <= free_) start(waiting_[head_++]);
      if (head_ == waiting_.size()) {
        waiting_.clear();
        head_ = 0;
        return;
      }
      reserve(waiting_[head_].gpus);
      from = head_ + 1;
    }
    std::size_t kept = from;
    for (std::size_t i = from; i < waiting_.size(); ++i) {
      const Waiting w = waiting_[i];
      if (w.gpus <= free_ && (now_ + w.requested <= shadow_ || w.gpus <= spare_)) {
        if (now_ + w.requested > shadow_) spare_ -= w.gpus;
        start(w);
      } else {
        waiting_[kept++] = w;
      }
    }
    waiting_.resize(kept);
    if (head_ > 1024 && 2 * head_ > waiting_.size()) {
      waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
  }
  void reserve(std::int64_t head_gpus) {
    std::int64_t free = free_;
    std::size_t i = 0;
    while (free < head_gpus) free += holds_[i++].gpus;
    shadow_ = holds_[i - 1].requested_end;
    for (; i < holds_.size() && holds_[i].requested_end == shadow_; ++i) free += holds_[i].gpus;
    spare_ = free - head_gpus;
  }
  void start(const Waiting& w) {
    free_ -= w.gpus;
    const std::int64_t requested_end = now_ + w.requested;
    running_.push({statistics_.start(w.job, now_), w.gpus, requested_end});
    holds_.insert(std::upper_bound(holds_.begin(), holds_.end(), requested_end,
                                   [](std::int64_t at, const Hold& h) { return at < h.requested_end; }),
                  {requested_end, w.gpus});
  }
  static bool earlier(const Hold& h, std::int64_t at) { return h.requested_end < at; }

  const std::vector<workload::LogJob>& jobs_;
  std::int64_t gpus_, free_, now_ = 0, shadow_ = 0, spare_ = 0;
  HandStatistics<Keep> statistics_;
  HandHeap running_;
  std::vector<Hold> holds_;       ///< of running jobs, by requested end
  std::vector<Waiting> waiting_;  ///< in queue order from head_ on
  std::size_t head_ = 0;
};

}  // namespace natgpu::bench
