// SPDX-License-Identifier: Apache-2.0
// drf and maxmin in the node view: whoever holds least of the machines is next.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include <natgpu/scheduling/account_lanes.hpp>
#include <natgpu/scheduling/claimant.hpp>
#include <natgpu/scheduling/machine_holdings.hpp>
#include <natgpu/scheduling/node_dispatcher.hpp>

namespace natgpu::scheduling {

/// AccountDispatcher's rule, on machines. The account with the least dominant share over weight is next (ties
/// by name order), with its first job by queue order; who starts ranks anew. A job starts where the rule of
/// placement finds it room. none: a next job that finds none shuts the pools that could hold it to all behind
/// it; fit: its account drops out of the pass. easy: the first next job that finds none gets the only
/// reservation, as NodeDispatcher places it; then accounts take turns by their shares, and at its turn an
/// account tries one job, its next, beside that reservation. A job that the machines that are there could not
/// hold, were they empty, is passed over: its account's next one has the turn.
///
/// What is known of kinds is known for all accounts: of those whose next job is of a kind that finds no room
/// none is looked at. none and fit take O((s + c + 1) (log n + k)) a pass, and the placements of the s jobs
/// that start and of c that do not, after which their kinds are closed, for k kinds of accounts' next jobs;
/// easy asks each account once more while a job is blocked and anybody has room. Sources: Ghodsi et al.,
/// Dominant Resource Fairness, NSDI 2011 (drf); Bertsekas & Gallager (maxmin).
template <Backfill B>
class AccountNodes : public NodeDispatcher<B> {
  static_assert(B == Backfill::none || B == Backfill::fit || B == Backfill::easy);
  using Base = NodeDispatcher<B>;

 public:
  /// @param weights  by account, positive
  AccountNodes(NodeBooks&& books, MachineResources whole, const std::vector<double>& weights)
      : Base(std::move(books)),
        holdings_(std::move(whole), weights),
        accounts_(weights.size()),
        lanes_(weights.size() + 1),
        turns_(static_cast<std::uint32_t>(weights.size())) {}

  void submit(const Claimant& who, const WaitingJob& job, std::uint32_t kind = 0) {
    if (job.slot >= asked_.size()) asked_.resize(job.slot + std::size_t{1});
    asked_[job.slot] = {who.account, kind};
    NodeBooks::submit(kind, job);
    lanes_.insert(who.account, kind, job);
    touch(who.account);
  }
  /// @returns false if it is not waiting
  bool withdraw_of(const WaitingJob& job) {
    const Asked asked = asked_[job.slot];
    if (!NodeBooks::withdraw(asked.kind, job.order, job.gpus)) return false;
    lanes_.erase(asked.account, asked.kind, job.order, job.gpus);
    touch(asked.account);
    return true;
  }
  /// A running job hands everything back.
  void finish_job(std::uint32_t slot) {
    hold(slot, -1);
    touch(asked_[slot].account);
    Base::finish_job(slot);
  }
  void finish_of(const WaitingJob& job, std::int64_t /*requested_end*/, std::uint32_t /*pool*/ = 0) {
    finish_job(job.slot);
  }
  /// As NodeBooks has it; what could be held, were the machines empty, may be another job then.
  std::vector<std::uint32_t> fail(const Machine& machine) {
    std::vector<std::uint32_t> hit = this->jobs_on(machine);
    for (const std::uint32_t slot : hit) finish_job(slot);
    Base::fail(machine);
    lists_all_ = true;
    return hit;
  }
  void repair(const Machine& machine) {
    Base::repair(machine);
    lists_all_ = true;
  }

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    this->take_submitted();
    this->open_kinds();
    list_changed();
    Noting<std::remove_reference_t<Sink>> noting{*this, sink};
    if constexpr (B == Backfill::fit) {
      start_what_fits(now, noting);
    } else {
      const std::optional<std::uint32_t> blocked = start_next_jobs(now, noting);
      if constexpr (B == Backfill::easy)
        if (blocked) go_on_beside(*blocked, now, noting);
    }
  }

 private:
  struct Account {
    WaitingJob next;              ///< the job that has its turn, while is_listed
    QueueKey turn;                ///< its place among those of all accounts
    std::uint32_t kind = 0;       ///< of that job
    std::uint32_t listed_at = 0;  ///< in listed_
    bool is_listed = false, is_touched = false;
  };
  struct Asked {
    std::uint32_t account = 0, kind = 0;
  };
  /// An account's turn beside the reservation.
  struct Turn {
    QueueKey turn;
    WaitingJob job;
    std::uint32_t kind;
    friend bool operator>(const Turn& a, const Turn& b) { return b.turn < a.turn; }
  };
  /// Notes what starts before others hear of it.
  template <class Sink>
  struct Noting {
    AccountNodes& nodes;
    Sink& sink;
    void start(const WaitingJob& job, std::uint32_t pool, std::int64_t requested) {
      nodes.note_started(job);
      sink.start(job, pool, requested);
    }
  };

  void note_started(const WaitingJob& job) {
    const Asked asked = asked_[job.slot];
    lanes_.erase(asked.account, asked.kind, job.order, job.gpus);
    hold(job.slot, +1);
    list(asked.account);
  }
  void hold(std::uint32_t slot, std::int64_t sign) {
    for (const Hold& h : this->holds(slot))
      holdings_.hold(asked_[slot].account, this->runs_[slot].pool, h, sign);
  }

  // --- accounts and their next jobs

  void touch(std::uint32_t a) {
    if (accounts_[a].is_touched) return;
    accounts_[a].is_touched = true;
    touched_.push_back(a);
  }
  void list_changed() {
    if (lists_all_)
      for (std::uint32_t a = 0; a < accounts_.size(); ++a)
        if (!lanes_.empty(a)) touch(a);
    lists_all_ = false;
    for (const std::uint32_t a : touched_) {
      accounts_[a].is_touched = false;
      list(a);
    }
    touched_.clear();
  }
  /// As integers, shares keep their order.
  QueueKey turn_of(std::uint32_t a) const { return {std::bit_cast<std::int64_t>(holdings_.share(a)), a}; }
  /// Puts the account's next job among those of all, under the account's share.
  void list(std::uint32_t a) {
    Account& account = accounts_[a];
    if (account.is_listed) lanes_.erase(turns_, account.kind, account.turn, account.next.gpus);
    const AccountLanes::Found found =
        lanes_.find(a, nullptr, [this](std::uint32_t kind) { return this->holdable(kind) ? Sieve::any : 0; });
    note_listed(a, found.job != nullptr);
    if (found.job == nullptr) return;
    account.next = *found.job;
    account.kind = found.kind;
    account.turn = turn_of(a);
    WaitingJob entry = account.next;
    entry.order = account.turn;
    lanes_.insert(turns_, account.kind, entry);
  }
  void note_listed(std::uint32_t a, bool is_listed) {
    Account& account = accounts_[a];
    if (account.is_listed == is_listed) return;
    account.is_listed = is_listed;
    if (is_listed) {
      account.listed_at = static_cast<std::uint32_t>(listed_.size());
      listed_.push_back(a);
      return;
    }
    accounts_[listed_.back()].listed_at = account.listed_at;
    listed_[account.listed_at] = listed_.back();
    listed_.pop_back();
  }
  /// The first account in order, behind `after` if that is given, whose next job may start.
  template <class Longest>
  std::optional<std::uint32_t> first_account(const QueueKey* after, Longest&& longest) const {
    const AccountLanes::Found found = lanes_.find(turns_, after, longest);
    if (found.job == nullptr) return std::nullopt;
    return static_cast<std::uint32_t>(found.job->order.id);
  }

  // --- passes

  /// fit: who fails closes its kind, and is out of the pass with all that ask for as much and as long.
  template <class Sink>
  void start_what_fits(std::int64_t now, Sink& sink) {
    Attempt found;
    const auto reach = [this](std::uint32_t kind) { return this->reach_[kind]; };
    while (const auto a = first_account(nullptr, reach)) {
      const std::uint32_t kind = accounts_[*a].kind;
      const WaitingJob job = accounts_[*a].next;
      if (this->attempt(kind, job, now, found))
        this->start(kind, job, found, now, sink);
      else
        this->close(kind, job, now);
    }
  }
  /// none: until every pool is shut; easy: until the next job finds no room.
  /// @returns the first account whose next job found none
  template <class Sink>
  std::optional<std::uint32_t> start_next_jobs(std::int64_t now, Sink& sink) {
    std::optional<std::uint32_t> first_blocked;
    QueueKey last;  // of the account that was blocked last: who starts only moves further behind it
    Attempt found;
    this->shut_.assign(this->sites_.size(), false);
    const auto open = [this](std::uint32_t kind) { return this->has_open_pool(kind) ? Sieve::any : 0; };
    while (const auto a = first_account(first_blocked ? &last : nullptr, open)) {
      const std::uint32_t kind = accounts_[*a].kind;
      const WaitingJob job = accounts_[*a].next;
      const bool may = job.requested <= this->reach_[kind];
      if (may && this->attempt(kind, job, now, found)) {
        this->start(kind, job, found, now, sink);
        continue;
      }
      if (may && !this->has_shut_pool(kind)) this->close(kind, job, now);
      if (!first_blocked) first_blocked = a;
      if constexpr (B == Backfill::easy) break;
      last = accounts_[*a].turn;
      this->shut_pools_of(kind);
    }
    this->shut_.assign(this->sites_.size(), false);
    return first_blocked;
  }
  /// easy: the rest by turns, each job tried once.
  template <class Sink>
  void go_on_beside(std::uint32_t blocked, std::int64_t now, Sink& sink) {
    if (!has_room_for_any(now)) return;
    const WaitingJob head = accounts_[blocked].next;
    const std::int64_t shadow = this->reserve(accounts_[blocked].kind, head, now);
    this->shows_all_ = true;
    this->beside_.assign(this->kinds_.size(), Sieve::any);
    std::priority_queue<Turn, std::vector<Turn>, std::greater<Turn>> turns;
    const auto offer = [&](std::uint32_t a, const QueueKey* after) {
      const AccountLanes::Found next = lanes_.find(a, after, [&](std::uint32_t kind) {
        const std::int64_t in_time = longest_request(shadow - now, this->fastest(kind));
        return std::min(this->reach_[kind], std::max(in_time, this->beside_[kind]));
      });
      if (next.job != nullptr) turns.push({turn_of(a), *next.job, next.kind});
    };
    for (const std::uint32_t a : listed_) offer(a, nullptr);
    Attempt found;
    while (!turns.empty()) {
      const Turn t = turns.top();
      turns.pop();
      if (t.job.requested <= this->reach_[t.kind])
        this->start_beside({t.job, t.kind}, shadow, now, found, sink);
      offer(static_cast<std::uint32_t>(t.turn.id), &t.job.order);
    }
    this->show(true);
  }
  /// Looking ahead costs more than looking for someone to whom it matters.
  bool has_room_for_any(std::int64_t now) {
    Attempt found;
    for (const auto& [key, kind] : this->fronts_)
      while (const WaitingJob* job = this->candidate(kind, nullptr)) {
        if (this->attempt(kind, *job, now, found)) {
          this->give_back(found);
          return true;
        }
        this->close(kind, *job, now);
      }
    return false;
  }

  MachineHoldings holdings_;
  std::vector<Account> accounts_;
  std::vector<Asked> asked_;  ///< by slot
  AccountLanes lanes_;   ///< rows: what waits of each account; and accounts' next jobs, in order of share
  std::uint32_t turns_;  ///< the row of these
  std::vector<std::uint32_t> listed_;   ///< accounts with a next job, in no order
  std::vector<std::uint32_t> touched_;  ///< those to be listed anew
  bool lists_all_ = false;              ///< machines have come or gone since the last pass
};

}  // namespace natgpu::scheduling
