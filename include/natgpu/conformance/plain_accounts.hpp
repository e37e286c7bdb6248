// SPDX-License-Identifier: Apache-2.0
// Orders by what accounts hold (drf, maxmin) as plain loops: nothing is kept from pass to pass but who waits
// and who runs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include <natgpu/conformance/plain_dispatcher.hpp>
#include <natgpu/scheduling/claimant.hpp>
#include <natgpu/scheduling/dominant_share.hpp>

namespace natgpu::conformance {

using scheduling::Amounts;
using scheduling::Claimant;

/// The next to be served: of the accounts that have not dropped out, the one with the least share, ties by
/// name order, with its first job that was not passed over. @returns null if there is none
/// @tparam Asks   has `job` and `account`
/// @param passed  ids of jobs  @param share  share(account)
template <class Asks, class Share>
const Asks* first_by_share(const std::vector<Asks>& waiting, const std::set<std::uint64_t>& passed,
                           const std::set<std::uint32_t>& dropped, Share&& share) {
  const auto before = [&](const Asks& a, const Asks& b) {
    if (a.account == b.account) return a.job.order < b.job.order;
    const double of_a = share(a.account), of_b = share(b.account);
    return of_a != of_b ? of_a < of_b : a.account < b.account;
  };
  const Asks* best = nullptr;
  for (const Asks& a : waiting)
    if (passed.count(a.job.order.id) == 0 && dropped.count(a.account) == 0 &&
        (best == nullptr || before(a, *best)))
      best = &a;
  return best;
}

template <Backfill B>
class PlainAccounts {
 public:
  PlainAccounts(const Amounts& machine, std::vector<double> weights)
      : machine_(machine), weights_(std::move(weights)) {}

  void submit(const Claimant& who, const WaitingJob& job) {
    waiting_.push_back({job, who.account, {job.gpus, who.cpu_milli, who.memory_mib}});
  }
  void finish_of(const WaitingJob& job, std::int64_t) {
    running_.erase(std::find_if(running_.begin(), running_.end(),
                                [&](const Runs& r) { return r.asked.job.slot == job.slot; }));
  }
  void change_capacity(std::uint32_t, std::int64_t delta) { gpus_ += delta; }
  void foresee(std::uint32_t, std::int64_t at, std::int64_t delta) { steps_.emplace_back(at, delta); }
  void withdraw_foreseen(std::uint32_t, std::int64_t at, std::int64_t delta) {
    steps_.erase(std::find(steps_.begin(), steps_.end(), std::pair{at, delta}));
  }
  void keep_profile() {}

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    now_ = now;
    std::set<std::uint64_t> passed;   // jobs
    std::set<std::uint32_t> dropped;  // accounts
    std::vector<Place> reserved;      // of easy's head, at most one
    while (const Asks* next = first_by_share(waiting_, passed, dropped,
                                             [this](std::uint32_t account) { return share(account); })) {
      const Asks asked = *next;
      if (starts(asked, reserved)) {
        start(asked);
        sink.start(asked.job, 0, asked.job.requested);
        continue;
      }
      passed.insert(asked.job.order.id);
      const std::int64_t at = hole(asked);
      if (at == Profile::forever) continue;  // blocks nobody
      if (B == Backfill::none) return;
      if (B == Backfill::fit) dropped.insert(asked.account);
      if (B == Backfill::easy && reserved.empty())
        reserved.push_back({at, at + asked.job.requested, asked.amounts});
    }
  }

 private:
  struct Asks {
    WaitingJob job;
    std::uint32_t account;
    Amounts amounts;
  };
  struct Runs {
    Asks asked;
    std::int64_t end;
  };
  struct Place {
    std::int64_t from, until;
    Amounts amounts;
  };

  double share(std::uint32_t account) const {
    double most = 0;
    for (std::size_t r = 0; r < machine_.size(); ++r) {
      std::int64_t held = 0;
      for (const Runs& run : running_)
        if (run.asked.account == account) held += run.asked.amounts[r];
      if (machine_[r] == 0) continue;
      most =
          std::max(most, static_cast<double>(held) / (static_cast<double>(machine_[r]) * weights_[account]));
    }
    return most;
  }
  std::int64_t free_at(std::size_t r, std::int64_t t) const {
    std::int64_t free = r == 0 ? gpus_ : machine_[r];
    for (const Runs& run : running_)
      if (run.end > t) free -= run.asked.amounts[r];
    if (r == 0)
      for (const auto& [at, delta] : steps_)
        if (at <= t) free += delta;
    return free;
  }
  std::vector<std::int64_t> instants(std::int64_t from) const {
    std::vector<std::int64_t> all{from};
    for (const Runs& run : running_)
      if (run.end > from) all.push_back(run.end);
    for (const auto& [at, delta] : steps_)
      if (at > from) all.push_back(at);
    std::sort(all.begin(), all.end());
    return all;
  }
  bool holds(const Amounts& amounts, std::int64_t from, std::int64_t until) const {
    for (const std::int64_t t : instants(from))
      for (std::size_t r = 0; r < amounts.size(); ++r)
        if (t < until && (r == 0 || machine_[r] > 0) && amounts[r] > 0 && free_at(r, t) < amounts[r])
          return false;
    return true;
  }
  std::int64_t hole(const Asks& asked) const {
    for (const std::int64_t t : instants(now_))
      if (holds(asked.amounts, t, t + asked.job.requested)) return t;
    return Profile::forever;
  }
  bool starts(const Asks& asked, const std::vector<Place>& reserved) const {
    const std::int64_t end = now_ + asked.job.requested;
    if (!holds(asked.amounts, now_, end)) return false;
    for (const Place& p : reserved) {
      if (end <= p.from) continue;
      Amounts both = asked.amounts;
      for (std::size_t r = 0; r < both.size(); ++r)
        if (both[r] > 0) both[r] += p.amounts[r];
      if (!holds(both, p.from, std::min(end, p.until))) return false;
    }
    return true;
  }
  void start(const Asks& asked) {
    waiting_.erase(std::find_if(waiting_.begin(), waiting_.end(),
                                [&](const Asks& a) { return a.job.order == asked.job.order; }));
    running_.push_back({asked, now_ + asked.job.requested});
  }

  Amounts machine_;
  std::vector<double> weights_;
  std::int64_t gpus_ = 0, now_ = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> steps_;
  std::vector<Asks> waiting_;
  std::vector<Runs> running_;
};

}  // namespace natgpu::conformance
