// SPDX-License-Identifier: Apache-2.0
#include "replay_options.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include <fmt/format.h>

#include <natgpu/core/utf8.hpp>
#include <natgpu/scheduling/spec.hpp>

#include "preemption_options.hpp"
#include "replay_accounts.hpp"
#include "replay_sharing.hpp"
#include "replay_types.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

using scheduling::EasyRule;
using scheduling::PassRule;
using scheduling::Ties;

constexpr std::int64_t most_reservations = 1'000'000'000;

/// A published simulator's rules, as far as this program has them.
struct Dialect {
  std::string name;
  scheduling::Semantics semantics;
  EasyRule easy;
  bool named = false;
};
const std::vector<Dialect>& dialects() {
  static const EasyRule usual;
  static const EasyRule exact_waiting{EasyRule::Spare::used, EasyRule::Shadow::refreshed,
                                      EasyRule::Compare::at_most, EasyRule::Waiting::exact};
  static const EasyRule fast{EasyRule::Spare::unused, EasyRule::Shadow::fixed, EasyRule::Compare::at_most,
                             EasyRule::Waiting::requested};
  static const std::vector<Dialect> all{
      {"natgpu", {PassRule::instant, Ties::release_first}, usual},
      {"pyss", {PassRule::event, Ties::arrival_first}, usual},
      {"cqsim", {PassRule::event, Ties::release_first}, exact_waiting},
      {"batsched-easy", {PassRule::instant, Ties::release_first}, usual, true},
      {"batsched-easy-fast", {PassRule::instant, Ties::release_first}, fast}};
  return all;
}

template <class Row>
std::vector<std::string> names_of(const std::vector<Row>& rows) {
  std::vector<std::string> names;
  for (const Row& row : rows) names.push_back(row.name);
  return names;
}

const Dialect& dialect_of(const Arguments& arguments) {
  return dialects()[arguments.choice("--dialect", names_of(dialects()), 0)];
}

scheduling::Semantics semantics_of(const Arguments& arguments) {
  scheduling::Semantics semantics = dialect_of(arguments).semantics;
  if (arguments.has("--pass"))
    semantics.pass = static_cast<PassRule>(arguments.choice("--pass", {"instant", "event"}, 0));
  if (arguments.has("--ties"))
    semantics.ties = static_cast<Ties>(arguments.choice("--ties", {"release-first", "arrival-first"}, 0));
  else if (semantics.pass == PassRule::instant)
    semantics.ties = Ties::release_first;
  if (arguments.has("--ties") && semantics.pass == PassRule::instant)
    throw UsageError("--ties has no meaning where one pass sees all that happened at an instant",
                     "add `--pass event`, or leave --ties out");
  return semantics;
}

/// Order and backfill that have names.
void choose_named(const Arguments& arguments, simulation::ReplayOptions& options) {
  const std::vector<scheduling::NamedPolicy>& policies = scheduling::named_policies();
  if (!plugin::names_library(arguments.text("--policy"))) {
    std::size_t easy = 0;
    while (easy + 1 < policies.size() && policies[easy].name != "easy") ++easy;
    const scheduling::NamedPolicy& named = policies[arguments.choice("--policy", names_of(policies), easy)];
    options.order = options.plugged ? scheduling::Order::fcfs : named.order;
    options.backfill = named.backfill;
  } else {
    options.backfill = scheduling::Backfill::none;
  }
  if (arguments.has("--order") && !options.plugged)
    options.order =
        scheduling::orders()[arguments.choice("--order", names_of(scheduling::orders()), 0)].value;
  const bool preempting = preempts(options.order) || options.quota_reclaim;
  if (preempting && !arguments.has("--policy")) options.backfill = scheduling::Backfill::fit;
  if (arguments.has("--backfill"))
    options.backfill =
        scheduling::backfills()[arguments.choice("--backfill", names_of(scheduling::backfills()), 0)].value;
}

/// A policy, and what is said of its parts beside it.
void choose_policy(const Arguments& arguments, simulation::ReplayOptions& options) {
  if (options.plugged && options.plugged.decides() && arguments.has("--backfill"))
    throw UsageError("this policy decides by itself who starts: it takes no backfill",
                     "leave --backfill out");
  choose_preemption(arguments, options);
  choose_named(arguments, options);
  options.reservations = arguments.whole("--reservations", 0, 1, most_reservations);
  choose_accounts(arguments, options);
  const bool counts = options.backfill == scheduling::Backfill::reservations;
  if (counts && options.reservations == 0)
    throw UsageError("backfill reservations needs the number of jobs that hold one",
                     "add `--reservations N`, or write `--backfill conservative` for all");
  if (!counts && options.reservations > 0)
    throw UsageError("--reservations has no meaning for a backfill that settles their number by itself",
                     "add `--backfill reservations`, or leave --reservations out");
  if (by_holding(options.order) && keeps_reservations(options.backfill))
    throw UsageError("drf and maxmin rank accounts anew after each start: no order of reservations lasts",
                     "choose --backfill none, fit or easy");
  if (by_holding(options.order) && options.backfill == scheduling::Backfill::easy_sjbf)
    throw UsageError("easy-sjbf tries jobs by their length, and this order by whose turn it is",
                     "choose --backfill none, fit or easy");
}

/// The parts of EASY: those of the dialect, and what is said beside it.
EasyRule easy_rule_of(const Arguments& arguments, const simulation::ReplayOptions& options) {
  const bool easy = options.backfill == scheduling::Backfill::easy;
  EasyRule rule = easy ? dialect_of(arguments).easy : EasyRule{};
  bool any = false;
  const auto choose = [&](const char* option, const std::vector<std::string>& names, auto& part) {
    if (!arguments.has(option)) return;
    part = static_cast<std::decay_t<decltype(part)>>(arguments.choice(option, names, 0));
    any = true;
  };
  choose("--spare", {"used", "not"}, rule.spare);
  choose("--shadow", {"refreshed", "fixed"}, rule.shadow);
  choose("--compare", {"at-most", "less"}, rule.compare);
  choose("--waiting", {"requested", "true"}, rule.waiting);
  if (any && !easy)
    throw UsageError("--spare, --shadow, --compare and --waiting are parts of EASY",
                     "choose `--backfill easy`, or leave them out");
  if (rule != EasyRule{} && by_holding(options.order))
    throw UsageError("drf and maxmin know EASY in its usual parts alone",
                     "leave --spare, --shadow, --compare, --waiting and the dialect out");
  if (rule.waiting == EasyRule::Waiting::exact && moves(options.order))
    throw UsageError("an order that moves with time ranks by requested times",
                     "leave --waiting true and --dialect cqsim out, or choose another --order");
  return rule;
}

bool named_view(const Arguments& arguments, const simulation::ReplayOptions& options) {
  const bool has_it = options.backfill == scheduling::Backfill::easy ||
                      options.backfill == scheduling::Backfill::conservative;
  const bool possible =
      has_it && !moves(options.order) && options.easy.waiting == EasyRule::Waiting::requested;
  if (!arguments.has("--view"))
    return possible && options.backfill == scheduling::Backfill::easy && dialect_of(arguments).named;
  if (arguments.choice("--view", {"counted", "named"}, 0) == 0) return false;
  if (!possible)
    throw UsageError(
        "the named view has backfill easy or conservative, in an order settled at submission, with waiting "
        "jobs as requested",
        "leave --view out, or choose `--policy easy`");
  return true;
}

std::string listed(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}
std::string policy_help() {
  return listed(names_of(scheduling::named_policies())) + ", or ./my_policy.so; easy by default";
}

}  // namespace

std::vector<Option> replay_policy_options() {
  return {
      {"--gpus", "N", "of the machine; by default the log's MaxProcs"},
      {"--policy", "P", policy_help()},
      {"--order", "O",
       "queue order in place of the policy's: " + listed(names_of(scheduling::orders())) +
           ", or ./my_order.so"},
      {"--backfill", "B", "backfill in place of the policy's: " + listed(names_of(scheduling::backfills()))},
      {"--reservations", "N", "with --backfill reservations: waiting jobs that hold one"},
      {"--seed", "S", "of the order lottery, and of what a library draws; 1 by default"},
      {"--dialect", "D",
       "rules of a known simulator: natgpu (default), pyss (event, arrival-first), cqsim (event, waiting "
       "true), batsched-easy (view named) or batsched-easy-fast (spare not, shadow fixed)"},
      {"--view", "V",
       "counted (default): so many GPUs; named: GPUs by number (backfill easy or conservative)"},
      {"--spare", "PART", "of EASY: spare GPUs are used (default), or not"},
      {"--shadow", "PART", "of EASY: refreshed at each pass (default), or fixed when the head blocks"},
      {"--compare", "PART", "of EASY: a job in time ends at-most at the shadow (default), or less"},
      {"--waiting", "PART", "of EASY: waiting jobs last as requested (default), or their true run time"},
      {"--pass", "RULE",
       "instant: one pass sees all that happened at an instant; event: a pass after each event"},
      {"--ties", "RULE", "with --pass event: release-first or arrival-first"},
      {"--estimates", "E", "requested (default), or exact: policies see true run times"}};
}

/// The library that stands in the place of a policy's name, or of an order's.
std::optional<plugin::Library> library_of(const Arguments& arguments) {
  const std::string policy = arguments.text("--policy"), order = arguments.text("--order");
  if (plugin::names_library(policy)) {
    if (arguments.has("--order"))
      throw UsageError("a policy from a library brings its own order", "leave --order out");
    return plugin::Library(policy);
  }
  if (!plugin::names_library(order)) return {};
  plugin::Library library(order);
  if (library.policy().decides())
    throw UsageError(fmt::format("{} is no order: it decides who starts", printable(order)),
                     fmt::format("write `--policy {}`", printable(order)));
  return library;
}

simulation::ReplayOptions replay_options_of(const Arguments& arguments,
                                            const std::optional<plugin::Library>& library) {
  simulation::ReplayOptions options;
  if (library) options.plugged = library->policy();
  options.gpus = arguments.whole("--gpus", 0, 1, most_gpus);
  choose_sharing(arguments, options);
  if (options.sharing != scheduling::Sharing::exclusive) {
    choose_types(arguments, options);
    options.stop = &stop_requested();
    return options;
  }
  choose_policy(arguments, options);
  choose_types(arguments, options);
  if (!by_target(options.order)) refuse_weights(arguments);
  options.easy = easy_rule_of(arguments, options);
  options.named = named_view(arguments, options);
  options.seed =
      static_cast<std::uint64_t>(arguments.whole("--seed", 1, 0, std::numeric_limits<std::int64_t>::max()));
  options.semantics = semantics_of(arguments);
  read_preemption(arguments, options);
  options.exact_estimates = arguments.choice("--estimates", {"requested", "exact"}, 0) == 1;
  options.stop = &stop_requested();
  return options;
}

}  // namespace natgpu::cli
