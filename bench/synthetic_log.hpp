// SPDX-License-Identifier: Apache-2.0
// The log that benches replay: Poisson arrivals on one machine, sizes and run times over several powers of
// ten.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include <natgpu/core/hash.hpp>
#include <natgpu/workload/job_log.hpp>

namespace natgpu::bench {

inline constexpr std::int64_t machine_gpus = 1024;
inline constexpr int largest_exponent = 7;  // sizes 1 .. 128 GPUs, powers of two, each as likely
inline constexpr double offered_load = 0.9;
inline constexpr double shortest_s = 60, longest_s = 86400;  // run times, log-uniform

/// Above 0 and below 1: a pure function of both.
inline double uniform(std::uint64_t job, std::uint64_t purpose) {
  constexpr std::uint64_t seed = 20250101;
  return (static_cast<double>(mix64(mix64(seed + purpose) + job) >> 11) + 0.5) * 0x1p-53;
}
inline double mean_gpus() {
  return ((2 << largest_exponent) - 1) / (largest_exponent + 1.0);
}

/// Without an instant of submission. Requests are one to five times the run time, in whole minutes.
inline workload::LogJob synthetic_job(std::uint64_t i) {
  workload::LogJob job;
  const double run_s = shortest_s * std::pow(longest_s / shortest_s, uniform(i, 2));
  job.id = static_cast<std::int64_t>(i) + 1;
  job.run_s = static_cast<std::int64_t>(run_s);
  job.requested_s = static_cast<std::int64_t>(std::ceil(run_s * (1 + 4 * uniform(i, 3)) / 60)) * 60;
  job.gpus = 1 << static_cast<int>(uniform(i, 4) * (largest_exponent + 1));
  return job;
}

inline workload::JobLog synthetic_log(std::size_t jobs) {
  const double mean_run_s = (longest_s - shortest_s) / std::log(longest_s / shortest_s);
  const double gap_s = mean_run_s * mean_gpus() / (offered_load * static_cast<double>(machine_gpus));
  workload::JobLog log;
  log.max_procs = machine_gpus;
  double clock_s = 0;
  for (std::size_t i = 0; i < jobs; ++i) {
    clock_s -= gap_s * std::log(uniform(i, 1));
    log.jobs.push_back(synthetic_job(i));
    log.jobs.back().submit_s = static_cast<std::int64_t>(clock_s);
  }
  return log;
}

}  // namespace natgpu::bench
