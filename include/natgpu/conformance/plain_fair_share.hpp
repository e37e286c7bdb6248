// SPDX-License-Identifier: Apache-2.0
// multifactor and fairtree as plain loops: at each pass every use, factor and key is worked out from who
// runs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include <natgpu/conformance/plain_dispatcher.hpp>
#include <natgpu/core/math.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/scheduling/claimant.hpp>
#include <natgpu/scheduling/fair_share.hpp>

namespace natgpu::conformance {

/// @tparam Plain  plain loops over a queue in the order of its keys
template <class Plain>
class PlainFairShare {
 public:
  PlainFairShare(Plain plain, scheduling::Order order, scheduling::AccountTree tree,
                 const scheduling::FairShareRule& rule, std::int64_t gpus)
      : plain_(std::move(plain)),
        order_(order),
        tree_(std::move(tree)),
        rule_(rule),
        gpus_(gpus),
        use_(tree_.size()) {}

  void submit(const scheduling::Claimant& who, const WaitingJob& job) {
    asked_[job.order.id] = {who, job.order.key};
    plain_.submit({0, job});
  }
  void finish_of(const WaitingJob& job, std::int64_t requested_end) {
    std::size_t i = 0;  // which of several with the same GPUs and end makes no difference
    while (plain_.running[i].gpus != job.gpus || plain_.running[i].end != requested_end) ++i;
    plain_.finish(i);
    over_.push_back(job.slot);
  }
  void change_capacity(std::uint32_t pool, std::int64_t delta) { plain_.change_capacity(pool, delta); }
  void foresee(std::uint32_t pool, std::int64_t at, std::int64_t delta) { plain_.foresee(pool, {at, delta}); }
  void withdraw_foreseen(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    std::size_t i = 0;
    while (plain_.pools[pool].foreseen[i].at != at || plain_.pools[pool].foreseen[i].delta != delta) ++i;
    plain_.withdraw_foreseen(pool, i, at);
  }
  void keep_profile() {}
  std::int64_t promised(std::uint64_t id) const requires requires(const Plain& p) { p.promised(0); }
  { return plain_.promised(id); }

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    age(now);
    for (const std::uint32_t slot : over_)
      runs_.erase(std::find_if(runs_.begin(), runs_.end(), [&](const Runs& r) { return r.slot == slot; }));
    over_.clear();
    places_.clear();
    visit(0);
    for (Queued& q : plain_.waiting) q.job.order.key = key(now, q.job);
    if constexpr (requires { plain_.keep_first(); }) plain_.keep_first();
    const std::vector<Queued> waiting = plain_.waiting;
    for (const auto& [id, pool] : plain_.pass(now))
      for (const Queued& q : waiting)
        if (q.job.order.id == id) {
          runs_.push_back({q.job.slot, asked_[id].who.account, q.job.gpus});
          sink.start(q.job, pool, q.job.requested);
        }
  }

 private:
  struct Asked {
    scheduling::Claimant who;
    std::int64_t submitted = 0;
  };
  struct Runs {
    std::uint32_t slot, account;
    std::int64_t gpus;
  };

  static double seconds(std::int64_t ticks) {
    return static_cast<double>(ticks) / static_cast<double>(ticks_per_second);
  }
  void age(std::int64_t now) {
    const scheduling::Decay decay(static_cast<double>(rule_.half_life_s));
    const double elapsed = seconds(now - at_);
    if (elapsed > 0)
      for (std::uint32_t n = 0; n < tree_.size(); ++n) {
        std::int64_t held = 0;
        for (const Runs& r : runs_)
          if (r.account == n) held += r.gpus;
        use_[n] = use_[n] * decay.factor(elapsed) + static_cast<double>(held) * decay.gain(elapsed);
      }
    at_ = now;
  }
  /// A node's own use and that of all below it.
  double used(std::uint32_t node) const {
    double sum = tree_[node].children.empty() ? use_[node] : 0;
    for (auto child = tree_[node].children.rbegin(); child != tree_[node].children.rend(); ++child)
      sum += used(*child);
    return sum;
  }
  double part_of_siblings(std::uint32_t node) const {
    double all = 0;
    for (const std::uint32_t sibling : tree_[tree_[node].parent].children) all += tree_[sibling].share;
    return tree_[node].share / all;
  }
  double normalised_share(std::uint32_t node) const {
    return node == 0 ? 1.0 : part_of_siblings(node) * normalised_share(tree_[node].parent);
  }
  double effective(std::uint32_t node) const {
    const double own = used(0) > 0 ? used(node) / used(0) : 0;
    if (tree_[node].parent == 0) return own;
    return own + (effective(tree_[node].parent) - own) * part_of_siblings(node);
  }
  double level(std::uint32_t node) const {
    if (used(node) == 0) return std::numeric_limits<double>::infinity();
    return part_of_siblings(node) / (used(node) / used(tree_[node].parent));
  }
  void visit(std::uint32_t node) {
    std::vector<std::uint32_t> children = tree_[node].children;
    if (children.empty()) {
      const auto place = static_cast<std::int64_t>(places_.size());
      places_[node] = place;
    }
    while (!children.empty()) {
      auto first = children.begin();
      for (auto c = children.begin(); c != children.end(); ++c)
        if (level(*c) > level(*first)) first = c;
      visit(*first);
      children.erase(first);
    }
  }
  std::int64_t key(std::int64_t now, const WaitingJob& job) const {
    const Asked& asked = asked_.at(job.order.id);
    if (order_ == scheduling::Order::fairtree) return places_.at(asked.who.account);
    double age = seconds(now - asked.submitted) / static_cast<double>(rule_.longest_age_s);
    if (age > 1) age = 1;
    const double fair =
        portable_exp(-portable_log(2.0) * effective(asked.who.account) / normalised_share(asked.who.account));
    const double size = static_cast<double>(job.gpus) / static_cast<double>(gpus_);
    const auto& w = rule_.weights;
    return -static_cast<std::int64_t>(w.queue * asked.who.queue_factor + w.size * size + w.age * age +
                                      w.fair_share * fair + 0.5);
  }

  Plain plain_;
  scheduling::Order order_;
  scheduling::AccountTree tree_;
  scheduling::FairShareRule rule_;
  std::int64_t gpus_;
  std::int64_t at_ = 0;
  std::vector<double> use_;  ///< by node, GPU-seconds of users, faded
  std::map<std::uint64_t, Asked> asked_;
  std::map<std::uint32_t, std::int64_t> places_;
  std::vector<Runs> runs_;
  std::vector<std::uint32_t> over_;  ///< slots of jobs that ended since the last pass
};

}  // namespace natgpu::conformance
