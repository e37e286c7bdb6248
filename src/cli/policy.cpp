// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <natgpu/core/utf8.hpp>
#include <natgpu/scheduling/node_pool.hpp>
#include <natgpu/scheduling/spec.hpp>

#include "command.hpp"
#include "mig_option.hpp"
#include "policy_actions.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

template <class E>
const scheduling::Choice<E>& row_of(const std::vector<scheduling::Choice<E>>& choices, E value) {
  return *std::find_if(choices.begin(), choices.end(), [&](const auto& c) { return c.value == value; });
}

std::string entry(const std::string& name, const std::string& rule, const std::string& source,
                  const std::string& needs) {
  std::string out = fmt::format("  {:<13} {}\n", name, rule);
  out += fmt::format("  {:<13} source: {}\n", "", source);
  if (!needs.empty()) out += fmt::format("  {:<13} needs: {}\n", "", needs);
  return out;
}
template <class E>
std::string section(const std::string& title, const std::vector<scheduling::Choice<E>>& choices) {
  std::string out = title + "\n";
  for (const scheduling::Choice<E>& c : choices) out += entry(c.name, c.rule, c.source, c.needs);
  return out;
}

int list(const Arguments&) {
  std::string out = "Policies known by name (--policy): an order and a backfill\n";
  for (const scheduling::NamedPolicy& p : scheduling::named_policies()) {
    const auto& order = row_of(scheduling::orders(), p.order);
    const auto& backfill = row_of(scheduling::backfills(), p.backfill);
    out += entry(p.name, p.rule, p.source, order.needs.empty() ? backfill.needs : order.needs);
    out += fmt::format("  {:<13} = order {}, backfill {}\n", "", order.name, backfill.name);
  }
  out += section("\nOrders (--order, scheduling.order)", scheduling::orders());
  out += section("\nBackfills (--backfill, scheduling.backfill)", scheduling::backfills());
  out += section("\nSharing (--sharing, scheduling.sharing)", scheduling::sharings());
  out += section("\nPreemption (--preemption, scheduling.preemption.mode)", scheduling::preemptions());
  out += "\nPlacements (--placement of replay --nodes and of pack, scheduling.placement)\n";
  for (const scheduling::PlacementRule& r : scheduling::placement_rules())
    out += entry(std::string(r.name), std::string(r.rule), std::string(r.source),
                 r.of_gangs ? "gangs to differ" : "");
  put_out(out + mig_list());
  return Exit::done;
}

constexpr Action actions[] = {
    {"list", list}, {"new", new_policy, "a name"}, {"check", check_policy, "a policy"}};

int policy(const Arguments& arguments) {
  return run_action("policy", actions, arguments);
}

}  // namespace

const Command& policy_command() {
  static const Command command{
      "policy",
      "List scheduling policies, begin one of your own, or check one on random workloads.",
      "list | new NAME | check POLICY",
      1,
      2,
      {{"--level", "L", "of new: 1 (default), a queue order; 2, a policy that decides who starts"},
       {"--lang", "X", "of new: c (default) or c++"},
       {"--like", "P", "of check: a library of level 2 claims to be this policy of natgpu"},
       {"--backfill", "B", "of check: in place of the policy's; of a library of level 1, none by default"},
       {"--reservations", "N", "of check: with --backfill reservations"},
       {"--preemption", "P",
        "of check: by-class (accounts are the classes) or quota-reclaim, as of `natgpu replay`; none by "
        "default"},
       {"--shield", "T", "of check: of a policy that preempts: nobody so soon after a start; 0s by default"},
       {"--notice", "T",
        "of check: of a policy that preempts: from there to the return of the GPUs; 0s by default"},
       {"--workloads", "N", "of check: random workloads to try, each twice; 1000 by default"},
       {"--seed", "S", "of check: of the workloads; 1 by default"},
       {"--json", "FILE", "of check: the report, with the smallest failing workload"}},
      {"natgpu policy list", "natgpu policy new my_policy --level 2", "natgpu policy check easy",
       "natgpu policy check priority --preemption by-class --workloads 100",
       "natgpu policy check ./my_policy.so --like fcfs --workloads 1000"},
      policy};
  return command;
}

}  // namespace natgpu::cli
