// SPDX-License-Identifier: Apache-2.0
// Accounts take back the machines that others hold beyond their quotas.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <natgpu/scheduling/claiming_nodes.hpp>
#include <natgpu/scheduling/quota.hpp>

namespace natgpu::scheduling {

/// QuotaReclaim on machines. Each account has a quota of the GPUs that are up, over all pools, counted in
/// thousandths of a GPU as jobs ask for them. Jobs with which their account stays within it are entitled;
/// they are served first, in queue order, then all others, which borrow what is idle. An entitled job that
/// finds no place claims the machines (ClaimingNodes) of running jobs of accounts that hold more than their
/// quotas: of the latest start first, then of the highest id, while their account still holds more.
///
/// On machines of one GPU, and where all ask for one, this is QuotaReclaim's choice. A pass is O((s + k)(k +
/// places) + c R log R) for s starts, c claims, R running jobs and k kinds of waiting jobs, each account's
/// own.
class QuotaNodes : public ClaimingNodes {
 public:
  /// @param quotas    by account
  /// @param by_class  whether the keys of the queue are classes, of which the lowest loses machines first
  /// @pre the rule has no notice: who lost a machine may be entitled, and first to take it when it is over
  QuotaNodes(NodeBooks&& books, PreemptiveRule rule, const std::vector<Quota>& quotas, bool by_class = false);

  /// Whose the job in this slot is; told before it is submitted.
  void attribute(std::uint32_t slot, std::uint32_t account);
  /// As ClaimingNodes::submit.
  void submit(std::uint32_t kind, const WaitingJob& job, const NodeProgress& progress, std::int64_t now);
  /// A running job hands everything back.
  void finish_job(std::uint32_t slot);

  /// Decisions go to the sink at once: `preempt(job)`, which submits the job anew, and `start(job, pool,
  /// requested there)`.
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (!begin_claims(now)) return;
    ++passes_;
    set_quotas();
    have_victims_ = false;
    for (Candidate c; next_entitled(c);) serve_next(c, true, now, sink);
    Candidates others;
    for (const auto& [key, kind] : fronts_) consider(others, kind, passed_by(kind));
    while (!others.empty()) {
      const Candidate c = others.top();
      others.pop();
      if (!has_open_pool(c.kind)) continue;
      serve_next(c, false, now, sink);
      consider(others, c.kind, passed_by(c.kind));
    }
    end_claims(now);
  }

 private:
  struct Account {
    Quota quota;
    std::int64_t entitled = 0;  ///< thousandths of GPUs, now
    std::int64_t held = 0;      ///< by running jobs, as they ask for them
    std::int64_t excess = 0;    ///< held beyond what it is entitled to, while victims are looked for
  };
  /// Waiting jobs of one account and one kind, which is a kind of its own.
  struct Line {
    std::uint32_t account = 0;
    std::int64_t gpu_milli = 0;   ///< that each of them asks for
    std::uint64_t passed_in = 0;  ///< the last pass in which one of them was served,
    QueueKey passed = {};         ///< and the last there
  };

  template <class Sink>
  void serve_next(const Candidate& c, bool may_claim, std::int64_t now, Sink& sink) {
    lines_[c.kind].passed_in = passes_;
    lines_[c.kind].passed = c.job.order;
    const auto victims = [&](std::uint32_t pool) -> const std::vector<std::uint32_t>& {
      return may_claim ? victims_in(pool, now) : nobody_;
    };
    if (serve(c, now, victims, sink) != Served::started) return;
    for (const std::uint32_t slot : lost_) release(slot);
    if (!lost_.empty()) have_victims_ = false;
    accounts_[lines_[c.kind].account].held += lines_[c.kind].gpu_milli;
    holds_[c.job.slot] = true;
  }
  const QueueKey* passed_by(std::uint32_t kind) const {
    return lines_[kind].passed_in == passes_ ? &lines_[kind].passed : nullptr;
  }
  std::uint32_t line_of(std::uint32_t kind, std::uint32_t account, std::int64_t gpu_milli);
  void release(std::uint32_t slot);
  void set_quotas();
  bool next_entitled(Candidate& next) const;
  const std::vector<std::uint32_t>& victims_in(std::uint32_t pool, std::int64_t now);
  void find_victims(std::int64_t now);

  bool by_class_;
  std::vector<Account> accounts_;
  std::vector<Line> lines_;                                                   ///< by kind
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> line_at_;  ///< kind, account
  std::vector<std::uint32_t> account_of_;                                     ///< by slot
  std::vector<bool> holds_;  ///< by slot: GPUs that count as its account's
  std::int64_t up_ = -1;     ///< GPUs for which quotas were worked out
  std::uint32_t losses_seen_ = 0;
  std::uint64_t passes_ = 0;

  // Of one pass.
  bool have_victims_ = false;
  std::vector<std::vector<std::uint32_t>> victims_;  ///< by pool: slots
  const std::vector<std::uint32_t> nobody_;
};

}  // namespace natgpu::scheduling
