// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/preemptive_nodes.hpp>

#include <algorithm>

#include <natgpu/core/ensure.hpp>

namespace natgpu::scheduling {

PreemptiveNodes::PreemptiveNodes(NodeBooks&& books, PreemptiveRule rule)
    : PreemptiveNodeBooks(std::move(books)), rule_(std::move(rule)) {
  NATGPU_ENSURE(rule_.order != Order::las || rule_.quantum > 0, "las needs a quantum");
  NATGPU_ENSURE(rule_.notice == 0, "machines change hands at once");
  for (Area& limit : rule_.limits) limit *= whole_gpu_milli;
}

std::int64_t PreemptiveNodes::rank_of(const Job& j, std::int64_t remaining, std::int64_t attained) const {
  const std::int64_t milli = j.progress.gpu_milli;
  if (rule_.order != Order::srsf) return rank(rule_, remaining, attained, milli);
  const Area area = static_cast<Area>(remaining) * milli / whole_gpu_milli;
  return static_cast<std::int64_t>(std::min<Area>(area, forever));
}

// --- the queue

void PreemptiveNodes::submit(std::uint32_t kind, const WaitingJob& job, const NodeProgress& progress,
                             std::int64_t now) {
  make_room_for(job.slot);
  if (job.slot >= jobs_.size()) jobs_.resize(job.slot + std::size_t{1});
  Job& j = jobs_[job.slot];
  if (!(j.waiting.order == job.order)) j = {};  // the slot was another's
  j.waiting = job;
  j.progress = progress;
  j.kind = kind;
  const Progress& p = progress.progress;
  j.place = {rank_of(j, p.remaining, p.attained - j.forgiven), job.order.id};
  NodeBooks::submit(kind, {j.place, job.requested, job.gpus, job.slot});
  if (rule_.promote == 0 || j.place.key == 0) return;
  j.promotion = now + rule_.promote * (p.attained - j.forgiven);
  promotions_.insert({j.promotion, job.slot});
  if (rule_.round == 0) wake_ = std::min(wake_, j.promotion);
}

void PreemptiveNodes::withdraw_job(std::uint32_t slot) {
  const Job& j = jobs_[slot];
  withdraw(j.kind, j.place, j.waiting.gpus);
  promotions_.erase({j.promotion, slot});
}

void PreemptiveNodes::promote(std::int64_t now) {
  while (!promotions_.empty() && promotions_.begin()->first <= now) {
    Job& j = jobs_[promotions_.begin()->second];
    withdraw_job(j.waiting.slot);
    const Progress& p = j.progress.progress;
    j.forgiven = p.attained;
    j.place.key = rank_of(j, p.remaining, 0);
    NodeBooks::submit(j.kind, {j.place, j.waiting.requested, j.waiting.gpus, j.waiting.slot});
  }
}

void PreemptiveNodes::note_changes(std::int64_t now) {
  if (rule_.round > 0 || waiting() == 0) return;
  for (const std::uint32_t slot : running_) {
    const Job& j = jobs_[slot];
    if (j.progress.firm) continue;
    const std::int64_t worse = until_worse(rule_, served(j, now), j.progress.gpu_milli);
    if (worse != forever) wake_ = std::min(wake_, now + worse);
    if (keeps(slot, now)) wake_ = std::min(wake_, j.started + rule_.shield);
  }
  if (!promotions_.empty()) wake_ = std::min(wake_, promotions_.begin()->first);
}

// --- who has a place

void PreemptiveNodes::rank_running(std::int64_t now) {
  tenants_.clear();
  for (const std::uint32_t slot : running_) {
    if (keeps(slot, now)) continue;
    const Job& j = jobs_[slot];
    const Progress& p = j.progress.progress;
    const std::int64_t ran = std::max<std::int64_t>(now - j.started - p.restart, 0);
    const QueueKey place{rank_of(j, p.remaining - done_in(slot, ran, j.speed), served(j, now)),
                         j.waiting.order.id};
    tenants_.push_back({place, slot, runs_[slot].pool});
  }
  std::sort(tenants_.begin(), tenants_.end(),
            [](const Tenant& a, const Tenant& b) { return a.place < b.place; });
}

void PreemptiveNodes::choose(std::int64_t now) {
  rank_running(now);
  begin_turns();
  shut_.assign(pools(), false);
  consider_from(nullptr);
  for (;;) {
    const bool waits = !candidates_.empty();
    if (turn_ < tenants_.size() && (!waits || tenants_[turn_].place < candidates_.top().job.order)) {
      decide_running(tenants_[turn_++], now);
    } else if (waits) {
      const Candidate c = candidates_.top();
      candidates_.pop();
      decide_waiting(c, now);
    } else {
      break;
    }
  }
  place_chosen(now);
  shut_.assign(pools(), false);
}

/// Waiting jobs of all kinds, behind `after` if that is given, may find a place.
void PreemptiveNodes::consider_from(const QueueKey* after) {
  candidates_ = {};
  for (const auto& [key, kind] : fronts_) {
    reach_[kind] = Sieve::any;
    consider(kind, after);
  }
}
void PreemptiveNodes::consider(std::uint32_t kind, const QueueKey* after) {
  if (!has_open_pool(kind)) return;
  if (const WaitingJob* job = candidate(kind, after)) candidates_.push({*job, kind});
}

void PreemptiveNodes::decide_waiting(const Candidate& c, std::int64_t now) {
  for (const NodeChoice& choice : kinds_[c.kind]) {
    Attempt found;
    if (shut_[choice.pool] || !find_place(choice, c.job, now, found)) continue;
    chosen_.push_back({c.job, c.kind, choice, std::move(found)});
    return consider(c.kind, &c.job.order);
  }
  if (rule_.skips) {
    reach_[c.kind] = reach_below(c.kind, c.job, now);
    return consider(c.kind, &c.job.order);
  }
  if (!holdable(c.kind)) return;
  shut_pools_of(c.kind);
}

void PreemptiveNodes::decide_running(Tenant& t, std::int64_t now) {
  if (shut_[t.pool]) return lose(t, !benches_[t.pool].lifted);
  bool others_moved = false;
  if (!stays(t, now, others_moved))
    shut_[t.pool] = !rule_.skips;
  else if (others_moved)
    consider_from(&t.place);
}

}  // namespace natgpu::scheduling
