// SPDX-License-Identifier: Apache-2.0
// Looks at all jobs after each instant, one by one, and remembers what each did. Uses none of the run's own
// books, so that these can be checked against it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "../../src/simulation/dispatch_process.hpp"

namespace natgpu::testing {

/// One stretch of running, ticks.
struct Stretch {
  std::int64_t from = 0, until = 0;
  std::uint32_t pool = 0;
};

/// What was seen of one job.
struct SeenJob {
  std::uint64_t id = 0;  ///< order of submission
  simulation::JobKind kind = simulation::JobKind::batch;
  std::int32_t gpus = 0;
  std::int64_t submitted = 0;  ///< ticks
  std::int64_t gone = 0;       ///< ticks; the end of the run if it was still there
  bool still_there = false;
  std::vector<Stretch> ran;
};

/// What was seen of a whole run. Jobs that came and went in one instant were not.
struct SeenJobs {
  std::vector<SeenJob> jobs;      ///< in order of submission
  Area present = 0, waiting = 0;  ///< integrals of the numbers of jobs in the system and in the queue
  std::vector<Area> allocated;    ///< by pool, from the sizes of running jobs
  std::vector<Area> reserved;     ///< by pool, from the sizes of blocks less those of the jobs inside
};

class JobWatcher {
 public:
  /// Notes what has held since the last look. To be called at each instant before anything happens.
  template <class Dispatch>
  void look(const Dispatch& dispatch, std::int64_t now) {
    seen_.allocated.resize(dispatch.pools());
    seen_.reserved.resize(dispatch.pools());
    std::map<std::uint64_t, SeenJob> still;
    for (std::uint32_t slot = 0; slot < dispatch.job_slots(); ++slot)
      if (const simulation::Job& j = dispatch.job(slot); j.in_use) still[j.id] = note(j, now);
    for (auto& [id, job] : open_) {
      job.gone = since_;
      seen_.jobs.push_back(std::move(job));
    }
    open_ = std::move(still);
    since_ = now;
  }
  /// @pre looked at the end
  SeenJobs take() {
    for (auto& [id, job] : open_) {
      job.still_there = true;
      job.gone = since_;
      seen_.jobs.push_back(std::move(job));
    }
    std::sort(seen_.jobs.begin(), seen_.jobs.end(),
              [](const SeenJob& a, const SeenJob& b) { return a.id < b.id; });
    return std::move(seen_);
  }

 private:
  SeenJob note(const simulation::Job& j, std::int64_t now) {
    SeenJob s;
    if (const auto known = open_.find(j.id); known != open_.end()) {
      s = std::move(known->second);
      open_.erase(known);
    }
    s.id = j.id;
    s.kind = j.kind;
    s.gpus = j.gpus;
    s.submitted = j.submitted;
    seen_.present += now - since_;
    if (j.state == simulation::JobState::queued) {
      seen_.waiting += now - since_;
      return s;
    }
    const Area held = static_cast<Area>(now - since_) * j.parts;
    if (j.kind == simulation::JobKind::project)
      seen_.reserved[j.pool] += held;
    else
      seen_.allocated[j.pool] += held;
    if (j.kind == simulation::JobKind::block_job) seen_.reserved[j.pool] -= held;
    const bool goes_on = !s.ran.empty() && s.ran.back().until == since_ && j.started < since_;
    if (goes_on)
      s.ran.back().until = now;
    else
      s.ran.push_back({since_, now, j.pool});
    return s;
  }

  SeenJobs seen_;
  std::map<std::uint64_t, SeenJob> open_;
  std::int64_t since_ = 0;
};

}  // namespace natgpu::testing
