// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/claiming_nodes.hpp>

#include <algorithm>
#include <utility>

namespace natgpu::scheduling {

ClaimingNodes::ClaimingNodes(NodeBooks&& books, PreemptiveRule rule)
    : NodeBooks(std::move(books)), rule_(std::move(rule)) {}

void ClaimingNodes::submit(std::uint32_t kind, const WaitingJob& job, const NodeProgress& progress,
                           std::int64_t) {
  make_room_for(job.slot);
  if (job.slot >= jobs_.size()) jobs_.resize(job.slot + std::size_t{1});
  jobs_[job.slot] = {job, kind, 0, progress.firm, false};
  NodeBooks::submit(kind, job);
}

void ClaimingNodes::withdraw_job(std::uint32_t slot) {
  const Job& j = jobs_[slot];
  withdraw(j.kind, j.waiting.order, j.waiting.gpus);
}

void ClaimingNodes::finish_job(std::uint32_t slot) {
  if (jobs_[slot].stops) stopping_.erase(std::find(stopping_.begin(), stopping_.end(), slot));
  jobs_[slot].stops = false;
  NodeBooks::finish_job(slot);
}

bool ClaimingNodes::begin_claims(std::int64_t now) {
  wake_ = rule_.round > 0 ? (now / rule_.round + 1) * rule_.round : forever;
  if ((rule_.round > 0 && now % rule_.round != 0) || waiting() == 0) return false;
  take_submitted();
  gained_.clear();  // whom others may make room for is looked at anew in each pass
  for (const auto& [key, kind] : fronts_) reach_[kind] = Sieve::any;
  shut_.assign(pools(), false);
  for (const std::uint32_t slot : stopping_)
    for (const Hold& h : runs_[slot].holds) see({runs_[slot].pool, h.node}).then.give_back(h);
  return true;
}

void ClaimingNodes::end_claims(std::int64_t now) {
  shut_.assign(pools(), false);
  for (const auto& [machine, seen] : seen_) sites_[machine.pool].pool.set(machine.node, seen.now);
  seen_.clear();
  sight_ = Sight::now;
  if (rule_.round > 0) return;
  for (const std::uint32_t slot : running_) {
    const Job& j = jobs_[slot];
    if (!j.firm && !j.stops && now - j.started < rule_.shield)
      wake_ = std::min(wake_, j.started + rule_.shield);
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

// --- what is under notice, and kept

/// @pre if it is not seen yet, the pool shows the machine as it is
ClaimingNodes::Seen& ClaimingNodes::see(const Machine& machine) {
  const auto [it, is_new] = seen_.try_emplace(machine);
  if (is_new) it->second.now = it->second.then = sites_[machine.pool].pool.node(machine.node);
  return it->second;
}

void ClaimingNodes::show(Sight sight) {
  if (sight == sight_) return;
  for (const auto& [machine, seen] : seen_)
    sites_[machine.pool].pool.set(machine.node,
                                  sight == Sight::then ? seen.then : least_of(seen.now, seen.then));
  sight_ = sight;
}

void ClaimingNodes::note_taken(const Attempt& found) {
  if (seen_.empty()) return;
  for (const Hold& h : found.holds)
    if (const auto it = seen_.find({found.pool, h.node}); it != seen_.end()) {
      it->second.now.take(h);
      it->second.then.take(h);
    }
}

/// The place is kept for the job, and those in `lost_` are under notice from now on.
void ClaimingNodes::keep(const Candidate& c, Attempt& found) {
  NodePool& pool = sites_[found.pool].pool;
  give_back(found);
  for (const std::uint32_t slot : lost_) lower(slot);
  for (const std::uint32_t slot : lost_) {
    for (const Hold& h : runs_[slot].holds) see({found.pool, h.node}).then.give_back(h);
    jobs_[slot].stops = true;
    stopping_.push_back(slot);
  }
  for (const Hold& h : found.holds) see({found.pool, h.node}).then.take(h);
  for (const auto& [machine, seen] : seen_)
    if (machine.pool == found.pool) pool.set(machine.node, seen.then);
  if (rule_.skips) return;
  reach_[c.kind] = 0;
  if (holdable(c.kind)) shut_pools_of(c.kind);
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
