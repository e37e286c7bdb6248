// SPDX-License-Identifier: Apache-2.0
// Orders that move, preempt or go by account, in scenarios: the same as replays where both know the jobs, and
// what sectors get of a pool that is never empty.

#include <fmt/format.h>

#include <natgpu/scheduling/account_dispatcher.hpp>
#include <natgpu/scheduling/dispatcher_for.hpp>
#include <natgpu/scheduling/moving_order.hpp>
#include <natgpu/scheduling/preemptive.hpp>
#include <natgpu/scheduling/quota_reclaim.hpp>
#include <natgpu/simulation/replay.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "catch.hpp"
#include "room.hpp"
#include "scenario_text.hpp"
#include "watched_run.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using scheduling::Backfill;
using scheduling::Order;

namespace {

constexpr std::int64_t gpus = 16;

workload::JobLog random_log(std::uint64_t seed) {
  return testing::random_log(seed, {gpus, gpus / 2, 3, 40'000, 4'000});
}

Spans replayed(const workload::JobLog& log, Order order, Backfill backfill) {
  simulation::ReplayOptions o;
  o.order = order;
  o.backfill = backfill;
  if (order == Order::las) o.preemption.quantum = hours(12).count();
  if (order == Order::las2d) o.preemption.limits = {hours(1).count(), hours(10).count()};
  if (preempts(order)) o.segments.checkpoint = simulation::no_checkpoint;  // as jobs of a log in a scenario
  return spans_of(simulation::replay(log, o));
}

scenario::Scenario scenario_under(const std::string& scheduling) {
  return scenario_of(
      fmt::format("schema: natgpu/1\nname: one-pool\nhorizon: {{start: 2026-01-01, end: 2026-03-01}}\n"
                  "hardware: [{{name: gpu, bf16: 1 TFLOP/s, per_node: 1}}]\n"
                  "supply:\n  sites: [{{name: room}}]\n"
                  "  tranches: [{{name: all, site: room, device: gpu, units: {} GPU, in_service: 2026-01-01, "
                  "service_life: "
                  "endless}}]\n"
                  "demand:\n  sectors: [{{name: users, organisations: 0}}]\n  trace: {{sector: users}}\n"
                  "scheduling: {}\n",
                  gpus, scheduling));
}

template <Backfill B>
Spans moving_in_scenario(const workload::JobLog& log, const std::string& scheduling) {
  return spans_of(watch_under(scenario_under(scheduling), 1, &log,
                              [](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet,
                                 const auto&) {
                                return scheduling::MovingOrder<scheduling::DispatcherFor<B>>(
                                    scheduling::make_dispatcher<B>(fleet.pools().size(), groups.specs, false,
                                                                   s.scheduling.reservations),
                                    s.scheduling.order, s.scheduling.recalc.count());
                              })
                      .seen);
}

/// Quotas of 3 : 1 : 0.5 of three accounts, among which jobs go round by their number.
class ByNumber : public scheduling::QuotaReclaim {
 public:
  ByNumber(const scheduling::PreemptiveRule& rule, std::size_t pools,
           const std::vector<scheduling::GroupSpec>& groups)
      : QuotaReclaim(rule, pools, groups, scheduling::quotas_of(tree())) {}
  void submit(const scheduling::WaitingJob& job, const scheduling::Progress& progress, std::int64_t now,
              std::uint32_t group, bool firm) {
    attribute(job.slot, 1 + static_cast<std::uint32_t>(job.order.id % 3));
    QuotaReclaim::submit(job, progress, now, group, firm);
  }

 private:
  static scheduling::AccountTree tree() {
    scheduling::AccountTree tree;
    for (const double share : {3.0, 1.0, 0.5}) tree.add(scheduling::AccountTree::root, share);
    return tree;
  }
};
/// The same in a replay, of users.
Spans replayed_with_quotas(workload::JobLog log, Order order, Backfill backfill, Duration shield,
                           Duration notice) {
  for (std::size_t i = 0; i < log.jobs.size(); ++i) log.jobs[i].user = static_cast<std::int32_t>(i % 3);
  simulation::ReplayOptions o;
  o.order = order;
  o.backfill = backfill;
  o.quota_reclaim = true;
  o.preemption.shield = shield.count();
  o.preemption.notice = notice.count();
  o.accounts.shares = {"shares.csv", {{"", "0", 3}, {"", "2", 0.5}}};
  o.segments.checkpoint = simulation::no_checkpoint;
  return spans_of(simulation::replay(log, o));
}

/// GPU time of the sectors of a pool with a backlog, as parts of all; `crowd` asks for ten times as much.
std::pair<double, double> shares_of(const std::string& scheduling) {
  const scenario::Scenario s = scenario_of(
      "schema: natgpu/1\nname: backlog\nhorizon: {start: 2026-01-01, end: 2026-07-01}\n"
      "hardware: [{name: gpu, bf16: 1 TFLOP/s, per_node: 1}]\n"
      "supply:\n  sites: [{name: room}]\n"
      "  tranches: [{name: all, site: room, device: gpu, units: 24 GPU, in_service: 2026-01-01}]\n"
      "demand:\n  sectors:\n"
      "    - {name: crowd, organisations: 10, request_rate: 20 /d, mix: [{name: job}], onboarding: {initial: "
      "100 %},"
      " adoption: {initial: 100 %}}\n"
      "    - {name: few, organisations: 2, request_rate: 10 /d, mix: [{name: job}], onboarding: {initial: "
      "100 "
      "%},"
      " adoption: {initial: 100 %}}\n"
      "  batch: [{name: job, run_time: {dist: exponential, mean: 30 h}, patience: 4 d}]\n"
      "scheduling: " +
      scheduling + "\n");
  simulation::SimulateOptions options;
  options.seed = 11;
  const simulation::RunRecord record = simulation::simulate(s, options);
  const double crowd = value_of(record, "share.gpu_hours", "period=all;sector=crowd");
  const double few = value_of(record, "share.gpu_hours", "period=all;sector=few");
  CHECK(crowd + few == Approx(1));
  return {crowd, few};
}

}  // namespace

TEST_CASE("orders that move rank a scenario's jobs as they rank a log's") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const workload::JobLog log = random_log(seed);
    CAPTURE(seed);
    CHECK(moving_in_scenario<Backfill::easy>(log, "{order: wfp, backfill: easy, recalc: 0 s}") ==
          replayed(log, Order::wfp, Backfill::easy));
    CHECK(moving_in_scenario<Backfill::none>(log, "{order: unicef, backfill: none, recalc: 0 s}") ==
          replayed(log, Order::unicef, Backfill::none));
    CHECK(moving_in_scenario<Backfill::fit>(log, "{order: unicef, backfill: fit, recalc: 0 s}") ==
          replayed(log, Order::unicef, Backfill::fit));
    CHECK(moving_in_scenario<Backfill::conservative>(log,
                                                     "{order: wfp, backfill: conservative, recalc: 0 s}") ==
          replayed(log, Order::wfp, Backfill::conservative));
  }
}

TEST_CASE("easy-sjbf starts a scenario's jobs as it starts a log's") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const workload::JobLog log = random_log(seed);
    CAPTURE(seed);
    const Spans spans = spans_of(watch(scenario_under("{backfill: easy-sjbf}"), 1, &log).seen);
    CHECK(spans == replayed(log, Order::fcfs, Backfill::easy_sjbf));
    CHECK(spans != replayed(log, Order::fcfs, Backfill::easy));
    CHECK(moving_in_scenario<Backfill::easy_sjbf>(log, "{order: wfp, backfill: easy-sjbf, recalc: 0 s}") ==
          replayed(log, Order::wfp, Backfill::easy_sjbf));
  }
}

TEST_CASE("where all jobs are of one account, easy by what accounts hold is easy") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const workload::JobLog log = random_log(seed);  // whose jobs are all of the one sector
    CAPTURE(seed);
    const WatchedRun run = watch_under(
        scenario_under("{order: maxmin, backfill: easy}"), 1, &log,
        [](const scenario::Scenario&, const auto& groups, const supply::Fleet&, const auto& accounts) {
          return scheduling::AccountDispatcher<Backfill::easy>(scheduling::SharedResources{{1, 0, 0}, {0}},
                                                               groups.specs, accounts.weights);
        });
    CHECK(spans_of(run.seen) == replayed(log, Order::fcfs, Backfill::easy));
  }
}

TEST_CASE("orders that take GPUs back do in a scenario what they do in a replay") {
  const std::pair<const char*, Order> orders[] = {
      {"srtf", Order::srtf}, {"srsf", Order::srsf}, {"las", Order::las}, {"las2d", Order::las2d}};
  std::uint64_t preempted = 0;
  for (const auto& [name, order] : orders)
    for (const char* backfill : {"fit", "none"})
      for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const workload::JobLog log = random_log(seed);
        // Jobs of a log have no checkpoints: in short turns nobody would ever be done.
        const std::string turns = order == Order::las ? ", preemption: {quantum: 12 h}" : "";
        CAPTURE(name, backfill, seed);
        const WatchedRun run = watch_under(
            scenario_under(fmt::format("{{order: {}, backfill: {}{}}}", name, backfill, turns)), 1, &log,
            [](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet, const auto&) {
              return scheduling::PreemptiveDispatcher(simulation::preemptive_rule(s.scheduling),
                                                      fleet.pools().size(), groups.specs);
            });
        CHECK(run.within_capacity);
        CHECK(spans_of(run.seen) ==
              replayed(log, order, std::string(backfill) == "fit" ? Backfill::fit : Backfill::none));
        preempted += run.books.by_class.back().preemptions;
        for (const simulation::JobCounts& c : run.books.cohorts) preempted += c.preemptions;
      }
  CHECK(preempted > 1000);
}

TEST_CASE("accounts take back in a scenario what they take back in a replay") {
  std::uint64_t preempted = 0;
  for (const auto& [order_name, order] : {std::pair{"fcfs", Order::fcfs}, {"saf", Order::saf}})
    for (const auto& [backfill_name, backfill] : {std::pair{"fit", Backfill::fit}, {"none", Backfill::none}})
      for (const int shield_h : {0, 2})
        for (const int notice_min : {0, 10})
          for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            const workload::JobLog log = random_log(seed);
            CAPTURE(order_name, backfill_name, shield_h, notice_min, seed);
            const WatchedRun run = watch_under(
                scenario_under(fmt::format("{{order: {}, backfill: {}, preemption: {{mode: quota-reclaim, "
                                           "shield: {} h, notice: {} min}}}}",
                                           order_name, backfill_name, shield_h, notice_min)),
                1, &log,
                [](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet, const auto&) {
                  return ByNumber(simulation::preemptive_rule(s.scheduling), fleet.pools().size(),
                                  groups.specs);
                });
            CHECK(run.within_capacity);
            CHECK(spans_of(run.seen) == replayed_with_quotas(log, order, backfill, hours(shield_h),
                                                             Duration{notice_min * hours(1) / 60}));
            for (const simulation::JobCounts& c : run.books.cohorts) preempted += c.preemptions;
          }
  CHECK(preempted > 1000);
}

TEST_CASE("an account alone has nobody to take from: quota reclaim is then fit") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const workload::JobLog log = random_log(seed);  // all of whose jobs are the one sector's
    CAPTURE(seed);
    const WatchedRun run = watch_under(
        scenario_under("{order: fcfs, backfill: fit, preemption: {mode: quota-reclaim}}"), 1, &log,
        [](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet,
           const auto& accounts) {
          return scheduling::QuotaReclaim(simulation::preemptive_rule(s.scheduling), fleet.pools().size(),
                                          groups.specs, scheduling::quotas_of(accounts.tree));
        });
    CHECK(spans_of(run.seen) == replayed(log, Order::fcfs, Backfill::fit));
  }
}

TEST_CASE("sectors with a backlog hold their quotas, whoever asks for more") {
  const std::string few_more = "accounts: {level: sector, shares: [{name: few, share: 3}]}";
  for (const char* backfill : {"fit", "none"}) {
    const auto [crowd, few] = shares_of("{order: fcfs, backfill: " + std::string(backfill) + ", " + few_more +
                                        ", preemption: {mode: quota-reclaim}}");
    CAPTURE(backfill, crowd, few);
    CHECK(few == Approx(0.75).margin(0.03));
  }
  // With equal shares of the sectors each of the few has a quota of six GPUs, each of the crowd one of one.
  const auto [crowd, few] = shares_of("{order: fcfs, backfill: fit, preemption: {mode: quota-reclaim}}");
  CAPTURE(crowd, few);
  CHECK(few > 0.45);
  CHECK(crowd > 0.4);
}

TEST_CASE("sectors with a backlog get GPU time in the proportion of their shares") {
  const std::string accounts = "accounts: {level: sector, shares: [{name: few, share: 3}]}";
  for (const std::string order : {"drf", "maxmin", "fairtree", "multifactor"}) {
    const bool by_use = order == "fairtree" || order == "multifactor";
    const std::string more = by_use ? ", recalc: 10 min, fair_share: {half_life: 2 d" +
                                          std::string(order == "multifactor" ? ", age_weight: 0" : "") + "}"
                                    : "";
    const auto [crowd, few] = shares_of("{order: " + order + ", backfill: fit, " + accounts + more + "}");
    CAPTURE(order, crowd, few);
    // few ask for 25 GPUs, of which 18 are theirs; the first days go by until all are held.
    CHECK(few == Approx(0.75).margin(0.03));
  }
  for (const std::string order : {"drf", "maxmin"}) {
    const auto [crowd, few] =
        shares_of("{view: node, order: " + order + ", backfill: fit, " + accounts + "}");
    CAPTURE(order, crowd, few);
    CHECK(few == Approx(0.75).margin(0.03));
  }
  const auto [crowd, few] = shares_of("{order: fcfs, backfill: fit}");
  CHECK(few < 0.2);  // by what they ask for: an eleventh
  CHECK(crowd > 0.8);
}

TEST_CASE("organisations of one sector divide what it has evenly, however many they are") {
  const auto [crowd, few] = shares_of("{order: maxmin, backfill: fit}");
  CAPTURE(crowd, few);
  CHECK(few == Approx(2.0 / 12).margin(0.03));  // to each organisation the same
  const auto [crowd_tree, few_tree] = shares_of("{order: fairtree, backfill: fit, recalc: 10 min}");
  CAPTURE(crowd_tree, few_tree);
  CHECK(few_tree == Approx(0.5).margin(0.03));  // to each sector the same
}
