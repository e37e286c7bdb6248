// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include <natgpu/core/file.hpp>
#include <natgpu/core/units.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/experiment/compare.hpp>
#include <natgpu/report/sensitivity.hpp>
#include <natgpu/scenario/futures.hpp>

#include "command.hpp"
#include "run_options.hpp"
#include "scenarios.hpp"
#include "sweep_axes.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

using experiment::Estimate;
using experiment::UnitPoint;
using report::SensitivityMethod;

constexpr std::size_t points_at_once = 16;

scenario::LoadOptions load_options(const Arguments& arguments) {
  scenario::LoadOptions options;
  options.policy = arguments.text("--policy");
  options.set = settings(arguments);
  return options;
}

/// An input that is varied, from 0 to 1 of its way.
struct Factor {
  std::string name, path, range;
  std::function<std::string(double)> value;  ///< as a setting takes it
};

Factor factor_of(const Range& range) {
  return {range.path, range.path, fmt::format("{} to {}", value_at(range, 0), value_at(range, 1)),
          [range](double u) { return value_at(range, u); }};
}

/// "15.6 /month", "2026-02-16"
std::string shown(const scenario::Uncertainty& uncertainty, double u) {
  const std::string number = scenario::value_at(uncertainty, u).number;
  double value = 0;
  return parse_number(number, value) == QuantityError::none ? format_quantity(value, uncertainty.dimension)
                                                            : number;
}

/// Tornado and Morris go from p5 to p95, because the ends of a distribution may be endless; the shares of
/// variance that Sobol's indices are need the whole distribution.
Factor factor_of(const scenario::Uncertainty& uncertainty, SensitivityMethod method) {
  const double margin = method == SensitivityMethod::sobol ? 1e-6 : 0.05;
  const auto value = [uncertainty, margin](double u) {
    return scenario::value_at(uncertainty, margin + (1 - 2 * margin) * u).setting;
  };
  return {uncertainty.name, uncertainty.path,
          method == SensitivityMethod::sobol
              ? uncertainty.stated
              : fmt::format("p5 {} to p95 {}", shown(uncertainty, margin), shown(uncertainty, 1 - margin)),
          value};
}

/// Points of the factors' unit cube, loaded and run on equal draws.
class Cube {
 public:
  Cube(const Arguments& arguments, std::vector<Factor> factors, experiment::Question question)
      : arguments_(arguments), factors_(std::move(factors)), question_(std::move(question)) {
    options_ = load_options(arguments);
    options_.central = true;  // what is no factor stays where the file states it
    base_ = load(UnitPoint(factors_.size(), 0.5));
    for (std::size_t f = 0; f < factors_.size(); ++f)
      for (const double end : {0.0, 1.0}) {  // values out of range show before anything runs
        UnitPoint point(factors_.size(), 0.5);
        point[f] = end;
        load(point);
      }
  }
  const scenario::Scenario& base() const { return base_; }
  const Estimate& example() const { return example_; }

  std::optional<std::vector<Estimate>> operator()(const std::vector<UnitPoint>& points) {
    experiment::ReplicateOptions options;
    options.seed = static_cast<std::uint64_t>(base_.seed);
    options.replications = static_cast<std::uint32_t>(base_.replications);
    options.threads = threads(arguments_);
    options.stop = &stop_requested();
    ProgressBar bar(printable(base_.name));
    std::vector<Estimate> all;
    for (std::size_t from = 0; from < points.size(); from += points_at_once) {
      const std::size_t to = std::min(points.size(), from + points_at_once);
      std::vector<scenario::Scenario> scenarios;
      for (std::size_t i = from; i < to; ++i) scenarios.push_back(load(points[i]));
      std::vector<const scenario::Scenario*> pointers;
      for (const scenario::Scenario& s : scenarios) pointers.push_back(&s);
      const auto done = experiment::replicate_all(pointers, options);
      if (done.front().interrupted) return {};
      for (std::size_t i = 0; i < scenarios.size(); ++i) all.push_back(answer(scenarios[i], done[i].records));
      bar.show(static_cast<double>(to) / static_cast<double>(points.size()),
               fmt::format("{} of {} points", to, points.size()));
    }
    return all;
  }

 private:
  scenario::Scenario load(const UnitPoint& point) const {
    scenario::LoadOptions options = options_;
    for (std::size_t f = 0; f < factors_.size(); ++f)
      options.set.push_back(factors_[f].path + "=" + factors_[f].value(point[f]));
    return load_all(arguments_.positional, options).front();
  }
  Estimate answer(const scenario::Scenario& s, const std::vector<simulation::RunRecord>& records) {
    const experiment::Summary summary = experiment::summarise(s, records);
    if (const Estimate* e = experiment::answer(summary, question_); e != nullptr) return example_ = *e;
    Estimate nothing;
    nothing.values.assign(records.size(), std::nan(""));
    experiment::estimate_from_values(nothing);
    return nothing;
  }

  const Arguments& arguments_;
  std::vector<Factor> factors_;
  experiment::Question question_;
  scenario::LoadOptions options_;
  scenario::Scenario base_;
  Estimate example_;
};

/// `--metric`, else what the first target is about.
experiment::Question question_of(const Arguments& arguments, const scenario::Scenario& s) {
  if (arguments.has("--metric")) return read_questions("--metric", {arguments.text("--metric")}).front();
  if (s.targets.empty()) throw UsageError("sensitivity needs --metric", "write `--metric jobs.wait.mean`");
  const scenario::Target& t = s.targets.front();
  return read_questions("--metric", {t.where.empty() ? t.metric : t.metric + ":" + t.where}).front();
}

/// `--range`, else what is uncertain in the scenario.
std::vector<Factor> factors_of(const Arguments& arguments, const scenario::Scenario& s,
                               SensitivityMethod method) {
  std::vector<Factor> factors;
  for (const std::string& text : arguments.list("--range")) factors.push_back(factor_of(read_range(text)));
  if (!factors.empty()) return factors;
  for (const scenario::Uncertainty* u : scenario::drawn_uncertainties(s))
    factors.push_back(factor_of(*u, method));
  if (factors.empty())
    throw UsageError("sensitivity needs --range, or a scenario with `uncertainties`",
                     "write `--range 'supply.sites[hill].pue=1.1..1.5'`, once a factor");
  return factors;
}

int sensitivity(const Arguments& arguments) {
  report::SensitivityResult result;
  result.method =
      static_cast<SensitivityMethod>(arguments.choice("--method", {"tornado", "morris", "sobol"}, 0));
  const auto trajectories = static_cast<std::size_t>(arguments.whole("--trajectories", 10, 2, 10'000));
  const auto samples = static_cast<std::size_t>(arguments.whole("--samples", 64, 2, 1'000'000));
  const scenario::Scenario stated = load_all(arguments.positional, load_options(arguments)).front();
  const experiment::Question question = question_of(arguments, stated);
  const std::vector<Factor> factors = factors_of(arguments, stated, result.method);
  Cube cube(arguments, factors, question);
  const auto seed = static_cast<std::uint64_t>(cube.base().seed);
  const experiment::Evaluate evaluate = [&](const std::vector<UnitPoint>& points) { return cube(points); };
  const auto found = result.method == SensitivityMethod::tornado
                         ? experiment::tornado(factors.size(), evaluate)
                     : result.method == SensitivityMethod::morris
                         ? experiment::morris(factors.size(), trajectories, seed, evaluate)
                         : experiment::sobol_indices(factors.size(), samples, seed, evaluate);
  if (!found) {
    put_err("interrupted; nothing was worked out\n");
    return Exit::interrupted;
  }
  if (found->gaps > 0) {
    put_err(fmt::format("{} has no value in some replication at {} of {} points; there is no result\n",
                        question.metric, found->gaps, found->runs));
    return Exit::inconclusive;
  }
  result.found = *found;
  result.scenario = cube.base().name;
  result.policy = cube.base().policy;
  result.metric = question.metric;
  result.labels = measures::to_string(cube.example().labels);
  result.unit = cube.example().unit;
  result.seed = seed;
  result.replications = static_cast<std::size_t>(cube.base().replications);
  for (const Factor& f : factors) {
    result.names.push_back(f.name);
    result.paths.push_back(f.path);
    result.ranges.push_back(f.range);
  }
  if (arguments.has("--json")) write_file_whole(arguments.text("--json"), report::sensitivity_json(result));
  put_out(report::sensitivity_text(result));
  return Exit::done;
}

}  // namespace

const Command& sensitivity_command() {
  static const Command command{
      "sensitivity",
      "Rank inputs by what a figure owes to them: tornado, Morris, Sobol.",
      "SCENARIO",
      1,
      1,
      {{"--metric", "M[:LABELS]",
        "the figure, as jobs.wait.mean:sector=labs; by default that of the first target"},
       {"--range", "PATH=LOW..HIGH", "a factor and its range; by default all `uncertainties` of the scenario",
        true},
       {"--method", "NAME", "tornado (default): 2k + 1 points; morris: r (k + 1); sobol: N (k + 2)"},
       {"--trajectories", "R", "morris: by default 10"},
       {"--samples", "N", "sobol: by default 64; powers of two fill evenly"},
       {"--policy", "P", "a policy block of the scenario, or a named scheduling policy"},
       replications_option(),
       seed_option(),
       jobs_option(),
       set_option(),
       {"--json", "FILE", "write the factors with their intervals"}},
      {"natgpu sensitivity scenarios/uncertain-town.yaml --metric jobs.wait.mean --method sobol",
       "natgpu sensitivity scenarios/small-city.yaml --metric energy.mwh --range "
       "'supply.sites[hill].pue=1.1..1.5' "
       "--range 'supply.sites[harbour].pue=1.1..1.5'"},
      sensitivity};
  return command;
}

}  // namespace natgpu::cli
