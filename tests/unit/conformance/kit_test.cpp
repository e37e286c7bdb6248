// SPDX-License-Identifier: Apache-2.0
// The kit against policies that do each kind of wrong, in a few lines each.
#include <natgpu/conformance/check.hpp>
#include <natgpu/core/time.hpp>

#include <functional>
#include <vector>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::conformance;

namespace {

std::int64_t ticks(std::int64_t s) {
  return s * ticks_per_second;
}

/// First come, first served on books of its own, with what `pass` does in its place.
class Toy : public Subject {
 public:
  using Pass = std::function<void(Toy&, std::int64_t, Decisions&)>;
  explicit Toy(Pass pass) : pass_(std::move(pass)) {}
  void submit(const Submitted& s) override { queue.push_back(s.job); }
  void finish(const WaitingJob& job, std::int64_t) override { free += job.gpus; }
  void change_capacity(std::int64_t delta) override { free += delta; }
  void foresee(std::int64_t, std::int64_t) override {}
  void withdraw_foreseen(std::int64_t, std::int64_t) override {}
  void pass(std::int64_t now, Decisions& decisions) override { pass_(*this, now, decisions); }

  void start_heads(Decisions& decisions) {
    while (!queue.empty() && queue.front().gpus <= free) start(0, decisions);
  }
  void start(std::size_t i, Decisions& decisions) {
    const WaitingJob job = queue[i];
    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
    free -= job.gpus;
    decisions.start(job.slot);
  }
  std::vector<WaitingJob> queue;
  std::int64_t free = 0;
  int passes = 0;

 private:
  Pass pass_;
};

Candidate toy(Toy::Pass pass, const Claims& claims = {}) {
  Candidate c;
  c.name = "toy";
  c.make = [pass] { return std::make_unique<Toy>(pass); };
  c.order = [] { return scheduling::StaticOrder(); };
  c.claims = claims;
  c.foresees = false;
  return c;
}
void first_come(Toy& t, std::int64_t, Decisions& d) {
  t.start_heads(d);
}

Flaw flaw_of(const Candidate& c) {
  const CheckReport report = check(c, {200, 1, nullptr});
  REQUIRE(report.failure);
  CHECK_FALSE(report.passed());
  const Failure& f = *report.failure;
  INFO(f.violation.what << "\n" << in_words(f.workload));
  // The workload that is shown does show it.
  const TrialResult again = run_twice(c, f.workload);
  REQUIRE(again.violation);
  CHECK(again.violation->flaw == f.violation.flaw);
  CHECK(again.violation->what == f.violation.what);
  CHECK(f.workload.jobs.size() <= 4);
  CHECK(report.findings[static_cast<std::size_t>(f.violation.flaw)].status == Status::failed);
  return f.violation.flaw;
}

}  // namespace

TEST_CASE("a policy that does nothing wrong passes, and what it does not claim is not held against it") {
  const CheckReport report = check(toy(first_come, {Promise::nobody, true}), {200, 1, nullptr});
  CHECK(report.passed());
  CHECK(report.workloads == 200);
  CHECK(report.requeued > 50);
  for (std::size_t i = 0; i < flaws; ++i) CHECK(report.findings[i].status != Status::failed);
}

TEST_CASE("GPUs given out twice are found") {
  CHECK(flaw_of(toy([](Toy& t, std::int64_t, Decisions& d) {
          while (!t.queue.empty() && t.queue.front().gpus <= t.free + 1) t.start(0, d);
        })) == Flaw::over_allocation);
}

TEST_CASE("a job started twice is found") {
  CHECK(flaw_of(toy([](Toy& t, std::int64_t, Decisions& d) {
          while (!t.queue.empty() && t.queue.front().gpus <= t.free) {
            const WaitingJob job = t.queue.front();
            t.start(0, d);
            if (job.gpus <= t.free && job.slot == 1) d.start(job.slot);
          }
        })) == Flaw::no_such_start);
}

TEST_CASE("a job that is forgotten is found") {
  CHECK(flaw_of(toy([](Toy& t, std::int64_t, Decisions& d) {
          t.start_heads(d);
          if (t.queue.size() > 2) t.queue.pop_back();
        })) == Flaw::lost);
}

TEST_CASE("a head that is put off by those behind it is found, at the very start that does it") {
  const auto skipping = [](Toy& t, std::int64_t, Decisions& d) {
    for (std::size_t i = 0; i < t.queue.size();)
      if (t.queue[i].gpus <= t.free)
        t.start(i, d);
      else
        ++i;
  };
  CHECK(flaw_of(toy(skipping, {Promise::head, false})) == Flaw::broken_promise);
  CHECK(check(toy(skipping), {200, 1, nullptr}).passed());
}

TEST_CASE("a large job that never gets past the small ones is found, where the policy claims that it does") {
  const auto smallest = [](Toy& t, std::int64_t, Decisions& d) {
    for (std::size_t i = 0; i < t.queue.size();)
      if (t.queue[i].gpus <= t.free)
        t.start(i, d);
      else
        ++i;
  };
  const CheckReport report = check(toy(smallest, {Promise::nobody, true}), {200, 1, nullptr});
  REQUIRE(report.failure);
  CHECK(report.failure->violation.flaw == Flaw::starved);
  CHECK(check(toy(smallest), {200, 1, nullptr}).findings[static_cast<std::size_t>(Flaw::starved)].status ==
        Status::seen);
}

TEST_CASE("a policy that leaves something to chance is found") {
  int runs = 0;
  Candidate c = toy(first_come);
  c.make = [&runs] {
    return std::make_unique<Toy>([late = ++runs % 2 == 0](Toy& t, std::int64_t now, Decisions& d) {
      if (!late || now > ticks(3)) t.start_heads(d);
    });
  };
  CHECK(flaw_of(c) == Flaw::not_deterministic);
}

TEST_CASE("a start that the rule does not make is found, and one that it makes and the policy does not") {
  Candidate c = toy([](Toy& t, std::int64_t, Decisions& d) {
    if (++t.passes != 5) t.start_heads(d);
  });
  c.rule = "first come";
  c.rule_as_plain_loops = [] { return std::make_unique<Toy>(first_come); };
  CHECK(flaw_of(c) == Flaw::other_rule);
}

TEST_CASE(
    "random workloads are a function of seed and index, fit their machine, and hold what was asked for") {
  bool announced = false, losses = false;
  for (std::uint64_t i = 0; i < 64; ++i) {
    const TrialWorkload w = random_workload(3, i, {});
    CHECK(in_words(w) == in_words(random_workload(3, i, {})));
    CHECK(in_words(w) != in_words(random_workload(4, i, {})));
    for (const TrialJob& j : w.jobs)
      CHECK((j.gpus >= 1 && j.gpus <= w.gpus && j.requested >= 1 && j.run >= 1));
    for (const Outage& o : w.outages) {
      CHECK((o.from < o.until && o.gpus >= 1 && o.gpus <= w.gpus));
      (o.announced ? announced : losses) = true;
    }
    for (const Outage& o : random_workload(3, i, {false, true}).outages) CHECK_FALSE(o.announced);
    CHECK(random_workload(3, i, {false, false}).outages.empty());
  }
  CHECK((announced && losses));
}
