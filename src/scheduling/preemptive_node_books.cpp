// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/preemptive_node_books.hpp>

#include <algorithm>

namespace natgpu::scheduling {

void PreemptiveNodeBooks::begin_turns() {
  turn_ = 0;
  chosen_.clear();
  lost_.clear();
  std::fill(benches_.begin(), benches_.end(), Bench{});
}

bool PreemptiveNodeBooks::find_place(const NodeChoice& choice, const WaitingJob& job, std::int64_t now,
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

bool PreemptiveNodeBooks::find_free_place(const NodeChoice& choice, const WaitingJob& job, std::int64_t now,
                                          Attempt& found) {
  const Bench& bench = benches_[choice.pool];
  if (bench.displaced) return false;
  if (bench.lifted) lower(choice.pool);
  return place(choice, job, now, found);
}

bool PreemptiveNodeBooks::stays(Tenant& t, std::int64_t now, bool& others_moved) {
  t.settled = true;
  if (!benches_[t.pool].lifted || take_if_free(sites_[t.pool].pool, runs_[t.slot].holds)) return true;
  if (place_anew(t.pool, &runs_[t.slot].holds, now)) return others_moved = true;
  lose(t, false);
  return false;
}

void PreemptiveNodeBooks::lose(Tenant& t, bool stands) {
  t.settled = true;
  if (stands) scheduling::give_back(sites_[t.pool].pool, runs_[t.slot].holds);
  benches_[t.pool].lost = true;
  lost_.push_back(t.slot);
}

void PreemptiveNodeBooks::place_chosen(std::int64_t now) {
  for (std::uint32_t p = 0; p < pools(); ++p)
    if (benches_[p].displaced || benches_[p].lost) place_anew(p, nullptr, now);
}

/// Takes tenants that have not had their turn off the pool's machines. @returns whether there are any
bool PreemptiveNodeBooks::lift(std::uint32_t pool) {
  while (turn_ < tenants_.size() && tenants_[turn_].settled) ++turn_;
  bool any = false;
  for (std::size_t i = turn_; i < tenants_.size(); ++i) {
    if (tenants_[i].pool != pool || tenants_[i].settled) continue;
    scheduling::give_back(sites_[pool].pool, runs_[tenants_[i].slot].holds);
    any = true;
  }
  return benches_[pool].lifted = any;
}
/// Puts them back. @pre nobody stands where they were
void PreemptiveNodeBooks::lower(std::uint32_t pool) {
  for (std::size_t i = turn_; i < tenants_.size(); ++i)
    if (tenants_[i].pool == pool && !tenants_[i].settled)
      for (const Hold& h : runs_[tenants_[i].slot].holds) sites_[pool].pool.take(h);
  benches_[pool].lifted = false;
}

/// Places the pool's chosen jobs anew, in rank order, beside what is given. @returns false if one of them
/// finds no place: then all stands as before
bool PreemptiveNodeBooks::place_anew(std::uint32_t pool, const std::vector<Hold>* beside, std::int64_t now) {
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
