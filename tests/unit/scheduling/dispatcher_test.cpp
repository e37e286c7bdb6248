// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/dispatcher.hpp>

#include "catch.hpp"
#include "duel.hpp"

using namespace natgpu::scheduling;

namespace {
template <Backfill B>
void check_against_plain_loops() {
  natgpu::scheduling::check_against_plain_loops<Dispatcher<B>, PlainDispatcher<B>>(100);
}
}  // namespace

TEST_CASE("none over several pools agrees with plain loops on random workloads") {
  check_against_plain_loops<Backfill::none>();
}
TEST_CASE("fit over several pools agrees with plain loops on random workloads") {
  check_against_plain_loops<Backfill::fit>();
}
TEST_CASE("easy over several pools agrees with plain loops on random workloads") {
  check_against_plain_loops<Backfill::easy>();
}
