// SPDX-License-Identifier: Apache-2.0
// Orders by account and class against plain loops, under every backfill that goes with them.
#include <natgpu/conformance/check.hpp>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::conformance;
using scheduling::Backfill;
using scheduling::Order;

namespace {

constexpr std::initializer_list<Backfill> every_backfill = {Backfill::none,         Backfill::fit,
                                                            Backfill::easy,         Backfill::easy_sjbf,
                                                            Backfill::conservative, Backfill::reservations};

void check_order(Order order, std::initializer_list<Backfill> backfills) {
  for (const Backfill backfill : backfills) {
    INFO("order " << static_cast<int>(order) << ", backfill " << static_cast<int>(backfill));
    Parts parts;
    parts.order = order;
    parts.backfill = backfill;
    parts.reservations = backfill == Backfill::reservations ? 3 : 0;
    const CheckReport report = check(built_in("order", parts), {400, 11, nullptr});
    if (report.failure) {
      INFO(report.failure->violation.what << "\n" << in_words(report.failure->workload));
      FAIL_CHECK("differs");
    }
    CHECK(report.starts > 10'000);
    CHECK(report.requeued > 100);
  }
}

}  // namespace

TEST_CASE("maxmin starts every job when plain loops do") {
  check_order(Order::maxmin, {Backfill::none, Backfill::fit, Backfill::easy});
}

TEST_CASE("drf starts every job when plain loops do, with two resources") {
  check_order(Order::drf, {Backfill::none, Backfill::fit, Backfill::easy});
}

TEST_CASE("multifactor starts every job when plain loops do") {
  check_order(Order::multifactor, every_backfill);
}

TEST_CASE("fairtree starts every job when plain loops do") {
  check_order(Order::fairtree, every_backfill);
}

TEST_CASE("priority starts every job when plain loops do, reservations included") {
  check_order(Order::priority, every_backfill);
}

TEST_CASE("wfp and unicef start every job when plain loops do, and keep conservative's promises") {
  check_order(Order::wfp, every_backfill);
  check_order(Order::unicef, every_backfill);
}
