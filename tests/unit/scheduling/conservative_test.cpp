// SPDX-License-Identifier: Apache-2.0
#include <natgpu/conformance/plain_conservative.hpp>
#include <natgpu/scheduling/conservative.hpp>

#include <cstddef>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "duel.hpp"

using namespace natgpu::scheduling;
using natgpu::conformance::PlainConservative;
using natgpu::conformance::PlainDispatcher;

namespace {
/// As with a long queue: sweeps look only where GPUs were gained.
struct GainsAlone : ConservativeDispatcher {
  GainsAlone(std::size_t pools, std::vector<GroupSpec> groups, bool arrivals_first, std::size_t limit)
      : ConservativeDispatcher(pools, std::move(groups), arrivals_first, limit) {
    look_everywhere_below(0);
  }
};
/// As with a queue that grows and shrinks: now so, now the other way.
struct InTurns : ConservativeDispatcher {
  InTurns(std::size_t pools, std::vector<GroupSpec> groups, bool arrivals_first, std::size_t limit)
      : ConservativeDispatcher(pools, std::move(groups), arrivals_first, limit) {
    look_everywhere_below(3);
  }
};
}  // namespace

TEST_CASE("conservative over several pools agrees with plain loops on random workloads") {
  check_against_plain_loops<ConservativeDispatcher, PlainConservative>(100, ConservativeDispatcher::everyone);
}
TEST_CASE("sweeps that look only where GPUs were gained agree with plain loops") {
  check_against_plain_loops<GainsAlone, PlainConservative>(150, ConservativeDispatcher::everyone);
  check_against_plain_loops<InTurns, PlainConservative>(100, ConservativeDispatcher::everyone);
}
TEST_CASE("a limited number of reservations agrees with plain loops on random workloads") {
  const std::size_t limit = GENERATE(as<std::size_t>(), 1, 2, 5);
  CAPTURE(limit);
  check_against_plain_loops<ConservativeDispatcher, PlainConservative>(60, limit);
  check_against_plain_loops<GainsAlone, PlainConservative>(60, limit);
}

namespace {
struct OneReservation : ConservativeDispatcher {
  OneReservation(std::size_t pools, std::vector<GroupSpec> groups, bool arrivals_first)
      : ConservativeDispatcher(pools, std::move(groups), arrivals_first, 1) {}
};
}  // namespace

TEST_CASE("one reservation in one pool is EASY's, job for job, in whatever order jobs come") {
  for (const bool ordered : {true, false})
    for (const bool announced : {true, false}) {
      Workload w;
      w.ordered = ordered;
      w.announced = announced;
      CAPTURE(ordered, announced);
      CHECK(disagreements<OneReservation, PlainDispatcher<Backfill::easy>>(500, w) ==
            std::vector<std::uint64_t>{});
    }
}
