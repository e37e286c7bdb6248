// SPDX-License-Identifier: Apache-2.0
// From a file and settings to a checked Scenario. Order: file, then policy, then --set; then defaults fill
// the rest.
#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include <natgpu/core/hash.hpp>
#include <natgpu/scenario/scenario.hpp>

#include "checks.hpp"
#include "document.hpp"
#include "quick.hpp"
#include "recipe.hpp"
#include "resolve.hpp"
#include "settings.hpp"
#include "source.hpp"
#include "uncertainty.hpp"
#include "walker.hpp"

namespace natgpu::scenario {
namespace {

namespace fs = std::filesystem;

/// The settings of a scheduling policy known by name.
std::vector<Change> changes_of(const scheduling::NamedPolicy& policy, const Mark& mark) {
  scheduling::Scheduling chosen;
  chosen.order = policy.order;
  chosen.backfill = policy.backfill;
  const FieldTable& table = fields_of(static_cast<const scheduling::Scheduling*>(nullptr));
  std::vector<Change> all;
  const auto change_to = [&](const char* key, std::string value) {
    Change change{fmt::format("scheduling.{}", key), mark, {}};
    change.value.kind = Node::Kind::scalar;
    change.value.mark = mark;
    change.value.text = std::move(value);
    all.push_back(std::move(change));
  };
  for (const char* key : {"order", "backfill"})
    change_to(key, std::get<std::string>(table.find(key)->read(&chosen).front()));
  change_to("reservations", "0");
  change_to("preemption.mode", "none");
  change_to("sharing", "exclusive");
  return all;
}

class Loader {
 public:
  Loader(const std::string& file, const LoadOptions& options) : file_(file), options_(options) {}

  explicit Loader(const Recipe& recipe)
      : file_(recipe.file),
        options_(recipe.options),
        mistakes_(recipe.mistakes),
        root_(recipe.root),
        policies_(recipe.policies) {
    options_.check_targets = nullptr;
  }

  Scenario load() {
    parse();
    const std::vector<Node> uncertain = take_uncertain_values(root_);
    check_policies();
    std::shared_ptr<const Recipe> recipe;
    if (!uncertain.empty() && !options_.central)
      recipe = std::make_shared<const Recipe>(Recipe{file_, options_, mistakes_, root_, policies_});
    apply_policy();
    apply_sets();
    fill();
    read_uncertainties(scenario_.uncertainties, uncertain, root_, known_, walker_, mistakes_);
    check();
    mistakes_.raise_if_any();
    if (options_.central) scenario_.uncertainties.clear();
    scenario_.recipe = std::move(recipe);
    settle();
    describe();
    return std::move(scenario_);
  }

  /// @param settings  beside those of the options, called so
  Scenario load_with(const std::vector<std::string>& settings, const std::string& called) {
    apply_policy();
    apply_sets();
    for (const std::string& text : settings)
      if (const auto change = read_set(text, mistakes_, called)) apply_set(*change);
    fill();
    check();
    mistakes_.raise_if_any();
    scenario_.uncertainties.clear();
    settle();
    return std::move(scenario_);
  }

 private:
  void parse() {
    root_ = read_tree(file_, mistakes_, scenario_.extended);
    policies_ = read_blocks(root_, "policies", mistakes_);
    check_policy_names(policies_, mistakes_);
    const std::vector<PolicyChanges> overrides = read_blocks(root_, "overrides", mistakes_);
    expand_uses(policies_, overrides, mistakes_);
    for (const PolicyChanges& block : overrides) check_changes(block);  // used or not
  }

  /// Every policy of the file must fit, not only the one asked for: its values are read and thrown away.
  void check_policies() {
    for (const PolicyChanges& policy : policies_) check_changes(policy);
  }

  void check_changes(const PolicyChanges& block) {
    for (const Change& change : block.changes)
      if (const auto steps = locate(change, root_, mistakes_))
        settings_walker_.read_leaf(*steps->back().field, change.value, change.path);
  }

  void apply_all(const std::vector<Change>& changes) {
    for (const Change& change : changes) {
      known_[change.path] = "policy " + scenario_.policy;
      if (const auto steps = locate(change, root_, mistakes_)) apply(change, *steps, root_);
    }
  }

  void apply_policy() {
    const std::string& wanted = options_.policy;
    if (wanted.empty() || wanted == "base") return;
    std::vector<std::string> names = {"base"};
    for (const PolicyChanges& policy : policies_) {
      names.push_back(policy.name);
      if (policy.name != wanted) continue;
      scenario_.policy = wanted;
      apply_all(policy.changes);
      return;
    }
    const Mark mark{mistakes_.add_source("--policy", wanted), 1, 0};
    if (options_.plug && (scenario_.plugged_order = options_.plug(wanted))) {
      // Results are the same wherever the library lies: a path of this machine is no part of them.
      scenario_.policy = fs::path(wanted).is_absolute() ? scenario_.plugged_order.name : wanted;
      apply_all(changes_of({wanted, scheduling::Order::fcfs, scheduling::Backfill::none, "", ""}, mark));
      return;
    }
    for (const scheduling::NamedPolicy& policy : scheduling::named_policies()) {
      names.push_back(policy.name);
      if (policy.name != wanted) continue;
      scenario_.policy = wanted;
      apply_all(changes_of(policy, mark));
      return;
    }
    mistakes_.add(Fault::unknown_policy, mark, display_width(wanted),
                  fmt::format("there is no policy `{}`", wanted), suggestion(wanted, names));
  }

  void apply_sets() {
    for (const std::string& text : options_.set) {
      const auto change = read_set(text, mistakes_);
      if (!change) continue;
      known_[change->path] = "--set";
      apply_set(*change);
    }
  }

  void apply_set(const Change& change) {
    const auto steps = locate(change, root_, mistakes_);
    if (!steps) return;
    has_stated_replications_ = has_stated_replications_ || change.path == "replications";
    settings_walker_.read_leaf(*steps->back().field, change.value, change.path);
    apply(change, *steps, root_);
  }

  void fill() {
    scenario_.file = file_;
    scenario_.folder = fs::path(file_).parent_path().string();
    if (scenario_.policy.empty()) scenario_.policy = "base";
    walker_.fill(&scenario_, fields_of(static_cast<const Scenario*>(nullptr)), root_, "", file_keys());
    walker_.resolve_references(walker_.names());
    settings_walker_.resolve_references(walker_.names());
    const Node* name = root_.find("name");
    if (name != nullptr && name->is_scalar() && !is_name(name->text))
      mistakes_.add(Fault::bad_name, name->mark, caret_width(*name),
                    fmt::format("`{}` cannot be a name", name->text),
                    "use 1 to 80 of A-Z a-z 0-9 . _ -, and `title` for what readers see");
  }

  /// Cells of the value that begins there: up to its closing quote, or to what ends a plain one.
  int width_at(const Mark& mark) const {
    const std::string_view rest = mistakes_.from(mark);
    const bool is_quoted = !rest.empty() && (rest.front() == '"' || rest.front() == '\'');
    std::size_t end = rest.find_first_of(is_quoted ? std::string{rest.front(), '\n'} : " ,]}\n", 1);
    end = std::min(end, rest.size());
    if (is_quoted && end < rest.size() && rest[end] == rest.front()) ++end;
    return display_width(rest.substr(0, end));
  }

  void report(const std::vector<Finding>& findings) {
    for (const Finding& f : findings) {
      const Mark mark = walker_.mark_of(f.path);
      mistakes_.add(f.code, mark, width_at(mark), fmt::format("{}: {}", f.path, f.message), f.help);
    }
  }

  /// Rooms check what was read without mistakes only: a default in place of a refused value would mislead
  /// them.
  void check() {
    const auto is_clean = [&](std::initializer_list<const char*> keys) {
      return std::all_of(keys.begin(), keys.end(), [&](const char* key) { return walker_.is_clean(key); });
    };
    if (is_clean({"hardware", "supply", "demand"}))
      report(supply::check(scenario_.hardware, scenario_.supply));
    if (is_clean({"demand"})) report(demand::check(scenario_.demand));
    if (is_clean({"scheduling"})) {
      report(scheduling::check(scenario_.scheduling));
      if (scenario_.policy == "base" && !policies_choose_order())
        report(scheduling::without_meaning(scenario_.scheduling));
    }
    if (scenario_.plugged_order && scenario_.scheduling.order != scheduling::Order::fcfs)
      report({{"scheduling.order", "contradicts the order that --policy brings", "leave one of them out"}});
    if (scenario_.plugged_order && scenario_.plugged_order.decides()) report(beside_plugged_policy());
    if (shares(scenario_.scheduling)) report(beside_sharing());
    if (options_.quick && mistakes_.count() == 0) make_quick(scenario_, has_stated_replications_);
    if (is_clean({"horizon", "demand"})) report(check_whole(scenario_));
    if (is_clean({"demand", "scheduling"})) report(check_classes(scenario_));
    if (options_.check_targets && is_clean({"targets", "regressions", "reality_checks"}))
      report(options_.check_targets(scenario_));
  }

  /// What a policy that decides by itself (level 2) leaves no room for.
  std::vector<Finding> beside_plugged_policy() const {
    const scheduling::Scheduling& s = scenario_.scheduling;
    std::vector<Finding> found;
    if (s.backfill != scheduling::Backfill::none)
      found.push_back({"scheduling.backfill", "a policy of level 2 decides by itself who starts",
                       "leave it out, or write an order (level 1)"});
    if (s.preemption.mode != scheduling::PreemptionSettings::Mode::none)
      found.push_back({"scheduling.preemption.mode", "a policy of level 2 decides by itself who is preempted",
                       "leave it out; shield and notice are for it"});
    return found;
  }

  /// What GPUs shared in time leave no room for, and only shows in how it was stated.
  std::vector<Finding> beside_sharing() const {
    std::vector<Finding> found;
    if (scenario_.plugged_order)
      found.push_back({"scheduling.sharing",
                       "a policy decides who starts, and who shares GPUs does not queue",
                       "leave one of them out"});
    else if (scenario_.scheduling.backfill != scheduling::Backfill::none &&
             walker_.marks().count("scheduling.backfill") > 0)
      found.push_back({"scheduling.backfill",
                       "says who may start ahead in a queue, and jobs that share GPUs in time have none",
                       "write `backfill: none` or leave it out, or leave `sharing` out"});
    return found;
  }

  /// Whether a policy of the file may make use of what its own order has no use for.
  bool policies_choose_order() const {
    return std::any_of(policies_.begin(), policies_.end(), [](const PolicyChanges& policy) {
      return std::any_of(policy.changes.begin(), policy.changes.end(), [](const Change& c) {
        return c.path == "scheduling.order" || c.path == "scheduling.preemption.mode" ||
               c.path == "scheduling.sharing";
      });
    });
  }

  /// Ties what was read to its places in the file.
  void settle() {
    scenario_.assumptions = walker_.take_assumptions();
    const auto place = [&](const std::string& item, Diagnostic& at) {
      const Mark mark = walker_.mark_of(child_path(item, "where"));
      at.place = mistakes_.place(mark);
      at.source_line = std::string(mistakes_.line(mark));
      at.caret_width = width_at(mark);
    };
    for (Target& target : scenario_.targets) place(item_path("targets", target.name), target.at);
    for (RealityCheck& check : scenario_.reality_checks)
      place(item_path("reality_checks", check.name), check.at);
  }

  /// What is told of the scenario, and its hash.
  void describe() {
    if (options_.origins)
      for (const auto& [path, mark] : walker_.marks())
        scenario_.origins.push_back({path, mistakes_.place(mark)});
    for (const PolicyChanges& policy : policies_) {
      PolicyBlock& block = scenario_.policies.emplace_back();
      block.name = policy.name;
      for (const Change& c : policy.changes)
        block.settings.push_back({c.path, flow_text(c.value), mistakes_.place(c.mark)});
    }
    scenario_.resolved = resolved_text(scenario_);
    const std::string trace = trace_path(scenario_);
    if (!trace.empty())
      scenario_.resolved += fmt::format("demand.trace.sha256 = \"{}\"\n", sha256_file_hex(trace));
    if (scenario_.plugged_order)
      scenario_.resolved += fmt::format("scheduling.order.sha256 = \"{}\"\n", scenario_.plugged_order.sha256);
    scenario_.hash = sha256_hex(scenario_.resolved);
  }

  std::string file_;
  LoadOptions options_;
  Mistakes mistakes_;
  Node root_;
  std::vector<PolicyChanges> policies_;
  Walker walker_{mistakes_};
  Walker settings_walker_{mistakes_};  // checks settings; what it records is not of the scenario
  Scenario scenario_;
  std::map<std::string, std::string> known_;  // path -> what states it beside the file
  bool has_stated_replications_ = false;      // in a setting of the command line, which a quick run respects
};

}  // namespace

Scenario resolve_again(const Recipe& recipe, const std::vector<std::string>& settings,
                       const std::string& called) {
  return Loader(recipe).load_with(settings, called);
}

Scenario load_scenario(const std::string& file, const LoadOptions& options) {
  return Loader(file, options).load();
}

}  // namespace natgpu::scenario
