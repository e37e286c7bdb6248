// SPDX-License-Identifier: Apache-2.0
// The named view of one pool: jobs hold GPUs by number, not so many of them. Plain loops, for replays.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/spec.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// A set of GPUs by their numbers, from 0 on.
class GpuSet {
 public:
  explicit GpuSet(std::size_t gpus = 0) : words_((gpus + 63) / 64) {}
  static GpuSet all(std::size_t gpus) {
    GpuSet s(gpus);
    for (std::size_t i = 0; i < gpus; ++i) s.words_[i / 64] |= std::uint64_t{1} << i % 64;
    return s;
  }
  std::int64_t size() const {
    std::int64_t n = 0;
    for (const std::uint64_t w : words_) n += std::popcount(w);
    return n;
  }
  void add(const GpuSet& o) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= o.words_[i];
  }
  void remove(const GpuSet& o) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= ~o.words_[i];
  }
  void keep(const GpuSet& o) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= o.words_[i];
  }
  /// Whether all of the other's are here.
  bool has(const GpuSet& o) const {
    for (std::size_t i = 0; i < words_.size(); ++i)
      if ((o.words_[i] & ~words_[i]) != 0) return false;
    return true;
  }
  /// The lowest numbers. @pre count <= size()
  GpuSet lowest(std::int64_t count) const {
    GpuSet s = *this;
    for (std::uint64_t& w : s.words_) {
      const std::int64_t here = std::popcount(w);
      for (std::int64_t over = here - count; over > 0; --over) w ^= std::bit_floor(w);
      count -= std::min(count, here);
    }
    return s;
  }

 private:
  std::vector<std::uint64_t> words_;
};

/// What the policies of the named view share: who runs where, and who waits. GPUs come once, at the start.
class NamedBooks {
 public:
  /// @param arrivals_first  a running job whose requested end is now counts as gone
  explicit NamedBooks(bool arrivals_first) : count_due_(arrivals_first) {}

  void submit(std::uint32_t, const WaitingJob& job) { submitted_.push_back(job); }
  void finish_job(std::uint32_t slot) { take_back(slot); }
  void change_capacity(std::uint32_t, std::int64_t delta) {
    NATGPU_ENSURE(runs_.empty() && all_.size() == 0, "a pool of the named view keeps its GPUs");
    all_ = free_ = GpuSet::all(static_cast<std::size_t>(delta));
  }

 protected:
  struct Run {
    std::uint32_t slot;
    std::int64_t end;  ///< as requested
    GpuSet gpus;
  };

  /// The run is over. @returns what it held
  Run take_back(std::uint32_t slot) {
    const auto it = std::find_if(runs_.begin(), runs_.end(), [&](const Run& r) { return r.slot == slot; });
    const Run run = *it;
    free_.add(run.gpus);
    runs_.erase(it);
    return run;
  }
  /// GPUs that a job may start on.
  GpuSet usable(std::int64_t now) const {
    GpuSet s = free_;
    if (count_due_)
      for (const Run& r : runs_)
        if (r.end <= now) s.add(r.gpus);
    return s;
  }
  template <class Sink>
  void start(const WaitingJob& job, const GpuSet& gpus, std::int64_t now, Sink& sink) {
    free_.remove(gpus);
    for (Run& r : runs_)
      if (r.end <= now) r.gpus.remove(gpus);  // taken over from a job that counts as gone
    runs_.push_back({job.slot, now + job.requested, gpus});
    sink.start(job, 0, job.requested);
  }
  /// What was submitted, in queue order.
  std::vector<WaitingJob> take_submitted() {
    std::vector<WaitingJob> taken;
    std::swap(taken, submitted_);
    std::sort(taken.begin(), taken.end(), before);
    return taken;
  }
  static bool before(const WaitingJob& a, const WaitingJob& b) { return a.order < b.order; }

  bool count_due_;
  GpuSet all_, free_;
  std::vector<Run> runs_;
  std::vector<WaitingJob> submitted_;
};

/// EASY by GPU numbers: the head's set are the lowest numbers free at the shadow, worked out at each pass. A
/// job that ends by the shadow takes the lowest free numbers, another the lowest outside that set.
class NamedEasy : public NamedBooks {
 public:
  NamedEasy(const EasyRule& rule, bool arrivals_first) : NamedBooks(arrivals_first), rule_(rule) {}

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    for (const WaitingJob& job : take_submitted())
      queue_.insert(std::upper_bound(queue_.begin(), queue_.end(), job, before), job);
    std::size_t head = 0;
    for (; head < queue_.size(); ++head) {
      const GpuSet idle = usable(now);
      if (queue_[head].gpus > idle.size()) break;
      start(queue_[head], idle.lowest(queue_[head].gpus), now, sink);
    }
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(head));
    if (queue_.empty()) return;
    reserve_for(queue_.front(), now);
    std::size_t kept = 1;
    for (std::size_t i = 1; i < queue_.size(); ++i) {
      const WaitingJob job = queue_[i];
      if (!start_beside(job, now, sink)) queue_[kept++] = job;
    }
    queue_.resize(kept);
  }

 private:
  void reserve_for(const WaitingJob& head, std::int64_t now) {
    if (rule_.shadow == EasyRule::Shadow::fixed && reserved_ && holder_ == head.order.id) return;
    reserved_ = true;
    holder_ = head.order.id;
    std::vector<const Run*> by_end;
    for (const Run& r : runs_) by_end.push_back(&r);
    std::sort(by_end.begin(), by_end.end(), [](const Run* a, const Run* b) { return a->end < b->end; });
    GpuSet then = usable(now);
    shadow_ = now;
    for (std::size_t i = 0; i < by_end.size() && then.size() < head.gpus;) {
      const std::int64_t end = by_end[i]->end;
      for (; i < by_end.size() && by_end[i]->end == end; ++i) then.add(by_end[i]->gpus);
      shadow_ = std::max(now, end);
    }
    set_ = then.lowest(head.gpus);
  }
  template <class Sink>
  bool start_beside(const WaitingJob& job, std::int64_t now, Sink& sink) {
    GpuSet idle = usable(now);
    const std::int64_t end = now + job.requested;
    const bool in_time = rule_.compare == EasyRule::Compare::less ? end < shadow_ : end <= shadow_;
    if (!in_time) {
      if (rule_.spare == EasyRule::Spare::unused) return false;
      idle.remove(set_);
    }
    if (job.gpus > idle.size()) return false;
    start(job, idle.lowest(job.gpus), now, sink);
    return true;
  }

  EasyRule rule_;
  std::vector<WaitingJob> queue_;
  bool reserved_ = false;
  std::uint64_t holder_ = 0;
  std::int64_t shadow_ = 0;
  GpuSet set_;
};

}  // namespace natgpu::scheduling
