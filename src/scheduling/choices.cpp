// SPDX-License-Identifier: Apache-2.0
// Orders, backfills and policies that are known by name, with their rules and sources.
#include <natgpu/scheduling/spec.hpp>

namespace natgpu::scheduling {

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
       "Tang et al., IEEE Cluster 2009", "requested times"},
      {"unicef", Order::unicef, "largest wait / (log2(GPUs) x requested) first, ranked anew as time goes by",
       "Tang et al., IEEE Cluster 2009", "requested times"},
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
       "rounds (6 min by default); backfill none or fit; in a replay --speeds where counted GPUs are of "
       "several types"},
      {"gavel-ftf", Order::gavel_ftf,
       "least time received of a target share first; shares make finish times fair; running jobs are "
       "preempted",
       "Mahajan et al., Themis, NSDI 2020; Narayanan et al., Gavel, OSDI 2020",
       "requested times; rounds (6 min by default); backfill none or fit; in a replay --speeds where counted "
       "GPUs are of several types"},
      {"priority", Order::priority, "highest class first: a log's queues, a scenario's classes of jobs",
       "Cobham, Oper. Res. 2(1), 1954", "classes of jobs"},
      {"multifactor", Order::multifactor,
       "highest Slurm priority first: age, fair share 2^(-use / share), size and queue, by weight",
       "SchedMD, Multifactor Priority Plugin and Classic Fairshare Algorithm", "accounts"},
      {"fairtree", Order::fairtree,
       "users by Slurm's Fair Tree first: accounts, then their users, by share / use, depth first",
       "SchedMD, Fair Tree Fairshare Algorithm", "accounts"},
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

const std::vector<Choice<PreemptionSettings::Mode>>& preemptions() {
  using Mode = PreemptionSettings::Mode;
  static const std::vector<Choice<Mode>> table = {
      {"none", Mode::none, "nobody loses GPUs to others, but under orders that rank running jobs too",
       "textbook", ""},
      {"by-class", Mode::by_class,
       "a waiting job takes GPUs of running ones of lower class, the last started first, all it lacks or "
       "none",
       "SchedMD, Preemption", "order priority, or in a replay one of your own; backfill none or fit"},
      {"spot-first", Mode::spot_first, "all others take GPUs of spot jobs, which stand behind them",
       "as spot instances of clouds", "a scenario; classes that are spot; backfill none or fit"},
      {"quota-reclaim", Mode::quota_reclaim,
       "accounts borrow idle GPUs; those within their quotas take back what others hold beyond theirs",
       "virtual clusters: Jeon et al. (Philly), USENIX ATC 2019", "accounts; backfill none or fit"},
  };
  return table;
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
