// SPDX-License-Identifier: Apache-2.0
// What a sweep costs beyond its simulations, and whether its memory follows the number of points. Prints rows
// of the table of bench/run.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include <natgpu/experiment/replicate.hpp>
#include <natgpu/scenario/scenario.hpp>

#include "figures.hpp"

namespace {

using namespace natgpu;         // NOLINT: a program of one file
using namespace natgpu::bench;  // NOLINT
namespace fs = std::filesystem;

constexpr const char* scenario_file = "scenarios/small-city.yaml";
/// Changes the energy bill and no event, so that every point costs the same to simulate.
constexpr const char* axis = "supply.sites[hill].pue=1.1..1.5";
constexpr std::size_t points_at_once = 16;  // as `sweep run` takes them
constexpr int reference_batches = 4;
/// With fewer, what each thread's heap reaches now and then is not yet reached in all of them.
constexpr std::size_t fewest_points = 160;

struct Options {
  std::string program = "build/release/natgpu";
  std::size_t points = 10'000;
};

[[noreturn]] void fail(const std::string& what) {
  fmt::print(stderr, "bench-sweeps: {}\n", what);
  std::exit(1);
}

/// What a process took, its threads together.
struct Cost {
  double cpu_s = 0, wall_s = 0, peak_mib = 0;
};

double seconds_of(const timeval& t) {
  return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
}

/// Waits for a child that `run` fills. A child's peak includes the memory of this process when it was forked,
/// so that nothing large is ever done here.
template <class Run>
Cost cost_of_child(const std::string& what, Run&& run) {
  const double began = wall_seconds();
  const pid_t child = fork();
  if (child < 0) fail("cannot fork");
  if (child == 0) {
    run();
    _exit(0);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  if (status != 0) fail(what + " failed");
  return {seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime), wall_seconds() - began,
          static_cast<double>(usage.ru_maxrss) / 1024};
}

Cost cost_of_program(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return cost_of_child(words[1] + " " + words[2], [&] {
    const int nothing = open("/dev/null", O_WRONLY);
    dup2(nothing, 1);
    dup2(nothing, 2);
    execv(argv[0], argv.data());
    _exit(127);
  });
}

/// Processor time of simulating one point, on as many threads as the sweep has.
double simulation_seconds() {
  int ends[2];
  if (pipe(ends) != 0) fail("cannot make a pipe");
  cost_of_child("the reference", [&] {
    const scenario::Scenario s = scenario::load_scenario(scenario_file);
    const std::vector<const scenario::Scenario*> points(points_at_once, &s);
    experiment::ReplicateOptions options;
    options.seed = static_cast<std::uint64_t>(s.seed);
    options.replications = static_cast<std::uint32_t>(s.replications);
    options.threads = std::thread::hardware_concurrency();
    const double began = bench::seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < reference_batches; ++i) experiment::replicate_all(points, options);
    const double per_point = (bench::seconds_of(CLOCK_PROCESS_CPUTIME_ID) - began) /
                             static_cast<double>(reference_batches * points_at_once);
    if (write(ends[1], &per_point, sizeof per_point) != static_cast<ssize_t>(sizeof per_point)) _exit(1);
  });
  double per_point = 0;
  const bool heard = read(ends[0], &per_point, sizeof per_point) == static_cast<ssize_t>(sizeof per_point);
  close(ends[0]);
  close(ends[1]);
  if (!heard) fail("the reference says nothing");
  return per_point;
}

struct SweepCost {
  Cost run, merge;
};

SweepCost sweep(const Options& o, const fs::path& folder, std::size_t points) {
  const std::string plan = (folder / fmt::format("{}.json", points)).string();
  const std::string out = (folder / fmt::format("{}", points)).string();
  cost_of_program({o.program, "sweep", "plan", scenario_file, "--range", axis, "--sample",
                   fmt::format("lhs:{}", points), "--out", plan});
  SweepCost cost;
  cost.run = cost_of_program({o.program, "sweep", "run", plan, "--out", out});
  cost.merge = cost_of_program({o.program, "sweep", "merge", plan, "--out", out});
  return cost;
}

void measure(const Options& o, const fs::path& folder) {
  const double before = simulation_seconds();
  const std::size_t fewer = std::max(o.points / 10, fewest_points);
  const SweepCost few = sweep(o, folder, fewer), many = sweep(o, folder, o.points);
  const double simulated = 0.5 * (before + simulation_seconds()) * static_cast<double>(o.points);
  const std::string name = fmt::format("sweep, {} points of small-city: ", o.points);
  at_most(name + "beyond simulating", 5, 100 * (many.run.cpu_s / simulated - 1), "%");
  for_information(name + "merge", 100 * many.merge.cpu_s / simulated, "%");
  for_information(name + "threads busy", many.run.cpu_s / many.run.wall_s, "cores");
  for_information(name + "peak memory", many.run.peak_mib, "MiB");
  at_most(fmt::format("sweep: peak memory / that of {} points", fewer), 1.1,
          many.run.peak_mib / few.run.peak_mib, "x");
  at_most(fmt::format("sweep merge: peak memory / that of {} points", fewer), 1.1,
          many.merge.peak_mib / few.merge.peak_mib, "x");
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.rfind("--points=", 0) == 0)
      o.points = static_cast<std::size_t>(std::atoll(word.c_str() + std::strlen("--points=")));
    else if (word.rfind("--program=", 0) == 0)
      o.program = word.substr(std::strlen("--program="));
    else
      fail("unknown argument " + word);
  }
  if (o.points <= fewest_points) fail(fmt::format("--points=N, more than {}", fewest_points));
  return o;
}

}  // namespace

/// bench-sweeps [--points=N] [--program=FILE], from the source folder
int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  std::string folder = (fs::temp_directory_path() / "natgpu-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) fail("no temporary folder");
  measure(options, folder);
  fs::remove_all(folder);
}
