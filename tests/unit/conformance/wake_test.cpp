// SPDX-License-Identifier: Apache-2.0
// Wake-ups: an instant at which nothing happens but the rule acts, and at which a mutant sleeps.
#include <natgpu/conformance/check.hpp>
#include <natgpu/conformance/plain_conservative.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/scheduling/conservative.hpp>
#include <natgpu/scheduling/gavel.hpp>
#include <natgpu/scheduling/preemptive.hpp>

#include <string>
#include <utility>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::conformance;
using scheduling::Order;

namespace {

constexpr std::int64_t not_at_all = Profile::forever;

/// Wants its passes later than the dispatcher does, or not at all.
template <class Dispatcher>
class Late : public DispatcherSubject<Dispatcher> {
 public:
  Late(Dispatcher dispatcher, std::int64_t by)
      : DispatcherSubject<Dispatcher>(std::move(dispatcher)), by_(by) {}
  std::int64_t next_start() const override {
    const std::int64_t right = DispatcherSubject<Dispatcher>::next_start();
    return right == not_at_all || by_ == not_at_all ? not_at_all : right + by_;
  }

 private:
  std::int64_t by_;
};

template <class Dispatcher, class Make>
Candidate late(const Parts& parts, std::int64_t by, Make make) {
  Candidate c = built_in("late", parts);
  c.make = [make, by] { return std::make_unique<Late<Dispatcher>>(make(), by); };
  return c;
}
Candidate late_conservative(std::int64_t by) {
  Parts parts;
  parts.backfill = Backfill::conservative;
  Candidate c = late<scheduling::ConservativeDispatcher>(parts, by, [] {
    return scheduling::ConservativeDispatcher(1, {GroupSpec{{{0, 1.0}}}}, false,
                                              scheduling::ConservativeDispatcher::everyone);
  });
  c.claims = {};  // so that no promise tells it before the rule does
  return c;
}
template <class Dispatcher>
Candidate late_preemptive(Order order, std::int64_t by, std::int64_t shield = 0) {
  Parts parts;
  parts.order = order;
  parts.backfill = Backfill::fit;
  parts.preemption = small_preemption(order);
  parts.preemption.shield = shield;
  scheduling::PreemptiveRule rule = parts.preemption;
  rule.order = order;
  rule.skips = true;
  return late<Dispatcher>(parts, by, [rule] { return Dispatcher(rule); });
}

/// The kit names the rule, the instant, and when the policy would have woken.
void is_found(const Candidate& c) {
  const CheckReport report = check(c, {300, 1, nullptr});
  REQUIRE(report.failure);
  const Failure& f = *report.failure;
  INFO(f.violation.what << "\n" << in_words(f.workload));
  CHECK(f.violation.flaw == Flaw::other_rule);
  CHECK(f.violation.what.find("the policy asks for no pass before") != std::string::npos);
  CHECK(f.workload.jobs.size() <= 4);
}
void passes(const Candidate& c) {
  const CheckReport report = check(c, {300, 1, nullptr});
  INFO((report.failure ? report.failure->violation.what + "\n" + in_words(report.failure->workload) : ""));
  CHECK(report.passed());
}

constexpr std::int64_t second = ticks_per_second;

}  // namespace

TEST_CASE("a reserved start that is slept through puts nobody off, for something happens at each") {
  // On one pool a reserved start is an end or a change of capacity, or a sweep has moved it to one.
  passes(late_conservative(0));
  passes(late_conservative(not_at_all));
}

TEST_CASE("a change of rank that is slept through is found, by a second and by a tick") {
  using scheduling::PreemptiveDispatcher;
  for (const Order order : {Order::las, Order::las2d}) {
    CAPTURE(static_cast<int>(order));
    passes(late_preemptive<PreemptiveDispatcher>(order, 0));
    is_found(late_preemptive<PreemptiveDispatcher>(order, second));
    is_found(late_preemptive<PreemptiveDispatcher>(order, 1));
    is_found(late_preemptive<PreemptiveDispatcher>(order, not_at_all));
  }
}

TEST_CASE("the end of a shield that is slept through is found") {
  using scheduling::PreemptiveDispatcher;
  passes(late_preemptive<PreemptiveDispatcher>(Order::srtf, 0, 5 * second));
  is_found(late_preemptive<PreemptiveDispatcher>(Order::srtf, 1, 5 * second));
}

TEST_CASE("a round that is slept through is found") {
  passes(late_preemptive<scheduling::GavelDispatcher>(Order::gavel_las, 0));
  is_found(late_preemptive<scheduling::GavelDispatcher>(Order::gavel_las, 5 * second));
  is_found(late_preemptive<scheduling::GavelDispatcher>(Order::gavel_ftf, not_at_all));
}
