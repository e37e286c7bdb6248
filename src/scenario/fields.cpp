// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scenario/scenario.hpp>

namespace natgpu::scenario {
namespace {

constexpr double most_replications = 1e6;
constexpr double longest_horizon_s = 1e9;
constexpr double largest_seed = 9007199254740992.0;  // 2^53, so that JSON readers keep it

}  // namespace

const FieldTable& fields_of(const LocalText*) {
  static const FieldTable table = Fields<LocalText>("text in two languages")
                                      .text("en", &LocalText::en, "In English.")
                                      .text("ko", &LocalText::ko, "In Korean.");
  return table;
}

const FieldTable& fields_of(const About*) {
  static const FieldTable table =
      Fields<About>("description", "What the scenario is, printed in every report.")
          .object("summary", &About::summary, "What it is about.")
          .texts("includes", &About::includes, "What is part of it.")
          .texts("excludes", &About::excludes, "What is deliberately left out.");
  return table;
}

const FieldTable& fields_of(const Horizon*) {
  static const FieldTable table =
      Fields<Horizon>("horizon", "The days that are simulated, in Korea Standard Time.")
          .date("start", &Horizon::start, "First day.")
          .date("end", &Horizon::end, "First day that is no longer simulated.");
  return table;
}

const FieldTable& fields_of(const AccessRule*) {
  static const FieldTable table =
      Fields<AccessRule>("access rule", "Who may ask, from a day on.")
          .date("from", &AccessRule::from, "First day of this rule.")
          .choice("mechanism", &AccessRule::mechanism, {{"open", Mechanism::open}},
                  "open: every organisation may submit, none is entitled to anything.");
  return table;
}

const FieldTable& fields_of(const Access*) {
  static const FieldTable table =
      Fields<Access>("access", "Who may ask.")
          .items("schedule", &Access::schedule, "Rules by date; left out: open throughout.");
  return table;
}

const FieldTable& fields_of(const Target*) {
  static const FieldTable table =
      Fields<Target>("target", "A bar for one metric, decided by `natgpu check`.")
          .text("name", &Target::name, "Name of the target.")
          .required()
          .text("metric", &Target::metric, "The metric, as in metrics.csv.")
          .required()
          .text("where", &Target::where, "Labels that pick the row: `at=2030-12-31;reading=programme`.")
          .text("expect", &Target::expect, "Comparison with its unit, in quotes: \">= 30000 H100e\".")
          .required()
          .choice("level", &Target::level, {{"error", Level::error}, {"warn", Level::warn}},
                  "Whether missing it fails the check or is only said.")
          .object("title", &Target::title, "Title for reports.");
  return table;
}

const FieldTable& fields_of(const RealityCheck*) {
  static const FieldTable table =
      Fields<RealityCheck>("reality check", "A published figure that the model is held to.")
          .text("name", &RealityCheck::name, "Name of the check.")
          .required()
          .text("metric", &RealityCheck::metric, "The metric, as in metrics.csv.")
          .required()
          .text("where", &RealityCheck::where, "Labels that pick the row, as of a target.")
          .text("published", &RealityCheck::published, "The figure with its unit, in quotes: \"6120 GPU\".")
          .required()
          .text("low", &RealityCheck::low, "Least value that agrees with it.")
          .required()
          .text("high", &RealityCheck::high, "Largest value that agrees with it.")
          .required()
          .text("source", &RealityCheck::source, "Who published it.")
          .required()
          .text("as_of", &RealityCheck::as_of, "Its day, in quotes: \"2026-07\".")
          .choice("level", &RealityCheck::level, {{"error", Level::error}, {"warn", Level::warn}},
                  "Whether missing it fails the check or is only said.")
          .object("title", &RealityCheck::title, "Title for reports.");
  return table;
}

const FieldTable& fields_of(const RegressionCheck*) {
  static const FieldTable table =
      Fields<RegressionCheck>("regression check", "A metric that must not get worse than its baseline.")
          .text("metric", &RegressionCheck::metric, "The metric, as in metrics.csv.")
          .required()
          .text("where", &RegressionCheck::where,
                "Labels that pick the row: `period=2030;sector=sme`. Without a time: the last year or day.")
          .choice("better", &RegressionCheck::better,
                  {{"higher", Side::higher}, {"lower", Side::lower}, {"same", Side::same}},
                  "Which side is better; same: it must not move either way.")
          .text("margin", &RegressionCheck::margin,
                "What it may be worse by, in quotes: \"0.01\", \"600 s\", \"2 % of baseline\".");
  return table;
}

const FieldTable& fields_of(const Regressions*) {
  static const FieldTable table =
      Fields<Regressions>("regressions", "Metrics held to values recorded earlier by `natgpu check`.")
          .text("baseline", &Regressions::baseline, "Baseline file, relative to the scenario's folder.")
          .items("checks", &Regressions::checks, "What is held to it; left out: what the baseline holds.");
  return table;
}

const FieldTable& fields_of(const Uncertainty*) {
  static const FieldTable table =
      Fields<Uncertainty>("uncertainty", "A value that nobody knows; each replication draws one of it.")
          .text("name", &Uncertainty::name, "Name, which also names its draws.")
          .required()
          .text("path", &Uncertainty::path, "The value's path, as for --set: \"supply.sites[haenam].pue\".")
          .required()
          .law("value", &Uncertainty::value, Dimension::count, any_value(),
               "Its distribution, in the units of the value at the path.")
          .object("title", &Uncertainty::title, "Title for reports.");
  return table;
}

const FieldTable& fields_of(const Reporting*) {
  static const FieldTable table =
      Fields<Reporting>("report", "What of the simulated time is measured.")
          .choice("warmup", &Reporting::warmup, {{"none", Warmup::none}, {"mser-5", Warmup::mser_5}},
                  "none: a dated run counts from its first day; mser-5: a steady state, whose start-up is "
                  "found by MSER-5 and left out.")
          .duration("runoff", &Reporting::runoff, between(0, longest_horizon_s),
                    "Goes on behind the horizon, unmeasured, so that the last jobs may end.");
  return table;
}

const FieldTable& fields_of(const Scenario*) {
  static const FieldTable table =
      Fields<Scenario>("scenario",
                       "A national scenario: supply, demand, access and scheduling over a horizon.")
          .text("name", &Scenario::name, "Name for files and tables.")
          .required()
          .object("title", &Scenario::title, "Title for reports.")
          .object("about", &Scenario::about, "What it includes and what it leaves out.")
          .date("as_of", &Scenario::as_of, "Day of knowledge: what lies later is plan or assumption.")
          .object("horizon", &Scenario::horizon, "First and last day.")
          .integer("seed", &Scenario::seed, between(0, largest_seed), "Seed of all chance.")
          .integer("replications", &Scenario::replications, between(1, most_replications),
                   "Independent repetitions; intervals need 2 or more, verdicts 10 or more.")
          .items("hardware", &Scenario::hardware, "Catalogue of devices.")
          .object("supply", &Scenario::supply, "Sites, tranches, failures, maintenance.")
          .object("demand", &Scenario::demand, "Sectors, classes of work, calendar.")
          .object("access", &Scenario::access, "Who may ask.")
          .object("scheduling", &Scenario::scheduling, "Who runs now.")
          .items("targets", &Scenario::targets, "Bars for metrics.")
          .object("regressions", &Scenario::regressions, "Metrics held to a baseline.")
          .items("reality_checks", &Scenario::reality_checks, "Published figures that the model is held to.")
          .items("uncertainties", &Scenario::uncertainties, "Values drawn anew in each replication.")
          .object("report", &Scenario::report, "What of the simulated time is measured.");
  return table;
}

}  // namespace natgpu::scenario
