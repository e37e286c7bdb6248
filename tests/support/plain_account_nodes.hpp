// SPDX-License-Identifier: Apache-2.0
// drf and maxmin on machines, by plain loops: before each job that is tried, what every account holds is
// added up anew over all running jobs. Shares are compared as fractions, without rounding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "plain_nodes.hpp"

namespace natgpu::testing {

class PlainAccountNodes : public PlainNodes {
 public:
  /// A group and a user, in name order; those without a name last.
  using Account = std::pair<std::int64_t, std::int64_t>;

  /// Weights are whole: those of the share rows of the options.
  PlainAccountNodes(const workload::JobLog& log, const simulation::ReplayOptions& options,
                    const simulation::NodeView& view)
      : PlainNodes(log, options, view) {
    const std::size_t types = std::max<std::size_t>(view.machines.gpu_types.size(), 1);
    whole_.assign(types + 2, 0);
    for (const Machine& m : all_) {
      if (m.type >= 0) whole_[static_cast<std::size_t>(m.type)] += total(m);
      whole_[types] += m.cpu;
      whole_[types + 1] += m.memory;
    }
    for (const workload::LogJob& j : log.jobs) accounts_.insert(account_of(j));
  }
  int overtaken = 0;  ///< starts of jobs while one that was submitted before waits

 private:
  /// One over the other.
  struct Share {
    std::int64_t held, of;
    bool operator<(const Share& b) const { return __int128{held} * b.of < __int128{b.held} * of; }
  };

  static std::int64_t place_of(std::int32_t number) {
    return number < 0 ? std::numeric_limits<std::int64_t>::max() : number;
  }
  static Account account_of(const workload::LogJob& j) { return {place_of(j.group), place_of(j.user)}; }
  std::int64_t weight_of(const Account& a) const {
    std::int64_t weight = 1;
    for (const workload::ShareRow& row : options_.accounts.shares.rows) {
      const bool group = row.group.empty() || row.group == std::to_string(a.first);
      const bool user = row.user.empty() || row.user == std::to_string(a.second);
      if (group && user) weight *= static_cast<std::int64_t>(row.share);
    }
    return weight;
  }
  Share share_of(const Account& a) const {
    const std::size_t types = whole_.size() - 2;
    std::vector<std::int64_t> held(whole_.size());
    std::int64_t gpus = 0;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (!jobs[i].running || account_of(log_.jobs[i]) != a) continue;
      for (const Held& h : jobs[i].held) {
        const std::int64_t milli = static_cast<std::int64_t>(h.gpus.size()) * h.milli;
        gpus += milli;
        if (milli > 0) held[static_cast<std::size_t>(all_[h.machine].type)] += milli;
        held[types] += h.task.cpu;
        held[types + 1] += h.task.memory;
      }
    }
    const std::int64_t weight = weight_of(a);
    if (options_.order == scheduling::Order::maxmin) return {gpus, weight};
    Share most{0, 1};
    for (std::size_t r = 0; r < whole_.size(); ++r)
      if (whole_[r] > 0) most = std::max(most, Share{held[r], whole_[r] * weight});
    return most;
  }
  /// The account's first job that has not been tried; none: the number of jobs.
  std::size_t next_of(const Account& a, const std::set<std::size_t>& tried) const {
    for (const std::size_t i : queue())
      if (account_of(log_.jobs[i]) == a && tried.count(i) == 0) return i;
    return jobs.size();
  }
  /// Of the account that holds least, of those that are not out; none: the number of jobs.
  std::size_t next(const std::set<std::size_t>& tried, const std::set<Account>& out) const {
    std::size_t best = jobs.size();
    Share least{0, 1};
    for (const Account& a : accounts_) {
      const std::size_t i = out.count(a) == 0 ? next_of(a, tried) : jobs.size();
      if (i == jobs.size()) continue;
      const Share share = share_of(a);
      if (best != jobs.size() && !(share < least)) continue;
      best = i;
      least = share;
    }
    return best;
  }
  void note_start(std::size_t i) {
    for (std::size_t k = 0; k < jobs.size(); ++k)
      overtaken += jobs[k].waiting && log_.jobs[k].submit_s < log_.jobs[i].submit_s;
  }

  void pass(std::int64_t t) override {
    using scheduling::Backfill;
    std::vector<Held> held;
    std::set<std::size_t> tried;
    std::set<Account> out;
    for (std::size_t i = next(tried, out); i != jobs.size(); i = next(tried, out)) {
      if (place(now_, i, held)) {
        start(i, t, held);
        note_start(i);
      } else if (!holdable(i)) {
        tried.insert(i);
      } else if (options_.backfill == Backfill::fit) {
        out.insert(account_of(log_.jobs[i]));
      } else {
        if (options_.backfill == Backfill::easy) go_on_beside(i, tried, t);
        return;
      }
    }
  }
  void go_on_beside(std::size_t head, std::set<std::size_t>& tried, std::int64_t t) {
    Reservation r = reserve(head, t);
    tried.insert(head);
    for (std::size_t i = next(tried, {}); i != jobs.size(); i = next(tried, {})) {
      tried.insert(i);
      if (start_beside(i, r, t)) note_start(i);
    }
  }

  std::vector<std::int64_t> whole_;  ///< by type of GPU in thousandths, then cores, then memory
  std::set<Account> accounts_;
};

}  // namespace natgpu::testing
