// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/dispatcher.hpp>

#include "catch.hpp"
#include "duel.hpp"

using namespace natgpu::scheduling;
using natgpu::conformance::PlainDispatcher;

namespace {
/// @param seeds  of each setting
template <Backfill B>
void check_against_plain_loops(std::uint64_t seeds) {
  natgpu::scheduling::check_against_plain_loops<Dispatcher<B>, PlainDispatcher<B>>(seeds);
}
}  // namespace

TEST_CASE("none over several pools agrees with plain loops on random workloads") {
  check_against_plain_loops<Backfill::none>(100);
}
TEST_CASE("fit over several pools agrees with plain loops on random workloads") {
  check_against_plain_loops<Backfill::fit>(100);
}
TEST_CASE("easy over several pools agrees with plain loops on random workloads") {
  // A blocked job that comes to claim another pool without any other change is one workload in ten thousand.
  check_against_plain_loops<Backfill::easy>(3000);
}
TEST_CASE("easy-sjbf over several pools agrees with plain loops on random workloads") {
  check_against_plain_loops<Backfill::easy_sjbf>(3000);
}
