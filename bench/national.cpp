// SPDX-License-Identifier: Apache-2.0
// National runs: jobs per second under each policy, cost per job as runs grow, memory, and threads.
// Prints rows of the table of bench/run.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/experiment/replicate.hpp>
#include <natgpu/scenario/scenario.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "figures.hpp"

namespace {

using namespace natgpu;         // NOLINT: a program of one file
using namespace natgpu::bench;  // NOLINT

struct Options {
  std::string part;  ///< korea, growth or threads; empty: all
  std::string scenario = "scenarios/korea-2030.yaml";
  double demand = 1;         ///< factor on every sector's request rate
  int years = 0;             ///< of the horizon; 0: as the scenario says
  double largest_run = 1e7;  ///< jobs
};

/// What one replication cost.
struct Cost {
  double jobs = 0;
  double cpu_s = 0;
  double peak_mib = 0;
  double per_job_ns() const { return 1e9 * cpu_s / jobs; }
};

/// Simulates in a child process, so that its peak memory is its own.
Cost cost_of(const scenario::Scenario& s) {
  int ends[2];
  if (pipe(ends) != 0) std::exit(1);
  const pid_t child = fork();
  if (child == 0) {
    const double began = cpu_seconds();
    Cost cost;
    cost.jobs = static_cast<double>(simulation::simulate(s, {}).jobs);
    cost.cpu_s = cpu_seconds() - began;
    const bool told = write(ends[1], &cost, sizeof cost) == static_cast<ssize_t>(sizeof cost);
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  Cost cost;
  const bool heard = read(ends[0], &cost, sizeof cost) == static_cast<ssize_t>(sizeof cost);
  close(ends[0]);
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  if (!heard || status != 0) {
    fmt::print(stderr, "bench-national: a run of {} failed\n", s.name);
    std::exit(1);
  }
  cost.peak_mib = static_cast<double>(usage.ru_maxrss) / 1024;
  return cost;
}

Date days_after(Date date, int count) {
  date.day += std::chrono::days(count);
  return date;
}

scenario::Scenario load(const std::string& file, const std::string& policy) {
  scenario::LoadOptions options;
  options.policy = policy;
  return scenario::load_scenario(file, options);
}

void measure_policies(const Options& options) {
  for (const char* policy : {"fcfs", "fit", "easy"}) {
    scenario::Scenario s = load(options.scenario, policy);
    for (demand::Sector& sector : s.demand.sectors) sector.request_rate *= options.demand;
    if (options.years > 0) s.horizon.end = days_after(s.horizon.start, 365 * options.years);
    const Cost cost = cost_of(s);
    const std::string name = fmt::format("{} {}: ", s.name, policy);
    at_least(name + "jobs of one replication", 10, cost.jobs / 1e6, "million");
    at_least(name + "jobs a second, one core", 1, cost.jobs / cost.cpu_s / 1e6, "million");
    for_information(name + "cost", cost.per_job_ns(), "ns/job");
    at_most(name + "peak memory", 500, cost.peak_mib, "MiB");
  }
}

/// The M/M/c queue of scenarios/mmc.yaml with a thousand requests an hour at the same load, run until so many
/// jobs have come. Only the horizon differs between sizes.
scenario::Scenario queue_of(double jobs) {
  constexpr double per_hour = 1000;
  scenario::Scenario s = load("scenarios/mmc.yaml", "");
  s.demand.sectors.at(0).request_rate = per_hour / 3600;
  s.supply.tranches.at(0).units = 1250;
  s.horizon.end = days_after(s.horizon.start, static_cast<int>(std::ceil(jobs / (24 * per_hour))));
  return s;
}

void measure_growth(const Options& options) {
  std::vector<Cost> costs;
  for (double jobs = 1e5; jobs <= options.largest_run; jobs *= 10) {
    costs.push_back(cost_of(queue_of(jobs)));
    const std::string name = fmt::format("M/M/c, {:.0e} jobs: ", jobs);
    for_information(name + "cost", costs.back().per_job_ns(), "ns/job");
    at_most(name + "peak memory", 500, costs.back().peak_mib, "MiB");
  }
  at_most("M/M/c: cost per job, largest run / 1e5 jobs", 1.1,
          costs.back().per_job_ns() / costs[0].per_job_ns(), "x");
  if (costs.size() > 2)
    at_most("M/M/c: peak memory, largest run / a tenth of it", 1.1,
            costs.back().peak_mib / costs[costs.size() - 2].peak_mib, "x");
}

/// Wall time tells what threads gain on an idle machine; processor time tells what they cost on any.
void measure_threads() {
  const scenario::Scenario s = queue_of(1e6);
  double wall[2], cpu[2];
  for (unsigned threads : {1U, 2U}) {
    experiment::ReplicateOptions options;
    options.replications = 4;
    options.threads = threads;
    const double wall_began = wall_seconds(), cpu_began = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    experiment::replicate(s, options);
    wall[threads - 1] = wall_seconds() - wall_began;
    cpu[threads - 1] = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_began;
  }
  at_least("replications: speed of 2 threads / 1 (wall; idle machine)", 1.8, wall[0] / wall[1], "x");
  at_most("replications: processor time of 2 threads / 1", 1.1, cpu[1] / cpu[0], "x");
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const auto value = [&](const char* name) -> const char* {
      const std::size_t length = std::strlen(name);
      return std::strncmp(argv[i], name, length) == 0 ? argv[i] + length : nullptr;
    };
    if (const char* demand = value("--demand="))
      o.demand = std::atof(demand);
    else if (const char* years = value("--years="))
      o.years = std::atoi(years);
    else if (const char* largest = value("--largest="))
      o.largest_run = std::atof(largest);
    else if (const char* file = value("--scenario="))
      o.scenario = file;
    else
      o.part = argv[i];
  }
  return o;
}

}  // namespace

/// bench-national [korea | growth | threads] [--scenario=FILE] [--demand=FACTOR] [--years=N] [--largest=JOBS]
int main(int argc, char** argv) try {
  const Options options = parse(argc, argv);
  if (options.part.empty() || options.part == "korea") measure_policies(options);
  if (options.part.empty() || options.part == "growth") measure_growth(options);
  if (options.part.empty() || options.part == "threads") measure_threads();
} catch (const ScenarioError& e) {
  for (const Diagnostic& d : e.diagnostics()) fmt::print(stderr, "{}: {}\n", d.place.file, d.message);
  return 1;
}
