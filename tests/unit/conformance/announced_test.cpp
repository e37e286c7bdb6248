// SPDX-License-Identifier: Apache-2.0
#include <natgpu/conformance/trial.hpp>

#include "catch.hpp"

using namespace natgpu::conformance;

TEST_CASE("GPUs that come back as announced put off no promise, though the plan is short for another loss") {
  // At 1 four of six GPUs are gone without notice, so that the announced outage from 4 on leaves less than
  // none. That one GPU comes back at 2, as announced, is no loss: job 2 keeps its start there.
  TrialWorkload w;
  w.gpus = 6;
  w.jobs = {{0, 2, 1, 2, 0}, {0, 2, 2, 2, 0}, {0, 2, 1, 2, 0}};
  w.outages = {{1, 3, 4, false}, {4, 5, 3, true}, {1, 2, 1, true}};
  Parts parts;
  parts.backfill = Backfill::conservative;
  const TrialResult result = run_trial(built_in("conservative", parts), w);
  INFO((result.violation ? result.violation->what : ""));
  CHECK_FALSE(result.violation);
  CHECK(result.requeued > 0);
}
