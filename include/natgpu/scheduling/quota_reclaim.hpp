// SPDX-License-Identifier: Apache-2.0
// Accounts take back what others hold beyond their quotas.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/scheduling/claiming_books.hpp>
#include <natgpu/scheduling/quota.hpp>

namespace natgpu::scheduling {

/// Each account has a quota of the GPUs that are up, over all pools. Jobs with which their account stays
/// within it are entitled; they are served first, in queue order, then all others, which borrow what is idle.
/// An entitled job that finds no GPUs claims, in the first pool where that suffices, those of running jobs of
/// accounts that hold more than their quotas: of the latest start first, then of the highest id, while their
/// account still holds more; then those not needed are spared, the last chosen first. All it lacks or none. A
/// job that gets none blocks those behind it in the pools it accepts, or with `fit` is passed over.
/// GPUs under notice count as those of the job they are kept for (docs/decisions/0020-quota-reclaim.md).
///
/// A pass is O((s + 1)(A log n) + c R log R) for s starts, c claims, A accounts with n waiting jobs and R
/// running ones.
class QuotaReclaim : public ClaimingBooks<QuotaReclaim> {
  using Base = ClaimingBooks<QuotaReclaim>;

 public:
  /// @param rule      `skips`, shield, notice and round count
  /// @param quotas    by account
  /// @param by_class  whether the keys of the queue are classes, of which the lowest loses GPUs first
  QuotaReclaim(PreemptiveRule rule, const std::vector<Quota>& quotas, bool by_class = false)
      : QuotaReclaim(std::move(rule), 1, {{{{0, 1.0}}}}, quotas, by_class) {}
  QuotaReclaim(PreemptiveRule rule, std::size_t pools, std::vector<GroupSpec> groups,
               const std::vector<Quota>& quotas, bool by_class = false)
      : Base(std::move(rule), pools, std::move(groups)), by_class_(by_class), victims_(pools) {
    for (const Quota& q : quotas) accounts_.emplace_back().quota = q;
  }

  /// Whose the job in this slot is; told before it is submitted.
  void attribute(std::uint32_t slot, std::uint32_t account) {
    if (slot >= owned_.size()) owned_.resize(slot + std::size_t{1});
    owned_[slot].account = account;
  }
  /// The job in this slot hands its GPUs back: it is done, it lost them, or its notice is over.
  void finish_job(std::uint32_t slot) {
    release(slot);
    Base::finish_job(slot);
  }

  /// Decisions go to the sink at once: `preempt(job)`, which may submit the job anew, and `start(job, pool,
  /// requested on it)`. With a notice, a preempted job keeps its GPUs until `finish_job`.
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (!begin_claims(now)) return;
    ++passes_;
    set_quotas();
    have_victims_ = false;
    serve_entitled(now, sink);
    serve_others(now, sink);
    for (const Kept& k : kept_) accounts_[k.account].held -= k.gpus;
    kept_.clear();
    end_claims(now);
  }

 private:
  friend Base;
  static constexpr std::uint32_t none = 0xffffffff;
  struct Account {
    Quota quota;
    std::int64_t entitled = 0;  ///< GPUs, now
    std::int64_t held = 0;      ///< by running jobs, and in a pass kept for waiting ones
    std::int64_t excess = 0;    ///< held beyond what it is entitled to, while victims are looked for
    std::uint32_t lines = none;
    std::uint32_t present_at = 0;  ///< its place among those that have lines
  };
  /// Waiting jobs of one account.
  struct Lines {
    std::vector<WaitingQueue> by_group;
    std::size_t jobs = 0;
  };
  struct Owned {
    std::uint32_t account = 0;
    bool holds = false;           ///< GPUs that count as its account's
    std::uint64_t served_in = 0;  ///< the last pass in which it was served as entitled
  };
  struct Kept {
    std::uint32_t account;
    std::int32_t gpus;
  };

  // --- who waits, and what accounts hold

  void joins(const Job& job) {
    const std::uint32_t a = owned_[job.waiting.slot].account;
    Account& account = accounts_[a];
    if (account.lines == none) {
      if (spare_lines_.empty()) {
        spare_lines_.push_back(static_cast<std::uint32_t>(lines_.size()));
        lines_.push_back({std::vector<WaitingQueue>(groups_.size()), 0});
      }
      account.lines = spare_lines_.back();
      spare_lines_.pop_back();
      account.present_at = static_cast<std::uint32_t>(present_.size());
      present_.push_back(a);
    }
    Lines& lines = lines_[account.lines];
    lines.by_group[job.group].insert(job.waiting);
    ++lines.jobs;
  }
  void leaves(const Job& job) {
    Account& account = accounts_[owned_[job.waiting.slot].account];
    Lines& lines = lines_[account.lines];
    lines.by_group[job.group].erase(job.waiting.order, job.waiting.gpus);
    if (--lines.jobs > 0) return;
    spare_lines_.push_back(account.lines);
    account.lines = none;
    present_[account.present_at] = present_.back();
    accounts_[present_.back()].present_at = account.present_at;
    present_.pop_back();
  }
  void starts(const Job& job) {
    Owned& o = owned_[job.waiting.slot];
    o.holds = true;
    accounts_[o.account].held += job.waiting.gpus;
  }
  void loses(const Run& r) {
    release(r.slot);
    have_victims_ = false;
  }
  void release(std::uint32_t slot) {
    Owned& o = owned_[slot];
    if (!o.holds) return;  // its GPUs are under notice
    o.holds = false;
    accounts_[o.account].held -= jobs_[slot].waiting.gpus;
  }
  void set_quotas() {
    std::int64_t up = 0;
    for (const Pool& p : pools_) up += p.capacity;
    if (up == up_) return;
    up_ = up;
    for (Account& a : accounts_) a.entitled = a.quota.of(up);
  }
  bool was_served(const WaitingJob& job) const { return owned_[job.slot].served_in == passes_; }

  // --- entitled jobs

  template <class Sink>
  void serve_entitled(std::int64_t now, Sink& sink) {
    while (const WaitingJob* found = next_entitled()) {
      const Job job = jobs_[found->slot];
      Owned& o = owned_[job.waiting.slot];
      o.served_in = passes_;
      const Served served = serve(job, now, true, sink);
      if (served == Served::started) continue;
      if (served == Served::kept) keep(o.account, job.waiting.gpus);
      if (!rule_.skips) close_pools_of(job.group);
    }
  }
  void keep(std::uint32_t account, std::int32_t gpus) {
    accounts_[account].held += gpus;
    kept_.push_back({account, gpus});
  }
  /// The first that has not been served in this pass; with `fit`, of those that may get GPUs.
  const WaitingJob* next_entitled() {
    const WaitingJob* next = nullptr;
    for (const std::uint32_t a : present_) {
      const Account& account = accounts_[a];
      const std::int64_t room = account.entitled - account.held;
      if (room <= 0) continue;
      for (std::uint32_t g = 0; g < groups_.size(); ++g) {
        const WaitingQueue& queue = lines_[account.lines].by_group[g];
        if (queue.empty() || !has_open_pool(g)) continue;
        const QueueKey* bound = next != nullptr ? &next->order : nullptr;
        const WaitingJob* job = find(queue, room, nullptr, bound);
        if (rule_.skips && job != nullptr && job->gpus > most_left(g)) {
          find_victims();
          const std::int64_t most =
              most_in(g, [this](std::uint32_t p) { return left_in(p) + claimable_[p]; });
          if (job->gpus > most) job = find(queue, std::min(room, most), nullptr, bound);
        }
        if (job != nullptr) next = job;
      }
    }
    return next;
  }
  std::int64_t most_left(std::uint32_t group) const {
    return most_in(group, [this](std::uint32_t p) { return left_in(p); });
  }
  const WaitingJob* find(const WaitingQueue& queue, std::int64_t gpus, const QueueKey* after,
                         const QueueKey* bound) const {
    return queue.find(up_to(gpus), after, bound, [this](const WaitingJob& job) { return !was_served(job); })
        .job;
  }

  // --- victims

  const std::vector<std::size_t>& victims_for(const WaitingJob&, std::uint32_t pool) {
    find_victims();
    return victims_[pool];
  }
  /// All that could be taken in each pool, whoever asks for it: who asks is of no account with an excess.
  void find_victims() {
    if (have_victims_) return;
    have_victims_ = true;
    candidates_.clear();
    for (std::size_t i = 0; i < running_.size(); ++i) {
      const Account& account = accounts_[owned_[running_[i].slot].account];
      if (!running_[i].chosen && account.held > account.entitled) candidates_.push_back(i);
    }
    std::sort(candidates_.begin(), candidates_.end(), [this](std::size_t a, std::size_t b) {
      const Run &x = running_[a], &y = running_[b];
      if (x.pool != y.pool) return x.pool < y.pool;
      return by_class_ && x.place.key != y.place.key ? x.place.key > y.place.key : loses_first(x, y);
    });
    claimable_.assign(pools_.size(), 0);
    for (std::vector<std::size_t>& v : victims_) v.clear();
    for (std::size_t from = 0, to = 0; from < candidates_.size(); from = to) {
      const std::uint32_t pool = running_[candidates_[from]].pool;
      for (; to < candidates_.size() && running_[candidates_[to]].pool == pool; ++to) {
        Account& account = accounts_[owned_[running_[candidates_[to]].slot].account];
        account.excess = account.held - account.entitled;
      }
      for (std::size_t c = from; c < to; ++c) take_while_in_excess(candidates_[c]);
    }
  }
  void take_while_in_excess(std::size_t run) {
    const Run& r = running_[run];
    Account& account = accounts_[owned_[r.slot].account];
    if (account.excess <= 0) return;
    account.excess -= r.gpus;
    claimable_[r.pool] += r.gpus;
    victims_[r.pool].push_back(run);
  }

  // --- all others

  template <class Sink>
  void serve_others(std::int64_t now, Sink& sink) {
    QueueKey last;
    const QueueKey* after = nullptr;
    while (const WaitingJob* found = next_other(after)) {
      const Job job = jobs_[found->slot];
      last = job.waiting.order;
      after = &last;
      if (serve(job, now, false, sink) != Served::started && !rule_.skips) close_pools_of(job.group);
    }
  }
  const WaitingJob* next_other(const QueueKey* after) const {
    const WaitingJob* next = nullptr;
    for (std::uint32_t g = 0; g < queues_.size(); ++g) {
      if (queues_[g].empty() || !has_open_pool(g)) continue;
      const QueueKey* bound = next != nullptr ? &next->order : nullptr;
      const WaitingJob* job = find(queues_[g], rule_.skips ? most_left(g) : forever, after, bound);
      if (job != nullptr) next = job;
    }
    return next;
  }

  bool by_class_;
  std::vector<Account> accounts_;
  std::vector<Owned> owned_;  ///< by slot
  std::vector<Lines> lines_;
  std::vector<std::uint32_t> spare_lines_;
  std::vector<std::uint32_t> present_;  ///< accounts with waiting jobs, in no order
  std::vector<Kept> kept_;              ///< in this pass
  std::int64_t up_ = -1;                ///< GPUs for which quotas were worked out
  std::uint64_t passes_ = 0;

  bool have_victims_ = false;
  std::vector<std::size_t> candidates_;            ///< places among running jobs
  std::vector<std::vector<std::size_t>> victims_;  ///< by pool
  std::vector<std::int64_t> claimable_;            ///< by pool: GPUs of these
};

}  // namespace natgpu::scheduling
