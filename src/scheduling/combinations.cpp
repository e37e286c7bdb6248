// SPDX-License-Identifier: Apache-2.0
// Which parts of a scheduling go together.
#include <natgpu/scheduling/spec.hpp>

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include <natgpu/scheduling/quota.hpp>

namespace natgpu::scheduling {
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
  const bool keeps_all = keeps_reservations(s.backfill);
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
      {"preemption.notice",
       on_machines && s.preemption.notice > Duration{0} && mode != Mode::by_class && mode != Mode::spot_first,
       "on machines GPUs that are taken back come free at once, unless by class",
       "leave `notice` out, or write `view: pool`"},
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

}  // namespace natgpu::scheduling
