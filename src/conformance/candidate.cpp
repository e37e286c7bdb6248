// SPDX-License-Identifier: Apache-2.0
#include <natgpu/conformance/candidate.hpp>

#include <iterator>
#include <utility>

#include <natgpu/conformance/plain_accounts.hpp>
#include <natgpu/conformance/plain_class_preemption.hpp>
#include <natgpu/conformance/plain_conservative.hpp>
#include <natgpu/conformance/plain_fair_share.hpp>
#include <natgpu/conformance/plain_gavel.hpp>
#include <natgpu/conformance/plain_preemptive.hpp>
#include <natgpu/conformance/plain_quota_reclaim.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/scheduling/account_dispatcher.hpp>
#include <natgpu/scheduling/class_preemption.hpp>
#include <natgpu/scheduling/conservative.hpp>
#include <natgpu/scheduling/gavel.hpp>
#include <natgpu/scheduling/moving_order.hpp>
#include <natgpu/scheduling/preemptive.hpp>
#include <natgpu/scheduling/quota_reclaim.hpp>

namespace natgpu::conformance {
namespace {

using scheduling::Order;
using Mode = scheduling::PreemptionSettings::Mode;

const std::vector<GroupSpec> one_group{GroupSpec{{{0, 1.0}}}};

std::size_t limit_of(const Parts& parts) {
  return parts.backfill == Backfill::reservations ? static_cast<std::size_t>(parts.reservations)
                                                  : scheduling::ConservativeDispatcher::everyone;
}

/// The subject, under the order.
template <class Dispatcher>
std::unique_ptr<Subject> ordered(Dispatcher dispatcher, const Parts& parts) {
  if (by_use(parts.order)) {
    scheduling::FairShare rule(parts.order, trial_tree(), trial_rule(), trial_gpus);
    return subject_of(scheduling::MovingOrder<Dispatcher, scheduling::FairShare>(std::move(dispatcher),
                                                                                 std::move(rule), 0));
  }
  if (moves(parts.order))
    return subject_of(scheduling::MovingOrder<Dispatcher>(std::move(dispatcher), parts.order, 0));
  return subject_of(std::move(dispatcher));
}

/// What drf counts, and maxmin.
const Amounts& machine_of(const Parts& parts) {
  return parts.order == Order::drf ? trial_machine : gpus_alone;
}

/// Plain loops, under the order.
template <class Plain>
std::unique_ptr<Subject> plainly_ordered(Plain plain, const Parts& parts) {
  if (by_use(parts.order))
    return subject_of(PlainFairShare(std::move(plain), parts.order, trial_tree(), trial_rule(), trial_gpus));
  return ordered(PlainAsDispatcher(std::move(plain)), parts);
}

template <Backfill B>
std::unique_ptr<Subject> indexed(const Parts& parts) {
  if constexpr (B != Backfill::easy_sjbf) {  // which does not go with drf and maxmin
    if (by_holding(parts.order))
      return subject_of(scheduling::AccountDispatcher<B>(machine_of(parts), trial_weights()));
  }
  return ordered(scheduling::Dispatcher<B>(1, one_group), parts);
}
std::unique_ptr<Subject> indexed_reservations(const Parts& parts) {
  return ordered(scheduling::ConservativeDispatcher(1, one_group, false, limit_of(parts)), parts);
}

template <Backfill B>
std::unique_ptr<Subject> plain(const Parts& parts) {
  if constexpr (B != Backfill::easy_sjbf) {
    if (by_holding(parts.order)) return subject_of(PlainAccounts<B>(machine_of(parts), trial_weights()));
  }
  return plainly_ordered(PlainDispatcher<B>(1, one_group), parts);
}
std::unique_ptr<Subject> plain_reservations(const Parts& parts) {
  return plainly_ordered(PlainConservative(1, one_group, limit_of(parts)), parts);
}

/// What a backfill is made of and what it promises, in the order of the enumerators.
struct Row {
  Backfill backfill;
  std::unique_ptr<Subject> (*make)(const Parts&);
  std::unique_ptr<Subject> (*make_plain)(const Parts&);
  Promise promise;
  bool foresees;
  bool first_come_waits_bounded;  ///< in order of submission
};
constexpr Row rows[] = {
    {Backfill::none, indexed<Backfill::none>, plain<Backfill::none>, Promise::head, true, true},
    {Backfill::fit, indexed<Backfill::fit>, plain<Backfill::fit>, Promise::nobody, true, false},
    {Backfill::easy, indexed<Backfill::easy>, plain<Backfill::easy>, Promise::head, true, true},
    {Backfill::easy_sjbf, indexed<Backfill::easy_sjbf>, plain<Backfill::easy_sjbf>, Promise::head, true,
     true},
    {Backfill::conservative, indexed_reservations, plain_reservations, Promise::holders, true, true},
    {Backfill::reservations, indexed_reservations, plain_reservations, Promise::holders, true, true},
};

/// All but the order's keys.
Candidate with_parts(const std::string& name, const Parts& parts) {
  const Row& row = rows[static_cast<std::size_t>(parts.backfill)];
  Candidate c;
  c.name = c.rule = name;
  c.make = [parts, &row] { return row.make(parts); };
  c.rule_as_plain_loops = [parts, &row] { return row.make_plain(parts); };
  c.foresees = row.foresees;
  c.order_moves = moves(parts.order);
  c.ranks_by_instant = moves(parts.order) && !by_holding(parts.order);
  // Under conservative a promise outlasts the order in which it was made; of the first N it lasts while
  // nobody comes to stand before them.
  const bool lasting = parts.backfill == Backfill::reservations
                           ? parts.order == Order::fcfs
                           : parts.backfill == Backfill::conservative || !c.order_moves;
  c.claims = {lasting ? row.promise : Promise::nobody,
              row.first_come_waits_bounded && parts.order == Order::fcfs};
  return c;
}

scheduling::PreemptiveRule preemption_of(const Parts& parts) {
  scheduling::PreemptiveRule rule = parts.preemption;
  rule.order = parts.order;
  rule.skips = parts.backfill == Backfill::fit;
  return rule;
}
template <class Dispatcher, class Plain, class... More>
void make_both(Candidate& c, const scheduling::PreemptiveRule& rule, const More&... more) {
  c.make = [=] { return subject_of(Dispatcher(rule, more...)); };
  c.rule_as_plain_loops = [=] { return subject_of(Plain(rule, more...)); };
}
/// In the place of what a backfill makes.
void make_preemptive(const Parts& parts, Candidate& c) {
  const scheduling::PreemptiveRule rule = preemption_of(parts);
  if (parts.mode == Mode::quota_reclaim)
    make_both<scheduling::QuotaReclaim, PlainQuotaReclaim>(c, rule, scheduling::quotas_of(trial_tree()),
                                                           parts.order == Order::priority);
  else if (parts.mode != Mode::none)
    make_both<scheduling::ClassPreemption, PlainClassPreemption>(c, rule);
  else if (by_target(rule.order))
    make_both<scheduling::GavelDispatcher, PlainGavel>(c, rule);
  else
    make_both<scheduling::PreemptiveDispatcher, PlainPreemptive>(c, rule);
  c.foresees = false;
  c.shield = rule.shield;
  c.notice = rule.notice;
  c.round = rule.round;
  c.claims = {};
}
bool takes_back(const Parts& parts) {
  return preempts(parts.order) || parts.mode != Mode::none;
}

}  // namespace

scheduling::PreemptiveRule small_preemption(scheduling::Order order) {
  scheduling::PreemptiveRule rule;
  if (order == Order::las) rule.quantum = 10 * ticks_per_second;
  if (by_target(order)) rule.round = 5 * ticks_per_second;
  if (order != Order::las2d) return rule;
  // 16 GPUs, the most, come to the first in 4 s: longer than a restart and the way to a checkpoint.
  rule.limits = {64 * ticks_per_second, 200 * ticks_per_second};
  rule.promote = 2;
  return rule;
}

Candidate built_in(const std::string& name, const Parts& parts) {
  Candidate c = with_parts(name, parts);
  if (takes_back(parts)) make_preemptive(parts, c);
  c.order = [parts] {
    return scheduling::StaticOrder(parts.order, Streams(parts.seed, 0).open("order", "lottery"));
  };
  return c;
}

Candidate plugged(const scheduling::PluggedPolicy& policy, const Parts& parts) {
  Parts mine = parts;
  mine.order = policy.table->key != nullptr ? Order::plugged : Order::fcfs;
  Candidate c = with_parts(policy.name, mine);
  c.order = [key = policy.table->key] { return scheduling::StaticOrder(key); };
  if (!policy.decides()) {
    if (takes_back(mine)) make_preemptive(mine, c);
    return c;
  }
  c.shield = parts.preemption.shield;
  c.notice = parts.preemption.notice;
  c.make = [policy, seed = parts.seed, may = scheduling::PluggedPreemption{true, c.shield, c.notice}] {
    return subject_of(
        scheduling::PluggedDispatcher(policy, Streams(seed, 0).open("policy", "plugged"), false, may));
  };
  c.rule_as_plain_loops = nullptr;
  c.rule.clear();
  c.foresees = c.notice == 0;  // an announced outage may take GPUs that are under notice
  c.claims = {};
  return c;
}

Candidate like(Candidate candidate, const Candidate& other) {
  candidate.claims = other.claims;
  candidate.rule = other.rule;
  candidate.rule_as_plain_loops = other.rule_as_plain_loops;
  candidate.order_moves = other.order_moves;
  candidate.ranks_by_instant = other.ranks_by_instant;
  candidate.round = other.round;
  candidate.foresees = candidate.foresees && other.foresees;
  candidate.order = other.order;
  return candidate;
}

}  // namespace natgpu::conformance
