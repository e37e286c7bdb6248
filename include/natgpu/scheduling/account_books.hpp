// SPDX-License-Identifier: Apache-2.0
// What accounts hold and what waits for them: the books beneath drf and maxmin.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include <natgpu/scheduling/accounted_machine.hpp>
#include <natgpu/scheduling/claimant.hpp>
#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/spec.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// What shares are parts of. Each resource counts by itself: GPUs of one type or more, then thousandths of a
/// core, then MiB of main memory.
struct SharedResources {
  std::vector<std::int64_t> sizes;                        ///< of the whole, by resource; 0: it does not count
  std::vector<std::uint32_t> gpus_of;                     ///< by pool: the resource that its GPUs are
  std::size_t types() const { return sizes.size() - 2; }  ///< of GPUs; CPUs and memory stand behind them

  /// One pool. @param machine  GPUs, thousandths of a core, MiB
  static SharedResources of(const Amounts& machine) { return {{machine.begin(), machine.end()}, {0}}; }
};

/// Accounts with their shares and queues, the pools, and an index of accounts' next jobs under their shares.
/// A job that nothing announced will ever hold is set aside: under fit, and under none where nothing is known
/// to leave for a while, as it becomes its account's next; else when its turn comes.
class AccountBooks {
 public:
  void submit(const Claimant& who, const WaitingJob& job, std::uint32_t group = 0) {
    if (job.slot >= asked_.size()) asked_.resize(job.slot + std::size_t{1});
    asked_[job.slot] = {who.account, group, {job.gpus, who.cpu_milli, who.memory_mib}};
    put(who.account, job);
    ++waiting_;
  }
  /// @returns false if it is not waiting
  bool withdraw_of(const WaitingJob& job) {
    const std::uint32_t a = asked_[job.slot].account;
    Account& account = accounts_[a];
    const auto aside = std::find_if(account.aside.begin(), account.aside.end(),
                                    [&](const WaitingJob& w) { return w.order == job.order; });
    if (aside != account.aside.end()) {
      account.aside.erase(aside);
    } else if (account.queue == no_queue || !queues_[account.queue].erase(job.order, job.gpus)) {
      return false;
    }
    --waiting_;
    touch(a);
    return true;
  }
  /// A running job hands its GPUs back, to the pool in which it ran.
  void finish_of(const WaitingJob& job, std::int64_t requested_end, std::uint32_t pool = 0) {
    const Asked& asked = asked_[job.slot];
    hold(asked, pool, -1);
    pools_[pool].hand_back(asked.amounts, requested_end);
    if (backfill_ == Backfill::fit && dips()) gains_ = true;
  }
  /// A running job's requested end moves.
  void extend(std::uint32_t pool, std::int64_t gpus, std::int64_t old_end, std::int64_t new_end) {
    pools_[pool].hand_back({gpus, 0, 0}, old_end);
    pools_[pool].take({gpus, 0, 0}, new_end);
    if (backfill_ == Backfill::fit && dips()) gains_ = true;
  }
  void change_capacity(std::uint32_t pool, std::int64_t delta) {
    pools_[pool].change_capacity(delta);
    note_change(delta);
  }
  void foresee(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    pools_[pool].foresee(at, delta);
    note_change(delta);
  }
  void withdraw_foreseen(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
    pools_[pool].withdraw_foreseen(at, delta);
    note_change(-delta);
  }
  void keep_profile() {}

  std::int64_t free(std::uint32_t pool) const { return pools_[pool].free_gpus(); }
  std::int64_t capacity(std::uint32_t pool) const { return pools_[pool].gpus(); }
  std::size_t waiting() const { return waiting_; }

 protected:
  /// One pool.
  /// @param machine  drf: of what the log and the machine state, GPUs first; maxmin: {1, 0, 0}
  /// @param weights  by account, positive
  AccountBooks(Backfill backfill, const Amounts& machine, const std::vector<double>& weights,
               bool arrivals_first)
      : AccountBooks(backfill, SharedResources::of(machine), {{{{0, 1.0}}}}, weights, arrivals_first) {
    pools_[0] = AccountedMachine(machine, arrivals_first);
  }
  AccountBooks(Backfill backfill, SharedResources shared, std::vector<GroupSpec> groups,
               const std::vector<double>& weights, bool arrivals_first)
      : backfill_(backfill),
        shared_(std::move(shared)),
        groups_(std::move(groups)),
        pools_(shared_.gpus_of.size(), AccountedMachine({1, 0, 0}, arrivals_first)),
        held_(weights.size() * shared_.sizes.size()),
        next_(groups_.size()) {
    for (const double w : weights) accounts_.emplace_back().weight = w;
  }

  static constexpr std::uint32_t no_queue = 0xffffffff;
  static constexpr std::int64_t nowhere = -1;
  struct Account {
    double weight = 1;
    std::uint32_t queue = no_queue;  ///< of its waiting jobs; kept while there are any
    std::uint32_t present_at = 0;    ///< its place among those that have one
    std::int64_t place = nowhere;    ///< as it stands in places_, the one noted last
    std::vector<WaitingJob> aside;   ///< jobs that nothing announced will hold
    WaitingJob listed;               ///< as it stands in next_, while is_listed
    std::uint32_t listed_in = 0;     ///< the job's group
    bool is_listed = false, is_touched = false;
  };
  struct Asked {
    std::uint32_t account = 0, group = 0;
    Amounts amounts{};
  };
  /// What has changed since the last pass is worked into the index.
  void begin_pass(std::int64_t now) {
    for (AccountedMachine& p : pools_) p.begin_pass(now);
    if (gains_) bring_back();
    gains_ = false;
    if (lost_)
      for (const std::uint32_t a : present_) touch(a);
    lost_ = false;
    for (; !places_.empty() && places_.front().first < now; places_.pop_back()) {
      touch(places_.front().second);
      accounts_[places_.front().second].place = nowhere;
      std::pop_heap(places_.begin(), places_.end(), std::greater<>());
    }
    for (const std::uint32_t a : touched_) list(a);
    touched_.clear();
  }
  /// A waiting job runs from now on.
  void run(const WaitingJob& job, std::uint32_t pool, std::int64_t requested) {
    const Asked& asked = asked_[job.slot];
    queues_[accounts_[asked.account].queue].erase(job.order, job.gpus);
    --waiting_;
    pools_[pool].take(asked.amounts, pools_[pool].now() + requested);
    hold(asked, pool, +1);
  }

  // --- accounts and their next jobs

  double share(std::uint32_t a) const {
    const std::size_t n = shared_.sizes.size();
    return dominant_share(held_.data() + a * n, shared_.sizes.data(), n, accounts_[a].weight);
  }
  const Amounts& amounts(const WaitingJob& job) const { return asked_[job.slot].amounts; }
  std::uint32_t group_of(const WaitingJob& job) const { return asked_[job.slot].group; }
  const std::vector<PoolChoice>& choices(const WaitingJob& job) const {
    return groups_[group_of(job)].choices;
  }
  bool dips() const {
    return std::any_of(pools_.begin(), pools_.end(), [](const AccountedMachine& p) { return p.dips(); });
  }
  void touch(std::uint32_t a) {
    if (accounts_[a].is_touched) return;
    accounts_[a].is_touched = true;
    touched_.push_back(a);
  }
  void put(std::uint32_t a, const WaitingJob& job) {
    Account& account = accounts_[a];
    if (account.queue == no_queue) {
      if (spare_queues_.empty()) {
        spare_queues_.push_back(static_cast<std::uint32_t>(queues_.size()));
        queues_.emplace_back();
      }
      account.queue = spare_queues_.back();
      spare_queues_.pop_back();
      account.present_at = static_cast<std::uint32_t>(present_.size());
      present_.push_back(a);
    }
    queues_[account.queue].insert(job);
    touch(a);
  }
  /// An account without waiting jobs gives its queue to whoever comes next.
  void leave_if_empty(std::uint32_t a) {
    Account& account = accounts_[a];
    if (account.queue == no_queue || !queues_[account.queue].empty()) return;
    spare_queues_.push_back(account.queue);
    account.queue = no_queue;
    present_[account.present_at] = present_.back();
    accounts_[present_.back()].present_at = account.present_at;
    present_.pop_back();
  }
  void hold(const Asked& asked, std::uint32_t pool, std::int64_t sign) {
    const std::size_t types = shared_.types();
    std::int64_t* held = held_.data() + asked.account * shared_.sizes.size();
    held[shared_.gpus_of[pool]] += sign * asked.amounts[0];
    held[types] += sign * asked.amounts[1];
    held[types + 1] += sign * asked.amounts[2];
    touch(asked.account);
  }
  /// Puts an account's next job into the index, under its share.
  void list(std::uint32_t a) {
    Account& account = accounts_[a];
    account.is_touched = false;
    if (account.is_listed) next_[account.listed_in].erase(account.listed.order, account.listed.gpus);
    account.is_listed = false;
    while (account.queue != no_queue && !queues_[account.queue].empty()) {
      const WaitingJob& job = *queues_[account.queue].front();
      if ((backfill_ == Backfill::fit || (backfill_ == Backfill::none && !dips())) && !fits_for_good(job)) {
        const std::int64_t place = first_place(job);
        if (place == Profile::forever) {
          set_aside(a, job);
          continue;
        }
        if (place != account.place) {
          account.place = place;
          places_.emplace_back(place, a);
          std::push_heap(places_.begin(), places_.end(), std::greater<>());
        }
      }
      account.listed = job;
      account.listed.order = {std::bit_cast<std::int64_t>(share(a)),
                              a};  // as integers, shares keep their order
      account.is_listed = true;
      account.listed_in = group_of(job);
      next_[account.listed_in].insert(account.listed);
      return;
    }
    leave_if_empty(a);
  }
  void note_change(std::int64_t delta) { (delta > 0 ? gains_ : lost_) = true; }
  void set_aside(std::uint32_t a, const WaitingJob job) {
    accounts_[a].aside.push_back(job);
    queues_[accounts_[a].queue].erase(job.order, job.gpus);
    waits_aside_.push_back(a);
  }
  /// What was set aside may find a place again.
  void bring_back() {
    for (const std::uint32_t a : waits_aside_) {
      for (const WaitingJob& job : accounts_[a].aside) put(a, job);
      accounts_[a].aside.clear();
    }
    waits_aside_.clear();
  }
  void list_touched(std::uint32_t a) {
    list(a);
    touched_.clear();  // but for starts, nothing touches an account in a pass
  }

  // --- pools

  /// Whether a pool holds it once all announced changes have come.
  bool fits_for_good(const WaitingJob& job) const {
    return std::any_of(choices(job).begin(), choices(job).end(),
                       [&](const PoolChoice& c) { return amounts(job)[0] <= pools_[c.pool].gpus_at_end(); });
  }
  /// The earliest instant at which a pool has room for all of it, beside what runs; or forever.
  std::int64_t first_place(const WaitingJob& job) const {
    std::int64_t first = Profile::forever;
    for (const PoolChoice& c : choices(job))
      first = std::min(first, pools_[c.pool].hole(amounts(job), time_at_speed(job.requested, c.speed)));
    return first;
  }
  bool holdable(const WaitingJob& job) const {
    return fits_for_good(job) || first_place(job) != Profile::forever;
  }

  Backfill backfill_;
  SharedResources shared_;
  std::vector<GroupSpec> groups_;
  std::vector<AccountedMachine> pools_;
  std::vector<Account> accounts_;
  std::vector<std::int64_t> held_;  ///< by (account, resource)
  std::vector<Asked> asked_;        ///< by slot
  std::vector<WaitingQueue> queues_;
  std::vector<std::uint32_t> spare_queues_;
  std::vector<std::uint32_t> present_;      ///< accounts with a queue, in no order
  std::vector<std::uint32_t> waits_aside_;  ///< accounts of jobs that were set aside, once for each
  std::vector<WaitingQueue> next_;          ///< by group: accounts' next jobs, under (share, account)
  std::vector<std::uint32_t> touched_;      ///< accounts to be listed anew
  bool lost_ = false;                       ///< GPUs, or what was announced of them, since the last pass
  bool gains_ = false;                      ///< since then what was set aside may have found a place
  std::vector<std::pair<std::int64_t, std::uint32_t>>
      places_;  ///< a heap: the first place, and the account, of listed jobs that fit no pool for good
  std::size_t waiting_ = 0;
};

}  // namespace natgpu::scheduling
