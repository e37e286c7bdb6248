// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/node_books.hpp>

#include <algorithm>
#include <bit>
#include <functional>

#include <natgpu/core/ensure.hpp>

namespace natgpu::scheduling {
namespace {

/// Draws of one start of a job: parts count up from the start's first.
constexpr int part_bits = 20;

/// Takes one GPU out of what a job holds, with its part of cores and memory. @pre it is held
Hold split_off(std::vector<Hold>& holds, const GpuPlace& place) {
  const auto bit = static_cast<std::uint16_t>(1U << place.gpu);
  const auto from = std::find_if(holds.begin(), holds.end(),
                                 [&](const Hold& h) { return h.node == place.node && (h.gpus & bit) != 0; });
  NATGPU_ENSURE(from != holds.end(), "a job hands back what it holds");
  const std::int32_t gpus = std::popcount(from->gpus);
  Hold part = *from;
  part.gpus = bit;
  part.cpu_milli /= gpus;
  part.memory_mib /= gpus;
  from->gpus = static_cast<std::uint16_t>(from->gpus & ~bit);
  from->cpu_milli -= part.cpu_milli;
  from->memory_mib -= part.memory_mib;
  if (from->gpus == 0) holds.erase(from);
  return part;
}

}  // namespace

NodeBooks::NodeBooks(std::vector<NodePool> pools, std::vector<NodeKind> kinds, const NodeRules& rules,
                     const Stream& chance)
    : rules_(rules), chance_(chance), placer_(rules.gang) {
  for (NodePool& pool : pools) {
    std::vector<Node> whole(pool.nodes().begin(), pool.nodes().end());
    std::vector<std::uint32_t> lost(whole.size());
    sites_.push_back(
        {std::move(pool), std::move(whole), std::move(lost), std::nullopt, no_departures, {}, {}});
  }
  shut_.resize(sites_.size());
  for (NodeKind& kind : kinds) add_kind(std::move(kind));
}

std::uint32_t NodeBooks::add_kind(NodeKind kind) {
  kinds_.push_back(std::move(kind));
  queues_.emplace_back();
  by_request_.emplace_back();
  front_of_.emplace_back();
  waits_.push_back(false);
  reach_.push_back(Sieve::any);
  missing_.push_back(0);
  judged_.push_back(~std::uint32_t{0});
  holdable_.emplace_back(kinds_.back().size(), true);
  return static_cast<std::uint32_t>(kinds_.size() - 1);
}

std::uint32_t NodeBooks::add_machine(std::uint32_t pool) {
  Site& site = sites_[pool];
  NATGPU_ENSURE(!site.whole.empty(), "a pool of machines has one at least");
  const Node whole = site.whole.front();
  const auto number = static_cast<std::uint32_t>(site.whole.size());
  site.pool.add(whole);
  if (site.empty) site.empty->add(whole);
  site.whole.push_back(whole);
  site.lost.push_back(0);
  fail({pool, number});
  return number;
}

bool NodeBooks::withdraw(std::uint32_t kind, const QueueKey& key, std::int32_t gpus) {
  if (dequeue(kind, key, gpus)) {
    --waiting_;
    return true;
  }
  const auto it = std::find_if(submitted_.begin(), submitted_.end(),
                               [&](const auto& s) { return s.first == kind && s.second.order == key; });
  if (it == submitted_.end()) return false;
  submitted_.erase(it);
  --waiting_;
  return true;
}

void NodeBooks::finish_job(std::uint32_t slot) {
  Run& run = runs_[slot];
  scheduling::give_back(sites_[run.pool].pool, run.holds);
  forget_run(slot);
}

std::vector<Hold> NodeBooks::hand_back(std::uint32_t slot, const std::vector<GpuPlace>& gpus) {
  ++changes_;
  Run& run = runs_[slot];
  std::vector<Hold> part;
  for (const GpuPlace& place : gpus) {
    part.push_back(split_off(run.holds, place));
    sites_[run.pool].pool.give_back(part.back());
    gained_.push_back({run.pool, place.node});
  }
  return part;
}

std::vector<GpuPlace> NodeBooks::places_of(std::uint32_t slot) const {
  std::vector<GpuPlace> places;
  for (const Hold& h : runs_[slot].holds)
    for (std::uint32_t rest = h.gpus; rest != 0; rest &= rest - 1)
      places.push_back({h.node, std::countr_zero(rest)});
  std::sort(places.begin(), places.end());
  return places;
}

void NodeBooks::forget_run(std::uint32_t slot) {
  ++changes_;
  Run& run = runs_[slot];
  for (const Hold& h : run.holds) gained_.push_back({run.pool, h.node});
  run.holds.clear();
  runs_[running_.back()].at = run.at;
  running_[run.at] = running_.back();
  running_.pop_back();
  if (keeps_ends_) by_end_.erase({run.end, slot});
}

void NodeBooks::extend_job(std::uint32_t slot, std::int64_t new_end) {
  ++changes_;
  Run& run = runs_[slot];
  if (keeps_ends_) {
    by_end_.erase({run.end, slot});
    by_end_.insert({new_end, slot});
  }
  run.end = new_end;
}

std::int64_t NodeBooks::gpus_up() const {
  std::int64_t up = 0;
  for (const Site& site : sites_)
    for (std::size_t i = 0; i < site.whole.size(); ++i) up += site.lost[i] == 0 ? site.whole[i].gpus : 0;
  return up;
}

std::vector<std::uint32_t> NodeBooks::jobs_on(const Machine& machine) const {
  std::vector<std::uint32_t> hit;
  for (const std::uint32_t slot : running_) {
    const Run& run = runs_[slot];
    if (run.pool == machine.pool && std::any_of(run.holds.begin(), run.holds.end(),
                                                [&](const Hold& h) { return h.node == machine.node; }))
      hit.push_back(slot);
  }
  std::sort(hit.begin(), hit.end());
  return hit;
}

std::vector<std::uint32_t> NodeBooks::fail(const Machine& machine) {
  std::vector<std::uint32_t> hit = jobs_on(machine);
  for (const std::uint32_t slot : hit) finish_job(slot);
  Site& site = sites_[machine.pool];
  if (site.lost[machine.node]++ > 0) return hit;
  NATGPU_ENSURE(site.pool.node(machine.node) == site.whole[machine.node],
                "a machine whose jobs have gone is empty");
  if (!site.empty) site.empty.emplace(Placement::first, site.whole, site.pool.mix());
  ++machines_lost_;
  set(machine, absent_node());
  ++losses_;
  return hit;
}

void NodeBooks::repair(const Machine& machine) {
  Site& site = sites_[machine.pool];
  if (--site.lost[machine.node] > 0) return;
  --machines_lost_;
  ++losses_;
  set(machine, site.whole[machine.node]);
  gained_.push_back(machine);
}

void NodeBooks::set(const Machine& machine, const Node& node) {
  ++changes_;
  Site& site = sites_[machine.pool];
  site.pool.set(machine.node, node);
  site.empty->set(machine.node, node);
}

void NodeBooks::refit(const Machine& machine, std::int16_t gpus) {
  Site& site = sites_[machine.pool];
  NATGPU_ENSURE(site.lost[machine.node] > 0, "a machine gets its GPUs before it comes");
  Node& whole = site.whole[machine.node];
  whole.gpus = gpus;
  whole.free_milli.fill(0);
  std::fill_n(whole.free_milli.begin(), gpus, static_cast<std::int16_t>(whole_gpu_milli));
}

void NodeBooks::set_staying_types(std::uint32_t pool, std::vector<std::int8_t> type) {
  Site& site = sites_[pool];
  site.staying_type = std::move(type);
  // A pool has lists for the types that it begins with.
  site.empty.emplace(Placement::first, site.whole, site.pool.mix());
}

void NodeBooks::plan_departures(std::uint32_t pool, const Departures& leave_at,
                                const std::vector<std::uint8_t>& level) {
  Site& site = sites_[pool];
  const bool later =
      !std::equal(leave_at.begin(), leave_at.end(), site.leave_at.begin(), std::less_equal<>());
  site.leave_at = leave_at;
  ++changes_;
  for (std::uint32_t i = 0; i < level.size(); ++i) {
    const std::int8_t type = site.type_at(i, level[i]);
    const bool moves = site.whole[i].type != type;
    if (site.lost[i] == 0 && (moves || later)) gained_.push_back({pool, i});
    if (!moves) continue;
    site.whole[i].type = type;
    if (site.lost[i] > 0) continue;
    Node now = site.pool.node(i);
    now.type = type;
    site.pool.set(i, now);
    if (site.empty) site.empty->set(i, site.whole[i]);
  }
}

bool NodeBooks::could_hold(const NodeChoice& choice, std::size_t level) {
  if (!sites_[choice.pool].empty) return true;
  NodePool& empty = *sites_[choice.pool].empty;
  GangRule rule = rules_.gang;
  if (rule.placement != Placement::lowest_id)
    rule.placement = Placement::first;  // any rule finds what there is
  std::vector<Hold> holds;
  const bool could =
      GangPlacer(rule).place(empty, gang_up_to(choice.gang, level), Dice{&chance_, 0, 0}, holds);
  scheduling::give_back(empty, holds);
  return could;
}

bool NodeBooks::holdable(std::uint32_t kind) {
  if (!judges()) return true;
  if (judged_[kind] != losses_) {
    judged_[kind] = losses_;
    for (std::size_t c = 0; c < kinds_[kind].size(); ++c)
      holdable_[kind][c] = could_hold(kinds_[kind][c], top_level());
  }
  return std::find(holdable_[kind].begin(), holdable_[kind].end(), true) != holdable_[kind].end();
}

std::int64_t NodeBooks::gpus_there(std::uint32_t pool) const {
  const Site& site = sites_[pool];
  std::int64_t gpus = 0;
  for (std::size_t i = 0; i < site.whole.size(); ++i)
    if (site.lost[i] == 0) gpus += site.whole[i].gpus;
  return gpus;
}

std::size_t NodeBooks::level_for(std::uint32_t pool, std::int64_t end) const {
  std::size_t level = 0;
  if (rules_.departures)
    while (level < most_departures && sites_[pool].leave_at[level] >= end) ++level;
  return level;
}

Dice NodeBooks::dice_of(const WaitingJob& job) const {
  const Run& last = runs_[job.slot];
  const std::uint32_t starts = last.id == job.order.id ? last.starts : 0;
  return {&chance_, job.order.id, starts << part_bits};
}

bool NodeBooks::place(const NodeChoice& choice, const WaitingJob& job, std::int64_t now, Attempt& found) {
  const std::int64_t shortest = time_at_speed(job.requested, choice.speed);
  const std::int64_t spread_out = rules_.slowdown_milli == 1000 ? shortest : slowed_down(shortest);
  const Dice dice = dice_of(job);
  NodePool& pool = sites_[choice.pool].pool;
  std::int64_t until = end_after(now, placer_.may_spread_at_will(choice.gang) ? spread_out : shortest);
  for (;;) {
    const std::size_t level = level_for(choice.pool, until);
    if (!placer_.place(pool, gang_up_to(choice.gang, level), dice, found.holds)) return false;
    found.pool = choice.pool;
    found.spread = machines_of(found.holds) > choice.gang.fewest;
    found.requested = found.spread ? spread_out : shortest;
    until = end_after(now, found.requested);
    if (level_for(choice.pool, until) >= level) return true;
    give_back(found);  // spread it takes longer than some of these machines are there
  }
}

bool NodeBooks::attempt(std::uint32_t kind, const WaitingJob& job, std::int64_t now, Attempt& found) {
  make_room_for(job.slot);
  return std::any_of(kinds_[kind].begin(), kinds_[kind].end(), [&](const NodeChoice& choice) {
    return !shut_[choice.pool] && place(choice, job, now, found);
  });
}

void NodeBooks::note_start(const WaitingJob& job, Attempt& found, std::int64_t now) {
  ++changes_;
  const std::uint32_t slot = job.slot;
  Run& run = runs_[slot];
  if (run.id != job.order.id) run.starts = 0;
  run.id = job.order.id;
  std::swap(run.holds, found.holds);
  run.pool = found.pool;
  run.spread = found.spread;
  run.end = end_after(now, found.requested);
  ++run.starts;
  run.at = static_cast<std::uint32_t>(running_.size());
  running_.push_back(slot);
  if (keeps_ends_) by_end_.insert({run.end, slot});
}

void NodeBooks::take_submitted() {
  for (const auto& [kind, job] : submitted_) {
    queues_[kind].insert(job);
    if (keeps_requests_) by_request_[kind].insert(job);
    move_front(kind);
  }
  submitted_.clear();
}

std::int64_t NodeBooks::reach_below(std::uint32_t kind, const WaitingJob& job, std::int64_t now) const {
  std::int64_t reach = 0;
  if (!rules_.departures) return reach;
  for (const NodeChoice& c : kinds_[kind]) {
    const std::int64_t end =
        end_after(now, slowed(time_at_speed(job.requested, c.speed), rules_.slowdown_milli));
    for (const std::int64_t leaves : sites_[c.pool].leave_at)
      if (leaves < end && leaves > now) reach = std::max(reach, longest_request(leaves - now, c.speed));
  }
  return std::min(reach, job.requested - 1);
}

void NodeBooks::close(std::uint32_t kind, const WaitingJob& job, std::int64_t now) {
  reach_[kind] = reach_below(kind, job, now);
  missing_[kind] = std::numeric_limits<std::int64_t>::max();
  for (const NodeChoice& c : kinds_[kind])
    missing_[kind] = std::min(
        missing_[kind],
        reach_[kind] > 0 ? 1 : placer_.missing(sites_[c.pool].pool, gang_up_to(c.gang, top_level())));
}

void NodeBooks::open_kinds() {
  if (gained_.empty()) return;
  std::sort(gained_.begin(), gained_.end());
  gained_.erase(std::unique(gained_.begin(), gained_.end()), gained_.end());
  for (const auto& [key, kind] : fronts_)
    if (reach_[kind] != Sieve::any) count_gains(kind);
  gained_.clear();
}

/// Takes what has been gained for what a kind was missing. Where it may run in several pools, what one of
/// them has gained is counted for each.
void NodeBooks::count_gains(std::uint32_t kind) {
  for (const NodeChoice& c : kinds_[kind]) {
    const NodePool& pool = sites_[c.pool].pool;
    const TaskShape& smallest = pool.shape(smallest_of(c));
    for (const Machine& m : gained_) {
      if (m.pool != c.pool || !pool.node(m.node).fits(smallest)) continue;
      missing_[kind] -= pool.node(m.node).room_for(smallest, static_cast<std::int32_t>(missing_[kind]));
      if (missing_[kind] > 0) continue;
      reach_[kind] = Sieve::any;
      return;
    }
  }
}

const WaitingJob* NodeBooks::candidate(std::uint32_t kind, const QueueKey* after, std::int64_t most) const {
  return first_within(queues_[kind], after, std::min(most, reach_[kind]));
}

const WaitingJob* NodeBooks::candidate_by_request(std::uint32_t kind, const WaitingJob* after,
                                                  std::int64_t most) const {
  const WaitingIndex<ByRequest>& jobs = by_request_[kind];
  const WaitingJob* next = after != nullptr ? jobs.first_after(ByRequest::key(*after)) : jobs.front();
  return next != nullptr && next->requested <= std::min(most, reach_[kind]) ? next : nullptr;
}

bool NodeBooks::dequeue(std::uint32_t kind, const QueueKey& key, std::int32_t gpus) {
  if (keeps_requests_)
    if (const WaitingJob* job = queues_[kind].look_up(key, gpus))
      by_request_[kind].erase(ByRequest::key(*job), gpus);
  if (!queues_[kind].erase(key, gpus)) return false;
  move_front(kind);
  return true;
}

void NodeBooks::move_front(std::uint32_t kind) {
  const WaitingJob* front = queues_[kind].front();
  if (waits_[kind]) {
    if (front != nullptr && front->order == front_of_[kind]) return;
    fronts_.erase({front_of_[kind], kind});
  }
  waits_[kind] = front != nullptr;
  if (front == nullptr) {
    reach_[kind] = Sieve::any;
    return;
  }
  front_of_[kind] = front->order;
  fronts_.insert({front->order, kind});
}

}  // namespace natgpu::scheduling
