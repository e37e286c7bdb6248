// SPDX-License-Identifier: Apache-2.0
#include <natgpu/conformance/check.hpp>

#include <utility>

#include <fmt/format.h>

namespace natgpu::conformance {
namespace {

constexpr const char* flaw_names[] = {"over-allocation", "starts", "preemptions", "lost jobs",
                                      "promises",        "rule",   "starvation",  "determinism"};
static_assert(std::size(flaw_names) == flaws);
constexpr const char* status_names[] = {"passed", "failed", "not claimed", "seen"};

Finding& finding(CheckReport& report, Flaw flaw) {
  return report.findings[static_cast<std::size_t>(flaw)];
}

/// What the policy does not claim is not looked at.
void note_claims(const Candidate& c, CheckReport& report) {
  if (c.claims.promise == Promise::nobody)
    finding(report, Flaw::broken_promise) = {Status::not_claimed, "no start is promised to anybody"};
  if (c.rule_as_plain_loops)
    finding(report, Flaw::other_rule).what = fmt::format("as {} in plain loops", c.rule);
  else
    finding(report, Flaw::other_rule) = {Status::not_claimed, "compared with nothing: --like P names a rule"};
}

std::size_t size_of(const TrialWorkload& w) {
  return w.jobs.size() + w.outages.size();
}

/// What cannot be made smaller from one workload may be small from the next: a few more are looked at.
Failure smallest_of_several(const Candidate& candidate, std::uint64_t seed, const WorkloadKind& kind,
                            Failure best) {
  constexpr std::uint64_t further_workloads = 400;
  int further_failures = 8;
  for (std::uint64_t i = best.index + 1; i <= best.index + further_workloads && further_failures > 0; ++i) {
    const TrialWorkload workload = random_workload(seed, i, kind);
    const TrialResult result = run_twice(candidate, workload);
    if (!result.violation || result.violation->flaw != best.violation.flaw) continue;
    --further_failures;
    Failure other = shrink(candidate, {*result.violation, i, workload});
    if (size_of(other.workload) < size_of(best.workload)) best = std::move(other);
  }
  return best;
}

}  // namespace

const char* name_of(Flaw flaw) {
  return flaw_names[static_cast<std::size_t>(flaw)];
}
const char* name_of(Status status) {
  return status_names[static_cast<std::size_t>(status)];
}

CheckReport check(const Candidate& candidate, const CheckOptions& options) {
  CheckReport report;
  note_claims(candidate, report);
  const WorkloadKind kind{candidate.foresees, true};
  for (std::uint64_t i = 0; i < options.workloads; ++i) {
    if (options.stop != nullptr && options.stop->load()) {
      report.stopped = true;
      return report;
    }
    const TrialWorkload workload = random_workload(options.seed, i, kind);
    const TrialResult result = run_twice(candidate, workload);
    ++report.workloads;
    report.starts += result.starts.size();
    report.requeued += result.requeued;
    report.rejected += result.rejected;
    report.preempted += result.preempted;
    Finding& starvation = finding(report, Flaw::starved);
    if (!result.starved.empty() && starvation.status == Status::passed)
      starvation = {Status::seen, fmt::format("workload {}, {}", i, result.starved)};
    if (!result.violation) continue;
    report.failure = smallest_of_several(candidate, options.seed, kind,
                                         shrink(candidate, {*result.violation, i, workload}));
    finding(report, result.violation->flaw) = {Status::failed, report.failure->violation.what};
    return report;
  }
  if (!candidate.claims.bounded_wait && finding(report, Flaw::starved).status == Status::passed)
    finding(report, Flaw::starved) = {Status::not_claimed, "not seen"};
  return report;
}

}  // namespace natgpu::conformance
