// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/spec.hpp>

namespace natgpu::scheduling {

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
          .choice("view", &Scheduling::view, {{"pool", View::pool}},
                  "How resources are seen: pool counts GPUs per site and type.")
          .choice("order", &Scheduling::order, {{"fcfs", Order::fcfs}},
                  "Queue order: fcfs is first come, first served, by submission and then position.")
          .choice("backfill", &Scheduling::backfill,
                  {{"none", Backfill::none}, {"fit", Backfill::fit}, {"easy", Backfill::easy}},
                  "What may start ahead of a job that does not fit: none, all that fits, or what does not "
                  "delay the "
                  "first blocked job (Lifka, JSSPP 1995).")
          .object("semantics", &Scheduling::semantics, "Order of events and passes at one instant.")
          .integer("queue_limit", &Scheduling::queue_limit, at_least(0),
                   "Submissions beyond so many queued jobs are rejected; 0 is no limit.")
          .duration("slowdown_floor", &Scheduling::slowdown_floor, positive(),
                    "Floor of bounded slowdown (Feitelson & Rudolph, JSSPP 1998).");
  return table;
}

std::vector<Finding> check(const Scheduling& scheduling) {
  std::vector<Finding> findings;
  if (scheduling.semantics.pass == PassRule::instant && scheduling.semantics.ties == Ties::arrival_first)
    findings.push_back(
        {"scheduling.semantics.ties",
         "`arrival-first` contradicts `pass: instant`: one pass sees arrivals and completions together",
         "write `pass: event`, or leave `ties` out"});
  return findings;
}

const std::vector<NamedPolicy>& named_policies() {
  static const std::vector<NamedPolicy> table = {
      {"fcfs", Order::fcfs, Backfill::none,
       "First come, first served; a head that does not fit blocks the queue.", "textbook"},
      {"fit", Order::fcfs, Backfill::fit,
       "First fit in queue order: whatever fits starts; large jobs may starve.", "textbook"},
      {"easy", Order::fcfs, Backfill::easy,
       "The first blocked job holds a reservation; later ones start if they do not delay it.",
       "Lifka, The ANL/IBM SP scheduling system, JSSPP 1995"},
  };
  return table;
}

}  // namespace natgpu::scheduling
