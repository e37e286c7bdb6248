// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/preemptive_nodes.hpp>

#include <algorithm>

#include <natgpu/core/ensure.hpp>

namespace natgpu::scheduling {

PreemptiveNodes::PreemptiveNodes(NodeBooks&& books, PreemptiveRule rule)
    : NodeBooks(std::move(books)), rule_(std::move(rule)), benches_(pools()) {
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
  ranked_.clear();
  for (const std::uint32_t slot : running_) {
    if (keeps(slot, now)) continue;
    const Job& j = jobs_[slot];
    const Progress& p = j.progress.progress;
    const std::int64_t ran = std::max<std::int64_t>(now - j.started - p.restart, 0);
    const std::int64_t worked = work_in(spread(slot) ? ran * 1000 / rules_.slowdown_milli : ran, j.speed);
    const QueueKey place{rank_of(j, p.remaining - worked, served(j, now)), j.waiting.order.id};
    ranked_.push_back({place, slot, runs_[slot].pool});
  }
  std::sort(ranked_.begin(), ranked_.end(),
            [](const Ranked& a, const Ranked& b) { return a.place < b.place; });
}

void PreemptiveNodes::choose(std::int64_t now) {
  rank_running(now);
  turn_ = 0;
  chosen_.clear();
  lost_.clear();
  std::fill(benches_.begin(), benches_.end(), Bench{});
  shut_.assign(pools(), false);
  consider_from(nullptr);
  for (;;) {
    const bool waits = !candidates_.empty();
    if (turn_ < ranked_.size() && (!waits || ranked_[turn_].place < candidates_.top().job.order)) {
      const Ranked r = ranked_[turn_++];
      decide_running(r, now);
    } else if (waits) {
      const Candidate c = candidates_.top();
      candidates_.pop();
      decide_waiting(c, now);
    } else {
      break;
    }
  }
  for (std::uint32_t p = 0; p < pools(); ++p)
    if (benches_[p].displaced || benches_[p].lost) place_anew(p, nullptr, now);
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

/// With those behind it on their machines if it can be, else as if they were gone.
bool PreemptiveNodes::find_place(const NodeChoice& choice, const WaitingJob& job, std::int64_t now,
                                 Attempt& found) {
  Bench& bench = benches_[choice.pool];
  if (!bench.lifted) {
    if (place(choice, job, now, found)) return true;
    if (!lift(choice.pool) || !place(choice, job, now, found)) return false;
    return bench.displaced = true;
  }
  if (!place(choice, job, now, found)) return false;
  if (bench.displaced) return true;
  give_back(found);
  lower(choice.pool);
  if (place(choice, job, now, found)) return true;
  lift(choice.pool);
  return bench.displaced = place(choice, job, now, found);
}

void PreemptiveNodes::decide_running(const Ranked& r, std::int64_t now) {
  const Bench& bench = benches_[r.pool];
  if (shut_[r.pool]) return lose(r, !bench.lifted);
  if (!bench.lifted || take_if_free(sites_[r.pool].pool, runs_[r.slot].holds)) return;
  if (place_anew(r.pool, &runs_[r.slot].holds, now)) return consider_from(&r.place);
  lose(r, false);
  if (!rule_.skips) shut_[r.pool] = true;
}

/// @param stands  on its machines
void PreemptiveNodes::lose(const Ranked& r, bool stands) {
  if (stands) scheduling::give_back(sites_[r.pool].pool, runs_[r.slot].holds);
  benches_[r.pool].lost = true;
  lost_.push_back(r.slot);
}

/// Takes running jobs that have not had their turn off the pool's machines. @returns whether there are any
bool PreemptiveNodes::lift(std::uint32_t pool) {
  bool any = false;
  for (std::size_t i = turn_; i < ranked_.size(); ++i) {
    if (ranked_[i].pool != pool) continue;
    scheduling::give_back(sites_[pool].pool, runs_[ranked_[i].slot].holds);
    any = true;
  }
  return benches_[pool].lifted = any;
}
/// Puts them back. @pre nobody stands where they were
void PreemptiveNodes::lower(std::uint32_t pool) {
  for (std::size_t i = turn_; i < ranked_.size(); ++i)
    if (ranked_[i].pool == pool)
      for (const Hold& h : runs_[ranked_[i].slot].holds) sites_[pool].pool.take(h);
  benches_[pool].lifted = false;
}

/// Places the pool's chosen jobs anew, in rank order, beside what is given. @returns false if one of them
/// finds no place: then all stands as before
bool PreemptiveNodes::place_anew(std::uint32_t pool, const std::vector<Hold>* beside, std::int64_t now) {
  NodePool& machines = sites_[pool].pool;
  for (const Chosen& c : chosen_)
    if (c.place.pool == pool) give_back(c.place);
  bool all = beside == nullptr || take_if_free(machines, *beside);
  const bool stands = all && beside != nullptr;
  std::vector<Attempt> places;
  for (const Chosen& c : chosen_) {
    if (!all) break;
    if (c.place.pool != pool) continue;
    places.emplace_back();
    all = place(c.choice, c.job, now, places.back());
    if (!all) places.pop_back();
  }
  if (!all) {
    for (const Attempt& a : places) give_back(a);
    if (stands) scheduling::give_back(machines, *beside);
  }
  std::size_t next = 0;
  for (Chosen& c : chosen_) {
    if (c.place.pool != pool) continue;
    if (all)
      c.place = std::move(places[next++]);
    else
      for (const Hold& h : c.place.holds) machines.take(h);
  }
  return all;
}

}  // namespace natgpu::scheduling
