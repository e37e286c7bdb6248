// SPDX-License-Identifier: Apache-2.0
// Quota reclaim against plain loops on random workloads with losses of GPUs, and mutants that the kit must
// find.
#include <natgpu/conformance/check.hpp>
#include <natgpu/conformance/plain_quota_reclaim.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/scheduling/quota_reclaim.hpp>

#include <memory>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::conformance;
using scheduling::PreemptiveRule;
using scheduling::Quota;
using scheduling::QuotaReclaim;

namespace {

/// Accounts 0, 1 and 2 have 1/9, 2/9 and 6/9.
const std::vector<Quota>& quotas() {
  static const std::vector<Quota> all = scheduling::quotas_of(trial_tree());
  return all;
}
PreemptiveRule rule_of(Backfill backfill, std::int64_t shield_s = 0, std::int64_t notice_s = 0,
                       std::int64_t round_s = 0) {
  PreemptiveRule rule;
  rule.skips = backfill == Backfill::fit;
  rule.shield = shield_s * ticks_per_second;
  rule.notice = notice_s * ticks_per_second;
  rule.round = round_s * ticks_per_second;
  return rule;
}
/// Under fcfs, or with accounts as classes.
Candidate candidate_of(const PreemptiveRule& rule, bool by_class = false) {
  Parts parts;
  parts.order = scheduling::Order::srtf;
  Candidate c = built_in("quota-reclaim", parts);
  c.order = [by_class] {
    return by_class ? scheduling::StaticOrder(+[](const natgpu_job* job) { return job->account; })
                    : scheduling::StaticOrder(scheduling::Order::fcfs, {});
  };
  c.make = [rule, by_class] { return subject_of(QuotaReclaim(rule, quotas(), by_class)); };
  c.rule_as_plain_loops = [rule, by_class] {
    return subject_of(PlainQuotaReclaim(rule, quotas(), by_class));
  };
  c.rule = "quota-reclaim";
  c.shield = rule.shield;
  c.notice = rule.notice;
  c.round = rule.round;
  return c;
}
Flaw flaw_of(const Candidate& c) {
  const CheckReport report = check(c, {300, 1, nullptr});
  REQUIRE(report.failure);
  INFO(report.failure->violation.what << "\n" << in_words(report.failure->workload));
  CHECK(report.failure->workload.jobs.size() <= 6);
  return report.failure->violation.flaw;
}

class Mutant : public DispatcherSubject<QuotaReclaim> {
 public:
  explicit Mutant(const PreemptiveRule& rule, const std::vector<Quota>& parts = quotas())
      : DispatcherSubject(QuotaReclaim(rule, parts)) {}
};
/// A job that lost its GPUs comes back as another account's.
class Misattributes : public Mutant {
 public:
  using Mutant::Mutant;
  void submit(const Submitted& s) override {
    Submitted other = s;
    if (s.progress.attained > 0) other.account = (s.account + 1) % 3;
    Mutant::submit(other);
  }
};
}  // namespace

TEST_CASE(
    "quota reclaim decides as its plain loops do, with a shield, under notice, in rounds, and by class") {
  std::uint64_t preempted = 0, workloads = 0;
  for (const bool by_class : {false, true})
    for (const Backfill backfill : {Backfill::fit, Backfill::none})
      for (const std::int64_t shield : {0, 5})
        for (const std::int64_t notice : {0, 3, 20})
          for (const std::int64_t round : {0, 7}) {
            CAPTURE(by_class, static_cast<int>(backfill), shield, notice, round);
            const Candidate c = candidate_of(rule_of(backfill, shield, notice, round), by_class);
            const CheckReport report = check(c, {200, 7, nullptr});
            INFO((report.failure ? report.failure->violation.what + "\n" + in_words(report.failure->workload)
                                 : ""));
            CHECK(report.passed());
            CHECK(report.preempted > 50);
            preempted += report.preempted;
            workloads += report.workloads;
          }
  CAPTURE(preempted, workloads);
  CHECK(workloads == 9600);
}

TEST_CASE("a job that comes back as another account's is found") {
  Candidate c = candidate_of(rule_of(Backfill::fit));
  c.make = [] { return std::make_unique<Misattributes>(rule_of(Backfill::fit)); };
  CHECK(flaw_of(c) == Flaw::other_rule);
}

TEST_CASE("quotas that are not those of the shares are found, and such of users without their groups") {
  Candidate c = candidate_of(rule_of(Backfill::fit));
  for (const std::vector<Quota>& wrong : {std::vector<Quota>{{}, {}, {}, {6, 9}, {2, 9}, {1, 9}},
                                          std::vector<Quota>{{}, {}, {}, {1, 4}, {2, 4}, {1, 4}}}) {
    c.make = [&] { return std::make_unique<Mutant>(rule_of(Backfill::fit), wrong); };
    CHECK(flaw_of(c) == Flaw::other_rule);
  }
}

TEST_CASE("a shield that is too long, and jobs that block where they should be passed over, are found") {
  Candidate c = candidate_of(rule_of(Backfill::fit, 5));
  c.make = [] { return std::make_unique<Mutant>(rule_of(Backfill::fit, 6)); };
  CHECK(flaw_of(c) == Flaw::other_rule);
  c.make = [] { return std::make_unique<Mutant>(rule_of(Backfill::none, 5)); };
  CHECK(flaw_of(c) == Flaw::other_rule);
}
