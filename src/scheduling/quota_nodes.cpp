// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/quota_nodes.hpp>

#include <algorithm>

#include <natgpu/core/ensure.hpp>

namespace natgpu::scheduling {

QuotaNodes::QuotaNodes(NodeBooks&& books, PreemptiveRule rule, const std::vector<Quota>& quotas,
                       bool by_class)
    : ClaimingNodes(std::move(books), std::move(rule)), by_class_(by_class), victims_(pools()) {
  NATGPU_ENSURE(rule_.notice == 0, "what accounts take back comes free at once");
  for (const Quota& q : quotas) accounts_.emplace_back().quota = q;
}

// --- who waits, and what accounts hold

void QuotaNodes::attribute(std::uint32_t slot, std::uint32_t account) {
  if (slot >= account_of_.size()) {
    account_of_.resize(slot + std::size_t{1});
    holds_.resize(slot + std::size_t{1});
  }
  account_of_[slot] = account;
}

void QuotaNodes::submit(std::uint32_t kind, const WaitingJob& job, const NodeProgress& progress,
                        std::int64_t now) {
  ClaimingNodes::submit(line_of(kind, account_of_[job.slot], progress.gpu_milli), job, progress, now);
}

std::uint32_t QuotaNodes::line_of(std::uint32_t kind, std::uint32_t account, std::int64_t gpu_milli) {
  const auto [it, is_new] = line_at_.try_emplace({kind, account}, 0);
  if (is_new) {
    it->second = add_kind(NodeKind(kinds_[kind]));
    lines_.resize(kinds_.size());
    lines_[it->second] = {account, gpu_milli, 0, {}};
  }
  NATGPU_ENSURE(lines_[it->second].gpu_milli == gpu_milli, "jobs of one kind ask for the same");
  return it->second;
}

void QuotaNodes::finish_job(std::uint32_t slot) {
  release(slot);
  ClaimingNodes::finish_job(slot);
}

void QuotaNodes::release(std::uint32_t slot) {
  if (!holds_[slot]) return;
  holds_[slot] = false;
  const Line& line = lines_[jobs_[slot].kind];
  accounts_[line.account].held -= line.gpu_milli;
}

void QuotaNodes::set_quotas() {
  if (up_ >= 0 && losses_seen_ == losses_) return;
  losses_seen_ = losses_;
  up_ = gpus_up();
  for (Account& a : accounts_) a.entitled = a.quota.milli_of(up_);
}

/// The first that has not been served in this pass, of those that may find a place.
bool QuotaNodes::next_entitled(Candidate& next) const {
  bool any = false;
  for (const auto& [key, kind] : fronts_) {
    if (any && next.job.order < key) break;
    const Account& account = accounts_[lines_[kind].account];
    if (account.held + lines_[kind].gpu_milli > account.entitled || !has_open_pool(kind)) continue;
    const WaitingJob* job = candidate(kind, passed_by(kind));
    if (job == nullptr || (any && next.job.order < job->order)) continue;
    next = {*job, kind};
    any = true;
  }
  return any;
}

// --- victims

const std::vector<std::uint32_t>& QuotaNodes::victims_in(std::uint32_t pool, std::int64_t now) {
  if (!have_victims_) find_victims(now);
  return victims_[pool];
}

/// All that could be taken in each pool, whoever asks for it: who asks is of no account with an excess.
void QuotaNodes::find_victims(std::int64_t now) {
  have_victims_ = true;
  for (std::vector<std::uint32_t>& v : victims_) v.clear();
  for (const std::uint32_t slot : running_) {
    const Account& account = accounts_[account_of_[slot]];
    if (account.held > account.entitled && may_lose(slot, now)) victims_[runs_[slot].pool].push_back(slot);
  }
  for (std::vector<std::uint32_t>& v : victims_) {
    std::sort(v.begin(), v.end(), [this](std::uint32_t a, std::uint32_t b) {
      const std::int64_t x = jobs_[a].waiting.order.key, y = jobs_[b].waiting.order.key;
      return by_class_ && x != y ? x > y : loses_first(a, b);
    });
    for (const std::uint32_t slot : v) {
      Account& account = accounts_[account_of_[slot]];
      account.excess = account.held - account.entitled;
    }
    const auto spared = [this](std::uint32_t slot) {
      Account& account = accounts_[account_of_[slot]];
      if (account.excess <= 0) return true;
      account.excess -= lines_[jobs_[slot].kind].gpu_milli;
      return false;
    };
    std::vector<std::uint32_t> in_excess;
    for (const std::uint32_t slot : v)
      if (!spared(slot)) in_excess.push_back(slot);
    v = std::move(in_excess);
  }
}

}  // namespace natgpu::scheduling
