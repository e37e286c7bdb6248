// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include <natgpu/core/file.hpp>
#include <natgpu/core/text.hpp>
#include <natgpu/core/units.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/experiment/compare.hpp>
#include <natgpu/report/comparison.hpp>
#include <natgpu/scenario/futures.hpp>

#include "command.hpp"
#include "run_options.hpp"
#include "scenarios.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

/// The scenario under each policy, the base among them.
struct Contest {
  std::vector<std::string> names;
  std::vector<scenario::Scenario> scenarios;
  std::size_t base = 0;
};

std::vector<std::string> names_of(const Arguments& arguments, const scenario::LoadOptions& options) {
  std::vector<std::string> names = parts_of(arguments.text("--policies"), ',');
  if (names.empty()) {
    names.emplace_back("base");
    const std::vector<scenario::Scenario> loaded = load_all(arguments.positional, options);
    for (const scenario::PolicyBlock& block : loaded.front().policies) names.push_back(block.name);
  }
  const std::string base = arguments.text("--vs", names.front());
  if (std::find(names.begin(), names.end(), base) == names.end()) names.insert(names.begin(), base);
  for (auto name = names.begin(); name != names.end(); ++name)
    if (std::find(names.begin(), name, *name) != name)
      throw UsageError(fmt::format("--policies: `{}` stands twice", printable(*name)));
  if (names.size() < 2) throw UsageError("a comparison needs two policies", "write `--policies fcfs,easy`");
  return names;
}

/// @param central  nothing uncertain is drawn
Contest load_contest(const Arguments& arguments, bool central) {
  scenario::LoadOptions options;
  options.set = settings(arguments);
  options.quick = arguments.has("--quick");
  options.central = central;
  if (!options.quick && !states_replications(arguments)) {
    const std::int64_t stated = load_all(arguments.positional, options).front().replications;
    options.set.push_back(
        fmt::format("replications={}", std::max<std::int64_t>(stated, experiment::least_replications)));
  }
  Contest contest;
  contest.names = names_of(arguments, options);
  std::vector<Diagnostic> mistakes;
  for (const std::string& name : contest.names) {
    options.policy = name;
    try {
      contest.scenarios.push_back(load_all(arguments.positional, options).front());
    } catch (const ScenarioError& e) {
      mistakes.insert(mistakes.end(), e.diagnostics().begin(), e.diagnostics().end());
    }
  }
  if (!mistakes.empty()) throw ScenarioError(std::move(mistakes));
  const std::string base = arguments.text("--vs", contest.names.front());
  contest.base = static_cast<std::size_t>(std::find(contest.names.begin(), contest.names.end(), base) -
                                          contest.names.begin());
  for (std::size_t i = 0; i < contest.names.size(); ++i)
    if (contest.scenarios[i].seed != contest.scenarios[contest.base].seed)
      throw UsageError(fmt::format("policy `{}` changes the seed", printable(contest.names[i])),
                       "policies are compared on the same draws; set the seed with --seed");
  return contest;
}

/// "1 %" or "0.01" as a share.
double margin_of(const Arguments& arguments) {
  double margin = 0;
  if (arguments.has("--margin") &&
      (parse_quantity(arguments.text("--margin"), Dimension::share, margin) != QuantityError::none ||
       margin < 0))
    throw UsageError(fmt::format("--margin: `{}` is no share", printable(arguments.text("--margin"))),
                     "write `1 %`: of the base's mean");
  return margin;
}

/// Runs so many replications of every policy and compares them.
class Round {
 public:
  Round(const Contest& contest, const Arguments& arguments) : contest_(contest) {
    options_.seed = static_cast<std::uint64_t>(contest.scenarios[contest.base].seed);
    options_.threads = threads(arguments);
    options_.stop = &stop_requested();
  }
  /// @returns false where nothing was finished
  bool run(std::uint32_t replications) {
    std::vector<const scenario::Scenario*> scenarios;
    for (const scenario::Scenario& s : contest_.scenarios) scenarios.push_back(&s);
    options_.replications = replications;
    done_ = run_all(contest_.scenarios[contest_.base].name, scenarios, options_);
    if (done_.front().records.empty()) return false;
    summaries_.clear();
    for (std::size_t i = 0; i < done_.size(); ++i)
      summaries_.push_back(experiment::summarise(contest_.scenarios[i], done_[i].records));
    return true;
  }
  /// @returns false where nothing was finished
  bool run(std::uint32_t replications, const std::vector<experiment::Question>& questions,
           const experiment::CompareOptions& options) {
    if (!run(replications)) return false;
    comparison_ = experiment::compare(runs(), contest_.base, questions, options);
    return true;
  }
  std::vector<experiment::PolicyRuns> runs() const {
    std::vector<experiment::PolicyRuns> all;
    for (std::size_t i = 0; i < done_.size(); ++i)
      all.push_back({contest_.names[i], &done_[i].records, &summaries_[i]});
    return all;
  }
  const experiment::Comparison& comparison() const { return comparison_; }
  const std::vector<experiment::Replications>& done() const { return done_; }

 private:
  const Contest& contest_;
  experiment::ReplicateOptions options_;
  std::vector<experiment::Replications> done_;
  std::vector<experiment::Summary> summaries_;
  experiment::Comparison comparison_;
};

/// `--shake`: every policy in so many futures, and as often with the values as stated.
/// @returns false after an interrupt
bool shake(const Contest& contest, const Arguments& arguments,
           const std::vector<experiment::Question>& questions, report::ComparisonResult& result) {
  const Contest as_stated = load_contest(arguments, true);
  Round stated(as_stated, arguments), futures(contest, arguments);
  for (Round* round : {&stated, &futures})
    if (!round->run(result.shaken) || round->done().front().interrupted) return false;
  result.flips = experiment::ranking_flips(stated.runs(), futures.runs(), questions);
  return true;
}

/// Futures to shake the order with; 0 where none are asked for.
std::uint32_t shaken_futures(const Arguments& arguments, const Contest& contest) {
  if (!arguments.has("--shake")) return 0;
  if (std::none_of(contest.scenarios.begin(), contest.scenarios.end(), scenario::has_futures))
    throw UsageError("--shake: nothing is drawn",
                     arguments.has("--central")
                         ? "leave out --central"
                         : "state `uncertainties` in the scenario (docs/scenarios.md)");
  return static_cast<std::uint32_t>(arguments.whole("--shake", 0, 2, most_replications));
}

bool is_undecided(const experiment::Compared& row) {
  return row.verdict == experiment::PairVerdict::undecided;
}

std::vector<Diagnostic> diagnostics_of(const std::vector<Finding>& findings) {
  std::vector<Diagnostic> all;
  for (const Finding& f : findings) {
    Diagnostic d;
    d.code = f.code;
    d.message = fmt::format("{}: {}", f.path, f.message);
    d.help = f.help;
    d.place.file = "--metrics";
    all.push_back(std::move(d));
  }
  return all;
}

int compare(const Arguments& arguments) {
  report::ComparisonResult result;
  const Contest contest = load_contest(arguments, arguments.has("--central"));
  const scenario::Scenario& base = contest.scenarios[contest.base];
  result.questions = parts_of(arguments.text("--metrics"), ',');
  const std::vector<experiment::Question> questions = questions_of(result.questions, base);
  result.margin = margin_of(arguments);
  result.quick = arguments.has("--quick");
  result.central = arguments.has("--central");
  result.settings = arguments.list("--set");
  result.seed = static_cast<std::uint64_t>(base.seed);
  result.replications_asked = static_cast<std::uint32_t>(base.replications);
  result.second_stage =
      static_cast<std::uint32_t>(arguments.whole("--then", 0, base.replications + 1, most_replications));
  result.shaken = shaken_futures(arguments, contest);
  const std::string folder =
      arguments.text("--out", "results/" + slug(base.name + "-compare" + (result.quick ? "-quick" : "")));
  prepare_folder(folder);

  experiment::CompareOptions options;
  options.margin = result.margin;
  options.judged = base.quick_scale >= 1;
  if (result.second_stage > 0) options.alpha /= 2;  // half for each of two looks at the same experiment
  Round round(contest, arguments);
  bool any = round.run(result.replications_asked, questions, options);
  const auto& rows = round.comparison().rows;
  if (any && result.second_stage > 0 && !round.done().front().interrupted &&
      std::any_of(rows.begin(), rows.end(), is_undecided)) {
    result.second_stage_run = true;
    any = round.run(result.second_stage, questions, options);
  }
  if (!any) {
    put_err("interrupted before every policy had finished a replication; nothing was written\n");
    return Exit::interrupted;
  }
  if (!round.comparison().mistakes.empty()) throw ScenarioError(diagnostics_of(round.comparison().mistakes));
  if (result.shaken > 0 && !shake(contest, arguments, questions, result)) {
    put_err("interrupted while the order was shaken; nothing was written\n");
    return Exit::interrupted;
  }
  result.comparison = round.comparison();
  result.base = contest.base;
  result.interrupted = round.done().front().interrupted;
  for (std::size_t i = 0; i < contest.names.size(); ++i)
    result.policies.push_back({contest.names[i], &contest.scenarios[i], &round.done()[i].records});
  const std::string path = report::write_comparison(folder, result);
  put_out(report::comparison_text(result));
  put_out(path + "\n");
  if (result.interrupted) return Exit::interrupted;
  return std::all_of(rows.begin(), rows.end(), is_undecided) ? Exit::inconclusive : Exit::done;
}

}  // namespace

const Command& compare_command() {
  static const Command command{
      "compare",
      "Compare policies on equal draws, with intervals and verdicts.",
      "SCENARIO",
      1,
      1,
      {{"--policies", "A,B,...",
        "policies of the file, named ones (fcfs, fit, easy) or base; by default base and all of the file"},
       {"--vs", "P", "compare the others with this one; by default the first"},
       {"--metrics", "M,M:LABELS,...",
        "what to compare, as jobs.wait.mean:sector=labs; by default headlines and targets"},
       {"--margin", "SHARE",
        "smaller differences are of no interest, as 1 % of the base's mean; by default 0"},
       {"--replications", "N", "by default as the scenario says, at least 10"},
       {"--then", "N",
        "declare a second stage of N replications, run if the first leaves anything undecided"},
       {"--shake", "N",
        "also count in how many of N futures two policies change places (needs `uncertainties`)"},
       seed_option(),
       jobs_option(),
       set_option(),
       central_option(),
       {"--quick", "", "scale capacity and demand down, few replications: a look without verdicts"},
       {"--out", "DIR", "for the results; by default results/<scenario>-compare[-quick]"}},
      {"natgpu compare scenarios/small-city.yaml --policies fcfs,easy",
       "natgpu compare scenarios/small-city.yaml --policies fcfs,fit,easy --vs easy --replications 30",
       "natgpu compare scenarios/small-city.yaml --policies fcfs,easy --metrics "
       "'jobs.wait.mean:period=2026;sector=labs'"},
      compare};
  return command;
}

}  // namespace natgpu::cli
