// SPDX-License-Identifier: Apache-2.0
// Jobs of a scenario that share GPUs, in thousandths or as instances of MIG, and hold cores and memory.
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <natgpu/scheduling/account_nodes.hpp>
#include <natgpu/scheduling/machine_dispatcher.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "catch.hpp"
#include "room.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using scheduling::Backfill;
using scheduling::Placement;

namespace {

constexpr const char* limits = ", node_cores: 32, node_memory: 256 GB";
constexpr std::int32_t cores_milli = 32'000, memory_mib = 244'140;  // 256e9 bytes, rounded down

/// Half of the jobs share a GPU. Cores and memory are a multiple of the job's GPUs.
workload::JobLog random_log(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  workload::JobLog log;
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < 250; ++i) {
    workload::LogJob j;
    j.id = i + 1;
    j.submit_s = at;
    j.run_s = 2 * (30 + below(8'000));
    j.requested_s = j.run_s + (below(3) == 0 ? 0 : 2 * below(j.run_s));
    const bool shares = below(2) == 0;
    j.gpus = static_cast<std::int32_t>(shares ? 1 : 1 + below(12));
    if (shares) j.gpu_milli = static_cast<std::int16_t>(50 * (1 + below(19)));
    j.cpu_milli = static_cast<std::int32_t>(j.gpus * 500 * below(13));
    j.memory_mib = static_cast<std::int32_t>(j.gpus * 1'000 * below(40));
    log.jobs.push_back(j);
    at += below(1'500);
  }
  return log;
}

simulation::NodeView six_machines(Placement placement, double locality, bool with_mig) {
  simulation::NodeView view;
  view.machines = workload::equal_nodes("6x8").value();
  view.machines.states_cores = true;
  for (workload::LogNode& n : view.machines.nodes) {
    n.cpu_milli = cores_milli;
    n.memory_mib = memory_mib;
  }
  view.placement = placement;
  view.slowdown_milli = static_cast<std::int64_t>(locality * 1000);
  if (with_mig)
    view.mig.layouts = {scheduling::mig_layout_number(scheduling::mig_table_named("A100-80GB").value(),
                                                      scheduling::MigPosition::first)};
  return view;
}

std::string in_mode(const char* backfill, std::string_view placement, double locality, bool with_mig) {
  return fmt::format("{{view: node, backfill: {}, placement: {}, locality: {}{}}}", backfill, placement,
                     locality, with_mig ? ", mig_positions: first" : "");
}

/// Of six_machines(), as drf has it.
scheduling::MachineResources six_whole() {
  constexpr std::int64_t machines = 6;
  return {{{machines * 8'000, machines * cores_milli, machines * memory_mib}, {0}}, {}};
}
/// drf among three accounts of 3 : 1 : 2, to which jobs go round by their number.
template <Backfill B>
class ByNumber : public scheduling::MachinesUnder<scheduling::AccountNodes<B>> {
  using Base = scheduling::MachinesUnder<scheduling::AccountNodes<B>>;

 public:
  using Base::Base;
  void submit(const scheduling::Claimant&, const scheduling::WaitingJob& job, std::uint32_t group = 0) {
    Base::submit({.account = static_cast<std::uint32_t>(job.order.id % 3)}, job, group);
  }
};
template <Backfill B>
Spans spans_by_number(const std::string& mode, const std::string& device, const workload::JobLog& log) {
  return spans_of(watch_under(
      room_of(6, 8, mode, {.device = device}), 1, &log,
      [](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet, const auto&) {
        return ByNumber<B>(simulation::machine_settings(s, fleet, groups),
                           Streams(1, 0).open("nodes", "placement"), six_whole(),
                           std::vector<double>{3, 1, 2});
      }));
}
/// The same in a replay, of users.
Spans replayed_by_user(const simulation::NodeView& view, workload::JobLog log, Backfill backfill) {
  for (std::size_t i = 0; i < log.jobs.size(); ++i) log.jobs[i].user = static_cast<std::int32_t>(i % 3);
  simulation::ReplayOptions options;
  options.order = scheduling::Order::drf;
  options.accounts.shares.rows = {{"", "0", 3}, {"", "2", 2}};
  return replayed_on(view, log, backfill, options);
}

/// So many jobs of one class at once, an hour each, on one machine of one GPU.
std::vector<double> starts_of(int jobs, const std::string& device, std::int16_t gpu_milli) {
  workload::JobLog log;
  for (int i = 0; i < jobs; ++i) {
    log.jobs.push_back(job(0, 1, 1));
    log.jobs.back().gpu_milli = gpu_milli;
  }
  const WatchedRun run = watch(room_of(1, 1, "{view: node, backfill: fit}", {.device = device}), 1, &log);
  std::vector<double> starts;
  for (const SeenJob& j : run.seen.jobs) starts.push_back(hours_from(j));
  return starts;
}

/// One organisation on eight GPUs whose requests are all of one class.
std::string sharing_town(const std::string& device, const std::string& job_class, const std::string& mode) {
  return fmt::format(
      "schema: natgpu/1\nname: sharing\nhorizon: {{start: 2026-01-01, end: 2026-04-01}}\n"
      "hardware: [{{name: gpu, bf16: 1 TFLOP/s, per_node: 8{}}}]\n"
      "supply:\n  sites: [{{name: room}}]\n"
      "  tranches: [{{name: all, site: room, device: gpu, units: 8 GPU, in_service: 2026-01-01}}]\n"
      "demand:\n  sectors: [{{name: users, organisations: 1, request_rate: 20 /h, mix: [{{name: job}}], "
      "adoption: {{initial: 100 %}}, onboarding: {{initial: 100 %}}}}]\n"
      "  batch: [{{name: job, run_time: {{dist: exponential, mean: 1 h}}, overestimate: 1000{}}}]\n"
      "scheduling: {}\n",
      device, job_class, mode);
}

}  // namespace

TEST_CASE("a log that shares GPUs runs on a scenario's machines as in its replay on machines") {
  for (const scheduling::PlacementRule& rule : scheduling::placement_rules()) {
    if (rule.placement == Placement::fgd) continue;  // expects other jobs: a scenario's classes
    for (const bool with_mig : {false, true})
      for (const double locality : {0.0, 1.5})
        for (std::uint64_t seed = 1; seed <= 2; ++seed) {
          const workload::JobLog log = random_log(seed);
          const std::string placement(rule.name);
          CAPTURE(placement, with_mig, locality, seed);
          const std::string device = std::string(limits) + (with_mig ? ", mig: A100-80GB" : "");
          const auto view = six_machines(rule.placement, locality, with_mig);
          const auto spans_under = [&](const char* backfill) {
            const std::string mode = in_mode(backfill, rule.name, locality, with_mig);
            return spans_of(watch(room_of(6, 8, mode, {.device = device}), 1, &log));
          };
          CHECK(spans_under("none") == replayed_on(view, log, Backfill::none));
          CHECK(spans_under("fit") == replayed_on(view, log, Backfill::fit));
          CHECK(spans_under("easy") == replayed_on(view, log, Backfill::easy));
        }
  }
}

TEST_CASE("under drf accounts have a scenario's machines as in the replay of a log on machines") {
  for (const bool with_mig : {false, true})
    for (const double locality : {0.0, 1.5})
      for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        const workload::JobLog log = random_log(seed);
        CAPTURE(with_mig, locality, seed);
        const std::string device = std::string(limits) + (with_mig ? ", mig: A100-80GB" : "");
        const auto view = six_machines(Placement::best, locality, with_mig);
        const auto mode = [&](const char* backfill) {
          return in_mode(backfill, "best", locality, with_mig).insert(1, "order: drf, ");
        };
        CHECK(spans_by_number<Backfill::none>(mode("none"), device, log) ==
              replayed_by_user(view, log, Backfill::none));
        CHECK(spans_by_number<Backfill::fit>(mode("fit"), device, log) ==
              replayed_by_user(view, log, Backfill::fit));
        CHECK(spans_by_number<Backfill::easy>(mode("easy"), device, log) ==
              replayed_by_user(view, log, Backfill::easy));
      }
}

TEST_CASE("where all jobs are of one account, easy by what accounts hold of machines is easy") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const workload::JobLog log = random_log(seed);  // whose jobs are all of the one sector
    CAPTURE(seed);
    const WatchedRun run =
        watch_under(room_of(6, 8, "{view: node, order: drf, backfill: easy}", {.device = limits}), 1, &log,
                    [](const scenario::Scenario& s, const auto& groups, const supply::Fleet& fleet,
                       const auto& accounts) {
                      return scheduling::MachinesUnder<scheduling::AccountNodes<Backfill::easy>>(
                          simulation::machine_settings(s, fleet, groups),
                          Streams(1, 0).open("nodes", "placement"), six_whole(), accounts.weights);
                    });
    CHECK(spans_of(run) == replayed_on(six_machines(Placement::best, 0, false), log, Backfill::easy));
  }
}

TEST_CASE("four quarters of a GPU run at once, and the fifth waits") {
  CHECK(starts_of(5, "", 250) == std::vector<double>{0, 0, 0, 0, 1});
}

TEST_CASE("MIG gives seven instances of an eighth, four of a seventh, and one of a half") {
  const std::vector<double> seven_and_one = {0, 0, 0, 0, 0, 0, 0, 1};
  CHECK(starts_of(8, ", mig: A100-80GB", 125) == seven_and_one);  // 1g.10gb: seven slices of compute
  CHECK(starts_of(8, "", 125) == std::vector<double>(8, 0.0));
  CHECK(starts_of(5, ", mig: A100-80GB", 142) == std::vector<double>{0, 0, 0, 0, 1});  // 1g.20gb
  CHECK(starts_of(2, ", mig: A100-80GB", 500) == std::vector<double>{0, 1});  // 4g.40gb: one position
  CHECK(starts_of(2, "", 500) == std::vector<double>{0, 0});
}

TEST_CASE("cores run out before GPUs where jobs need many") {
  const scenario::Scenario s =
      room_of(1, 8, "{view: node, backfill: none}", {.device = ", node_cores: 64, node_memory: 512 GB"});
  workload::JobLog log;
  for (int i = 0; i < 6; ++i) {
    log.jobs.push_back(job(0, 1, 1));
    log.jobs.back().cpu_milli = 16'000;
  }
  const WatchedRun run = watch(s, 1, &log);
  CHECK(hours_from(run.seen.jobs.at(3)) == 0);
  CHECK(hours_from(run.seen.jobs.at(4)) == 1);
}

TEST_CASE("shares of a GPU are a queue of as many servers") {
  // Erlang C, 32 servers, load 20: each of 8 GPUs holds four quarters. Of the GPU-time 20 / 32 is allocated.
  simulation::SimulateOptions options;
  const auto allocated = [&](const std::string& device, const std::string& job_class, const char* mode) {
    const simulation::RunRecord r =
        simulation::simulate(scenario_of(sharing_town(device, job_class, mode)), options);
    return value_of(r, "gpu.allocated.share", "period=all");
  };
  const double quarters = allocated("", ", gpu_share: 25 %", "{view: node, backfill: none}");
  CHECK(quarters == Approx(20.0 / 32).epsilon(0.02));
  // 56 instances of 1g.10gb are as many servers, and each holds an eighth of its GPU.
  const double instances =
      allocated(", mig: H100-80GB", ", gpu_share: 0.125", "{view: node, backfill: none}");
  CHECK(instances == Approx(20.0 / 64).epsilon(0.02));
  // Counted GPUs are never shared: 8 servers for a load of 20.
  CHECK(allocated("", ", gpu_share: 25 %", "{backfill: none}") > 0.99);
}

TEST_CASE("replicas of a service share a GPU, and what they hold is counted") {
  const scenario::Scenario s = scenario_of(
      "schema: natgpu/1\nname: serving\nhorizon: {start: 2026-01-01, end: 2026-04-01}\n"
      "hardware: [{name: gpu, bf16: 1 TFLOP/s, per_node: 1, mig: A100-40GB}]\n"
      "supply:\n  sites: [{name: room}]\n"
      "  tranches: [{name: all, site: room, device: gpu, units: 1 GPU, in_service: 2026-01-01}]\n"
      "demand:\n  sectors: [{name: users, organisations: 1, service_rate: 1 /d, services: [{name: chat}], "
      "adoption: {initial: 100 %}, onboarding: {initial: 100 %}}]\n"
      "  service: [{name: chat, gpu_share: 0.125, floor: 3, peak: 3, duration: 500 d, patience: 1 h}]\n"
      "scheduling: {view: node, backfill: none}\n");
  const simulation::RunRecord r = simulation::simulate(s, {});
  // Two floors of three instances of 1g.5gb find room on the GPU's seven; all that come later give up.
  CHECK(value_of(r, "jobs.running.count", "period=all;sector=users") == 2);
  const double stock = value_of(r, "capacity.units", "at=2026-03-31;state=allocated");
  CHECK(stock == Approx(6.0 / 8));
}

TEST_CASE("a job whose cores no machine has is sent away when it comes") {
  const scenario::Scenario s =
      room_of(2, 8, "{view: node}", {.device = ", node_cores: 16, node_memory: 100 GB"});
  workload::JobLog log;
  log.jobs = {job(0, 1, 1), job(1, 1, 1), job(2, 16, 1)};
  log.jobs[1].cpu_milli = 17'000;
  log.jobs[2].cpu_milli = 16 * 2'000;  // 16 GPUs with two cores each: all that the machines have
  const WatchedRun run = watch(s, 1, &log);
  REQUIRE(run.seen.jobs.size() == 2);
  CHECK(hours_from(run.seen.jobs.at(1)) == 2);
}
