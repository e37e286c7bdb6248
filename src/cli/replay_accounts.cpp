// SPDX-License-Identifier: Apache-2.0
#include "replay_accounts.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <natgpu/core/units.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/workload/share_list.hpp>

#include "terminal.hpp"

namespace natgpu::cli {
namespace {

using scheduling::FairShareRule;
using scheduling::Order;

constexpr std::int64_t most_cores = 1'000'000'000;
constexpr double most_weight = 1e12;            // a priority stays far below 2^53
constexpr double most_seconds = 1e9;            // 31 years
constexpr double most_memory_mib = 1e15;        // a thousand exbibytes
constexpr double mib_per_gb = 1e9 / 1048576.0;  // the base unit of memory is 10^9 bytes
constexpr std::int64_t slurm_recalc_s = 300;    // slurm.conf, PriorityCalcPeriod

/// Which orders an option has a meaning for; null: those that rank accounts, and quotas.
struct Meant {
  const char* option;
  bool (*by)(Order);
  const char* orders;
};
constexpr const char* of_accounts =
    "multifactor, fairtree, drf and maxmin, and with --preemption quota-reclaim";
constexpr Meant meant[] = {
    {"--accounts", nullptr, of_accounts},
    {"--shares", nullptr, of_accounts},
    {"--classes", [](Order o) { return o == Order::priority || o == Order::multifactor; },
     "priority and multifactor"},
    {"--factor-weights", [](Order o) { return o == Order::multifactor; }, "multifactor"},
    {"--fair-share", [](Order o) { return o == Order::multifactor; }, "multifactor"},
    {"--max-age", [](Order o) { return o == Order::multifactor; }, "multifactor"},
    {"--half-life", [](Order o) { return by_use(o); }, "multifactor and fairtree"},
    {"--cpus", [](Order o) { return o == Order::drf; }, "drf"},
    {"--memory", [](Order o) { return o == Order::drf; }, "drf"},
    {"--recalc", [](Order o) { return moves(o) && !by_holding(o); }, "wfp, unicef, multifactor and fairtree"},
};
bool goes(const Meant& m, const simulation::ReplayOptions& options) {
  if (m.by == nullptr) return by_account(options);
  return !options.plugged && m.by(options.order);
}

std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts{""};
  for (const char c : text)
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

/// Whole seconds, at least one.
std::int64_t duration_of(const Arguments& arguments, const char* option) {
  const std::string text = arguments.text(option);
  double seconds = 0;
  if (parse_quantity(text, Dimension::time, seconds) != QuantityError::none || seconds < 1 ||
      seconds > most_seconds)
    throw UsageError(
        fmt::format("{}: `{}` is no length of time of a second or more", option, printable(text)),
        fmt::format("such as {}", unit_examples(Dimension::time)));
  return static_cast<std::int64_t>(seconds);
}

scheduling::PriorityWeights weights_of(const Arguments& arguments) {
  scheduling::PriorityWeights weights{0, 0, 0, 0};
  const std::vector<std::string> names{"age", "fair-share", "size", "queue"};
  double* const values[] = {&weights.age, &weights.fair_share, &weights.size, &weights.queue};
  for (const std::string& part : parts_of(arguments.text("--factor-weights"))) {
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string name = part.substr(0, equals);
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      throw UsageError(
          fmt::format("--factor-weights: unknown factor `{}`{}", printable(name), did_you_mean(name, names)),
          "such as `--factor-weights age=1000,fair-share=10000,size=1000`; what is not named weighs nothing");
    double& value = *values[found - names.begin()];
    if (equals == part.size() || parse_number(part.substr(equals + 1), value) != QuantityError::none ||
        value < 0 || value > most_weight)
      throw UsageError(fmt::format("--factor-weights: `{}` is no weight", printable(part)),
                       fmt::format("a number from 0 to {}: {}=1000", most_weight, name));
  }
  return weights;
}

FairShareRule rule_of(const Arguments& arguments) {
  FairShareRule rule;
  if (arguments.has("--factor-weights")) rule.weights = weights_of(arguments);
  rule.factor = static_cast<FairShareRule::Factor>(arguments.choice("--fair-share", {"classic", "tree"}, 0));
  if (arguments.has("--half-life"))
    rule.half_life_s = arguments.text("--half-life") == "off" ? 0 : duration_of(arguments, "--half-life");
  if (arguments.has("--max-age")) rule.longest_age_s = duration_of(arguments, "--max-age");
  return rule;
}

std::int64_t memory_of(const Arguments& arguments) {
  if (!arguments.has("--memory")) return 0;
  const std::string text = arguments.text("--memory");
  double gigabytes = 0;
  const double mib =
      parse_quantity(text, Dimension::memory, gigabytes) == QuantityError::none ? gigabytes * mib_per_gb : 0;
  if (mib < 1 || mib > most_memory_mib)
    throw UsageError(fmt::format("--memory: `{}` is no amount of memory", printable(text)),
                     fmt::format("such as {}", unit_examples(Dimension::memory)));
  return static_cast<std::int64_t>(mib);
}

}  // namespace

const std::vector<Option>& account_options() {
  static const std::vector<Option> rows{
      {"--recalc", "S",
       "rank wfp, unicef, multifactor and fairtree anew every S seconds, or at each `pass`; by default the "
       "first two at each pass, the others every 300 s"},
      {"--accounts", "LEVEL",
       "of multifactor, fairtree, drf, maxmin and quota-reclaim: user (default; under the groups, where the "
       "log has any), or group"},
      {"--shares", "FILE", "of the same: CSV with the columns group, user, share; accounts not named have 1"},
      {"--classes", "LIST",
       "of priority and multifactor: queues, the highest first, with commas; those not named come last"},
      {"--factor-weights", "LIST",
       "of multifactor: age=1000,fair-share=10000,size=1000,queue=1000 by default; what is not named weighs "
       "nothing"},
      {"--fair-share", "RULE",
       "of multifactor: classic (default), 2^(-use / share), or tree, the place in Fair Tree"},
      {"--half-life", "D", "of use, in multifactor and fairtree: `7 d` by default, or off"},
      {"--max-age", "D", "of multifactor: a wait that counts in full; `7 d` by default"},
      {"--cpus", "N", "of drf: cores of the machine; jobs wait for them, and dominant shares count them"},
      {"--memory", "M", "of drf: main memory of the machine, such as `2 TB`; likewise"}};
  return rows;
}

void choose_accounts(const Arguments& arguments, simulation::ReplayOptions& options) {
  for (const Meant& m : meant)
    if (arguments.has(m.option) && !goes(m, options))
      throw UsageError(
          fmt::format("{} has no meaning for this order", m.option),
          fmt::format("it goes with {}: choose one with --order, or leave {} out", m.orders, m.option));
  if (arguments.text("--recalc") != "pass")
    options.recalc_s =
        arguments.whole("--recalc", by_use(options.order) ? slurm_recalc_s : 0, 1, 1'000'000'000);
  simulation::AccountOptions& a = options.accounts;
  a.by_group = arguments.choice("--accounts", {"user", "group"}, 0) == 1;
  if (arguments.has("--classes")) a.classes = parts_of(arguments.text("--classes"));
  for (std::size_t i = 0; i < a.classes.size(); ++i)
    if (a.classes[i].empty() || std::count(a.classes.begin(), a.classes.end(), a.classes[i]) > 1)
      throw UsageError(a.classes[i].empty()
                           ? "--classes: a class without a name"
                           : fmt::format("--classes: `{}` stands twice", printable(a.classes[i])),
                       "such as `--classes high,normal,low`");
  a.fair_share = rule_of(arguments);
  a.cpu_milli = 1000 * arguments.whole("--cpus", 0, 1, most_cores);
  a.memory_mib = memory_of(arguments);
}

void read_shares(const Arguments& arguments, const workload::JobLog& log,
                 simulation::ReplayOptions& options) {
  if (!arguments.has("--shares")) return;
  const workload::AccountLevels levels = workload::levels_of(log, options.accounts.by_group);
  if (levels.any()) options.accounts.shares = workload::read_share_list(arguments.text("--shares"), levels);
}

std::string account_notes(const workload::JobLog& log, const simulation::ReplayOptions& options,
                          const simulation::ReplayResult& result) {
  std::string out;
  std::vector<std::string> names = result.without_jobs;
  constexpr std::size_t listed = 5;
  const std::size_t all = names.size();
  names.resize(std::min(all, listed));
  for (std::string& name : names) name = printable(name);
  if (all > 0)
    out += fmt::format("note: {} account{} of {} {} no job in the log: {}{}\n", all, all == 1 ? "" : "s",
                       printable(options.accounts.shares.file), all == 1 ? "has" : "have",
                       fmt::join(names, ", "), all > listed ? ", ..." : "");
  const bool queues =
      std::any_of(log.jobs.begin(), log.jobs.end(), [](const workload::LogJob& j) { return j.queue >= 0; });
  if (options.order == Order::priority && !queues)
    out += "note: the log names no queues: all jobs are of one class\n";
  return out;
}

}  // namespace natgpu::cli
