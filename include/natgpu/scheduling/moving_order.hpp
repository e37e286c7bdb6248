// SPDX-License-Identifier: Apache-2.0
// Orders whose keys change while jobs wait: wfp and unicef.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include <natgpu/core/math.hpp>
#include <natgpu/scheduling/spec.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// Exact for powers of two.
inline double log2_of(std::int64_t n) {
  const auto whole = static_cast<double>(std::bit_width(static_cast<std::uint64_t>(n)) - 1);
  const std::uint64_t power = std::bit_floor(static_cast<std::uint64_t>(n));
  return whole + portable_log(static_cast<double>(n) / static_cast<double>(power)) / portable_log(2.0);
}

/// The key of a job that has waited so long; the smallest comes first. Sources: Tang, Lan, Desai & Buettner,
/// IEEE Cluster 2009 (wfp: (wait / requested)^3 x GPUs, unicef: wait / (log2(GPUs) x requested)).
/// @param wait, requested  ticks; a job of one GPU counts as one of two in unicef
inline std::int64_t moving_key(Order order, std::int64_t wait, std::int64_t requested, std::int64_t gpus) {
  const double share = static_cast<double>(wait) / static_cast<double>(requested);
  const double urgency = order == Order::wfp ? share * share * share * static_cast<double>(gpus)
                                             : share / log2_of(std::max<std::int64_t>(gpus, 2));
  return -std::bit_cast<std::int64_t>(urgency);  // as integers, positive doubles keep their order
}

/// A dispatcher whose queue is ranked anew at each pass, or at the first pass in each period: every key is
/// that of the period's beginning, and who came since has waited nothing. Jobs are submitted under (instant
/// of submission, rank). O(n log n) for each new ranking of n waiting jobs.
template <class Dispatcher>
class MovingOrder : public Dispatcher {
 public:
  /// @param period  ticks; 0: every pass
  MovingOrder(Dispatcher dispatcher, Order order, std::int64_t period)
      : Dispatcher(std::move(dispatcher)), order_(order), period_(period) {}

  void submit(std::uint32_t group, const WaitingJob& job) {
    place_of_[job.order.id] = waiting_.size();
    waiting_.push_back({group, job.order.key, job});
    WaitingJob& ranked = waiting_.back().job;
    ranked.order.key = key(waiting_.back(), ranked_at_);
    Dispatcher::submit(group, ranked);
  }
  bool withdraw(std::uint32_t group, const QueueKey& submitted, std::int32_t gpus) {
    const auto it = place_of_.find(submitted.id);
    if (it == place_of_.end()) return false;
    const QueueKey ranked = waiting_[it->second].job.order;
    forget(submitted.id);
    return Dispatcher::withdraw(group, ranked, gpus);
  }

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    rank(period_ > 0 ? now / period_ * period_ : now);
    Forgetful<std::remove_reference_t<Sink>> forgetful{*this, sink};
    Dispatcher::pass(now, forgetful);
  }

 private:
  struct Waiting {
    std::uint32_t group;
    std::int64_t submitted;
    WaitingJob job;  ///< under its present key
  };
  template <class Sink>
  struct Forgetful {
    MovingOrder& order;
    Sink& sink;
    void start(const WaitingJob& job, std::uint32_t pool, std::int64_t requested) {
      order.forget(job.order.id);
      sink.start(job, pool, requested);
    }
  };

  std::int64_t key(const Waiting& w, std::int64_t at) const {
    return moving_key(order_, std::max<std::int64_t>(at - w.submitted, 0), w.job.requested, w.job.gpus);
  }
  void rank(std::int64_t at) {
    if (at == ranked_at_) return;
    ranked_at_ = at;
    for (Waiting& w : waiting_) {
      const std::int64_t fresh = key(w, at);
      if (fresh == w.job.order.key) continue;
      Dispatcher::withdraw(w.group, w.job.order, w.job.gpus);
      w.job.order.key = fresh;
      Dispatcher::submit(w.group, w.job);
    }
  }
  void forget(std::uint64_t id) {
    const auto it = place_of_.find(id);
    const std::size_t place = it->second;
    place_of_.erase(it);
    if (place + 1 != waiting_.size()) {
      waiting_[place] = waiting_.back();
      place_of_[waiting_[place].job.order.id] = place;
    }
    waiting_.pop_back();
  }

  Order order_;
  std::int64_t period_;
  std::int64_t ranked_at_ = -1;
  std::vector<Waiting> waiting_;
  std::unordered_map<std::uint64_t, std::size_t> place_of_;  ///< by id; looked up, never iterated
};

}  // namespace natgpu::scheduling
