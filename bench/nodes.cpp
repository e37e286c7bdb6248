// SPDX-License-Identifier: Apache-2.0
// Replays on machines: what a job costs on 1,000 and on 100,000 nodes, and a day of jobs like those of
// Alibaba PAI. Prints rows of the table of bench/run. The yardstick is the replay of the same log on counted
// GPUs.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include <natgpu/core/hash.hpp>
#include <natgpu/simulation/node_replay.hpp>

#include "figures.hpp"

namespace {

using namespace natgpu;         // NOLINT: a program of one file
using namespace natgpu::bench;  // NOLINT
using scheduling::Backfill;
using scheduling::Placement;

constexpr std::uint64_t seed = 20250101;

double uniform(std::uint64_t job, std::uint64_t purpose) {
  return (static_cast<double>(mix64(mix64(seed + purpose) + job) >> 11) + 0.5) * 0x1p-53;
}

/// Poisson arrivals of jobs of 1 to 16 GPUs at load 0.9 of so many nodes of 8; run times log-uniform from a
/// minute to a day, requests one to five times as long.
workload::JobLog log_for(std::size_t nodes, std::size_t jobs) {
  constexpr double shortest_s = 60, longest_s = 86'400, load = 0.9, mean_gpus = 31 / 5.0;
  const double mean_run_s = (longest_s - shortest_s) / std::log(longest_s / shortest_s);
  const double gap_s = mean_run_s * mean_gpus / (load * 8 * static_cast<double>(nodes));
  workload::JobLog log;
  log.max_procs = static_cast<std::int64_t>(nodes) * 8;
  double clock_s = 0;
  for (std::size_t i = 0; i < jobs; ++i) {
    clock_s -= gap_s * std::log(uniform(i, 1));
    workload::LogJob& j = log.jobs.emplace_back();
    j.id = static_cast<std::int64_t>(i) + 1;
    j.submit_s = static_cast<std::int64_t>(clock_s);
    j.run_s = static_cast<std::int64_t>(shortest_s * std::pow(longest_s / shortest_s, uniform(i, 2)));
    j.requested_s = static_cast<std::int64_t>(static_cast<double>(j.run_s) * (1 + 4 * uniform(i, 3)));
    j.gpus = 1 << static_cast<int>(uniform(i, 4) * 5);
  }
  return log;
}

simulation::ReplayOptions options_of(Backfill backfill) {
  simulation::ReplayOptions options;
  options.backfill = backfill;
  return options;
}

void measure_growth(std::size_t jobs, int repetitions, Placement placement) {
  const workload::JobLog few_log = log_for(1'000, jobs), many_log = log_for(100'000, jobs);
  simulation::NodeView few, many;
  few.placement = many.placement = placement;
  few.machines = workload::equal_nodes("1000x8").value();
  many.machines = workload::equal_nodes("100000x8").value();
  const simulation::ReplayOptions options = options_of(Backfill::fit);
  std::uint64_t started = 0;
  const auto on = [&](const workload::JobLog& log, const simulation::NodeView& view) {
    started = simulation::replay_on_nodes(log, options, view).replay.started;
    if (started == log.jobs.size()) return;
    fmt::print(stderr, "bench-nodes: {} of {} jobs started\n", started, log.jobs.size());
    std::exit(1);
  };
  const auto seconds = interleaved(repetitions, {[&] { on(few_log, few); }, [&] { on(many_log, many); },
                                                 [&] { simulation::replay(few_log, options); },
                                                 [&] { simulation::replay(many_log, options); }});
  const double per_job = 1e9 / static_cast<double>(jobs);
  const std::string name = fmt::format(
      "nodes, fit, {}: ", scheduling::placement_rules()[static_cast<std::size_t>(placement)].name);
  for_information(name + "1,000 of 8 GPUs", per_job * median(seconds[0]), "ns/job");
  for_information(name + "100,000 of 8 GPUs", per_job * median(seconds[1]), "ns/job");
  at_most(name + "100,000 / 1,000 nodes", 2, ratio(seconds[1], seconds[0]), "x");
  for_information(name + "nodes / counted GPUs, 1,000", ratio(seconds[0], seconds[2]), "x");
  for_information(name + "counted GPUs, 100,000 / 1,000", ratio(seconds[3], seconds[2]), "x");
}

/// The machine models of pai_machine_spec.csv, the largest group shortened to 6,500 GPUs in all.
workload::NodeList pai_machines() {
  struct Model {
    const char* type;
    int machines, gpus, cores, memory_gib;
  };
  workload::NodeList list;
  list.file = "pai-like";
  for (const Model& m :
       {Model{"P100", 677, 2, 64, 512}, Model{"T4", 497, 2, 96, 512}, Model{"MISC", 280, 8, 96, 512},
        Model{"V100M32", 135, 8, 96, 384}, Model{"V100", 104, 8, 96, 512}}) {
    const auto type = static_cast<std::int16_t>(list.gpu_types.size());
    list.gpu_types.add(m.type);
    list.nodes.insert(list.nodes.end(), static_cast<std::size_t>(m.machines),
                      {m.gpus, m.cores * 1000, m.memory_gib * 1024, type});
  }
  return list;
}

/// Jobs as Weng et al., NSDI 2022, describe PAI's: most take a share of one GPU, most have one instance, a
/// few have many, cores and memory come from few templates, run times are lognormal with a median of an hour
/// and a long tail, a fifth names a type. 1,000 arrive an hour, as in the authors' simulator.
workload::JobLog pai_jobs(std::size_t jobs) {
  workload::JobLog log;
  for (const char* type : {"P100", "T4", "MISC", "V100M32", "V100"}) log.gpu_types.add(type);
  double clock_s = 0;
  for (std::size_t i = 0; i < jobs; ++i) {
    clock_s -= 3.6 * std::log(uniform(i, 1));
    workload::LogJob& j = log.jobs.emplace_back();
    j.id = static_cast<std::int64_t>(i) + 1;
    j.submit_s = static_cast<std::int64_t>(clock_s);
    const double normal =
        std::sqrt(-2 * std::log(uniform(i, 2))) * std::cos(6.283185307179586 * uniform(i, 3));
    j.run_s = 1 + static_cast<std::int64_t>(std::min(3'600 * std::exp(1.2 * normal), 86'400.0));
    j.requested_s = j.run_s;
    const int instances = uniform(i, 4) < 0.7 ? 1 : 1 << static_cast<int>(uniform(i, 5) * 5);
    const double kind = uniform(i, 6);
    const int gpus = kind < 0.75 ? 1 : kind < 0.9 ? 2 : 8;
    j.gpu_milli =
        static_cast<std::int16_t>(kind < 0.6 ? 100 * (1 + static_cast<int>(uniform(i, 7) * 5)) : 1000);
    j.gpus = gpus * instances;
    j.nodes = static_cast<std::int16_t>(instances);
    const int cores = 2 + 2 * static_cast<int>(uniform(i, 8) * 6);
    j.cpu_milli = 1000 * cores * gpus * instances;
    j.memory_mib = 1024 * 4 * cores * gpus * instances;
    if (uniform(i, 10) < 0.2 && gpus < 8) j.gpu_type = static_cast<std::int16_t>(uniform(i, 11) * 5);
  }
  return log;
}

void measure_pai(int repetitions) {
  constexpr std::size_t jobs = 20'000;
  workload::JobLog log = pai_jobs(jobs);
  log.max_procs = 6'500;
  simulation::NodeView view;
  view.machines = pai_machines();
  for (const Backfill backfill : {Backfill::none, Backfill::fit}) {
    const simulation::ReplayOptions options = options_of(backfill);
    simulation::NodeReplayResult result;
    const auto seconds =
        interleaved(repetitions, {[&] { result = simulation::replay_on_nodes(log, options, view); },
                                  [&] { simulation::replay(log, options); }});
    if (result.replay.started != jobs) {
      fmt::print(stderr, "bench-nodes: {} of {} PAI-like jobs started\n", result.replay.started, jobs);
      std::exit(1);
    }
    const std::string name =
        fmt::format("20,000 PAI-like jobs, {}: ", backfill == Backfill::none ? "none" : "fit");
    at_most(name + "time", 0.2, median(seconds[0]), "s");
    for_information(name + "of the GPUs allocated", 100 * result.nodes.allocated_share, "%");
    for_information(name + "nodes / counted GPUs", ratio(seconds[0], seconds[1]), "x");
  }
}

}  // namespace

/// bench-nodes [JOBS [REPETITIONS [growth|pai]]]
int main(int argc, char** argv) {
  const std::size_t jobs = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 500'000;
  const int repetitions = argc > 2 ? std::atoi(argv[2]) : 5;
  const std::string only = argc > 3 ? argv[3] : "";
  if (only.empty() || only == "growth")
    for (const Placement p : {Placement::best, Placement::consolidated}) measure_growth(jobs, repetitions, p);
  if (only.empty() || only == "pai") measure_pai(repetitions);
}
