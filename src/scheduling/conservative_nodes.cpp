// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/conservative_nodes.hpp>

#include <algorithm>

namespace natgpu::scheduling {
namespace {

/// Thousandths of GPUs that a gang holds at least: instances of MIG are as large as what is asked for.
std::int64_t milli_of(const NodePool& shapes, const GangKind& gang) {
  std::int64_t milli = std::int64_t{shapes.shape(gang.part).total_milli()} * gang.parts;
  if (gang.rest != GangKind::none) milli += shapes.shape(gang.rest).total_milli();
  return milli;
}

bool stands_on(const std::vector<Hold>& holds, std::uint32_t machine) {
  return std::any_of(holds.begin(), holds.end(), [&](const Hold& h) { return h.node == machine; });
}

}  // namespace

ConservativeNodes::ConservativeNodes(NodeBooks&& books, std::int64_t limit)
    : NodeBooks(std::move(books)), ReservationQueue(limit > 0 ? static_cast<std::size_t>(limit) : everyone) {
  for (const Site& site : sites_) {
    futures_.emplace_back(site.pool.nodes());
    sketches_.push_back(site.pool);
  }
}

// --- what happens between passes

bool ConservativeNodes::withdraw(std::uint32_t kind, const QueueKey& key, std::int32_t gpus) {
  if (!leave(kind, key, gpus)) return false;
  --waiting_;
  return true;
}

void ConservativeNodes::finish_job(std::uint32_t slot) {
  const Run& run = runs_[slot];
  futures_[run.pool].release(now_, run.end, run.holds);
  freed_ = true;
  NodeBooks::finish_job(slot);
}

std::vector<Hold> ConservativeNodes::hand_back(std::uint32_t slot, const std::vector<GpuPlace>& gpus) {
  std::vector<Hold> part = NodeBooks::hand_back(slot, gpus);
  futures_[runs_[slot].pool].release_part(now_, runs_[slot].end, part);
  freed_ = true;
  return part;
}

void ConservativeNodes::extend_job(std::uint32_t slot, std::int64_t new_end) {
  const Run& run = runs_[slot];
  if (new_end > run.end) {
    prolonged_.emplace_back(slot, new_end);
    if (!passing_) prolong_runs();
  } else if (new_end < run.end) {
    futures_[run.pool].shorten(run.end, new_end, run.holds);
    freed_ = true;
    NodeBooks::extend_job(slot, new_end);
  }
}

/// @returns whether reservations stood in the way
bool ConservativeNodes::prolong_runs() {
  for (const auto& [slot, new_end] : prolonged_) {
    const Run& run = runs_[slot];
    if (!futures_[run.pool].is_free(std::max(run.end, now_), new_end, run.holds)) put_off(run.pool);
    futures_[run.pool].prolong(run.end, new_end, run.holds);
    NodeBooks::extend_job(slot, new_end);
  }
  prolonged_.clear();
  return put_off_any_;
}

std::vector<std::uint32_t> ConservativeNodes::fail(const Machine& machine) {
  const std::vector<std::uint32_t> hit = jobs_on(machine);
  for (const std::uint32_t slot : hit) finish_job(slot);
  NodeBooks::fail(machine);
  if (sites_[machine.pool].lost[machine.node] > 1) return hit;
  put_off_if(machine.pool, [&](const Place& p) { return stands_on(p.at.holds, machine.node); });
  futures_[machine.pool].reset(machine.node, absent_node());
  return hit;
}

void ConservativeNodes::repair(const Machine& machine) {
  NodeBooks::repair(machine);
  const Site& site = sites_[machine.pool];
  if (site.lost[machine.node] > 0) return;
  futures_[machine.pool].reset(machine.node, site.whole[machine.node]);
  note_gain();
}

std::uint32_t ConservativeNodes::add_machine(std::uint32_t pool) {
  const std::uint32_t number = NodeBooks::add_machine(pool);
  futures_[pool].add_machine();
  sketches_[pool].add(absent_node());
  return number;
}

std::int64_t ConservativeNodes::leaves(std::uint32_t pool, std::uint32_t machine) const {
  const Site& site = sites_[pool];
  const std::int8_t level = site.whole[machine].type;
  return level > 0 ? site.leave_at[static_cast<std::size_t>(level) - 1] : forever;
}

void ConservativeNodes::plan_departures(std::uint32_t pool, const Departures& leave_at,
                                        const std::vector<std::uint8_t>& level) {
  std::vector<std::int64_t> before;
  for (std::uint32_t i = 0; i < level.size(); ++i) before.push_back(leaves(pool, i));
  NodeBooks::plan_departures(pool, leave_at, level);
  bool later = false;
  for (std::uint32_t i = 0; i < level.size(); ++i) {
    if (sites_[pool].lost[i] > 0) continue;
    futures_[pool].retype(i, sites_[pool].whole[i].type);
    later |= leaves(pool, i) > before[i];
  }
  put_off_if(pool, [&](const Place& p) {
    return std::any_of(p.at.holds.begin(), p.at.holds.end(),
                       [&](const Hold& h) { return leaves(pool, h.node) < p.end(); });
  });
  if (later) note_gain();
}

std::int64_t ConservativeNodes::promised(std::uint32_t slot) const {
  const auto it = std::find_if(reserved_.begin(), reserved_.end(),
                               [slot](const Reserved& r) { return r.job.slot == slot; });
  return it != reserved_.end() ? it->place.start : forever;
}

void ConservativeNodes::note_gain() {
  freed_ = true;
  unshelve();
}

void ConservativeNodes::put_off(std::uint32_t pool) {
  for (Reserved& r : reserved_)
    if (r.place.at.pool == pool) drop(r.place);
  put_off_any_ = true;
}
/// All of them, where one is not as it was promised.
template <class Overflows>
void ConservativeNodes::put_off_if(std::uint32_t pool, Overflows&& overflows) {
  if (std::any_of(reserved_.begin(), reserved_.end(), [&](const Reserved& r) {
        return r.place.stands && r.place.at.pool == pool && overflows(r.place);
      }))
    put_off(pool);
}

// --- steps of a pass

void ConservativeNodes::begin_pass(std::int64_t now) {
  now_ = now;
  passing_ = true;
  for (std::uint32_t p = 0; p < futures_.size(); ++p) {
    futures_[p].advance(now);
    // Whoever was to start and found its machines held by a job that ran on.
    put_off_if(p, [now](const Place& place) { return place.start < now; });
  }
}

void ConservativeNodes::end_pass() {
  passing_ = false;
  next_start_ = forever;
  for (const Reserved& r : reserved_) next_start_ = std::min(next_start_, r.place.start);
}

void ConservativeNodes::restore_promises() {
  if (!put_off_any_) return;
  put_off_any_ = false;
  may_fit_ = true;  // what is put off leaves room
  std::size_t kept = 0;
  for (std::size_t i = 0; i < reserved_.size(); ++i) {
    Reserved& r = reserved_[i];
    if (!r.place.stands) {
      Place place = earliest_place(r.group, r.job, forever);
      broken_promises_ += place.start > r.place.start ? 1 : 0;
      if (place.start == forever) {
        shelf_.push_back({r.group, r.job});
        continue;
      }
      r.place = std::move(place);
      hold(r.place);
    }
    if (kept != i) reserved_[kept] = std::move(r);
    ++kept;
  }
  reserved_.resize(kept);
}

void ConservativeNodes::sweep() {
  freed_ = false;
  may_fit_ = true;
  for (Reserved& r : reserved_) {
    drop(r.place);
    Place place = earliest_place(r.group, r.job, r.place.start);
    if (place.start != forever) r.place = std::move(place);
    r.place.stands = true;
    hold(r.place);
  }
}

// --- places

ConservativeNodes::Place ConservativeNodes::earliest_place(std::uint32_t kind, const WaitingJob& job,
                                                           std::int64_t latest) {
  make_room_for(job.slot);
  Place best;
  for (const NodeChoice& choice : kinds_[kind]) {
    std::int64_t until = latest;
    if (best.start != forever && best.end() != forever)  // to end before that it starts before that
      until = std::min(until, best.end() - time_at_speed(job.requested, choice.speed) - 1);
    Place here = earliest_in(choice, job, until);
    if (here.start != forever && (best.start == forever || here.end() < best.end())) best = std::move(here);
  }
  return best;
}

ConservativeNodes::Place ConservativeNodes::earliest_in(const NodeChoice& choice, const WaitingJob& job,
                                                        std::int64_t latest) {
  const MachineFuture& future = futures_[choice.pool];
  const NodePool& shapes = sketches_[choice.pool];
  const std::int64_t length = time_at_speed(job.requested, choice.speed);
  const std::int64_t milli = milli_of(shapes, choice.gang);
  outlook_.begin(future, shapes, choice.gang, rules_.gang.may_spread, length);
  Place place;
  for (std::int64_t t = future.earliest_by_count(now_, milli, length); t != forever && t <= latest;
       t = future.earliest_by_count(future.end_behind(t), milli, length)) {
    if (!place_at(choice, job, t, place.at)) continue;
    place.start = t;
    break;
  }
  return place;
}

/// @pre outlook_ has begun with the choice
bool ConservativeNodes::place_at(const NodeChoice& choice, const WaitingJob& job, std::int64_t t,
                                 Attempt& found) {
  const std::int64_t shortest = time_at_speed(job.requested, choice.speed);
  const std::size_t level = level_for(choice.pool, end_after(t, shortest));
  if (!outlook_.may_fit(t, level)) return false;
  outlook_.show(sketches_[choice.pool]);
  if (!sketch(choice, job, level, found)) return false;
  found.requested = shortest;
  if (!found.spread || rules_.slowdown_milli == 1000) return true;
  // Spread it takes longer: on what is free for so long.
  const std::int64_t longer = slowed_down(shortest), until = end_after(t, longer);
  outlook_.show(sketches_[choice.pool], t, until);
  if (!sketch(choice, job, level_for(choice.pool, until), found)) return false;
  if (found.spread) found.requested = longer;
  return true;
}

bool ConservativeNodes::sketch(const NodeChoice& choice, const WaitingJob& job, std::size_t level,
                               Attempt& found) {
  NodePool& machines = sketches_[choice.pool];
  if (!placer_.place(machines, gang_up_to(choice.gang, level), dice_of(job), found.holds)) return false;
  found.pool = choice.pool;
  found.spread = machines_of(found.holds) > choice.gang.fewest;
  scheduling::give_back(machines, found.holds);
  return true;
}

bool ConservativeNodes::fits_now(std::uint32_t kind, const WaitingJob& job, Place& place) {
  make_room_for(job.slot);
  place.start = now_;
  return std::any_of(kinds_[kind].begin(), kinds_[kind].end(), [&](const NodeChoice& choice) {
    const MachineFuture& future = futures_[choice.pool];
    const NodePool& shapes = sketches_[choice.pool];
    const std::int64_t length = time_at_speed(job.requested, choice.speed);
    if (future.earliest_by_count(now_, milli_of(shapes, choice.gang), length) != now_) return false;
    outlook_.begin(future, shapes, choice.gang, rules_.gang.may_spread, length);
    return place_at(choice, job, now_, place.at) && take_now(place);
  });
}

}  // namespace natgpu::scheduling
