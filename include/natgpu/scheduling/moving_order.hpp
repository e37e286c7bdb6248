// SPDX-License-Identifier: Apache-2.0
// Orders whose keys change while jobs wait.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include <natgpu/core/math.hpp>
#include <natgpu/scheduling/claimant.hpp>
#include <natgpu/scheduling/nodes.hpp>
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

/// Ranks by how long jobs have waited, whoever asks: wfp and unicef.
class WaitRule {
 public:
  static constexpr bool by_account = false;
  WaitRule(Order order) : order_(order) {}  // NOLINT: an order is its rule
  void rank_at(std::int64_t) {}
  std::int64_t key(std::int64_t wait, const WaitingJob& job, const Claimant&) const {
    return moving_key(order_, wait, job.requested, job.gpus);
  }

 private:
  Order order_;
};

/// A dispatcher whose queue is ranked anew at each pass, or at the first pass in each period: every key is
/// that of the period's beginning, and who came since has waited nothing. Jobs are submitted under (instant
/// of submission, rank). Where waiting jobs hold reservations they keep them, and are swept in the new order.
/// O(n log n) for each new ranking of n waiting jobs.
/// @tparam Rule  what a key is made of: WaitRule, or FairShare, which is told of starts and ends as well
template <class Dispatcher, class Rule = WaitRule>
class MovingOrder : public Dispatcher {
 public:
  static constexpr bool ranks_anew = true;

  /// @param period  ticks; 0: every pass
  MovingOrder(Dispatcher dispatcher, Rule rule, std::int64_t period)
      : Dispatcher(std::move(dispatcher)), rule_(std::move(rule)), period_(period) {}

  void submit(std::uint32_t group, const WaitingJob& job) requires(!Rule::by_account) {
    enter({group, {}, job.order.key, job});
  }
  void submit(const Claimant& who, const WaitingJob& job,
              std::uint32_t group = 0) requires(Rule::by_account) {
    if (job.slot >= account_of_.size()) account_of_.resize(job.slot + std::size_t{1});
    account_of_[job.slot] = who.account;
    enter({group, who, job.order.key, job});
  }
  bool withdraw(std::uint32_t group, const QueueKey& submitted, std::int32_t gpus) {
    const auto it = place_of_.find(submitted.id);
    if (it == place_of_.end()) return false;
    const QueueKey ranked = waiting_[it->second].job.order;
    forget(submitted.id);
    return Dispatcher::withdraw(group, ranked, gpus);
  }
  /// A running job hands its GPUs back, which counts from the next pass on.
  void finish_of(const WaitingJob& job, std::int64_t requested_end,
                 std::uint32_t pool = 0) requires(Rule::by_account) {
    ended_.push_back({account_of_[job.slot], milli_in_use(job)});
    if constexpr (requires { Dispatcher::finish_job(job.slot); })
      Dispatcher::finish_job(job.slot);
    else
      Dispatcher::finish(pool, job.gpus, requested_end);
  }

  /// It hands a part of them back, on machines.
  void hand_back(std::uint32_t slot, const std::vector<GpuPlace>& gpus) {
    std::int64_t held = 0;
    for (const Hold& h : Dispatcher::hand_back(slot, gpus)) held += h.total_milli();
    if constexpr (Rule::by_account) ended_.push_back({account_of_[slot], held});
  }

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    rank(period_ > 0 ? now / period_ * period_ : now);
    if constexpr (Rule::by_account) {  // behind the ranking, which looks back at the period's beginning
      for (const Ended& e : ended_) rule_.note_held(e.account, -e.gpu_milli, now);
      ended_.clear();
    }
    Forgetful<std::remove_reference_t<Sink>> forgetful{*this, sink, now};
    Dispatcher::pass(now, forgetful);
  }

 private:
  struct Waiting {
    std::uint32_t group;
    Claimant who;
    std::int64_t submitted;
    WaitingJob job;  ///< under its present key
  };
  struct Ended {
    std::uint32_t account;
    std::int64_t gpu_milli;
  };
  template <class Sink>
  struct Forgetful {
    MovingOrder& order;
    Sink& sink;
    std::int64_t now;
    void start(const WaitingJob& job, std::uint32_t pool, std::int64_t requested) {
      if constexpr (Rule::by_account)
        order.rule_.note_held(order.account_of_[job.slot], order.milli_in_use(job), now);
      order.forget(job.order.id);
      sink.start(job, pool, requested);
    }
  };

  static constexpr bool keeps_reservations = requires(Dispatcher & d, std::vector<Reranked>& jobs) {
    d.rank_anew(jobs);
  };

  /// Thousandths of GPUs that the running job holds: on machines all that it has of them. One without GPUs
  /// counts as one of one.
  std::int64_t milli_in_use(const WaitingJob& job) const {
    std::int64_t held = 0;
    if constexpr (requires { Dispatcher::holds(job.slot); })
      for (const Hold& h : Dispatcher::holds(job.slot)) held += h.total_milli();
    return held > 0 ? held : std::int64_t{job.gpus} * whole_gpu_milli;
  }
  void enter(const Waiting& w) {
    place_of_[w.job.order.id] = waiting_.size();
    waiting_.push_back(w);
    WaitingJob& ranked = waiting_.back().job;
    ranked.order.key = key(waiting_.back(), ranked_at_);
    Dispatcher::submit(w.group, ranked);
  }
  std::int64_t key(const Waiting& w, std::int64_t at) const {
    return rule_.key(std::max<std::int64_t>(at - w.submitted, 0), w.job, w.who);
  }
  void rank(std::int64_t at) {
    if (at == ranked_at_) return;
    ranked_at_ = at;
    rule_.rank_at(at);
    for (Waiting& w : waiting_) {
      const std::int64_t fresh = key(w, at);
      if (fresh == w.job.order.key) continue;
      const QueueKey was = w.job.order;
      w.job.order.key = fresh;
      if constexpr (keeps_reservations) {
        reranked_.push_back({w.group, was, w.job});
      } else {
        Dispatcher::withdraw(w.group, was, w.job.gpus);
        Dispatcher::submit(w.group, w.job);
      }
    }
    if constexpr (keeps_reservations) {
      Dispatcher::rank_anew(reranked_);
      reranked_.clear();
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

  Rule rule_;
  std::int64_t period_;
  std::int64_t ranked_at_ = -1;
  std::vector<Waiting> waiting_;
  std::vector<Reranked> reranked_;                           ///< while the queue is ranked anew
  std::unordered_map<std::uint64_t, std::size_t> place_of_;  ///< by id; looked up, never iterated
  std::vector<std::uint32_t> account_of_;                    ///< by slot; with a rule by account
  std::vector<Ended> ended_;                                 ///< since the last pass
};

template <class Dispatcher>
MovingOrder(Dispatcher, Order, std::int64_t) -> MovingOrder<Dispatcher, WaitRule>;

}  // namespace natgpu::scheduling
