// SPDX-License-Identifier: Apache-2.0
// What `natgpu check` prints and writes: its verdicts for people, for CI servers and for editors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/experiment/summary.hpp>

namespace natgpu::report {

enum class CheckKind : std::uint8_t { target, regression, exact, reality };

/// One thing that was checked.
struct CheckRow {
  std::string scenario;
  std::string file;  ///< of the scenario, as given
  int line = 0;      ///< where the check stands in it; 0: not known
  CheckKind kind = CheckKind::target;
  std::string name;  ///< of a target; else what is compared
  std::string what;  ///< metric, labels and bar
  experiment::Verdict verdict = experiment::Verdict::inconclusive;
  bool warn_only = false;
  std::string message;
};

/// A scenario that was checked.
struct CheckedScenario {
  std::string name, file, policy, hash, baseline,
      baseline_hash;  ///< baseline: its file; empty where there is none
  std::uint64_t seed = 0;
  std::size_t replications = 0;
};

struct CheckReport {
  std::vector<CheckedScenario> scenarios;
  std::vector<CheckRow> rows;  ///< by scenario
};

/// FAIL where any check of level error failed, else INCONCLUSIVE where any is, else PASS.
experiment::Verdict verdict_of(const CheckReport& report);

/// For a terminal: every check, the failed ones last.
std::string check_text(const CheckReport& report);
std::string check_json(const CheckReport& report);
/// JUnit XML: one test case for each check; inconclusive ones and warnings are skipped ones with a message.
std::string check_junit(const CheckReport& report);
/// Workflow commands of GitHub Actions for what did not pass: the worst ten, as many as it shows.
std::string github_annotations(const CheckReport& report);
/// Markdown for GitHub's step summary, at most 1 MiB.
std::string github_summary(const CheckReport& report);
/// SARIF 2.1.0 with the mistakes of scenario files; without mistakes an empty run.
std::string sarif(const std::vector<Diagnostic>& diagnostics);

}  // namespace natgpu::report
