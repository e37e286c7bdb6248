// SPDX-License-Identifier: Apache-2.0
// Orders by what accounts hold now, which changes with every start: drf and maxmin. One pool.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <natgpu/scheduling/claimant.hpp>
#include <natgpu/scheduling/dominant_share.hpp>
#include <natgpu/scheduling/profile.hpp>
#include <natgpu/scheduling/spec.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// The machine as these orders see it: how much of what is free, now and as requested ends and announced
/// changes have it. GPUs come and go; CPUs and memory, where they count, are there all along.
class AccountedMachine {
 public:
  /// @param counted  of CPUs and memory 0: they are without limit
  AccountedMachine(const Amounts& counted, bool arrivals_first) : count_due_(arrivals_first) {
    for (std::size_t r = 0; r < resources; ++r) {
      lines_[r].counts = r == 0 || counted[r] > 0;
      lines_[r].free = r == 0 ? 0 : counted[r];
    }
  }

  void begin_pass(std::int64_t now) {
    now_ = now;
    if (!count_due_) return;
    for (Line& l : lines_) l.due = l.profile.due(now);
  }
  void take(const Amounts& amounts, std::int64_t until) { move(amounts, until, -1); }
  void hand_back(const Amounts& amounts, std::int64_t requested_end) { move(amounts, requested_end, +1); }
  void change_capacity(std::int64_t delta) {
    lines_[0].free += delta;
    level_at_end_ += delta;
  }
  void foresee(std::int64_t at, std::int64_t delta) {
    lines_[0].profile.add(at, delta);
    level_at_end_ += delta;
  }

  bool dips() const { return lines_[0].profile.has_dips(); }
  std::int64_t available_gpus() const { return lines_[0].free + lines_[0].due; }
  std::int64_t now() const { return now_; }
  /// Whether so much is free during all of [now, now + length).
  bool fits(const Amounts& amounts, std::int64_t length) const {
    for (std::size_t r = 0; r < resources; ++r) {
      const Line& l = lines_[r];
      if (!asked(amounts, r)) continue;
      if (amounts[r] > l.free + l.due) return false;
      if (l.profile.first_dip() < now_ + length && l.profile.least(now_, now_ + length, l.free) < amounts[r])
        return false;
    }
    return true;
  }
  /// What is free at the least during [from, until), beside `held_back`. @pre from < until
  bool leaves(const Amounts& amounts, std::int64_t from, std::int64_t until, const Amounts& held_back) const {
    for (std::size_t r = 0; r < resources; ++r)
      if (asked(amounts, r) &&
          lines_[r].profile.least(from, until, lines_[r].free) - held_back[r] < amounts[r])
        return false;
    return true;
  }
  /// GPUs free at that instant, as known.
  std::int64_t gpus_at(std::int64_t at) const { return lines_[0].profile.least(at, at + 1, lines_[0].free); }
  /// The least t >= now with so much free during all of [t, t + length), or `forever`.
  std::int64_t hole(const Amounts& amounts, std::int64_t length) const {
    std::int64_t at = now_;
    for (std::size_t agreed = 0; agreed < resources;) {
      agreed = 0;
      for (std::size_t r = 0; r < resources; ++r, ++agreed) {
        if (!asked(amounts, r)) continue;
        const std::int64_t start = lines_[r].profile.hole(at, lines_[r].free, amounts[r], length).at;
        if (start == Profile::forever) return start;
        if (start == at) continue;
        at = start;
        break;
      }
    }
    return at;
  }
  /// Whether the profile holds it at some time.
  bool holdable(const Amounts& amounts, std::int64_t length) const {
    return dips() ? hole(amounts, length) != Profile::forever : amounts[0] <= level_at_end_;
  }

 private:
  struct Line {
    bool counts = false;
    std::int64_t free = 0, due = 0;  ///< due: held by jobs whose requested end is now (arrivals first only)
    Profile profile;
  };
  bool asked(const Amounts& amounts, std::size_t r) const { return lines_[r].counts && amounts[r] > 0; }
  void move(const Amounts& amounts, std::int64_t end, std::int64_t sign) {
    for (std::size_t r = 0; r < resources; ++r) {
      if (!asked(amounts, r)) continue;
      lines_[r].free += sign * amounts[r];
      lines_[r].profile.add(end, -sign * amounts[r]);
    }
  }

  bool count_due_;
  std::array<Line, resources> lines_;
  std::int64_t now_ = 0;
  std::int64_t level_at_end_ = 0;  ///< GPUs, once all announced changes have come
};

/// Whoever holds least is next: of the accounts with waiting jobs, the one with the least dominant share over
/// weight (ties by name order), with its first job by (submission, position). Shares move with every start,
/// so that accounts rank anew inside a pass. none: a next job that does not fit ends the pass; fit: its
/// account drops out of it; easy: it gets the reservation, and then each account in order goes on with its
/// next job that delays nobody. A job that nothing announced will ever hold is passed over.
///
/// With GPUs alone and no announced outage, none and fit take O((starts + 1) log accounts) a pass, whatever
/// waits: each account's next job stands in one index, under the account's share. easy also asks each account
/// once while a job is blocked: O((starts + accounts) log n).
/// Sources: Ghodsi et al., Dominant Resource Fairness, NSDI 2011 (drf); Bertsekas & Gallager (maxmin).
template <Backfill B>
class AccountDispatcher {
  static_assert(B == Backfill::none || B == Backfill::fit || B == Backfill::easy);

 public:
  /// @param machine  drf: of what the log and the machine state, GPUs first; maxmin: {1, 0, 0}
  /// @param weights  by account, positive
  AccountDispatcher(const Amounts& machine, const std::vector<double>& weights, bool arrivals_first = false)
      : sizes_(machine), machine_(machine, arrivals_first) {
    for (const double w : weights) accounts_.emplace_back().weight = w;
  }

  void submit(const Claimant& who, const WaitingJob& job) {
    if (job.slot >= asked_.size()) asked_.resize(job.slot + 1);
    asked_[job.slot] = {who.account, {job.gpus, who.cpu_milli, who.memory_mib}};
    accounts_[who.account].queue.insert(job);
    touch(who.account);
  }
  void finish_of(const WaitingJob& job, std::int64_t requested_end) {
    const Asked& asked = asked_[job.slot];
    hold(asked, -1);
    machine_.hand_back(asked.amounts, requested_end);
    if (B == Backfill::fit && machine_.dips()) bring_back();
  }
  void change_capacity(std::uint32_t, std::int64_t delta) {
    machine_.change_capacity(delta);
    note_change(delta);
  }
  void foresee(std::uint32_t, std::int64_t at, std::int64_t delta) {
    machine_.foresee(at, delta);
    note_change(delta);
  }
  void withdraw_foreseen(std::uint32_t, std::int64_t at, std::int64_t delta) { foresee(0, at, -delta); }
  void keep_profile() {}

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    machine_.begin_pass(now);
    reserved_.reset();
    if (B == Backfill::fit && (changed_ || machine_.dips()))
      for (std::uint32_t a = 0; a < accounts_.size(); ++a) touch(a);
    changed_ = false;
    for (const std::uint32_t a : touched_) list(a);
    touched_.clear();
    if constexpr (B == Backfill::fit) {
      if (machine_.dips())
        take_turns(sink);
      else
        start_what_fits(sink);
    } else {
      start_heads(sink);
      if (B == Backfill::easy && reserved_) start_beside(sink);
    }
  }

 private:
  struct Account {
    double weight = 1;
    Amounts held{};
    WaitingQueue queue;
    std::vector<WaitingJob> aside;  ///< jobs that nothing announced will hold
    WaitingJob listed;              ///< as it stands in next_, while is_listed
    bool is_listed = false, is_touched = false;
  };
  struct Asked {
    std::uint32_t account = 0;
    Amounts amounts{};
  };
  struct Reserved {
    std::int64_t shadow, until;
    Amounts amounts;
    WaitingJob holder;
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
    return dominant_share(accounts_[a].held, sizes_, accounts_[a].weight);
  }
  const Amounts& amounts(const WaitingJob& job) const { return asked_[job.slot].amounts; }
  void touch(std::uint32_t a) {
    if (accounts_[a].is_touched) return;
    accounts_[a].is_touched = true;
    touched_.push_back(a);
  }
  void hold(const Asked& asked, std::int64_t sign) {
    Amounts& held = accounts_[asked.account].held;
    for (std::size_t r = 0; r < resources; ++r) held[r] += sign * asked.amounts[r];
    touch(asked.account);
  }
  /// Puts an account's next job into the index, under its share.
  void list(std::uint32_t a) {
    Account& account = accounts_[a];
    account.is_touched = false;
    if (account.is_listed) next_.erase(account.listed.order, account.listed.gpus);
    account.is_listed = false;
    for (const WaitingJob* job = account.queue.front(); job != nullptr; job = account.queue.front()) {
      if (B == Backfill::fit && !machine_.holdable(amounts(*job), job->requested)) {
        set_aside(a, *job);
        continue;
      }
      account.listed = *job;
      account.listed.order = {std::bit_cast<std::int64_t>(share(a)),
                              a};  // as integers, shares keep their order
      account.is_listed = true;
      next_.insert(account.listed);
      return;
    }
  }
  void note_change(std::int64_t delta) {
    if (delta > 0) bring_back();
    changed_ = true;
  }
  void set_aside(std::uint32_t a, const WaitingJob job) {
    accounts_[a].aside.push_back(job);
    accounts_[a].queue.erase(job.order, job.gpus);
    ++aside_;
  }
  /// What was set aside may find a place again.
  void bring_back() {
    if (aside_ == 0) return;
    for (std::uint32_t a = 0; a < accounts_.size(); ++a) {
      for (const WaitingJob& job : accounts_[a].aside) accounts_[a].queue.insert(job);
      if (!accounts_[a].aside.empty()) touch(a);
      accounts_[a].aside.clear();
    }
    aside_ = 0;
  }
  bool fits(const WaitingJob& job) const {
    const Amounts& asked = amounts(job);
    if (!machine_.fits(asked, job.requested)) return false;
    const std::int64_t end = machine_.now() + job.requested;
    return !reserved_ || end <= reserved_->shadow ||
           machine_.leaves(asked, reserved_->shadow, std::min(end, reserved_->until), reserved_->amounts);
  }
  template <class Sink>
  void start(const WaitingJob job, Sink& sink) {
    const Asked& asked = asked_[job.slot];
    accounts_[asked.account].queue.erase(job.order, job.gpus);
    machine_.take(asked.amounts, machine_.now() + job.requested);
    hold(asked, +1);
    sink.start(job, 0, job.requested);
  }

  // --- passes

  /// The job that stands behind an entry of the index.
  const WaitingJob& front_of(const WaitingJob& entry) const {
    return *accounts_[static_cast<std::size_t>(entry.order.id)].queue.front();
  }
  /// none and easy: until the next job does not fit; easy: that gets the reservation.
  template <class Sink>
  void start_heads(Sink& sink) {
    while (const WaitingJob* entry = next_.front()) {
      const auto a = static_cast<std::uint32_t>(entry->order.id);
      const WaitingJob head = front_of(*entry);
      if (fits(head)) {
        start(head, sink);
      } else if (const std::int64_t shadow = machine_.hole(amounts(head), head.requested);
                 shadow != Profile::forever) {
        reserved_ = Reserved{shadow, shadow + head.requested, amounts(head), head};
        break;
      } else {
        set_aside(a, head);
      }
      list_touched(a);
    }
    if (B == Backfill::none) reserved_.reset();
  }
  void list_touched(std::uint32_t a) {
    list(a);
    touched_.clear();  // but for starts, nothing touches an account in a pass
  }
  /// fit, where no more of the machine comes or goes than by starts: who stands first in the index and fits.
  template <class Sink>
  void start_what_fits(Sink& sink) {
    for (;;) {
      const WaitingQueue::Found found = next_.find(
          sieve(), nullptr, nullptr, [&](const WaitingJob& entry) { return fits(front_of(entry)); });
      if (found.job == nullptr) return;
      const auto a = static_cast<std::uint32_t>(found.job->order.id);
      start(front_of(*found.job), sink);
      list_touched(a);
    }
  }
  /// fit, beside announced outages: a start may leave another account's next job without a place for ever.
  template <class Sink>
  void take_turns(Sink& sink) {
    turns_.clear();
    for (std::uint32_t a = 0; a < accounts_.size(); ++a) offer_next(a);
    while (!turns_.empty()) {
      const Turn turn = take_turn();
      const bool starts = fits(turn.job);
      if (!starts && machine_.holdable(amounts(turn.job), turn.job.requested)) continue;
      if (starts) start(turn.job, sink);
      list_touched(turn.account);
      offer_next(turn.account);
    }
  }
  /// easy: the rest in order, each beside the reservation. What does not fit now does not fit later in a
  /// pass.
  template <class Sink>
  void start_beside(Sink& sink) {
    if (machine_.available_gpus() <= 0) return;
    turns_.clear();
    Sieve admitted = sieve();
    for (std::uint32_t a = 0; a < accounts_.size(); ++a)
      offer_fitting(a, admitted,
                    a == asked_[reserved_->holder.slot].account ? &reserved_->holder.order : nullptr);
    while (!turns_.empty()) {
      const Turn turn = take_turn();
      if (fits(turn.job)) {
        start(turn.job, sink);
        list_touched(turn.account);
        admitted = sieve();
      }
      offer_fitting(turn.account, admitted, &turn.job.order);
    }
  }
  void offer_next(std::uint32_t a) {
    if (accounts_[a].is_listed) offer(a, front_of(accounts_[a].listed));
  }
  void offer_fitting(std::uint32_t a, const Sieve& admitted, const QueueKey* after) {
    const WaitingQueue& queue = accounts_[a].queue;
    if ((queue.occupied() & admitted.admitted) == 0) return;
    const WaitingQueue::Found found =
        queue.find(admitted, after, nullptr, [&](const WaitingJob& job) { return fits(job); });
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
  /// What is worth looking at: no more GPUs than are free, and no longer than the reservation allows.
  Sieve sieve() const {
    Sieve s;
    s.largest = machine_.available_gpus();
    const std::int64_t spare =
        reserved_ ? machine_.gpus_at(reserved_->shadow) - reserved_->amounts[0] : s.largest;
    for (std::size_t size = 0; size < size_classes && std::int64_t{1} << size <= s.largest; ++size)
      s.admit(size, std::int64_t{1} << size <= spare ? Sieve::any : reserved_->shadow - machine_.now());
    return s;
  }

  Amounts sizes_;
  AccountedMachine machine_;
  std::vector<Account> accounts_;
  std::vector<Asked> asked_;            ///< by slot
  WaitingQueue next_;                   ///< each account's next job, under (share, account)
  std::vector<std::uint32_t> touched_;  ///< accounts to be listed anew
  bool changed_ = false;                ///< capacity, or what is announced of it, since the last pass
  std::size_t aside_ = 0;
  std::optional<Reserved> reserved_;
  std::vector<Turn> turns_;  ///< a heap
};

}  // namespace natgpu::scheduling
