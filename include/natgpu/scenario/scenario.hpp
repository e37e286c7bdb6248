// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <natgpu/core/calendar.hpp>
#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/field.hpp>
#include <natgpu/demand/spec.hpp>
#include <natgpu/scheduling/plugged_policy.hpp>
#include <natgpu/scheduling/spec.hpp>
#include <natgpu/supply/spec.hpp>

namespace natgpu::scenario {

struct LocalText {
  std::string en, ko;
};

struct About {
  LocalText summary;
  std::vector<std::string> includes, excludes;  ///< printed in every report
};

struct Horizon {
  Date start = Date::of(2025, 1, 1);
  Date end = Date::of(2031, 1, 1);  ///< first day that is not simulated
};

/// Which part of the start-up a run leaves out of its measures.
enum class Warmup : std::uint8_t {
  none,   ///< a terminating run: it counts from the stated initial state on
  mser_5  ///< a run of a steady state: what MSER-5 finds over all replications
};

/// What of the simulated time is measured.
struct Reporting {
  Warmup warmup = Warmup::none;
  Duration runoff{0};  ///< simulated behind the horizon, unmeasured, in whole days begun
};

enum class Mechanism : std::uint8_t { open };

/// From a day on, who may ask. Only `open` (no entitlement) so far.
struct AccessRule {
  Date from = Date::of(2000, 1, 1);
  Mechanism mechanism = Mechanism::open;
};
struct Access {
  std::vector<AccessRule> schedule;
};

enum class Level : std::uint8_t { error, warn };

/// A bar for one metric: `expect` is a comparison with its unit, ">= 30000 H100e".
struct Target {
  std::string name, metric, where, expect;
  Level level = Level::error;
  LocalText title;
  Diagnostic at;  ///< where its labels stand, without a message: some mistakes only a run can show
};

/// A published figure that the model ought to come to. Its bounds say what still counts as agreement.
struct RealityCheck {
  std::string name, metric, where;
  std::string published, low, high;  ///< each with the metric's unit: "6120 GPU"
  std::string source, as_of;
  Level level = Level::error;
  LocalText title;
  Diagnostic at;  ///< where its labels stand, as of a target
};

/// Which way a metric must not move against its baseline; `same`: neither.
enum class Side : std::uint8_t { higher, lower, same };

/// One metric held to its baseline: it may be worse by `margin`, "0.01", "600 s" or "2 % of baseline".
struct RegressionCheck {
  std::string metric, where;
  Side better = Side::higher;
  std::string margin = "2 % of baseline";
};

/// What `natgpu check` compares with values recorded earlier.
struct Regressions {
  std::string baseline;  ///< file, against the scenario's folder
  std::vector<RegressionCheck> checks;
};

/// Where a stated value comes from, for the table of assumptions.
struct Assumption {
  std::string path;   ///< "supply.sites[haenam].pue"
  std::string value;  ///< as written; empty where the note is on an item as a whole
  std::string low, high;
  std::string source, as_of, status;  ///< status: measured, published, assumed; empty: not stated
  std::string note;
  Place place;
};

/// One `path: value` of a policy block or of `--set`, still as text.
struct Setting {
  std::string path, value;
  Place place;
};
/// Where the value of a path was written: the file, `--set` (which is then the place's file) or `--policy`.
struct Origin {
  std::string path;
  Place place;
};
struct PolicyBlock {
  std::string name;
  std::vector<Setting> settings;
};

/// A value that nobody knows: a path with a distribution. A replication draws one value of it, the same under
/// every policy, and is so one future. What the file itself states at the path is the central value, which
/// holds wherever nothing is drawn.
struct Uncertainty {
  std::string name, path;
  LocalText title;
  Law value;           ///< of the path's value in its base unit, or of days since 1970-01-01
  std::string stated;  ///< the distribution as written
  FieldKind kind = FieldKind::quantity;    ///< of the value at the path
  Dimension dimension = Dimension::count;  ///< of the value at the path
  std::string known_from;  ///< "--set" or "policy late", where one states the value; it is not drawn then
};

/// What is kept of a file to resolve it again with other values.
struct Recipe;

/// A scenario with every value read, checked and in base units.
struct Scenario {
  std::string file;                   ///< as given
  std::vector<std::string> extended;  ///< files that it extends, the nearest first
  std::string folder;                 ///< against which trace files are found
  std::string name;
  LocalText title;
  About about;
  Date as_of = Date::of(2026, 11, 30);
  Horizon horizon;
  std::int64_t seed = 1;
  std::int64_t replications = 10;
  std::vector<supply::Device> hardware;
  supply::Supply supply;
  demand::Demand demand;
  Access access;
  scheduling::Scheduling scheduling;
  scheduling::PluggedPolicy plugged_order;  ///< in the place of scheduling.order; no field
  std::vector<Target> targets;
  Regressions regressions;
  std::vector<RealityCheck> reality_checks;
  std::vector<Uncertainty> uncertainties;
  Reporting report;

  std::vector<PolicyBlock> policies;
  std::vector<Assumption> assumptions;
  std::vector<Origin>
      origins;           ///< by path, where LoadOptions asks for them; what is not among them is a default
  std::string policy;    ///< the policy applied, or "base"
  std::string resolved;  ///< canonical text of all effective values, defaults included
  std::string hash;      ///< SHA-256 of `resolved`
  bool quick = false;    ///< `--quick`: fewer replications and perhaps scaled; every output says so
  double quick_scale =
      1.0;  ///< capacity and demand were scaled by this; 1 where the scenario is small or replays a log
  /// Of scenarios with uncertainties, for future_of(): what is changed in this struct afterwards is not in
  /// it.
  std::shared_ptr<const Recipe> recipe;
};

/// The first day that is not simulated, the run-off included. @pre the horizon ends
Date end_of_run(const Scenario& scenario);

struct LoadOptions {
  std::vector<std::string> set;  ///< "path=value", as on the command line
  std::string policy;  ///< a block of `policies`, a named scheduling policy, what `plug` knows, or empty
  bool quick = false;
  bool origins = false;  ///< note where each value was written
  bool central = false;  ///< `uncertainties` are checked and then left out: nothing is drawn
  /// What only rooms above can judge of targets and regressions: metric, unit, labels. Called where these
  /// were read without mistakes; what it finds is reported with its place, together with all other mistakes.
  std::function<std::vector<Finding>(const Scenario&)> check_targets;
  /// The order that such a policy brings, if it is neither a block nor named; it must outlive the scenario.
  /// Empty: it is none. @throws ScenarioError
  std::function<scheduling::PluggedPolicy(const std::string& policy)> plug;
};

/// Reads, checks and resolves a scenario.
/// @throws ScenarioError with every mistake of the file and of the settings; nothing else is done then
Scenario load_scenario(const std::string& file, const LoadOptions& options = {});

const FieldTable& fields_of(const LocalText*);
const FieldTable& fields_of(const About*);
const FieldTable& fields_of(const Horizon*);
const FieldTable& fields_of(const AccessRule*);
const FieldTable& fields_of(const Access*);
const FieldTable& fields_of(const Target*);
const FieldTable& fields_of(const RegressionCheck*);
const FieldTable& fields_of(const Regressions*);
const FieldTable& fields_of(const Uncertainty*);
const FieldTable& fields_of(const RealityCheck*);
const FieldTable& fields_of(const Reporting*);
/// The table of the whole file, from which the reader, the schema and the docs come. `schema` and `policies`
/// are read beside it.
const FieldTable& fields_of(const Scenario*);

/// Text of an error code, for `natgpu explain`.
struct CodeRow {
  std::string code, title, text;
};
const std::vector<CodeRow>& error_codes();

}  // namespace natgpu::scenario
