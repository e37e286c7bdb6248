// SPDX-License-Identifier: Apache-2.0
// Conservative backfilling by GPU numbers, against hand cases and against plain loops over sets of numbers.
#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <vector>

#include <natgpu/core/hash.hpp>
#include <natgpu/simulation/replay.hpp>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::simulation;

namespace {

using Starts = std::vector<std::int64_t>;

ReplayResult conservative(const workload::JobLog& log, std::int64_t gpus, bool named) {
  ReplayOptions options;
  options.gpus = gpus;
  options.backfill = scheduling::Backfill::conservative;
  options.named = named;
  return replay(log, options);
}

workload::JobLog random_log(std::uint64_t seed, std::int64_t largest) {
  workload::JobLog log;
  std::uint64_t state = seed;
  const auto up_to = [&](std::int64_t most) {
    state = mix64(state + 0x9e3779b97f4a7c15);
    return 1 + static_cast<std::int64_t>(state % static_cast<std::uint64_t>(most));
  };
  std::int64_t clock = 0;
  for (std::int64_t id = 1; id <= 14; ++id) {
    clock += up_to(4) - 1;
    workload::LogJob job;
    job.id = id;
    job.submit_s = clock;
    job.requested_s = up_to(9);
    job.run_s = up_to(3) == 1 ? job.requested_s : up_to(job.requested_s);
    job.gpus = static_cast<std::int32_t>(up_to(largest));
    log.jobs.push_back(job);
  }
  return log;
}

/// No index and nothing incremental: who is free when is asked of every hold, instant by instant.
class PlainNamed {
 public:
  PlainNamed(const workload::JobLog& log, int gpus) : log_(log), gpus_(gpus), start_(log.jobs.size(), -1) {}

  Starts run() {
    holds_.resize(log_.jobs.size());
    std::int64_t horizon = 0;
    for (const workload::LogJob& j : log_.jobs) horizon = std::max(horizon, j.submit_s) + j.requested_s;
    for (std::int64_t now = 0; now <= horizon; ++now) instant(now);
    return start_;
  }

 private:
  struct Hold {
    std::int64_t from = -1, until = -1;
    std::set<int> gpus;
  };
  void instant(std::int64_t now) {
    bool freed = false;
    for (std::size_t i = 0; i < log_.jobs.size(); ++i)
      if (start_[i] >= 0 && start_[i] + log_.jobs[i].run_s == now) {
        holds_[i] = {};
        freed = true;
      }
    if (freed)
      for (const std::size_t i : queue_) put(i, now);
    for (std::size_t i = 0; i < log_.jobs.size(); ++i)
      if (log_.jobs[i].submit_s == now) {
        queue_.push_back(i);
        put(i, now);
      }
    for (std::size_t q = 0; q < queue_.size();) {
      const std::size_t i = queue_[q];
      if (holds_[i].from != now) {
        ++q;
        continue;
      }
      start_[i] = now;
      queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(q));
    }
  }
  void put(std::size_t i, std::int64_t now) {
    holds_[i] = {};
    const workload::LogJob& job = log_.jobs[i];
    for (std::int64_t t = now;; ++t) {
      std::set<int> free;
      for (int g = 0; g < gpus_; ++g) free.insert(g);
      for (const Hold& h : holds_)
        if (h.from < t + job.requested_s && h.until > t)
          for (const int g : h.gpus) free.erase(g);
      if (free.size() < static_cast<std::size_t>(job.gpus)) continue;
      holds_[i] = {t, t + job.requested_s, {free.begin(), std::next(free.begin(), job.gpus)}};
      return;
    }
  }

  const workload::JobLog& log_;
  int gpus_;
  Starts start_;
  std::vector<Hold> holds_;
  std::vector<std::size_t> queue_;
};

}  // namespace

TEST_CASE("conservative by GPU numbers agrees with plain loops over sets of numbers") {
  int different = 0;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    INFO("seed " << seed);
    const workload::JobLog log = random_log(seed, 5);
    const Starts named = conservative(log, 6, true).start_s;
    REQUIRE(named == PlainNamed(log, 6).run());
    different += named != conservative(log, 6, false).start_s;
  }
  CHECK(different > 100);  // numbers do make a difference
}

TEST_CASE("a reservation by number can keep a job from a hole that counting GPUs would give it") {
  // 2 GPUs, each job asks for one. At 11 job 2 ends early, and its GPU is free until job 4's reservation
  // there at 13: too short for job 3 by number. By counts job 3 may have it, for at 12 another comes free.
  workload::JobLog log;
  for (const auto& [submit, requested, run] :
       {std::array<std::int64_t, 3>{3, 9, 9}, {4, 9, 7}, {6, 3, 2}, {7, 5, 5}}) {
    workload::LogJob job;
    job.id = static_cast<std::int64_t>(log.jobs.size()) + 1;
    job.submit_s = submit;
    job.requested_s = requested;
    job.run_s = run;
    job.gpus = 1;
    log.jobs.push_back(job);
  }
  CHECK(conservative(log, 2, false).start_s == Starts{3, 4, 11, 12});
  CHECK(conservative(log, 2, true).start_s == Starts{3, 4, 12, 11});
}
