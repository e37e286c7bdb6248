// SPDX-License-Identifier: Apache-2.0
// `natgpu scenario show | diff | list`: what a scenario comes to, value by value.
#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include <natgpu/core/text.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/scenario/scenario.hpp>

#include "command.hpp"
#include "run_options.hpp"
#include "scenarios.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

namespace fs = std::filesystem;

/// Path and value of each line of Scenario::resolved, in its order.
std::vector<std::pair<std::string, std::string>> values_of(const scenario::Scenario& s) {
  std::vector<std::pair<std::string, std::string>> values;
  for (std::size_t from = 0; from < s.resolved.size();) {
    const std::size_t end = std::min(s.resolved.find('\n', from), s.resolved.size());
    const std::string line = s.resolved.substr(from, end - from);
    const std::size_t equals = std::min(line.find(" = "), line.size());
    values.emplace_back(line.substr(0, equals), line.substr(std::min(equals + 3, line.size())));
    from = end + 1;
  }
  return values;
}

scenario::Scenario load(const std::string& file, const Arguments& arguments, const std::string& policy) {
  scenario::LoadOptions options;
  options.set = settings(arguments);
  options.policy = policy;
  options.quick = arguments.has("--quick");
  options.origins = true;
  return load_all({file}, options).front();
}

/// "scenarios/a.yaml:12", "policy fcfs", "--set"; "default" where nothing says it.
class Origins {
 public:
  explicit Origins(const scenario::Scenario& s) : scenario_(s) {
    for (const scenario::Origin& o : s.origins) places_[o.path] = o.place;
    for (const scenario::Assumption& a : s.assumptions) assumptions_[a.path] = &a;
  }
  std::string of(const std::string& path) const {
    const auto found = places_.find(path);
    if (found == places_.end()) return "default";
    const Place& place = found->second;
    if (place.file == "--set") return "--set";
    if (place.file == "--policy") return "policy " + scenario_.policy;
    std::string text = fmt::format("{}:{}", place.file, place.line);
    if (is_of_policy(place)) text += ", policy " + scenario_.policy;
    const auto stated = assumptions_.find(path);
    if (stated == assumptions_.end()) return text;
    const scenario::Assumption& a = *stated->second;
    if (!a.status.empty()) text += ", " + a.status;
    if (!a.source.empty()) text += ", " + a.source;
    return text;
  }

 private:
  bool is_of_policy(const Place& place) const {
    for (const scenario::PolicyBlock& block : scenario_.policies)
      for (const scenario::Setting& setting : block.settings)
        if (block.name == scenario_.policy && setting.place.line == place.line) return true;
    return false;
  }
  const scenario::Scenario& scenario_;
  std::map<std::string, Place> places_;
  std::map<std::string, const scenario::Assumption*> assumptions_;
};

int show(const Arguments& arguments) {
  if (arguments.positional.size() != 2)
    throw UsageError("scenario show takes one file",
                     "write `natgpu scenario show scenarios/small-city.yaml`");
  const scenario::Scenario s = load(arguments.positional[1], arguments, arguments.text("--policy"));
  const Origins origins(s);
  std::string out;
  for (const auto& [path, value] : values_of(s))
    out += printable(fmt::format("{} = {}{}", path, value,
                                 arguments.has("--origins") ? "  # " + origins.of(path) : "")) +
           "\n";
  put_out(out + fmt::format("# hash {}\n", s.hash));
  return Exit::done;
}

int diff(const Arguments& arguments) {
  const std::vector<std::string> policies = parts_of(arguments.text("--policy"), ',');
  const std::size_t files = arguments.positional.size() - 1;
  if (files < 1 || files > 2 || policies.size() > 2 || files * std::max<std::size_t>(policies.size(), 1) == 1)
    throw UsageError(
        "scenario diff takes two files, or one and two policies",
        "write `natgpu scenario diff a.yaml b.yaml`, or `natgpu scenario diff a.yaml --policy base,fcfs`");
  const auto policy = [&](std::size_t i) {
    return policies.empty() ? "" : policies[std::min(i, policies.size() - 1)];
  };
  const scenario::Scenario a = load(arguments.positional[1], arguments, policy(0));
  const scenario::Scenario b = load(arguments.positional.back(), arguments, policy(1));
  const auto before = values_of(a), after = values_of(b);
  const std::map<std::string, std::string> old(before.begin(), before.end());
  const std::map<std::string, std::string> fresh(after.begin(), after.end());
  std::string out;
  std::size_t differences = 0;
  const auto put = [&](const std::string& line) {
    out += printable(line) + "\n";
    ++differences;
  };
  for (const auto& [path, value] : before) {
    const auto now = fresh.find(path);
    if (now == fresh.end())
      put(fmt::format("- {} = {}", path, value));
    else if (now->second != value)
      put(fmt::format("~ {} = {} -> {}", path, value, now->second));
  }
  for (const auto& [path, value] : after)
    if (old.count(path) == 0) put(fmt::format("+ {} = {}", path, value));
  put_out(out + fmt::format("{} of {} values differ\n", differences, std::max(before.size(), after.size())));
  return Exit::done;
}

int list(const Arguments& arguments) {
  const fs::path folder = arguments.positional.size() > 1 ? arguments.positional[1] : "scenarios";
  std::error_code failed;
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder, failed))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().generic_string());
  if (failed) throw UsageError(fmt::format("the folder {} cannot be read", printable(folder.string())));
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) {
    try {
      const scenario::Scenario s = load_all({file}, {}).front();
      std::vector<std::string> names;
      for (const scenario::PolicyBlock& block : s.policies) names.push_back(block.name);
      put_out(printable(
                  fmt::format("{}: {}{}", file, s.title.en.empty() ? s.name : s.title.en,
                              names.empty() ? "" : fmt::format(" (policies: {})", fmt::join(names, ", ")))) +
              "\n");
    } catch (const ScenarioError& e) {
      put_out(printable(fmt::format("{}: {} mistakes, see `natgpu validate`", file, e.diagnostics().size())) +
              "\n");
    }
  }
  return Exit::done;
}

constexpr Action actions[] = {{"show", show}, {"diff", diff}, {"list", list}};

int scenario_action(const Arguments& arguments) {
  return run_action("scenario", actions, arguments);
}

}  // namespace

const Command& scenario_command() {
  static const Command command{
      "scenario",
      "Show every value of a scenario with its origin, or what differs.",
      "show FILE | diff A [B] | list [FOLDER]",
      1,
      3,
      {{"--origins", "", "show: say where each value was written, with status and source"},
       {"--policy", "P", "under this policy; diff: one for both, or two with a comma between"},
       {"--quick", "", "as `natgpu run --quick` would have it"},
       set_option()},
      {"natgpu scenario show scenarios/small-city.yaml --origins --policy fcfs",
       "natgpu scenario diff scenarios/small-city.yaml --policy base,no-harbour-power",
       "natgpu scenario list"},
      scenario_action};
  return command;
}

}  // namespace natgpu::cli
