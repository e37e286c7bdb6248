// SPDX-License-Identifier: Apache-2.0
// EASY as other simulators write it: the parts of the rule are options. One pool.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/profile.hpp>
#include <natgpu/scheduling/spec.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// EASY with its parts as EasyRule says, by plain loops: O(n) a pass with n jobs waiting. With the usual
/// parts it gives what `Dispatcher<Backfill::easy>` gives on one pool without announced outages.
class EasyVariant {
 public:
  EasyVariant(const EasyRule& rule, bool arrivals_first) : rule_(rule), count_due_(arrivals_first) {}

  void submit(std::uint32_t, const WaitingJob& job) {
    queue_.insert(std::upper_bound(queue_.begin(), queue_.end(), job, in_order), job);
  }
  bool withdraw(std::uint32_t, const QueueKey& key, std::int32_t) {
    const auto it =
        std::find_if(queue_.begin(), queue_.end(), [&](const WaitingJob& j) { return j.order == key; });
    if (it == queue_.end()) return false;
    queue_.erase(it);
    return true;
  }
  void finish(std::uint32_t, std::int64_t gpus, std::int64_t requested_end) {
    free_ += gpus;
    profile_.remove(requested_end, gpus);
  }
  void extend(std::uint32_t, std::int64_t gpus, std::int64_t old_end, std::int64_t new_end) {
    profile_.remove(old_end, gpus);
    profile_.add(new_end, gpus);
  }
  void change_capacity(std::uint32_t, std::int64_t delta) { free_ += delta; }
  void keep_profile() {}
  void foresee(std::uint32_t, std::int64_t, std::int64_t) {
    NATGPU_ENSURE(false, "announced outages go with the usual parts of EASY");
  }
  void withdraw_foreseen(std::uint32_t, std::int64_t, std::int64_t) {}

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    due_ = count_due_ ? profile_.due(now) : 0;
    std::size_t head = 0;
    for (; head < queue_.size() && queue_[head].gpus <= available(); ++head) start(queue_[head], now, sink);
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(head));
    if (queue_.empty()) return;
    reserve_for(queue_.front(), now);
    std::size_t kept = 1;
    for (std::size_t i = 1; i < queue_.size(); ++i) {
      const WaitingJob job = queue_[i];
      if (may_start(job, now))
        start(job, now, sink);
      else
        queue_[kept++] = job;
    }
    queue_.resize(kept);
  }

 private:
  static bool in_order(const WaitingJob& a, const WaitingJob& b) { return a.order < b.order; }
  std::int64_t available() const { return free_ + due_; }
  void reserve_for(const WaitingJob& head, std::int64_t now) {
    if (rule_.shadow == EasyRule::Shadow::fixed && holder_ == head.order.id && reserved_) return;
    const Profile::Hole hole = profile_.hole(now, free_, head.gpus, 1);
    holder_ = head.order.id;
    reserved_ = true;
    shadow_ = hole.at;
    spare_ = hole.free - head.gpus;
  }
  bool may_start(const WaitingJob& job, std::int64_t now) {
    if (job.gpus > available()) return false;
    const std::int64_t end = now + job.requested;
    if (rule_.compare == EasyRule::Compare::less ? end < shadow_ : end <= shadow_) return true;
    if (rule_.spare == EasyRule::Spare::unused || job.gpus > spare_) return false;
    spare_ -= job.gpus;
    return true;
  }
  template <class Sink>
  void start(const WaitingJob& job, std::int64_t now, Sink& sink) {
    free_ -= job.gpus;
    profile_.add(now + job.requested, job.gpus);
    sink.start(job, 0, job.requested);
  }

  EasyRule rule_;
  bool count_due_;
  std::vector<WaitingJob> queue_;
  Profile profile_;
  std::int64_t free_ = 0;
  std::int64_t due_ = 0;  ///< held by jobs whose requested end is now (arrivals first only)
  bool reserved_ = false;
  std::uint64_t holder_ = 0;  ///< the head for which shadow and spare were worked out
  std::int64_t shadow_ = 0;
  std::int64_t spare_ = 0;
};

}  // namespace natgpu::scheduling
