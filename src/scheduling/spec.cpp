// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/spec.hpp>

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include <natgpu/scheduling/quota.hpp>

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
       "Tang et al., IEEE Cluster 2009", "requested times; backfill none, fit, easy or easy-sjbf"},
      {"unicef", Order::unicef, "largest wait / (log2(GPUs) x requested) first, ranked anew as time goes by",
       "Tang et al., IEEE Cluster 2009", "requested times; backfill none, fit, easy or easy-sjbf"},
      {"srtf", Order::srtf, "shortest remaining time first; running jobs are ranked too, and preempted",
       "Schrage & Miller, Oper. Res. 14(4), 1966", "requested times; backfill none or fit"},
      {"srsf", Order::srsf,
       "smallest remaining time x GPUs first; running jobs are ranked too, and preempted",
       "Gu et al., Tiresias, NSDI 2019", "requested times; backfill none or fit"},
      {"las", Order::las,
       "least time on GPUs so far first, in whole quanta; running jobs are ranked too, and preempted",
       "Kleinrock, Queueing Systems II, 1976", "a quantum (1 h by default); backfill none or fit"},
      {"las2d", Order::las2d,
       "by queues that time on GPUs x GPUs leads through, in each by submission; running jobs are preempted",
       "Gu et al., Tiresias, NSDI 2019", "thresholds (1 and 10 GPU.h by default); backfill none or fit"},
      {"gavel-las", Order::gavel_las,
       "least time received of a target share first; shares divide GPUs max-min fairly; running jobs are "
       "preempted",
       "Narayanan et al., Gavel, OSDI 2020",
       "rounds (6 min by default); backfill none or fit; in a replay --speeds where GPUs are of several "
       "types"},
      {"gavel-ftf", Order::gavel_ftf,
       "least time received of a target share first; shares make finish times fair; running jobs are "
       "preempted",
       "Mahajan et al., Themis, NSDI 2020; Narayanan et al., Gavel, OSDI 2020",
       "requested times; rounds (6 min by default); backfill none or fit; in a replay --speeds where GPUs "
       "are of several types"},
      {"priority", Order::priority, "highest class first: a log's queues, a scenario's classes of jobs",
       "Cobham, Oper. Res. 2(1), 1954", "classes of jobs"},
      {"multifactor", Order::multifactor,
       "highest Slurm priority first: age, fair share 2^(-use / share), size and queue, by weight",
       "SchedMD, Multifactor Priority Plugin and Classic Fairshare Algorithm",
       "accounts; backfill none, fit, easy or easy-sjbf"},
      {"fairtree", Order::fairtree,
       "users by Slurm's Fair Tree first: accounts, then their users, by share / use, depth first",
       "SchedMD, Fair Tree Fairshare Algorithm", "accounts; backfill none, fit, easy or easy-sjbf"},
      {"drf", Order::drf,
       "least dominant share over weight first, of GPUs, CPUs and memory, after each start",
       "Ghodsi et al., NSDI 2011", "accounts; backfill none, fit or easy"},
      {"maxmin", Order::maxmin, "fewest GPUs held over weight first, after each start",
       "Bertsekas & Gallager, Data Networks, 1992", "accounts; backfill none, fit or easy"},
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
       "Tsafrir et al., IEEE TPDS 18(6), 2007", "requested times"},
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

namespace {

/// A setting that is stated, and whether it has a meaning beside the others.
struct Meant {
  const char* path;
  bool stated, goes;
  const char* with;
};

std::vector<Meant> meanings(const Scheduling& s) {
  const PreemptionSettings &p = s.preemption, usual;
  const bool preempting = preempts(s), by_mode = p.mode != PreemptionSettings::Mode::none;
  const bool spot = p.mode == PreemptionSettings::Mode::spot_first;
  const FairShareSettings &f = s.fair_share, usual_share;
  FairShareSettings as_fairtree;  // reads the half-life alone
  as_fairtree.half_life = f.half_life;
  const bool on_machines = s.view == View::node;
  return {
      {"placement", s.placement != Scheduling{}.placement, on_machines, "view node"},
      {"locality", s.locality > 0, on_machines, "view node"},
      {"mig_positions", s.mig_positions != Scheduling{}.mig_positions, on_machines, "view node"},
      {"quantum", s.quantum > Duration{0}, s.sharing == Sharing::gang, "sharing gang"},
      {"weights", !s.weights.empty(), s.sharing == Sharing::ps, "sharing ps"},
      {"recalc", s.recalc != Scheduling{}.recalc, moves(s.order) && !by_holding(s.order),
       "order wfp, unicef, multifactor or fairtree"},
      {"classes", !s.classes.empty(), s.order == Order::priority || s.order == Order::multifactor,
       "order priority or multifactor"},
      {"accounts", s.accounts != AccountSettings{}, by_account(s) || by_target(s.order),
       "order multifactor, fairtree, drf, maxmin, gavel-las or gavel-ftf, or preemption quota-reclaim"},
      {"accounts.level", by_target(s.order) && s.accounts.level != AccountSettings{}.level, false,
       "order multifactor, fairtree, drf or maxmin: the shares of this one are those of jobs"},
      {"fair_share", f != usual_share,
       s.order == Order::multifactor || (s.order == Order::fairtree && f == as_fairtree),
       "order multifactor (or for its half-life alone fairtree)"},
      {"preemption.shield", p.shield != usual.shield, by_mode,
       "preemption by-class, spot-first or quota-reclaim"},
      {"preemption.notice", p.notice != usual.notice, preempting, "an order or a mode that preempts"},
      {"preemption.rounds", p.rounds != usual.rounds, preempting, "an order or a mode that preempts"},
      {"preemption.quantum", p.quantum != usual.quantum, s.order == Order::las, "order las"},
      {"preemption.thresholds", !p.thresholds.empty(), s.order == Order::las2d, "order las2d"},
      {"preemption.promote", p.promote != usual.promote, s.order == Order::las2d, "order las2d"},
      {"preemption.spot", !p.spot.empty(), spot, "preemption mode spot-first"},
  };
}

/// Parts that contradict each other.
struct Contradiction {
  const char* path;
  bool there;
  const char* message;
  const char* help;
};

std::vector<Contradiction> contradictions(const Scheduling& s) {
  using Mode = PreemptionSettings::Mode;
  const bool plain = s.backfill == Backfill::none || s.backfill == Backfill::fit;
  const bool keeps_all = s.backfill == Backfill::conservative || s.backfill == Backfill::reservations;
  const Mode mode = s.preemption.mode;
  const bool quotas = mode == Mode::quota_reclaim;
  const std::vector<SectorShare>& shares = s.accounts.shares;
  double sum_of_shares = 0;
  for (const SectorShare& share : shares) sum_of_shares += share.share;
  const bool countable = sum_of_shares <= most_quota_shares &&
                         std::all_of(shares.begin(), shares.end(),
                                     [](const SectorShare& x) { return x.share >= least_quota_share; });
  const std::vector<double>& limits = s.preemption.thresholds;
  const bool rising =
      std::adjacent_find(limits.begin(), limits.end(), std::greater_equal<>()) == limits.end();
  const bool on_machines = s.view == View::node;
  return {
      {"order", on_machines && by_holding(s.order), "on machines what accounts hold does not count",
       "choose another order, multifactor or fairtree among them, or write `view: pool`"},
      {"order", on_machines && by_target(s.order), "on machines target shares of time do not count",
       "choose `order: las2d`, srtf, srsf or las, or write `view: pool`"},
      {"backfill", on_machines && keeps_all, "on machines only the first blocked job holds a reservation",
       "write `backfill: none`, fit, easy or easy-sjbf, or `view: pool`"},
      {"preemption.mode", on_machines && s.preemption.mode != PreemptionSettings::Mode::none,
       "on machines who loses them is said by the order alone",
       "choose `order: las2d`, srtf, srsf or las, or write `view: pool`"},
      {"preemption.notice", on_machines && s.preemption.notice > Duration{0},
       "on machines GPUs that are taken back come free at once", "leave `notice` out, or write `view: pool`"},
      {"locality", s.locality > 0 && (s.locality < 1 || s.locality > 100),
       "a job does not become faster on more machines, nor more than a hundred times slower",
       "write 1 to 100, or 0 for jobs that wait for the fewest machines"},
      {"semantics.ties", on_machines && s.semantics.ties == Ties::arrival_first,
       "on machines nothing starts where another job still stands", "leave `ties` at release-first"},
      {"semantics.ties", s.semantics.pass == PassRule::instant && s.semantics.ties == Ties::arrival_first,
       "`arrival-first` contradicts `pass: instant`: one pass sees arrivals and completions together",
       "write `pass: event`, or leave `ties` out"},
      {"semantics.pass", s.semantics.pass == PassRule::event && preempts(s),
       "whoever takes GPUs back sees all that happened at an instant", "leave `pass` at instant"},
      {"backfill", moves(s.order) && !by_holding(s.order) && keeps_all,
       "reservations are kept in the order of the queue, and this order moves with time",
       "write `backfill: none`, fit, easy or easy-sjbf"},
      {"backfill", by_holding(s.order) && s.backfill == Backfill::easy_sjbf,
       "easy-sjbf tries jobs by their length, and this order by whose turn it is",
       "write `backfill: none`, fit or easy"},
      {"backfill", by_holding(s.order) && keeps_all,
       "drf and maxmin rank accounts anew after each start: no order of reservations lasts",
       "write `backfill: none`, fit or easy"},
      {"backfill", preempts(s) && !plain,
       "who comes first takes the GPUs of others, so that nobody can be promised any",
       "write `backfill: none` or fit"},
      {"classes", s.order == Order::priority && s.classes.empty(),
       "`order: priority` needs the classes of jobs, the highest first", "write `classes: [urgent, normal]`"},
      {"order", mode == Mode::by_class && s.order != Order::priority,
       "preemption by class needs an order whose keys are classes", "write `order: priority` and `classes`"},
      {"order", mode == Mode::spot_first && s.order != Order::fcfs,
       "spot-first ranks spot jobs behind all others, each by submission",
       "leave `order` at fcfs, or write `mode: by-class` with `order: priority`"},
      {"order", quotas && (moves(s.order) || preempts(s.order)),
       "quota-reclaim serves jobs within their quotas first, each in an order that is settled at submission",
       "choose fcfs, sjf, ljf, saf, lottery or priority, or leave `preemption.mode` out"},
      {"accounts.shares", quotas && !countable,
       "quotas count shares in millionths, and together to a hundred million at most",
       "write shares from 0.000001 on, such as 3 and 1"},
      {"preemption.spot", mode == Mode::spot_first && s.preemption.spot.empty(),
       "spot-first needs to know whose jobs are spot jobs", "write `spot: [classes of jobs]`"},
      {"fair_share.half_life", s.fair_share.half_life > Duration{0} && s.fair_share.half_life < seconds(1),
       "use is worked out in whole seconds, and a half-life of less would be none",
       "write `1 s` or more, or `0 s` for use that never fades"},
      {"preemption.thresholds", !rising, "thresholds rise from queue to queue",
       "write for instance `thresholds: [1 GPU.h, 10 GPU.h]`"},
      {"reservations", s.backfill == Backfill::reservations && s.reservations == 0,
       "`backfill: reservations` needs the number of jobs that hold one",
       "write `reservations: 8`, or `backfill: conservative` for all"},
      {"reservations", s.backfill != Backfill::reservations && s.reservations > 0,
       "a number of reservations contradicts a backfill that settles it by itself",
       "write `backfill: reservations`, or leave the number out"},
  };
}

}  // namespace

std::vector<Finding> check(const Scheduling& scheduling) {
  std::vector<Finding> findings;
  for (const Contradiction& c : contradictions(scheduling))
    if (c.there) findings.push_back({fmt::format("scheduling.{}", c.path), c.message, c.help});
  for (Finding& f : check_sharing(scheduling)) findings.push_back(std::move(f));
  return findings;
}

std::vector<Finding> without_meaning(const Scheduling& scheduling) {
  std::vector<Finding> findings;
  for (const Meant& m : meanings(scheduling))
    if (m.stated && !m.goes)
      findings.push_back({fmt::format("scheduling.{}", m.path),
                          fmt::format("has no meaning without {}", m.with), "choose that, or leave it out"});
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
