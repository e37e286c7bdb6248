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

TEST_CASE("conservative over several pools agrees with plain loops on random workloads") {
  check_against_plain_loops<ConservativeDispatcher, PlainConservative>(100, ConservativeDispatcher::everyone);
}
TEST_CASE("a limited number of reservations agrees with plain loops on random workloads") {
  const std::size_t limit = GENERATE(1U, 2U, 5U);
  CAPTURE(limit);
  check_against_plain_loops<ConservativeDispatcher, PlainConservative>(60, limit);
}

namespace {
struct OneReservation : ConservativeDispatcher {
  OneReservation(std::size_t pools, std::vector<GroupSpec> groups, bool arrivals_first)
      : ConservativeDispatcher(pools, std::move(groups), arrivals_first, 1) {}
};
}  // namespace

TEST_CASE("one reservation in one pool is EASY's, job for job, when jobs come in queue order") {
  Workload w;
  w.changing = false;  // a requeued job would come before those that hold a promise
  CHECK(disagreements<OneReservation, PlainDispatcher<Backfill::easy>>(500, w) ==
        std::vector<std::uint64_t>{});
}
