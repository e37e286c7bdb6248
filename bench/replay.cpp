// SPDX-License-Identifier: Apache-2.0
// Replaying one million jobs: reading the log, and simulating it beside hand-written loops for the same log.
// Prints rows of the table of bench/run; fails if a loop's mean wait is not natgpu's.
#include <unistd.h>
#include <zlib.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include <natgpu/simulation/replay.hpp>
#include <natgpu/workload/swf.hpp>

#include "figures.hpp"
#include "hand_loops.hpp"
#include "synthetic_log.hpp"

namespace {

using namespace natgpu;         // NOLINT: a program of one file
using namespace natgpu::bench;  // NOLINT
using scheduling::Backfill;

/// Writes plain text, or gzip at its usual level.
void write_log(const std::string& file, const std::string& text, const char* mode) {
  gzFile to = gzopen(file.c_str(), mode);
  const bool written = to != nullptr && gzwrite(to, text.data(), static_cast<unsigned>(text.size())) ==
                                            static_cast<int>(text.size());
  if (!written || gzclose(to) != Z_OK) {
    fmt::print(stderr, "bench-replay: {} cannot be written\n", file);
    std::exit(1);
  }
}

/// Inflating alone: what any reader of this file must pay.
void inflate_only(const std::string& file) {
  gzFile from = gzopen(file.c_str(), "rb");
  std::vector<char> buffer(1 << 20);
  while (gzread(from, buffer.data(), static_cast<unsigned>(buffer.size())) > 0) {
  }
  gzclose(from);
}

void measure_reading(const workload::JobLog& log, int repetitions) {
  const auto folder = std::filesystem::temp_directory_path();
  const std::string plain = (folder / fmt::format("natgpu-bench-{}.swf", getpid())).string();
  const std::string packed = plain + ".gz";
  const std::string text = workload::swf_text(log);
  write_log(plain, text, "wbT");
  write_log(packed, text, "wb");
  const auto read = [&](const std::string& file) {
    if (workload::read_swf(file).jobs.size() == log.jobs.size()) return;
    fmt::print(stderr, "bench-replay: rows were lost in reading\n");
    std::exit(1);
  };
  const auto seconds =
      interleaved(repetitions, {[&] { read(plain); }, [&] { read(packed); }, [&] { inflate_only(packed); }});
  std::filesystem::remove(plain);
  std::filesystem::remove(packed);
  const double megabytes = static_cast<double>(text.size()) / 1e6;
  at_least("reading SWF, plain", 100, megabytes / median(seconds[0]), "MB/s");
  at_least("reading SWF, gzip (of inflated text)", 100, megabytes / median(seconds[1]), "MB/s");
  for_information("  zlib's share of reading gzip", 100 * ratio(seconds[2], seconds[1]), "%");
}

void verify(const char* policy, const simulation::ReplayResult& natgpu, const HandResult& hand) {
  if (natgpu.mean_wait_s == hand.mean_wait_s && natgpu.utilization == hand.utilization &&
      std::abs(natgpu.mean_bounded_slowdown / hand.mean_bounded_slowdown - 1) < 1e-9)
    return;
  fmt::print(stderr, "bench-replay: {}: mean wait {} s, slowdown {}, utilization {} by hand: {}, {}, {}\n",
             policy, natgpu.mean_wait_s, natgpu.mean_bounded_slowdown, natgpu.utilization, hand.mean_wait_s,
             hand.mean_bounded_slowdown, hand.utilization);
  std::exit(1);
}

using HandLoop = HandResult (*)(const std::vector<workload::LogJob>&, std::int64_t gpus);

/// @param same_output  the loop that hands back starts and ends, as natgpu does
/// @param statistics_only  the loop that keeps nothing per job
void measure_policy(const char* policy, Backfill backfill, double target, const workload::JobLog& log,
                    int repetitions, HandLoop same_output, HandLoop statistics_only) {
  simulation::ReplayOptions options;
  options.backfill = backfill;
  simulation::ReplayResult result;
  HandResult full, bare;
  const auto seconds = interleaved(repetitions, {[&] { result = simulation::replay(log, options); },
                                                 [&] { full = same_output(log.jobs, machine_gpus); },
                                                 [&] { bare = statistics_only(log.jobs, machine_gpus); }});
  verify(policy, result, full);
  verify(policy, result, bare);
  const double per_job = 1e9 / static_cast<double>(log.jobs.size());
  const std::string name = fmt::format("replay {}: ", policy);
  for_information(name + "mean wait, equal by hand", result.mean_wait_s, "s");
  for_information(name + "natgpu", per_job * median(seconds[0]), "ns/job");
  for_information(name + "hand-written loop", per_job * median(seconds[1]), "ns/job");
  for_information(name + "loop for statistics only", per_job * median(seconds[2]), "ns/job");
  at_most(name + "natgpu / hand-written loop", target, ratio(seconds[0], seconds[1]), "x");
  at_most(name + "natgpu / loop for statistics only", target, ratio(seconds[0], seconds[2]), "x");
}

template <class Keep>
HandResult hand_easy(const std::vector<workload::LogJob>& jobs, std::int64_t gpus) {
  return HandEasy<Keep>(jobs, gpus).run();
}

}  // namespace

/// bench-replay [JOBS [REPETITIONS [fcfs|easy|read]]]
int main(int argc, char** argv) {
  const std::size_t jobs = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const int repetitions = argc > 2 ? std::atoi(argv[2]) : 7;
  const std::string only = argc > 3 ? argv[3] : "";
  const auto log = synthetic_log(jobs);
  if (only.empty() || only == "read") measure_reading(log, repetitions);
  if (only.empty() || only == "fcfs")
    measure_policy("fcfs", Backfill::none, 2, log, repetitions, hand_fcfs<KeepTimes>, hand_fcfs<KeepNothing>);
  if (only.empty() || only == "easy")
    measure_policy("easy", Backfill::easy, 3, log, repetitions, hand_easy<KeepTimes>, hand_easy<KeepNothing>);
}
