// SPDX-License-Identifier: Apache-2.0
// Orders by what accounts hold now, which changes with every start: drf and maxmin.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <natgpu/scheduling/account_reservations.hpp>
#include <natgpu/scheduling/accounted_machine.hpp>
#include <natgpu/scheduling/blocked_front.hpp>
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

/// Whoever holds least is next: of the accounts with waiting jobs, the one with the least dominant share over
/// weight (ties by name order), with its first job by (submission, position), in the first pool that has room
/// for it. Shares move with every start, so that accounts rank anew inside a pass. none: a next job that does
/// not fit blocks the pools it accepts; fit: its account drops out of the pass; easy: it claims the pool of
/// its earliest end, gets the reservation there if nobody has it, and its account goes on with its next job
/// that delays nobody. So the first BlockedFront::limit blocked jobs are looked at, until each pool has its
/// reservation. A job that nothing announced will ever hold is passed over; under fit that is looked at as
/// the job becomes its account's next, at each loss, and once the place that it had is over.
///
/// With GPUs alone and no announced outage, none and fit take O((starts + 1) log accounts) a pass in one
/// pool, whatever waits: each account's next job stands in one index, under the account's share. In several
/// pools, accounts are passed by whose next job accepts none that has room. easy asks each account with
/// waiting jobs once while a job is blocked: O((starts + accounts) log n). Sources: Ghodsi et al., Dominant
/// Resource Fairness, NSDI 2011 (drf); Bertsekas & Gallager (maxmin).
template <Backfill B>
class AccountDispatcher {
  static_assert(B == Backfill::none || B == Backfill::fit || B == Backfill::easy);

 public:
  /// One pool.
  /// @param machine  drf: of what the log and the machine state, GPUs first; maxmin: {1, 0, 0}
  /// @param weights  by account, positive
  AccountDispatcher(const Amounts& machine, const std::vector<double>& weights, bool arrivals_first = false)
      : AccountDispatcher(SharedResources::of(machine), {{{{0, 1.0}}}}, weights, arrivals_first) {
    pools_[0] = AccountedMachine(machine, arrivals_first);
  }
  AccountDispatcher(SharedResources shared, std::vector<GroupSpec> groups, const std::vector<double>& weights,
                    bool arrivals_first = false)
      : shared_(std::move(shared)),
        groups_(std::move(groups)),
        pools_(shared_.gpus_of.size(), AccountedMachine({1, 0, 0}, arrivals_first)),
        closed_(pools_.size()),
        held_(weights.size() * shared_.sizes.size()),
        next_(groups_.size()),
        reserved_(pools_.size(), groups_) {
    for (const double w : weights) accounts_.emplace_back().weight = w;
  }

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
    if (B == Backfill::fit && dips()) gains_ = true;
  }
  /// A running job's requested end moves.
  void extend(std::uint32_t pool, std::int64_t gpus, std::int64_t old_end, std::int64_t new_end) {
    pools_[pool].hand_back({gpus, 0, 0}, old_end);
    pools_[pool].take({gpus, 0, 0}, new_end);
    if (B == Backfill::fit && dips()) gains_ = true;
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

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
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
    if constexpr (B == Backfill::fit) {
      start_what_fits(sink);
    } else {
      start_heads(sink);
      if (B == Backfill::easy && blocked_) start_beside(sink);
    }
  }

 private:
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
  /// An account's turn among others: the one with the least share first, then by name order.
  struct Turn {
    double share;
    std::uint32_t account;
    WaitingJob job;                                        ///< that it would start
    friend bool operator<(const Turn& a, const Turn& b) {  // std::push_heap keeps the greatest at the front
      return a.share != b.share ? a.share > b.share : a.account > b.account;
    }
  };

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
      if ((B == Backfill::fit || (B == Backfill::none && !dips())) && !fits_for_good(job)) {
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
  /// The first pool that has room for it now, or null.
  const PoolChoice* place(const WaitingJob& job) const {
    for (const PoolChoice& c : choices(job))
      if (!closed_[c.pool] && fits(job, c)) return &c;
    return nullptr;
  }
  bool fits(const WaitingJob& job, const PoolChoice& c) const {
    const Amounts& asked = amounts(job);
    const AccountedMachine& pool = pools_[c.pool];
    const std::int64_t requested = time_at_speed(job.requested, c.speed);
    if (!pool.fits(asked, requested)) return false;
    return B != Backfill::easy || reserved_.leaves(pools_, c.pool, asked, requested);
  }
  template <class Sink>
  void start(const WaitingJob job, const PoolChoice where, Sink& sink) {
    const Asked& asked = asked_[job.slot];
    const std::int64_t requested = time_at_speed(job.requested, where.speed);
    AccountedMachine& pool = pools_[where.pool];
    queues_[accounts_[asked.account].queue].erase(job.order, job.gpus);
    --waiting_;
    pool.take(asked.amounts, pool.now() + requested);
    hold(asked, where.pool, +1);
    sink.start(job, where.pool, requested);
  }

  // --- passes

  /// The job that stands behind an entry of the index.
  const WaitingJob& front_of(const WaitingJob& entry) const {
    return *queues_[accounts_[static_cast<std::size_t>(entry.order.id)].queue].front();
  }
  /// none: until every pool is blocked; easy: until the next job does not fit.
  template <class Sink>
  void start_heads(Sink& sink) {
    if constexpr (B == Backfill::easy) {
      blocked_.reset();
      reserved_.clear();
    }
    closed_.assign(pools_.size(), false);
    QueueKey blocked;  // the account that was blocked last: who starts only moves further behind it
    bool any_blocked = false;
    while (std::count(closed_.begin(), closed_.end(), true) < std::ssize(closed_)) {
      const WaitingJob* entry = first_listed(any_blocked ? &blocked : nullptr);
      if (entry == nullptr) break;
      const auto a = static_cast<std::uint32_t>(entry->order.id);
      const WaitingJob head = front_of(*entry);
      if (const PoolChoice* where = place(head)) {
        start(head, *where, sink);
      } else if (!holdable(head)) {
        set_aside(a, head);
      } else if (B == Backfill::easy) {
        blocked_ = head;
        break;
      } else {
        blocked = entry->order;
        any_blocked = true;
        for (const PoolChoice& c : choices(head)) closed_[c.pool] = true;
        continue;
      }
      list_touched(a);
    }
    closed_.assign(pools_.size(), false);
  }
  /// The next account in order whose job accepts a pool that is not blocked.
  const WaitingJob* first_listed(const QueueKey* after) const {
    const WaitingJob* first = nullptr;
    for (std::uint32_t g = 0; g < next_.size(); ++g) {
      const bool open = std::any_of(groups_[g].choices.begin(), groups_[g].choices.end(),
                                    [this](const PoolChoice& c) { return !closed_[c.pool]; });
      if (!open || next_[g].empty()) continue;
      const WaitingJob* entry = after != nullptr ? next_[g].first_after(*after) : next_[g].front();
      if (entry != nullptr && (first == nullptr || entry->order < first->order)) first = entry;
    }
    return first;
  }
  void list_touched(std::uint32_t a) {
    list(a);
    touched_.clear();  // but for starts, nothing touches an account in a pass
  }
  /// fit: who stands first in the index and fits. Who does not fit now does not fit later in the pass, and
  /// who starts moves further behind, or, if its dominant share is of another resource, stays.
  template <class Sink>
  void start_what_fits(Sink& sink) {
    QueueKey last;
    const QueueKey* after = nullptr;
    while (const WaitingJob* entry = first_that_fits(after)) {
      const QueueKey here = entry->order;
      const auto a = static_cast<std::uint32_t>(here.id);
      const WaitingJob job = front_of(*entry);
      start(job, *place(job), sink);
      list_touched(a);
      if (accounts_[a].is_listed && accounts_[a].listed.order == here) continue;
      last = here;
      after = &last;
    }
  }
  const WaitingJob* first_that_fits(const QueueKey* after) const {
    const WaitingJob* first = nullptr;
    for (std::uint32_t g = 0; g < next_.size(); ++g) {
      if (next_[g].empty()) continue;
      const QueueKey* bound = first != nullptr ? &first->order : nullptr;
      const WaitingJob* entry = next_[g]
                                    .find(sieve(g), after, bound,
                                          [&](const WaitingJob& e) { return place(front_of(e)) != nullptr; })
                                    .job;
      if (entry != nullptr) first = entry;
    }
    return first;
  }
  /// easy: the rest in order, each beside the reservations. What does not fit now does not fit later in a
  /// pass.
  template <class Sink>
  void start_beside(Sink& sink) {
    if (!any_available()) return;
    reserve_for(*blocked_);
    turns_.clear();
    const bool looks_on = reserved_.any_open(pools_);
    if (looks_on) look_on(sink);
    Sieve admitted = reserved_.sieve(pools_);
    if (looks_on) {
      std::swap(turns_, looked_at_);
      turns_.clear();
      for (const Turn& turn : looked_at_)
        if (place(turn.job) != nullptr)
          offer(turn.account, turn.job);
        else
          offer_fitting(turn.account, admitted, &turn.job.order);
    } else {
      for (const std::uint32_t a : present_)
        offer_fitting(a, admitted, a == asked_[blocked_->slot].account ? &blocked_->order : nullptr);
    }
    while (!turns_.empty()) {
      const Turn turn = take_turn();
      if (const PoolChoice* where = place(turn.job)) {
        start(turn.job, *where, sink);
        list_touched(turn.account);
        admitted = reserved_.sieve(pools_);
      }
      offer_fitting(turn.account, admitted, &turn.job.order);
    }
  }
  /// Behind the first blocked job, one by one, until enough have been looked at, every pool is reserved, or
  /// no GPU is left. The rest stands in turns_ then.
  template <class Sink>
  void look_on(Sink& sink) {
    for (const std::uint32_t a : present_)
      offer_next(a, a == asked_[blocked_->slot].account ? &blocked_->order : nullptr);
    for (std::size_t looked = 1;
         looked < BlockedFront::limit && !turns_.empty() && reserved_.any_open(pools_) && any_available();) {
      const Turn turn = take_turn();
      if (const PoolChoice* where = place(turn.job)) {
        start(turn.job, *where, sink);
        list_touched(turn.account);
      } else if (holdable(turn.job)) {
        reserve_for(turn.job);
        ++looked;
      } else {
        set_aside(turn.account, turn.job);
        list_touched(turn.account);
      }
      offer_next(turn.account, &turn.job.order);
    }
  }
  bool any_available() const {
    return std::any_of(pools_.begin(), pools_.end(),
                       [](const AccountedMachine& p) { return p.available_gpus() > 0; });
  }
  void reserve_for(const WaitingJob& job) {
    reserved_.claim(pools_, choices(job), amounts(job), job.requested);
  }
  void offer_next(std::uint32_t a, const QueueKey* after) {
    if (accounts_[a].queue == no_queue) return;
    const WaitingQueue& queue = queues_[accounts_[a].queue];
    const WaitingJob* job = after != nullptr ? queue.first_after(*after) : queue.front();
    if (job != nullptr) offer(a, *job);
  }
  void offer_fitting(std::uint32_t a, const Sieve& admitted, const QueueKey* after) {
    if (accounts_[a].queue == no_queue) return;
    const WaitingQueue& queue = queues_[accounts_[a].queue];
    if ((queue.occupied() & admitted.admitted) == 0) return;
    const WaitingQueue::Found found =
        queue.find(admitted, after, nullptr, [&](const WaitingJob& job) { return place(job) != nullptr; });
    if (found.job != nullptr) offer(a, *found.job);
  }
  void offer(std::uint32_t a, const WaitingJob& job) {
    turns_.push_back({share(a), a, job});
    std::push_heap(turns_.begin(), turns_.end());
  }
  Turn take_turn() {
    std::pop_heap(turns_.begin(), turns_.end());
    const Turn turn = turns_.back();
    turns_.pop_back();
    return turn;
  }
  /// What is worth looking at of a group: no more GPUs than are free in a pool it accepts.
  Sieve sieve(std::uint32_t group) const {
    Sieve s;
    for (const PoolChoice& c : groups_[group].choices)
      s.largest = std::max(s.largest, pools_[c.pool].available_gpus());
    for (std::size_t size = 0; size < size_classes && std::int64_t{1} << size <= s.largest; ++size)
      s.admit(size, Sieve::any);
    return s;
  }

  SharedResources shared_;
  std::vector<GroupSpec> groups_;
  std::vector<AccountedMachine> pools_;
  std::vector<bool> closed_;  ///< by pool, in a pass under none: a job that stands before blocks it
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
  // of easy alone
  std::optional<WaitingJob> blocked_;  ///< the first blocked job of the pass
  AccountReservations reserved_;
  std::vector<Turn> turns_;  ///< a heap
  std::vector<Turn> looked_at_;
};

}  // namespace natgpu::scheduling
