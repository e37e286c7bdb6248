// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>

#include <natgpu/scheduling/summary_sequence.hpp>

namespace natgpu::scheduling {

/// Queue order: the order's own key, then the job's id. For fcfs the key is the instant of submission.
struct QueueKey {
  std::int64_t key = 0;
  std::uint64_t id = 0;
  // Written out: what gcc 12 makes of a defaulted <=> is a call and three branches, 8 % of a national run.
  friend constexpr bool operator==(const QueueKey&, const QueueKey&) = default;
  friend constexpr bool operator<(const QueueKey& a, const QueueKey& b) {
    return a.key != b.key ? a.key < b.key : a.id < b.id;
  }
};

/// What a policy may see of a waiting job. Times are ticks on the reference device.
struct WaitingJob {
  QueueKey order;
  std::int64_t requested = 0;  ///< never the true run time
  std::int32_t gpus = 1;
  std::uint32_t slot = 0;  ///< the owner's handle
};

/// Sizes fall into classes [2^c, 2^(c+1)); the last takes all that is larger.
inline constexpr std::size_t size_classes = 16;
constexpr std::size_t size_class(std::int32_t gpus) {
  const auto c = static_cast<std::size_t>(std::bit_width(static_cast<std::uint32_t>(gpus))) - 1;
  return c < size_classes ? c : size_classes - 1;
}

/// Per size class, the longest requested time worth looking at, and the largest size. Never excludes a
/// candidate; false alarms are settled job by job.
struct Sieve {
  static constexpr std::int64_t any = std::numeric_limits<std::int64_t>::max();
  std::array<std::int64_t, size_classes> longest;  ///< of admitted classes
  std::uint32_t admitted = 0;                      ///< a bit for each class
  std::int64_t largest = 0;                        ///< GPUs

  Sieve() {}  // `longest` is written before it is read
  void admit(std::size_t size, std::int64_t requested) {
    const std::uint32_t bit = std::uint32_t{1} << size;
    longest[size] = (admitted & bit) != 0 ? std::max(longest[size], requested) : requested;
    admitted |= bit;
  }
};

/// An order in which waiting jobs can be gone through: the queue's own.
struct ByQueueOrder {
  using Key = QueueKey;
  static const Key& key(const WaitingJob& job) { return job.order; }
  /// @param scratch  room for a key that the job does not hold as such
  static const Key* key_in(const WaitingJob& job, Key& /*scratch*/) { return &job.order; }
};

/// The shortest request first, then queue order.
struct ByRequest {
  struct Key {
    std::int64_t requested = 0;
    QueueKey order;
    friend constexpr bool operator<(const Key& a, const Key& b) {
      return a.requested != b.requested ? a.requested < b.requested : a.order < b.order;
    }
  };
  static Key key(const WaitingJob& job) { return {job.requested, job.order}; }
  static const Key* key_in(const WaitingJob& job, Key& scratch) { return &(scratch = key(job)); }
};

/// Waiting jobs in some order, one sequence for each size class, so that what is too large is never looked at
/// and the rest is searched by the least requested time of whole stretches.
template <class By>
class WaitingIndex {
 public:
  using Key = typename By::Key;
  bool empty() const { return occupied_ == 0; }
  /// A bit for each size class in which jobs wait.
  std::uint32_t occupied() const { return occupied_; }

  void insert(const WaitingJob& job) {
    const std::size_t c = size_class(job.gpus);
    classes_[c].insert(job);
    occupied_ |= std::uint32_t{1} << c;
  }
  /// @param gpus  of the job that has this key  @returns false if it is not here
  bool erase(const Key& key, std::int32_t gpus) {
    const std::size_t c = size_class(gpus);
    if (!classes_[c].erase(key)) return false;
    if (classes_[c].empty()) occupied_ &= ~(std::uint32_t{1} << c);
    return true;
  }

  /// The job of that key and size, or null.
  const WaitingJob* look_up(const Key& key, std::int32_t gpus) {
    Jobs& jobs = classes_[size_class(gpus)];
    const auto at = jobs.locate(key);
    return at.found ? &jobs[at] : nullptr;
  }

  /// The first job, or null. Pointers are void after any change.
  const WaitingJob* front() const {
    return first_of([](const Jobs& jobs) { return jobs.front(); });
  }
  /// The first job behind `key`, or null.
  const WaitingJob* first_after(const Key& key) const {
    return first_of([&key](const Jobs& jobs) { return jobs.first_after(key); });
  }
  struct Found {
    const WaitingJob* job = nullptr;
    bool more = false;  ///< without a job: there may be one behind `bound`
  };
  /// The first job behind `after` (null: of all) and before `bound` (null: of all) that the sieve admits and
  /// that passes `test`.
  template <class Test>
  Found find(const Sieve& sieve, const Key* after, const Key* bound, Test&& test) const {
    Found best;
    Key best_key;
    for (std::uint32_t rest = occupied_ & sieve.admitted; rest != 0; rest &= rest - 1) {
      const auto c = static_cast<std::size_t>(std::countr_zero(rest));
      const Jobs& jobs = classes_[c];
      const std::int64_t longest = sieve.longest[c];
      const auto skip = [&](const typename Traits::Summary& s) {
        return s.least_requested > longest || s.least_gpus > sieve.largest;
      };
      if (skip(jobs.total())) continue;
      if (bound != nullptr && *bound < By::key(*jobs.front())) {
        best.more = true;
        continue;
      }
      bool beyond = false;
      const auto stop = [&](const WaitingJob& job) {
        if (bound != nullptr && *bound < By::key(job)) return beyond = true;
        return job.requested <= longest && job.gpus <= sieve.largest && test(job);
      };
      const WaitingJob* found =
          after != nullptr ? jobs.find_after(*after, skip, stop) : jobs.find_first(skip, stop);
      best.more |= beyond;
      if (found == nullptr || beyond) continue;
      best.job = found;
      bound = By::key_in(*found, best_key);
    }
    return best;
  }

 private:
  struct Traits {
    static constexpr std::size_t leaf_size = 32;
    static constexpr bool counts_all = false;
    using Entry = WaitingJob;
    using Key = typename By::Key;
    struct Summary {
      std::int64_t least_requested = std::numeric_limits<std::int64_t>::max();
      std::int64_t least_gpus = std::numeric_limits<std::int64_t>::max();
      friend bool operator==(const Summary&, const Summary&) = default;
    };
    static Key key(const Entry& e) { return By::key(e); }
    static void absorb(Summary& s, const Entry& e) {
      s.least_requested = std::min(s.least_requested, e.requested);
      s.least_gpus = std::min<std::int64_t>(s.least_gpus, e.gpus);
    }
    static bool absorb_anywhere(Summary& s, const Entry& e) {
      absorb(s, e);
      return true;
    }
    /// The least size stays as a lower bound: most jobs of a class have it.
    static bool forget(const Summary& s, const Entry& e) { return e.requested > s.least_requested; }
    static Summary combine(const Summary& a, const Summary& b) {
      return {std::min(a.least_requested, b.least_requested), std::min(a.least_gpus, b.least_gpus)};
    }
  };
  using Jobs = SummarySequence<Traits>;

  template <class Of>
  const WaitingJob* first_of(Of&& of) const {
    const WaitingJob* first = nullptr;
    for (std::uint32_t rest = occupied_; rest != 0; rest &= rest - 1) {
      const WaitingJob* job = of(classes_[static_cast<std::size_t>(std::countr_zero(rest))]);
      if (job != nullptr && (first == nullptr || By::key(*job) < By::key(*first))) first = job;
    }
    return first;
  }

  std::array<Jobs, size_classes> classes_;
  std::uint32_t occupied_ = 0;
};

using WaitingQueue = WaitingIndex<ByQueueOrder>;

/// The first job, behind `after` if that is given, that requests no more than `longest`; null: there is none.
inline const WaitingJob* first_within(const WaitingQueue& queue, const QueueKey* after,
                                      std::int64_t longest) {
  if (longest <= 0) return nullptr;
  if (after == nullptr && longest == Sieve::any) return queue.front();
  Sieve sieve;
  for (std::size_t s = 0; s < size_classes; ++s) sieve.admit(s, longest);
  sieve.largest = Sieve::any;
  return queue.find(sieve, after, nullptr, [](const WaitingJob&) { return true; }).job;
}

}  // namespace natgpu::scheduling
