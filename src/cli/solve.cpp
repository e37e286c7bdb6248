// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include <natgpu/core/file.hpp>
#include <natgpu/core/units.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/experiment/solve.hpp>
#include <natgpu/report/solution.hpp>

#include "command.hpp"
#include "lever.hpp"
#include "run_options.hpp"
#include "scenarios.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

experiment::Goal goal_of(const Arguments& arguments) {
  if (!arguments.has("--target"))
    throw UsageError("solve needs --target", "write `--target 'jobs.wait.mean <= 600 s'`");
  experiment::Goal goal;
  std::vector<Diagnostic> mistakes;
  for (const Finding& f : experiment::read_goal(arguments.text("--target"), goal)) {
    Diagnostic d;
    d.code = f.code;
    d.message = f.message;
    d.help = f.help;
    d.place.file = "--target " + arguments.text("--target");
    mistakes.push_back(std::move(d));
  }
  if (!mistakes.empty()) throw ScenarioError(std::move(mistakes));
  return goal;
}

Lever lever_of(const Arguments& arguments) {
  for (const char* option : {"--vary", "--from", "--to"})
    if (!arguments.has(option))
      throw UsageError(fmt::format("solve needs {}", option),
                       "write `--vary 'supply.tranches[a].units' --from '8 GPU' --to '20 GPU'`");
  return Lever(arguments.text("--vary"), arguments.text("--from"), arguments.text("--to"),
               arguments.text("--step"));
}

double confidence_of(const Arguments& arguments) {
  double confidence = 0.95;
  if (arguments.has("--confidence") &&
      (parse_quantity(arguments.text("--confidence"), Dimension::share, confidence) != QuantityError::none ||
       confidence <= 0.5 || confidence >= 1))
    throw UsageError(fmt::format("--confidence: `{}` is no share above 50 % and below 100 %",
                                 printable(arguments.text("--confidence"))));
  return confidence;
}

/// Loads the scenario with one value of the lever and runs it; every value on the same draws.
class Evaluation {
 public:
  Evaluation(const Arguments& arguments, const Lever& lever, const experiment::Goal& goal)
      : arguments_(arguments), lever_(lever), goal_(goal) {
    options_.policy = arguments.text("--policy");
    options_.set = settings(arguments);
    options_.central = arguments.has("--central");
    if (!states_replications(arguments)) {
      const std::int64_t stated = load_all(arguments.positional, options_).front().replications;
      options_.set.push_back(
          fmt::format("replications={}", std::max<std::int64_t>(stated, experiment::least_replications)));
    }
    scenario(0);  // a lever that is no path, or a value out of range, shows before anything runs
    base_ = scenario(lever.points() - 1);
    if (base_.replications < static_cast<std::int64_t>(experiment::least_replications))
      throw UsageError(
          fmt::format("--replications: an answer needs {} or more", experiment::least_replications));
  }
  const scenario::Scenario& base() const { return base_; }

  std::optional<experiment::Estimate> operator()(std::size_t point) {
    const scenario::Scenario s = scenario(point);
    experiment::ReplicateOptions options;
    options.seed = static_cast<std::uint64_t>(base_.seed);
    options.replications = static_cast<std::uint32_t>(base_.replications);
    options.threads = threads(arguments_);
    options.stop = &stop_requested();
    const experiment::Replications done = std::move(run_all(lever_.value(point), {&s}, options).front());
    if (done.interrupted) return {};
    const experiment::Summary summary = experiment::summarise(s, done.records);
    const experiment::Estimate* e = experiment::answer(summary, goal_.question);
    if (e != nullptr) return *e;
    experiment::Estimate nothing;  // no replication measures it here, as a quantile of jobs that never start
    nothing.metric = goal_.question.metric;
    nothing.values.assign(done.records.size(), std::nan(""));
    experiment::estimate_from_values(nothing);
    return nothing;
  }

 private:
  scenario::Scenario scenario(std::size_t point) const {
    scenario::LoadOptions options = options_;
    options.set.push_back(lever_.setting(point));
    return load_all(arguments_.positional, options).front();
  }

  const Arguments& arguments_;
  const Lever& lever_;
  const experiment::Goal& goal_;
  scenario::LoadOptions options_;
  scenario::Scenario base_;
};

int solve(const Arguments& arguments) {
  const experiment::Goal goal = goal_of(arguments);
  const Lever lever = lever_of(arguments);
  experiment::SolveOptions options;
  options.confidence = confidence_of(arguments);
  Evaluation evaluation(arguments, lever, goal);
  const std::string file = arguments.text("--json");

  report::SolutionResult result;
  result.solution = experiment::solve(
      lever.points(), goal.expect, [&](std::size_t point) { return evaluation(point); }, options);
  result.scenario = evaluation.base().name;
  result.policy = evaluation.base().policy;
  result.path = lever.path();
  result.target = arguments.text("--target");
  result.confidence = options.confidence;
  result.seed = static_cast<std::uint64_t>(evaluation.base().seed);
  result.replications = static_cast<std::size_t>(evaluation.base().replications);
  result.value = [&](std::size_t point) { return lever.value(point); };
  result.last = lever.points() - 1;
  using Outcome = experiment::Solution::Outcome;
  const bool measured = std::any_of(result.solution.tried.begin(), result.solution.tried.end(),
                                    [](const experiment::Tried& t) { return t.estimate.n > 0; });
  if (!measured && result.solution.outcome != Outcome::interrupted)
    refuse_file("--target " + result.target, "E0504",
                fmt::format("{} has no value with these labels at any value tried", goal.question.metric));
  if (!file.empty()) write_file_whole(file, report::solution_json(result));
  put_out(report::solution_text(result));
  switch (result.solution.outcome) {
    case Outcome::found:
    case Outcome::met_everywhere:
      return Exit::done;
    case Outcome::met_nowhere:
      return Exit::failed;
    case Outcome::not_monotone:
      return Exit::inconclusive;
    case Outcome::interrupted:
      break;
  }
  return Exit::interrupted;
}

}  // namespace

const Command& solve_command() {
  static const Command command{
      "solve",
      "Find the smallest or largest value of a lever that meets a target.",
      "SCENARIO",
      1,
      1,
      {{"--target", "BAR", "what is to be met, as 'jobs.wait.mean:sector=labs <= 600 s'"},
       {"--vary", "PATH", "the lever: a path as for --set"},
       {"--from", "VALUE", "its first value, as '8 GPU', 0.2 or 2027-03-01"},
       {"--to", "VALUE", "its last value"},
       {"--step", "VALUE", "by default 1 for whole numbers, 1 d for dates, else a hundredth of the way"},
       {"--confidence", "SHARE", "that the answer meets the target; by default 95 %"},
       {"--policy", "P", "a policy block of the scenario, or a named scheduling policy"},
       {"--replications", "N", "by default as the scenario says, at least 10"},
       seed_option(),
       jobs_option(),
       set_option(),
       central_option(),
       {"--json", "FILE", "write the answer and every value tried"}},
      {"natgpu solve scenarios/mmc.yaml --target 'jobs.wait.mean <= 400 s' --vary "
       "'supply.tranches[servers].units' "
       "--from '9 GPU' --to '16 GPU'",
       "natgpu solve my.yaml --target 'jobs.wait.p95 <= 86400 s' --vary 'supply.tranches[new].in_service' "
       "--from "
       "2026-02-01 --to 2026-12-01 --step '30 d'"},
      solve};
  return command;
}

}  // namespace natgpu::cli
