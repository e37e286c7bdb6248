// SPDX-License-Identifier: Apache-2.0
#include "replay_checks.hpp"

#include <algorithm>

#include <natgpu/core/diagnostic.hpp>

namespace natgpu::simulation {
namespace {

using scheduling::Backfill;
using scheduling::PassRule;

void check_plugged(const ReplayOptions& o) {
  if (o.plugged && o.order != scheduling::Order::fcfs)
    throw RunError("a plugged policy brings its own order: leave the order at fcfs");
  if (o.plugged && o.plugged.decides() && (o.backfill != Backfill::none || o.named))
    throw RunError("a plugged policy of level 2 decides by itself: backfill none, and no named view");
}

/// A policy of level 2 says when; what it costs, and who is safe from it, is said beside it.
void check_plugged_preemption(const ReplayOptions& o) {
  scheduling::PreemptiveRule own = o.preemption;
  own.shield = own.notice = 0;
  if (own != scheduling::PreemptiveRule{} || o.by_class || o.quota_reclaim)
    throw RunError(
        "a policy of level 2 decides by itself when GPUs are taken back: quantum, thresholds, promotion, "
        "rounds, preemption by class and quota reclaim are not for it; shield, notice, checkpoints and "
        "restart costs are");
  if (std::min({o.preemption.shield, o.preemption.notice, o.segments.checkpoint, o.segments.restart}) < 0)
    throw RunError("lengths of time are not negative");
  if (o.semantics.pass == PassRule::event &&
      (o.preemption != scheduling::PreemptiveRule{} || o.segments != SegmentRules{}))
    throw RunError("with a pass for each event nobody is preempted: leave pass at instant");
  if (o.preemption.notice > 0 && !o.announced.empty())
    throw RunError("a notice does not go with announced outages, which may take GPUs that are under notice");
}

}  // namespace

void check_preemption(const ReplayOptions& o) {
  const scheduling::PreemptiveRule& p = o.preemption;
  check_plugged(o);
  if (o.plugged && o.plugged.decides()) return check_plugged_preemption(o);
  if (o.by_class && !has_classes(o))
    throw RunError(
        "preemption by class needs an order whose keys are classes: priority, or a plugged order of level 1");
  if (o.quota_reclaim && (moves(o.order) || preempts(o.order)))
    throw RunError("quota reclaim serves jobs in an order that is settled at submission");
  if (o.quota_reclaim && o.by_class) throw RunError("preemption is by class, or quota reclaim: not both");
  if (!preempts(o.order) && !o.by_class && !o.quota_reclaim) {
    if (p != scheduling::PreemptiveRule{} || o.segments != SegmentRules{})
      throw RunError(
          "quantum, thresholds, promotion, rounds, shield, notice, checkpoints and restart costs belong to "
          "an order that takes GPUs back: srtf, srsf, las, las2d, gavel-las or gavel-ftf");
    return;
  }
  if (o.backfill != Backfill::none && o.backfill != Backfill::fit)
    throw RunError(
        "an order that takes GPUs back keeps no reservations: who comes first takes the GPUs of others; "
        "choose "
        "backfill fit or none");
  if (!o.announced.empty())
    throw RunError("an order that takes GPUs back does not go with announced outages");
  if (o.semantics.pass == PassRule::event)
    throw RunError(
        "an order that takes GPUs back sees all that happened at an instant: leave pass at instant");
  if ((o.order == scheduling::Order::las) != (p.quantum > 0))
    throw RunError("a quantum goes with the order las, which needs one, and with no other");
  if ((o.order == scheduling::Order::las2d) == p.limits.empty())
    throw RunError("thresholds go with the order las2d, which needs one at least, and with no other");
  if (by_target(o.order) && p.round <= 0)
    throw RunError("gavel-las and gavel-ftf share out the time of rounds: state how long one is");
  for (std::size_t i = 0; i < p.limits.size(); ++i)
    if (p.limits[i] <= (i > 0 ? p.limits[i - 1] : 0))
      throw RunError("thresholds rise, and the first is above zero");
  if (p.promote > 0 && o.order != scheduling::Order::las2d)
    throw RunError("promotion to the first queue goes with the order las2d, which has queues");
  if (std::min(
          {p.quantum, p.promote, p.shield, p.notice, p.round, o.segments.checkpoint, o.segments.restart}) < 0)
    throw RunError("lengths of time are not negative");
}

void check_reservations(const ReplayOptions& o) {
  if ((o.backfill == Backfill::reservations) != (o.reservations > 0))
    throw RunError("a number of reservations goes with backfill reservations, and with no other");
}

}  // namespace natgpu::simulation
