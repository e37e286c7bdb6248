// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/claiming_nodes.hpp>

#include <algorithm>
#include <utility>

#include <natgpu/core/ensure.hpp>

namespace natgpu::scheduling {

ClaimingNodes::ClaimingNodes(NodeBooks&& books, PreemptiveRule rule)
    : NodeBooks(std::move(books)), rule_(std::move(rule)) {
  NATGPU_ENSURE(rule_.notice == 0, "machines change hands at once");
}

void ClaimingNodes::submit(std::uint32_t kind, const WaitingJob& job, const NodeProgress& progress,
                           std::int64_t) {
  make_room_for(job.slot);
  if (job.slot >= jobs_.size()) jobs_.resize(job.slot + std::size_t{1});
  jobs_[job.slot] = {job, kind, 0, progress.firm};
  NodeBooks::submit(kind, job);
}

void ClaimingNodes::withdraw_job(std::uint32_t slot) {
  const Job& j = jobs_[slot];
  withdraw(j.kind, j.waiting.order, j.waiting.gpus);
}

bool ClaimingNodes::begin_claims(std::int64_t now) {
  wake_ = rule_.round > 0 ? (now / rule_.round + 1) * rule_.round : forever;
  if ((rule_.round > 0 && now % rule_.round != 0) || waiting() == 0) return false;
  take_submitted();
  gained_.clear();  // whom others may make room for is looked at anew in each pass
  for (const auto& [key, kind] : fronts_) reach_[kind] = Sieve::any;
  shut_.assign(pools(), false);
  return true;
}

void ClaimingNodes::end_claims(std::int64_t now) {
  shut_.assign(pools(), false);
  if (rule_.round > 0) return;
  for (const std::uint32_t slot : running_) {
    const Job& j = jobs_[slot];
    if (!j.firm && now - j.started < rule_.shield) wake_ = std::min(wake_, j.started + rule_.shield);
  }
}

void ClaimingNodes::consider(Candidates& candidates, std::uint32_t kind, const QueueKey* after) const {
  if (!has_open_pool(kind)) return;
  if (const WaitingJob* job = candidate(kind, after)) candidates.push({*job, kind});
}

void ClaimingNodes::pass_over(const Candidate& c, std::int64_t now) {
  reach_[c.kind] = rule_.skips ? reach_below(c.kind, c.job, now) : 0;
  if (!rule_.skips && holdable(c.kind)) shut_pools_of(c.kind);
}

// --- claims

void ClaimingNodes::lift(std::uint32_t slot) {
  scheduling::give_back(sites_[runs_[slot].pool].pool, runs_[slot].holds);
}
void ClaimingNodes::lower(std::uint32_t slot) {
  for (const Hold& h : runs_[slot].holds) sites_[runs_[slot].pool].pool.take(h);
}

/// Whether there were a place if all of them were gone.
bool ClaimingNodes::could_claim(const NodeChoice& choice, const WaitingJob& job, std::int64_t now,
                                const std::vector<std::uint32_t>& victims, Attempt& found) {
  if (victims.empty()) return false;
  for (const std::uint32_t slot : victims) lift(slot);
  const bool could = place(choice, job, now, found);
  if (could) give_back(found);
  for (const std::uint32_t slot : victims) lower(slot);
  return could;
}

bool ClaimingNodes::claim(const NodeChoice& choice, const WaitingJob& job, std::int64_t now,
                          const std::vector<std::uint32_t>& victims, Attempt& found) {
  if (!could_claim(choice, job, now, victims, found)) return false;
  for (const std::uint32_t slot : victims) {
    lift(slot);
    lost_.push_back(slot);
    if (place(choice, job, now, found)) break;
  }
  spare(choice, job, now, found);
  return true;
}

/// The last that was chosen is needed: there was no place before.
void ClaimingNodes::spare(const NodeChoice& choice, const WaitingJob& job, std::int64_t now, Attempt& found) {
  for (std::size_t i = lost_.size() - 1; i-- > 0;) {
    give_back(found);
    lower(lost_[i]);
    if (Attempt anew; place(choice, job, now, anew)) {
      found = std::move(anew);
      lost_.erase(lost_.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    lift(lost_[i]);
    for (const Hold& h : found.holds) sites_[found.pool].pool.take(h);
  }
}

}  // namespace natgpu::scheduling
