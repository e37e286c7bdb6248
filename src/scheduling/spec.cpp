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

}  // namespace

const std::vector<Choice<Order>>& orders() {
  static const std::vector<Choice<Order>> table = {
      {"fcfs", Order::fcfs, "by submission, then position", "textbook", ""},
      {"sjf", Order::sjf, "shortest requested time first", "Phipps, Oper. Res. 4(1), 1956",
       "requested times"},
      {"ljf", Order::ljf, "longest requested time first", "textbook", "requested times"},
      {"saf", Order::saf, "smallest requested time x GPUs first", "Carastan-Santos et al., CCGrid 2019",
       "requested times"},
      {"lottery", Order::lottery, "in an order drawn by chance, once for each job", "textbook", ""},
      {"wfp", Order::wfp, "largest (wait / requested)^3 x GPUs first, ranked anew as time goes by",
       "Tang et al., IEEE Cluster 2009", "requested times; a replay; backfill none, fit, easy or easy-sjbf"},
      {"unicef", Order::unicef, "largest wait / (log2(GPUs) x requested) first, ranked anew as time goes by",
       "Tang et al., IEEE Cluster 2009", "requested times; a replay; backfill none, fit, easy or easy-sjbf"},
      {"srtf", Order::srtf, "shortest remaining time first; running jobs are ranked too, and preempted",
       "Schrage & Miller, Oper. Res. 14(4), 1966", "requested times; a replay; backfill none or fit"},
      {"srsf", Order::srsf,
       "smallest remaining time x GPUs first; running jobs are ranked too, and preempted",
       "Gu et al., Tiresias, NSDI 2019", "requested times; a replay; backfill none or fit"},
      {"las", Order::las,
       "least time on GPUs so far first, in whole quanta; running jobs are ranked too, and preempted",
       "Kleinrock, Queueing Systems II, 1976", "--quantum (1 h by default); a replay; backfill none or fit"},
      {"las2d", Order::las2d,
       "by queues that time on GPUs x GPUs leads through, in each by submission; running jobs are preempted",
       "Gu et al., Tiresias, NSDI 2019",
       "--thresholds (1 h and 10 h by default); a replay; backfill none or fit"},
      {"gavel-las", Order::gavel_las,
       "least time received of a target share first; shares divide GPUs max-min fairly; running jobs are "
       "preempted",
       "Narayanan et al., Gavel, OSDI 2020", "--rounds (6 min by default); a replay; backfill none or fit"},
      {"gavel-ftf", Order::gavel_ftf,
       "least time received of a target share first; shares make finish times fair; running jobs are "
       "preempted",
       "Mahajan et al., Themis, NSDI 2020; Narayanan et al., Gavel, OSDI 2020",
       "requested times; --rounds (6 min by default); a replay; backfill none or fit"},
      {"priority", Order::priority, "highest class first: the log's queues, as --classes ranks them",
       "Cobham, Oper. Res. 2(1), 1954", "queues in the log; a replay"},
      {"multifactor", Order::multifactor,
       "highest Slurm priority first: age, fair share 2^(-use / share), size and queue, by weight",
       "SchedMD, Multifactor Priority Plugin and Classic Fairshare Algorithm",
       "users in the log; a replay; backfill none, fit, easy or easy-sjbf"},
      {"fairtree", Order::fairtree,
       "users by Slurm's Fair Tree first: accounts, then their users, by share / use, depth first",
       "SchedMD, Fair Tree Fairshare Algorithm",
       "users in the log; a replay; backfill none, fit, easy or easy-sjbf"},
      {"drf", Order::drf,
       "least dominant share over weight first, of GPUs, CPUs and memory, after each start",
       "Ghodsi et al., NSDI 2011", "users in the log; a replay; backfill none, fit or easy"},
      {"maxmin", Order::maxmin, "fewest GPUs held over weight first, after each start",
       "Bertsekas & Gallager, Data Networks, 1992", "users in the log; a replay; backfill none, fit or easy"},
  };
  return table;
}

const std::vector<Choice<Backfill>>& backfills() {
  static const std::vector<Choice<Backfill>> table = {
      {"none", Backfill::none, "a job that does not fit blocks all behind it", "textbook", ""},
      {"fit", Backfill::fit, "whatever fits starts; large jobs may starve", "textbook", ""},
      {"easy", Backfill::easy,
       "the first blocked job holds a reservation; others start if they do not delay it", "Lifka, JSSPP 1995",
       "requested times"},
      {"easy-sjbf", Backfill::easy_sjbf, "as easy, but the others are tried by shortest request first",
       "Tsafrir et al., IEEE TPDS 18(6), 2007", "requested times; a replay"},
      {"conservative", Backfill::conservative,
       "every waiting job holds a reservation; nobody starts later than promised",
       "Mu'alem & Feitelson, IEEE TPDS 12(6), 2001", "requested times"},
      {"reservations", Backfill::reservations,
       "the first N waiting jobs hold reservations; others start if they delay none of them",
       "between easy (N = 1) and conservative", "requested times; `reservations: N`"},
  };
  return table;
}

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
          .choice("order", &Scheduling::order, names_of(orders()),
                  "Queue order; ties go to the earlier submission and then to position.")
          .choice("backfill", &Scheduling::backfill, names_of(backfills()),
                  "What may start ahead of a job that does not fit: none, all that fits, or what delays no "
                  "reservation: of the first blocked job, of every waiting job, or of the first so many.")
          .integer("reservations", &Scheduling::reservations, at_least(0),
                   "Waiting jobs that hold reservations; only with backfill reservations, there at least 1.")
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
  if (moves(scheduling.order))
    findings.push_back({"scheduling.order",
                        "an order that moves with time is for replays: a scenario settles a job's place at "
                        "submission",
                        "use `natgpu replay`, or write fcfs, sjf, ljf, saf or lottery"});
  if (by_target(scheduling.order))
    findings.push_back({"scheduling.order", "target shares of time are for replays: they know one pool",
                        "use `natgpu replay`, or write fcfs, sjf, ljf, saf or lottery"});
  else if (preempts(scheduling.order))
    findings.push_back({"scheduling.order",
                        "an order that takes GPUs back is for replays: a scenario's jobs keep theirs",
                        "use `natgpu replay`, or write fcfs, sjf, ljf, saf or lottery"});
  if (scheduling.order == Order::priority)
    findings.push_back({"scheduling.order",
                        "`priority` ranks the queues of a job log, and a scenario has none",
                        "use `natgpu replay`, or write fcfs, sjf, ljf, saf or lottery"});
  if (scheduling.backfill == Backfill::easy_sjbf)
    findings.push_back({"scheduling.backfill",
                        "`easy-sjbf` is for replays: it knows one pool without announced outages",
                        "use `natgpu replay`, or write `backfill: easy`"});
  const bool counts = scheduling.backfill == Backfill::reservations;
  if (counts && scheduling.reservations == 0)
    findings.push_back({"scheduling.reservations",
                        "`backfill: reservations` needs the number of jobs that hold one",
                        "write `reservations: 8`, or `backfill: conservative` for all"});
  if (!counts && scheduling.reservations > 0)
    findings.push_back({"scheduling.reservations",
                        "a number of reservations contradicts a backfill that settles it by itself",
                        "write `backfill: reservations`, or leave the number out"});
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
      {"easy-sjbf", Order::fcfs, Backfill::easy_sjbf,
       "As easy, but the others are tried by shortest requested time first.",
       "Tsafrir, Etsion & Feitelson, IEEE TPDS 18(6), 2007"},
      {"conservative", Order::fcfs, Backfill::conservative,
       "Every waiting job holds a reservation; a later one starts if it delays none of them.",
       "Mu'alem & Feitelson, IEEE TPDS 12(6), 2001"},
      {"sjf", Order::sjf, Backfill::none,
       "Shortest requested time first; a head that does not fit blocks the queue.",
       "Phipps, Machine repair as a priority waiting-line problem, Oper. Res. 4(1), 1956"},
      {"ljf", Order::ljf, Backfill::none,
       "Longest requested time first; a head that does not fit blocks the queue.", "textbook"},
      {"saf", Order::saf, Backfill::none,
       "Smallest requested time x GPUs first; a head that does not fit blocks the queue.",
       "Carastan-Santos et al., One can only gain by replacing EASY backfilling, CCGrid 2019"},
      {"lottery", Order::lottery, Backfill::none,
       "Jobs in an order drawn by chance; a head that does not fit blocks the queue.", "textbook"},
      {"wfp", Order::wfp, Backfill::easy,
       "Largest (wait / requested)^3 x GPUs first, ranked anew at each pass; backfill easy.",
       "Tang, Lan, Desai & Buettner, IEEE Cluster 2009"},
      {"unicef", Order::unicef, Backfill::easy,
       "Largest wait / (log2(GPUs) x requested) first, ranked anew at each pass; backfill easy.",
       "Tang, Lan, Desai & Buettner, IEEE Cluster 2009"},
      {"srtf", Order::srtf, Backfill::fit,
       "Shortest remaining time first: a shorter job takes the GPUs of a longer one.",
       "Schrage & Miller, The queue M/G/1 with the shortest remaining processing time discipline, Oper. Res. "
       "14(4), 1966"},
      {"srsf", Order::srsf, Backfill::fit,
       "Smallest remaining time x GPUs first: a smaller job takes the GPUs of a larger one.",
       "Gu et al., Tiresias, NSDI 2019"},
      {"las", Order::las, Backfill::fit,
       "Least attained service: who has had the least time on GPUs comes first, in whole quanta.",
       "Kleinrock, Queueing Systems II, 1976"},
      {"las2d", Order::las2d, Backfill::fit,
       "Discretised two-dimensional least attained service: queues by GPU time, each by submission.",
       "Gu et al., Tiresias: a GPU cluster manager for distributed deep learning, NSDI 2019"},
      {"gavel-las", Order::gavel_las, Backfill::fit,
       "Each round, who has had least of a target share; shares are max-min fair in GPUs over weight.",
       "Narayanan et al., Heterogeneity-aware cluster scheduling policies for deep learning workloads, OSDI "
       "2020"},
      {"gavel-ftf", Order::gavel_ftf, Backfill::fit,
       "Each round, who has had least of a target share; shares keep the worst slowdown against a fair part "
       "of the GPUs as small as can be.",
       "Mahajan et al., Themis, NSDI 2020; Narayanan et al., Gavel, OSDI 2020"},
      {"priority", Order::priority, Backfill::none,
       "Highest class first, ties by submission; a head that does not fit blocks the queue.",
       "Cobham, Priority assignment in waiting line problems, Oper. Res. 2(1), 1954"},
      {"multifactor", Order::multifactor, Backfill::easy,
       "Highest Slurm priority (age, classic fair share, size, queue) first; backfill easy.",
       "SchedMD, Multifactor Priority Plugin and Classic Fairshare Algorithm"},
      {"fairtree", Order::fairtree, Backfill::easy,
       "Users in the order of Slurm's Fair Tree, by share / use; backfill easy.",
       "SchedMD, Fair Tree Fairshare Algorithm"},
      {"drf", Order::drf, Backfill::fit,
       "Whoever has the least dominant share is next; one whose next job does not fit drops out.",
       "Ghodsi et al., Dominant Resource Fairness, NSDI 2011"},
      {"maxmin", Order::maxmin, Backfill::fit,
       "Whoever holds fewest GPUs over weight is next; one whose next job does not fit drops out.",
       "Bertsekas & Gallager, Data Networks, 2nd ed., 1992"},
  };
  return table;
}

}  // namespace natgpu::scheduling
