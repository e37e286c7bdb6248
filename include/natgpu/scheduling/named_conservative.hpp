// SPDX-License-Identifier: Apache-2.0
// Conservative backfilling by GPU numbers. For replays of one pool that keeps its GPUs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <natgpu/scheduling/named.hpp>

namespace natgpu::scheduling {

/// Which GPUs are free from which instant on, as running jobs were requested to end and reservations stand.
class NamedProfile {
 public:
  static constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();

  void begin(const GpuSet& all) { slices_ = {{std::numeric_limits<std::int64_t>::min(), all}}; }
  void hold(std::int64_t from, std::int64_t until, const GpuSet& gpus) {
    for (std::size_t i = cut(from), end = cut(until); i < end; ++i) slices_[i].free.remove(gpus);
  }
  void release(std::int64_t from, std::int64_t until, const GpuSet& gpus) {
    for (std::size_t i = cut(from), end = cut(until); i < end; ++i) slices_[i].free.add(gpus);
  }
  /// What lies before an instant is not asked for again.
  void forget_before(std::int64_t now) {
    slices_.erase(slices_.begin(), slices_.begin() + static_cast<std::ptrdiff_t>(slice_of(now)));
  }

  struct Hole {
    std::int64_t start = forever;
    GpuSet gpus;
  };
  /// The least instant, not before now, from which so many GPUs are free for so long, and the lowest of
  /// them. @pre so many GPUs exist
  Hole earliest(std::int64_t now, std::int64_t gpus, std::int64_t length) const {
    for (std::size_t i = slice_of(now);; ++i) {
      const std::int64_t start = std::max(now, slices_[i].from);
      GpuSet free = slices_[i].free;
      for (std::size_t j = i + 1; j < slices_.size() && slices_[j].from < start + length; ++j) {
        free.keep(slices_[j].free);
        if (free.size() < gpus) break;
      }
      if (free.size() >= gpus) return {start, free.lowest(gpus)};
    }
  }

 private:
  struct Slice {
    std::int64_t from;
    GpuSet free;
  };
  /// The slice in which an instant lies; the first where it lies before all.
  std::size_t slice_of(std::int64_t at) const {
    const auto behind = std::upper_bound(slices_.begin(), slices_.end(), at,
                                         [](std::int64_t t, const Slice& s) { return t < s.from; });
    return behind == slices_.begin() ? 0 : static_cast<std::size_t>(behind - slices_.begin()) - 1;
  }
  /// The slice that begins there. What lies before the first is over.
  std::size_t cut(std::int64_t at) {
    const std::size_t i = slice_of(at);
    if (slices_[i].from >= at) return i;
    slices_.insert(slices_.begin() + static_cast<std::ptrdiff_t>(i) + 1, {at, slices_[i].free});
    return i + 1;
  }

  std::vector<Slice> slices_;  ///< in order of time, the last without an end
};

/// Every waiting job holds a reservation by GPU numbers: the lowest that are free throughout its earliest
/// hole. After a release each job, in queue order, is lifted out and put back, once; it may change its GPUs.
/// Source: Mu'alem & Feitelson, IEEE TPDS 12(6), 2001, with machines as Batsim's conservative has them.
class NamedConservative : public NamedBooks {
 public:
  explicit NamedConservative(bool arrivals_first) : NamedBooks(arrivals_first) {}

  void finish_job(std::uint32_t slot) {
    early_.push_back(take_back(slot));
    freed_ = true;
  }
  void change_capacity(std::uint32_t pool, std::int64_t delta) {
    NamedBooks::change_capacity(pool, delta);
    profile_.begin(all_);
  }
  /// The next instant at which a reserved job is to start, or `forever`: a pass is due then.
  std::int64_t next_start() const {
    std::int64_t next = NamedProfile::forever;
    for (const Reserved& r : reserved_) next = std::min(next, r.start);
    return next;
  }

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    profile_.forget_before(now);
    for (const Run& run : early_)
      if (run.end > now) profile_.release(now, run.end, run.gpus);
    early_.clear();
    if (freed_) sweep(now);
    freed_ = false;
    for (const WaitingJob& job : take_submitted()) {
      const auto behind =
          std::upper_bound(reserved_.begin(), reserved_.end(), job,
                           [](const WaitingJob& j, const Reserved& r) { return before(j, r.job); });
      reserve(*reserved_.insert(behind, {job, 0, GpuSet()}), now);
    }
    start_due(now, sink);
  }

 private:
  struct Reserved {
    WaitingJob job;
    std::int64_t start;
    GpuSet gpus;
    std::int64_t end() const { return start + job.requested; }
  };

  void reserve(Reserved& r, std::int64_t now) {
    NamedProfile::Hole hole = profile_.earliest(now, r.job.gpus, r.job.requested);
    r.start = hole.start;
    r.gpus = hole.gpus;
    profile_.hold(r.start, r.end(), r.gpus);
  }
  void sweep(std::int64_t now) {
    for (Reserved& r : reserved_) {
      profile_.release(r.start, r.end(), r.gpus);
      reserve(r, now);
    }
  }
  /// A reserved job whose GPUs are still held at this instant starts in a later pass of it.
  template <class Sink>
  void start_due(std::int64_t now, Sink& sink) {
    std::size_t kept = 0;
    for (Reserved& r : reserved_) {
      if (r.start <= now && usable(now).has(r.gpus)) {
        start(r.job, r.gpus, now, sink);
      } else {
        if (&reserved_[kept] != &r) reserved_[kept] = r;
        ++kept;
      }
    }
    reserved_.resize(kept);
  }

  NamedProfile profile_;
  std::vector<Reserved> reserved_;  ///< in queue order
  std::vector<Run> early_;          ///< that ended since the last pass
  bool freed_ = false;
};

}  // namespace natgpu::scheduling
