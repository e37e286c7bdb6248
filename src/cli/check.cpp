// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include <natgpu/core/file.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/experiment/regression.hpp>
#include <natgpu/report/baseline.hpp>
#include <natgpu/report/check.hpp>

#include "command.hpp"
#include "run_options.hpp"
#include "scenarios.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

namespace fs = std::filesystem;
using experiment::BaselineEntry;
using experiment::RegressionResult;
using experiment::Verdict;

/// The baselines in use, by file; each is read once.
class Baselines {
 public:
  explicit Baselines(bool updating) : updating_(updating) {}

  /// @returns the entry, or null where an update will write the first one
  const BaselineEntry* find(const std::string& path, const scenario::Scenario& s) {
    for (const BaselineEntry& e : entries(path))
      if (is_of(e, s)) return &e;
    if (!updating_)
      refuse_file(path, "E0507",
                  fmt::format("the baseline does not hold {} under policy {}", s.name, s.policy),
                  "record it with --update-baseline");
    return nullptr;
  }
  void put(const std::string& path, const scenario::Scenario& s, BaselineEntry entry) {
    std::vector<BaselineEntry>& all = entries(path);
    const auto old =
        std::find_if(all.begin(), all.end(), [&](const BaselineEntry& e) { return is_of(e, s); });
    if (old == all.end())
      all.push_back(std::move(entry));
    else
      *old = std::move(entry);
  }
  void write() const {
    for (const auto& [path, entries] : files_) write_file_whole(path, report::baseline_json(entries));
  }

 private:
  static bool is_of(const BaselineEntry& e, const scenario::Scenario& s) {
    return e.scenario == s.name && e.policy == s.policy;
  }
  std::vector<BaselineEntry>& entries(const std::string& path) {
    const auto known = files_.find(path);
    if (known != files_.end()) return known->second;
    const bool is_new = updating_ && !fs::exists(path);
    return files_[path] = is_new ? std::vector<BaselineEntry>{} : report::read_baseline(path);
  }

  bool updating_;
  std::map<std::string, std::vector<BaselineEntry>> files_;
};

/// `--baseline`, else what the scenario names; empty where there is none.
std::string baseline_path(const scenario::Scenario& s, const Arguments& arguments) {
  if (arguments.has("--baseline")) return arguments.text("--baseline");
  if (s.regressions.baseline.empty()) return {};
  return (fs::path(s.folder) / s.regressions.baseline).string();
}

/// A scenario with its replications, before verdicts.
struct Checked {
  scenario::Scenario scenario;
  std::string baseline;  ///< path
  const BaselineEntry* entry = nullptr;
  std::vector<simulation::RunRecord> records;
  experiment::Summary summary;
  std::vector<RegressionResult> regressions;
};

std::uint32_t replications_of(const Checked& c, const Arguments& arguments) {
  const std::int64_t stated = c.scenario.replications;
  if (states_replications(arguments)) return static_cast<std::uint32_t>(stated);
  const auto recorded = static_cast<std::int64_t>(c.entry == nullptr ? 0 : c.entry->fingerprints.size());
  return static_cast<std::uint32_t>(
      std::max({stated, recorded, static_cast<std::int64_t>(experiment::least_replications)}));
}

/// @returns false after an interrupt
bool run(Checked& c, const Arguments& arguments) {
  experiment::ReplicateOptions options;
  options.seed = static_cast<std::uint64_t>(c.scenario.seed);
  options.replications = replications_of(c, arguments);
  options.threads = threads(arguments);
  options.stop = &stop_requested();
  experiment::Replications done = std::move(run_all(c.scenario.name, {&c.scenario}, options).front());
  if (done.interrupted) return false;
  c.records = std::move(done.records);
  c.summary = experiment::summarise(c.scenario, c.records);
  if (!c.summary.mistakes.empty()) throw ScenarioError(c.summary.mistakes);
  return true;
}

void refuse(const Checked& c, const std::vector<Finding>& findings) {
  if (findings.empty()) return;
  std::vector<Diagnostic> mistakes;
  for (const Finding& f : findings)
    mistakes.push_back(
        file_mistake(c.scenario.file, f.code, fmt::format("{}: {}", f.path, f.message), f.help));
  throw ScenarioError(std::move(mistakes));
}

BaselineEntry record(const Checked& c) {
  BaselineEntry entry{
      c.scenario.name, c.scenario.policy, experiment::model_hash(c.scenario), c.records.front().seed, {}, {}};
  for (const simulation::RunRecord& r : c.records) entry.fingerprints.push_back(r.fingerprint);
  std::vector<Finding> findings;
  entry.rows = experiment::baseline_rows(c.scenario, c.summary, c.entry, findings);
  refuse(c, findings);
  return entry;
}

/// Takes the verdict back where replications are too few for any.
void judge_only_enough(const Checked& c, report::CheckRow& row) {
  if (c.records.size() >= experiment::least_replications) return;
  row.verdict = Verdict::inconclusive;
  row.message =
      fmt::format("{} replications, verdicts need {}", c.records.size(), experiment::least_replications);
}

report::CheckRow target_row(const Checked& c, const experiment::TargetResult& t) {
  report::CheckRow row;
  row.scenario = c.scenario.name;
  row.file = c.scenario.file;
  row.line = t.target.at.place.line;
  row.name = t.target.name;
  row.what = fmt::format("{}{}{} {}", t.target.metric, t.target.where.empty() ? "" : " ", t.target.where,
                         t.target.expect);
  row.warn_only = t.target.level == scenario::Level::warn;
  row.verdict = t.verdict;
  row.message = t.explanation;
  judge_only_enough(c, row);
  return row;
}

report::CheckRow reality_row(const Checked& c, const experiment::RealityResult& r) {
  report::CheckRow row;
  row.scenario = c.scenario.name;
  row.file = c.scenario.file;
  row.line = r.check.at.place.line;
  row.kind = report::CheckKind::reality;
  row.name = r.check.name;
  row.what = fmt::format("{}{}{} from {} to {}", r.check.metric, r.check.where.empty() ? "" : " ",
                         r.check.where, r.check.low, r.check.high);
  row.warn_only = r.check.level == scenario::Level::warn;
  row.verdict = r.verdict;
  row.message = r.explanation;
  judge_only_enough(c, row);
  return row;
}

report::CheckRow regression_row(const Checked& c, const RegressionResult& r) {
  report::CheckRow row;
  row.scenario = c.scenario.name;
  row.file = c.scenario.file;
  row.kind = report::CheckKind::regression;
  row.name = r.row.metric;
  row.what = fmt::format("{}{}{} by {}", measures::to_string(r.row.labels), r.row.labels.empty() ? "" : ", ",
                         r.row.better == scenario::Side::same
                             ? "same"
                             : fmt::format("{} is better", experiment::name_of(r.row.better)),
                         r.row.margin);
  row.verdict = r.verdict;
  row.message = r.explanation;
  return row;
}

/// Equal fingerprints in every replication that both have.
report::CheckRow exact_row(const Checked& c) {
  report::CheckRow row;
  row.scenario = c.scenario.name;
  row.file = c.scenario.file;
  row.kind = report::CheckKind::exact;
  row.name = "fingerprints";
  row.what = "every event of every replication as recorded";
  if (c.records.front().seed != c.entry->seed) {
    row.message = fmt::format("the baseline was recorded with seed {}", c.entry->seed);
    return row;
  }
  const std::vector<std::uint32_t> changed = experiment::changed_replications(c.records, *c.entry);
  const std::size_t n = std::min(c.records.size(), c.entry->fingerprints.size());
  row.verdict = changed.empty() ? Verdict::pass : Verdict::fail;
  row.message = changed.empty() ? fmt::format("equal in {} replications", n)
                                : fmt::format("{} of {} replications differ, first number {}", changed.size(),
                                              n, changed.front());
  return row;
}

report::CheckReport judge(std::vector<Checked>& all, bool exact) {
  std::vector<RegressionResult*> family;
  for (Checked& c : all)
    for (RegressionResult& r : c.regressions) family.push_back(&r);
  experiment::judge_regressions(family);
  report::CheckReport report;
  for (const Checked& c : all) {
    report.scenarios.push_back({c.scenario.name, c.scenario.file, c.scenario.policy,
                                experiment::model_hash(c.scenario), c.baseline,
                                c.entry == nullptr ? "" : c.entry->hash,
                                static_cast<std::uint64_t>(c.scenario.seed), c.records.size()});
    for (const experiment::TargetResult& t : c.summary.targets) report.rows.push_back(target_row(c, t));
    for (const experiment::RealityResult& r : c.summary.reality) report.rows.push_back(reality_row(c, r));
    for (const RegressionResult& r : c.regressions) report.rows.push_back(regression_row(c, r));
    if (exact && c.entry != nullptr) report.rows.push_back(exact_row(c));
  }
  return report;
}

/// Appends to the file that GitHub names for the summary of a step.
void write_step_summary(const std::string& text) {
  const char* path = std::getenv("GITHUB_STEP_SUMMARY");
  if (path == nullptr || *path == '\0') return;
  std::FILE* file = std::fopen(path, "ab");
  const bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = file != nullptr && std::fclose(file) == 0;
  if (!written || !closed) throw RunError(fmt::format("cannot append to {}", printable(path)));
}

int publish(const report::CheckReport& report, const Arguments& arguments) {
  if (arguments.has("--json")) write_file_whole(arguments.text("--json"), report::check_json(report));
  if (arguments.has("--junit")) write_file_whole(arguments.text("--junit"), report::check_junit(report));
  put_out(report::check_text(report));
  if (arguments.has("--github")) {
    put_out(report::github_annotations(report));
    write_step_summary(report::github_summary(report));
  }
  switch (report::verdict_of(report)) {
    case Verdict::pass:
      return Exit::done;
    case Verdict::fail:
      return Exit::failed;
    case Verdict::inconclusive:
      break;
  }
  return Exit::inconclusive;
}

std::vector<Checked> load(const Arguments& arguments, Baselines& baselines) {
  scenario::LoadOptions options;
  options.set = settings(arguments);
  options.policy = arguments.text("--policy");
  options.central = true;  // a gate judges the scenario as stated: futures would drown what a change did
  std::vector<Checked> all;
  std::vector<Diagnostic> mistakes;
  for (scenario::Scenario& s : load_all(arguments.positional, options)) {
    Checked c;
    c.baseline = baseline_path(s, arguments);
    if (!c.baseline.empty()) c.entry = baselines.find(c.baseline, s);
    const bool nothing = c.baseline.empty() && s.targets.empty() && s.reality_checks.empty();
    if (nothing || (c.baseline.empty() && !s.regressions.checks.empty()))
      mistakes.push_back(file_mistake(s.file, "E0508",
                                      nothing
                                          ? "the scenario has neither targets, reality checks nor a baseline"
                                          : "the scenario has regressions but no baseline",
                                      "state `targets`, or a baseline with --baseline FILE"));
    for (const Checked& other : all)
      if (other.scenario.name == s.name)
        throw UsageError(fmt::format("two scenarios are called {}", printable(s.name)));
    c.scenario = std::move(s);
    all.push_back(std::move(c));
  }
  if (!mistakes.empty()) throw ScenarioError(std::move(mistakes));
  return all;
}

int check_all(const Arguments& arguments) {
  const bool updating = arguments.has("--update-baseline");
  Baselines baselines(updating);
  std::vector<Checked> all = load(arguments, baselines);
  for (Checked& c : all) {
    if (updating && c.baseline.empty())
      throw UsageError("--update-baseline needs a file",
                       "name it with --baseline FILE or in `regressions.baseline`");
    if (arguments.has("--exact") && c.entry == nullptr && !updating)
      throw UsageError("--exact needs a baseline",
                       "name it with --baseline FILE or in `regressions.baseline`");
    if (!run(c, arguments)) {
      put_err("interrupted; nothing was judged\n");
      return Exit::interrupted;
    }
  }
  if (updating) {
    std::string diff;
    std::vector<BaselineEntry> entries;  // put only when all are made: they look at those before
    for (const Checked& c : all) {
      entries.push_back(record(c));
      diff += report::baseline_diff(c.entry, entries.back());
    }
    for (std::size_t i = 0; i < all.size(); ++i)
      baselines.put(all[i].baseline, all[i].scenario, std::move(entries[i]));
    baselines.write();
    put_out(diff);
    return Exit::done;
  }
  for (Checked& c : all) {
    if (c.entry == nullptr) continue;
    std::vector<Finding> findings;
    c.regressions = experiment::measure_regressions(c.scenario, c.summary, c.records, *c.entry, findings);
    refuse(c, findings);
  }
  return publish(judge(all, arguments.has("--exact")), arguments);
}

int check(const Arguments& arguments) {
  const std::string sarif = arguments.text("--sarif");
  try {
    const int code = check_all(arguments);
    if (!sarif.empty()) write_file_whole(sarif, report::sarif({}));
    return code;
  } catch (const ScenarioError& e) {
    if (!sarif.empty()) write_file_whole(sarif, report::sarif(e.diagnostics()));
    throw;
  }
}

}  // namespace

const Command& check_command() {
  static const Command command{
      "check",
      "Judge targets and regressions; the exit code is the verdict.",
      "SCENARIO...",
      1,
      10000,
      {{"--baseline", "FILE", "values recorded earlier; by default `regressions.baseline` of the scenario"},
       {"--update-baseline", "", "record this run's values in it and print what changes"},
       {"--exact", "", "also demand that every event is as recorded (fingerprints)"},
       {"--junit", "FILE", "write the verdicts as JUnit XML"},
       {"--github", "", "print annotations, and append to $GITHUB_STEP_SUMMARY"},
       {"--json", "FILE", "write the verdicts as JSON"},
       {"--sarif", "FILE", "write the mistakes of scenario files as SARIF 2.1.0"},
       {"--policy", "P", "a policy block of the scenario, or a named scheduling policy"},
       {"--replications", "N", "by default those of the baseline, at least 10"},
       seed_option(),
       jobs_option(),
       set_option()},
      {"natgpu check scenarios/small-city.yaml",
       "natgpu check my.yaml --baseline my-baseline.json --update-baseline",
       "natgpu check my.yaml --baseline my-baseline.json --junit check.xml --github"},
      check};
  return command;
}

}  // namespace natgpu::cli
