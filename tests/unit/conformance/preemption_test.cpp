// SPDX-License-Identifier: Apache-2.0
// Orders that take GPUs back against plain loops, and mutants of them that the kit must find.
#include <natgpu/conformance/check.hpp>
#include <natgpu/conformance/plain_class_preemption.hpp>
#include <natgpu/conformance/plain_preemptive.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/scheduling/class_preemption.hpp>
#include <natgpu/scheduling/gavel.hpp>
#include <natgpu/scheduling/preemptive.hpp>

#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::conformance;
using scheduling::Order;
using scheduling::PreemptiveDispatcher;
using scheduling::PreemptiveRule;

namespace {

constexpr Order orders[] = {Order::srtf, Order::srsf, Order::las, Order::las2d};
constexpr Order orders_by_target[] = {Order::gavel_las, Order::gavel_ftf};

Parts parts_of(Order order, Backfill backfill = Backfill::fit) {
  Parts parts;
  parts.order = order;
  parts.backfill = backfill;
  parts.preemption = small_preemption(order);
  return parts;
}
void passes(const Parts& parts, std::uint64_t seed = 3) {
  const CheckReport report = check(built_in("it", parts), {150, seed, nullptr});
  CAPTURE(static_cast<int>(parts.order), static_cast<int>(parts.backfill), parts.preemption.shield,
          parts.preemption.round, parts.preemption.notice);
  INFO((report.failure ? report.failure->violation.what + "\n" + in_words(report.failure->workload) : ""));
  CHECK(report.passed());
  CHECK(report.preempted > 100);
}
/// With fit and with none: as it is, with a shield, under notice, and in rounds.
void passes_in_every_setting(Order order, std::int64_t shield_s, std::int64_t round_s) {
  for (const Backfill backfill : {Backfill::fit, Backfill::none}) {
    Parts parts = parts_of(order, backfill);
    passes(parts);
    parts.preemption.shield = shield_s * ticks_per_second;
    passes(parts);
    parts.preemption.notice = 3 * ticks_per_second;
    passes(parts);
    parts.preemption.shield = 0;
    passes(parts);
    parts.preemption.notice = 0;
    parts.preemption.round = round_s * ticks_per_second;
    passes(parts);
  }
}

/// Shares as Gavel's, but each requeued job begins to count anew.
class CountsAnew : public DispatcherSubject<scheduling::GavelDispatcher> {
 public:
  explicit CountsAnew(PreemptiveRule rule)
      : DispatcherSubject(scheduling::GavelDispatcher(std::move(rule))) {}
  void submit(const Submitted& s) override {
    Submitted anew = s;
    anew.progress.attained = 0;
    DispatcherSubject::submit(anew);
  }
};
/// Passes everything on to the dispatcher, but for what a mutant changes.
class Mutant : public DispatcherSubject<PreemptiveDispatcher> {
 public:
  explicit Mutant(PreemptiveRule rule) : DispatcherSubject(PreemptiveDispatcher(std::move(rule))) {}
};
/// Loses the third job that comes back to the queue.
class Forgets : public Mutant {
 public:
  using Mutant::Mutant;
  void submit(const Submitted& s) override {
    if (s.progress.attained > 0 && ++back_ == 3) return;
    Mutant::submit(s);
  }

 private:
  int back_ = 0;
};
/// Counts the GPUs of a job twice that it takes back.
class Counts : public Mutant {
 public:
  using Mutant::Mutant;
  void submit(const Submitted& s) override {
    if (s.progress.attained > 0) Mutant::change_capacity(s.job.gpus);
    Mutant::submit(s);
  }
};
/// Preempts each job it starts at once.
class TakesBackAtOnce : public Mutant {
 public:
  using Mutant::Mutant;
  void pass(std::int64_t now, Decisions& d) override {
    struct Again : Decisions {
      explicit Again(Decisions& to) : out(to) {}
      void start(std::uint32_t slot) override {
        out.start(slot);
        out.preempt(slot);
      }
      void reject(std::uint32_t slot) override { out.reject(slot); }
      void preempt(std::uint32_t slot) override { out.preempt(slot); }
      Decisions& out;
    } again(d);
    Mutant::pass(now, again);
  }
};

/// Preempts whom it has preempted before once more, in a later pass.
class TakesBackTwice : public Mutant {
 public:
  using Mutant::Mutant;
  void pass(std::int64_t now, Decisions& d) override {
    for (const std::uint32_t slot : std::exchange(taken_, {})) d.preempt(slot);
    struct Seen : Decisions {
      Seen(Decisions& to, std::vector<std::uint32_t>& slots) : out(to), taken(slots) {}
      void start(std::uint32_t slot) override { out.start(slot); }
      void reject(std::uint32_t slot) override { out.reject(slot); }
      void preempt(std::uint32_t slot) override {
        out.preempt(slot);
        taken.push_back(slot);
      }
      Decisions& out;
      std::vector<std::uint32_t>& taken;
    } seen(d, taken_);
    Mutant::pass(now, seen);
  }

 private:
  std::vector<std::uint32_t> taken_;
};

template <class M>
Candidate mutant(Order order, PreemptiveRule rule) {
  Candidate c = built_in("mutant", parts_of(order));
  rule.order = order;
  c.make = [rule] { return std::make_unique<M>(rule); };
  return c;
}
Flaw flaw_of(const Candidate& c) {
  const CheckReport report = check(c, {300, 1, nullptr});
  REQUIRE(report.failure);
  INFO(report.failure->violation.what << "\n" << in_words(report.failure->workload));
  CHECK(report.failure->workload.jobs.size() <= 5);
  return report.failure->violation.flaw;
}
/// On its own books alone.
Candidate without_rule(Candidate c) {
  c.rule_as_plain_loops = nullptr;
  return c;
}

}  // namespace

TEST_CASE("every order that takes GPUs back decides as its plain loops do, with a shield and in rounds too") {
  for (const Order order : orders) passes_in_every_setting(order, 5, 7);
}

TEST_CASE("orders by target shares decide as their plain loops do, with a shield and in longer rounds too") {
  for (const Order order : orders_by_target) passes_in_every_setting(order, 8, 12);
}

TEST_CASE(
    "preemption by class decides as its plain loops do, with a shield, under notice and in rounds too") {
  for (const Backfill backfill : {Backfill::fit, Backfill::none})
    for (const std::int64_t shield : {0, 5})
      for (const std::int64_t notice : {0, 3, 20})
        for (const std::int64_t round : {0, 7}) {
          CAPTURE(static_cast<int>(backfill), shield, notice, round);
          PreemptiveRule rule;
          rule.skips = backfill == Backfill::fit;
          rule.shield = shield * ticks_per_second;
          rule.notice = notice * ticks_per_second;
          rule.round = round * ticks_per_second;
          Candidate c = built_in("by class", parts_of(Order::srtf, backfill));
          c.order = [] {
            return scheduling::StaticOrder([](const natgpu_job* job) { return job->account; });
          };
          c.make = [rule] { return subject_of(scheduling::ClassPreemption(rule)); };
          c.rule_as_plain_loops = [rule] { return subject_of(PlainClassPreemption(rule)); };
          c.shield = rule.shield;
          c.notice = rule.notice;
          c.round = rule.round;
          const CheckReport report = check(c, {200, 5, nullptr});
          INFO((report.failure ? report.failure->violation.what + "\n" + in_words(report.failure->workload)
                               : ""));
          CHECK(report.passed());
          CHECK(report.preempted > 50);
        }
}

TEST_CASE("a mode beside the order is part of the policy, and not to preempt is found") {
  using Mode = scheduling::PreemptionSettings::Mode;
  for (const auto& [mode, order] : {std::pair{Mode::by_class, Order::priority},
                                    {Mode::quota_reclaim, Order::fcfs},
                                    {Mode::quota_reclaim, Order::priority}})
    for (const Backfill backfill : {Backfill::fit, Backfill::none}) {
      Parts parts = parts_of(order, backfill);
      parts.mode = mode;
      parts.preemption.shield = 3 * ticks_per_second;
      Candidate c = built_in("mode", parts);
      const CheckReport report = check(c, {200, 5, nullptr});
      INFO((report.failure ? report.failure->violation.what : ""));
      CHECK(report.passed());
      CHECK(report.preempted > 50);
      parts.mode = Mode::none;
      c.make = built_in("none", parts).make;
      c.foresees = false;
      CHECK(flaw_of(c) == Flaw::other_rule);
    }
}

TEST_CASE("a job that is preempted and forgotten is found") {
  const auto rule = small_preemption(Order::srtf);
  CHECK(flaw_of(without_rule(mutant<Forgets>(Order::srtf, rule))) == Flaw::lost);
}

TEST_CASE("GPUs taken back and given out twice are found") {
  const auto rule = small_preemption(Order::las);
  CHECK(flaw_of(without_rule(mutant<Counts>(Order::las, rule))) == Flaw::over_allocation);
}

TEST_CASE("a preemption inside the shield is found, by the shield that the policy claims") {
  Candidate c = without_rule(mutant<Mutant>(Order::srtf, small_preemption(Order::srtf)));
  CHECK(check(c, {100, 1, nullptr}).passed());
  c.shield = 5 * ticks_per_second;
  CHECK(flaw_of(c) == Flaw::no_such_preemption);
}

TEST_CASE("a preemption of a job that started in the same pass is found") {
  CHECK(flaw_of(without_rule(mutant<TakesBackAtOnce>(Order::srtf, small_preemption(Order::srtf)))) ==
        Flaw::no_such_preemption);
}

TEST_CASE("GPUs under notice that are given out before it is over are found") {
  for (const Order order : {Order::srtf, Order::las2d}) {
    Candidate c = without_rule(mutant<Mutant>(order, small_preemption(order)));
    c.notice = 3 * ticks_per_second;
    CHECK(flaw_of(c) == Flaw::over_allocation);
  }
}

TEST_CASE("a preemption of a job that is under notice is found") {
  PreemptiveRule rule = small_preemption(Order::srtf);
  rule.notice = 9 * ticks_per_second;
  Candidate c = without_rule(mutant<TakesBackTwice>(Order::srtf, rule));
  c.notice = rule.notice;
  CHECK(flaw_of(c) == Flaw::no_such_preemption);
  TrialWorkload w;  // job 0 is preempted at 2 and, when job 2 comes at 3, once more
  w.gpus = 2;
  w.jobs = {{0, 10, 10, 2, 0}, {2, 1, 1, 2, 0}, {3, 9, 9, 1, 0}};
  const TrialResult result = run_trial(c, w);
  REQUIRE(result.violation);
  CHECK(result.violation->what == "at 3: the policy preempts job 0, which is under notice already");
}

TEST_CASE("another choice than the rule's is found under notice too") {
  Parts parts = parts_of(Order::srtf);
  parts.preemption.notice = 3 * ticks_per_second;
  Candidate c = built_in("mutant", parts);
  PreemptiveRule rule = parts.preemption;
  rule.order = Order::srtf;
  rule.skips = false;  // and so waits for GPUs that the rule passes over
  c.make = [rule] { return std::make_unique<Mutant>(rule); };
  CHECK(flaw_of(c) == Flaw::other_rule);
}

TEST_CASE("a job under notice keeps its GPUs for it, does no work in it, and may lose them in it") {
  // Job 1 takes the GPUs of job 0 at 2, has them from 5 on, and is done at 6. Job 0 goes on from its
  // checkpoint at 2: 1 s of restart and 8 s of work.
  TrialWorkload w;
  w.gpus = 2;
  w.jobs = {{0, 10, 10, 2, 0}, {2, 1, 1, 2, 0}};
  Parts parts = parts_of(Order::srtf);
  parts.preemption.notice = 3 * ticks_per_second;
  const Candidate c = built_in("srtf", parts);
  TrialResult result = run_trial(c, w);
  INFO((result.violation ? result.violation->what : ""));
  CHECK_FALSE(result.violation);
  using Starts = std::vector<std::pair<std::int64_t, std::uint32_t>>;
  CHECK(result.starts == Starts{{0, 0}, {5, 1}, {6, 0}});
  CHECK(result.preempted == 1);
  CHECK(result.requeued == 0);
  w.outages = {{3, 4, 2, false}};  // the loss takes what is under notice: both wait at 4, the short one first
  result = run_trial(c, w);
  INFO((result.violation ? result.violation->what : ""));
  CHECK_FALSE(result.violation);
  CHECK(result.starts == Starts{{0, 0}, {4, 1}, {5, 0}});
  CHECK(result.requeued == 1);
}

TEST_CASE("time received that is forgotten is found, and finish times in the place of GPUs") {
  PreemptiveRule rule = small_preemption(Order::gavel_las);
  CHECK(flaw_of(mutant<CountsAnew>(Order::gavel_las, rule)) == Flaw::other_rule);
  Candidate c = built_in("mutant", parts_of(Order::gavel_las));
  rule.order = Order::gavel_ftf;
  c.make = [rule] { return subject_of(scheduling::GavelDispatcher(rule)); };
  CHECK(flaw_of(c) == Flaw::other_rule);
}

TEST_CASE("other numbers than the rule's are found") {
  PreemptiveRule rule = small_preemption(Order::las2d);
  rule.limits[0] += ticks_per_second;
  CHECK(flaw_of(mutant<Mutant>(Order::las2d, rule)) == Flaw::other_rule);
  rule = small_preemption(Order::las);
  rule.quantum += ticks_per_second;
  CHECK(flaw_of(mutant<Mutant>(Order::las, rule)) == Flaw::other_rule);
  rule = small_preemption(Order::las2d);
  rule.promote = 3;
  CHECK(flaw_of(mutant<Mutant>(Order::las2d, rule)) == Flaw::other_rule);
}

namespace {

/// Preempts the job that started first, and starts what fits.
void hasty(void*, const natgpu_host* host, std::int64_t now) {
  for (std::int64_t job = 0; host->job(host, job) != nullptr; ++job)
    if (host->preempt(host, job) == NATGPU_OK) break;
  for (std::int64_t job = -1; (job = host->next_fit(host, job, NATGPU_ANY, NATGPU_ANY, 0)) >= 0;)
    host->start(host, job, 0);
  if (host->next_fit(host, -1, NATGPU_ANY, NATGPU_ANY, 0) >= 0)
    host->wake_at(host, now + 7 * NATGPU_TICKS_PER_SECOND);
}

}  // namespace

TEST_CASE("a plugged policy whose host knows of no shield is found to break one") {
  natgpu_policy table{};
  table.abi = NATGPU_POLICY_ABI;
  table.size = sizeof table;
  table.pass = hasty;
  const scheduling::PluggedPolicy policy{&table, "./hasty.so", "hasty.so", "0123"};
  Candidate c = plugged(policy, {});
  c.shield = 5 * ticks_per_second;
  const CheckReport report = check(c, {300, 1, nullptr});
  REQUIRE(report.failure);
  CHECK(report.failure->violation.flaw == Flaw::no_such_preemption);
  CHECK(report.failure->violation.what.find("inside the shield") != std::string::npos);
}
