// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/spec.hpp>

#include <utility>

namespace natgpu::scheduling {
namespace {

template <class E>
std::vector<std::pair<std::string, E>> names_of(const std::vector<Choice<E>>& choices) {
  std::vector<std::pair<std::string, E>> names;
  for (const Choice<E>& c : choices) names.emplace_back(c.name, c.value);
  return names;
}

std::vector<std::pair<std::string, Placement>> placement_names() {
  std::vector<std::pair<std::string, Placement>> names;
  for (const PlacementRule& rule : placement_rules()) names.emplace_back(rule.name, rule.placement);
  return names;
}

std::vector<std::pair<std::string, MigPosition>> mig_position_names() {
  std::vector<std::pair<std::string, MigPosition>> names;
  for (const MigPositionRule& rule : mig_positions()) names.emplace_back(rule.name, rule.position);
  return names;
}

}  // namespace

const FieldTable& fields_of(const Semantics*) {
  static const FieldTable table =
      Fields<Semantics>("semantics", "Order of events and passes at one instant.")
          .choice(
              "pass", &Semantics::pass, {{"instant", PassRule::instant}, {"event", PassRule::event}},
              "Whether one scheduling pass sees all that happened at an instant, or each event has its own.")
          .choice(
              "ties", &Semantics::ties,
              {{"release-first", Ties::release_first}, {"arrival-first", Ties::arrival_first}},
              "Whether completions or arrivals come first at an instant; arrival-first needs pass event.");
  return table;
}

const FieldTable& fields_of(const Scheduling*) {
  static const FieldTable table =
      Fields<Scheduling>("scheduling", "Who runs now.")
          .choice(
              "view", &Scheduling::view, {{"pool", View::pool}, {"node", View::node}},
              "How resources are seen: pool counts GPUs per site and type; node knows machines, so that a "
              "job needs its GPUs together and a failure hits who runs there.")
          .choice("placement", &Scheduling::placement, placement_names(),
                  "In the node view, which machine a job goes to.")
          .quantity(
              "locality", &Scheduling::locality, Dimension::count, at_least(0),
              "In the node view, how many times longer a job on more machines than the fewest takes; 0: it "
              "waits for the fewest.")
          .choice("mig_positions", &Scheduling::mig_positions, mig_position_names(),
                  "In the node view, where an instance goes on a GPU that MIG cuts.")
          .choice("order", &Scheduling::order, names_of(orders()),
                  "Queue order; ties go to the earlier submission and then to position.")
          .choice("backfill", &Scheduling::backfill, names_of(backfills()),
                  "What may start ahead of a job that does not fit: none, all that fits, or what delays no "
                  "reservation: of the first blocked job, of every waiting job, or of the first so many.")
          .integer("reservations", &Scheduling::reservations, at_least(0),
                   "Waiting jobs that hold reservations; only with backfill reservations, there at least 1.")
          .choice("sharing", &Scheduling::sharing, names_of(sharings()),
                  "Whether a job has its GPUs to itself, or shares them in time: at a part of its pace (ps), "
                  "or in turns (gang). Who shares has no queue.")
          .duration("quantum", &Scheduling::quantum, at_least(0),
                    "Of sharing gang, and needed there: the length of a turn.")
          .items("weights", &Scheduling::weights,
                 "Of sharing ps: what classes of jobs weigh where GPUs are divided.")
          .object("semantics", &Scheduling::semantics, "Order of events and passes at one instant.")
          .duration("recalc", &Scheduling::recalc, at_least(0),
                    "How often wfp, unicef, multifactor and fairtree rank anew; 0 s: at each pass.")
          .texts(
              "classes", &Scheduling::classes,
              "Batch and service classes, the highest first, for priority and multifactor; those not named "
              "come last, all in one class.")
          .object("accounts", &Scheduling::accounts,
                  "Whose use and holdings multifactor, fairtree, drf and maxmin weigh, whose quotas "
                  "quota-reclaim keeps, and what jobs weigh under gavel-las and gavel-ftf.")
          .object("fair_share", &Scheduling::fair_share, "What multifactor and fairtree leave open.")
          .object("preemption", &Scheduling::preemption, "Who may take the GPUs of a running job.")
          .integer("queue_limit", &Scheduling::queue_limit, at_least(0),
                   "Submissions beyond so many queued jobs are rejected; 0 is no limit.")
          .duration("slowdown_floor", &Scheduling::slowdown_floor, positive(),
                    "Floor of bounded slowdown (Feitelson & Rudolph, JSSPP 1998).");
  return table;
}

}  // namespace natgpu::scheduling
