// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::simulation {

/// What `scheduling::Dispatcher<Backfill::none>` does for one pool that only gains GPUs, one group, jobs that
/// come in queue order and never leave, and none larger than the pool: the queue is a line, and only its head
/// matters. No index, no profile: a replay under fcfs takes a third of the time (docs/performance.md).
class FifoDispatcher {
 public:
  /// @pre the job's order is above that of every job before it
  void submit(std::uint32_t, const scheduling::WaitingJob& job) {
    line_.push_back({job.gpus, job.slot});
    if (head_ + 1 == line_.size()) head_gpus_ = job.gpus;
  }
  void finish(std::uint32_t, std::int64_t gpus, std::int64_t) { free_ += gpus; }
  void change_capacity(std::uint32_t, std::int64_t delta) {
    NATGPU_ENSURE(delta >= 0, "a pool that loses GPUs needs the profile");
    free_ += delta;
  }

  template <class Sink>
  void pass(std::int64_t, Sink&& sink) {
    if (head_gpus_ <= free_) start_heads(sink);
  }

 private:
  struct Waiting {
    std::int32_t gpus = 0;
    std::uint32_t slot = 0;
  };
  template <class Sink>
  void start_heads(Sink& sink) {
    do {
      const Waiting next = line_[head_++];
      head_gpus_ = head_ < line_.size() ? line_[head_].gpus : nobody;
      free_ -= next.gpus;
      sink.start(next.slot);
    } while (head_gpus_ <= free_);
    if (head_ == line_.size()) {
      line_.clear();
      head_ = 0;
    } else if (head_ >= forget_from && 2 * head_ >= line_.size()) {
      line_.erase(line_.begin(), line_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
  }

  static constexpr std::int64_t nobody = std::numeric_limits<std::int64_t>::max();
  static constexpr std::size_t forget_from = 1024;  ///< entries; fewer are not worth moving the rest

  std::vector<Waiting> line_;  ///< those before head_ have started
  std::size_t head_ = 0;
  std::int64_t head_gpus_ = nobody;  ///< what the head asks for
  std::int64_t free_ = 0;
};

}  // namespace natgpu::simulation
