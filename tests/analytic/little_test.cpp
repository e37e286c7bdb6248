// SPDX-License-Identifier: Apache-2.0
// Little's law on a path: the integral of the number of jobs in the system is the sum of the times they spent
// in it, exactly, whatever the policy. The integral is taken by a watcher, the times come from the run's
// books.
#include "queue.hpp"
#include "watched_run.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

std::string yaml(const std::string& backfill, const std::string& patience) {
  Queue q{
      12,
      {{"small", 5, exponential(1), "{dist: discrete, values: [1 GPU, 2 GPU], weights: [2, 1]}", patience},
       {"large", 0.6, constant(1.5), "8 GPU", patience}},
      2,
      "{order: fcfs, backfill: " + backfill + "}"};
  std::string text = yaml_of(q);
  return text.insert(
      text.find("demand:"),
      "  failures: {causes: [{name: any, mtbf: 1 d, repair: {dist: exponential, mean: 2 h}}]}\n");
}

/// Sums over all jobs that came.
simulation::JobCounts total_of(const simulation::DispatchBooks& books) {
  simulation::JobCounts all;
  for (const simulation::JobCounts& c : books.cohorts) all.merge(c);
  return all;
}

}  // namespace

TEST_CASE("jobs in the system, integrated over time, are the times that jobs spent there") {
  for (const char* backfill : {"none", "fit", "easy"}) {
    INFO("backfill " << backfill);
    constexpr std::int64_t patience_h = 4;
    for (const std::string& patience : {std::string("endless"), fmt::format("{} h", patience_h)}) {
      INFO("patience " << patience);
      const WatchedRun run = watch(scenario_of(yaml(backfill, patience)));
      const simulation::JobCounts all = total_of(run.books);
      REQUIRE(all.submitted > 500);
      REQUIRE(all.restarts > 20);
      CHECK((patience == "endless") == (all.gave_up == 0));

      Area spent = all.turnaround + static_cast<Area>(all.gave_up) * hours(patience_h).count();
      for (const SeenJob& j : run.seen.jobs)
        if (j.still_there) spent += j.gone - j.submitted;
      CHECK(run.seen.present == spent);
    }
  }
}

TEST_CASE("jobs in the queue, integrated over time, are the waits of jobs that never restart") {
  for (const char* backfill : {"none", "fit", "easy"}) {
    INFO("backfill " << backfill);
    Queue q{
        6, {{"users", 4, exponential(1), "{dist: discrete, values: [1 GPU, 3 GPU], weights: [4, 1]}"}}, 2};
    q.scheduling = std::string("{order: fcfs, backfill: ") + backfill + "}";
    const WatchedRun run = watch(scenario_of(yaml_of(q)));
    const simulation::JobCounts all = total_of(run.books);
    REQUIRE(all.waited > 0);
    CHECK(run.seen.waiting == all.waited + all.censored_wait);
  }
}

TEST_CASE("GPUs held by jobs, integrated over time, are the GPU-time in the books") {
  for (const char* backfill : {"none", "fit", "easy"}) {
    INFO("backfill " << backfill);
    const WatchedRun run = watch(scenario_of(yaml(backfill, "4 h")));
    CHECK(run.within_capacity);
    Area booked = 0, of_organisations = 0;
    for (const simulation::PoolAreas& a : run.books.areas) booked += a.allocated;
    for (const Area a : run.books.of_organisation) of_organisations += a;
    REQUIRE(run.seen.allocated.size() == 1);
    CHECK(run.seen.allocated[0] == booked);
    CHECK(run.seen.allocated[0] == of_organisations);
  }
}
