// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <natgpu/conformance/check.hpp>
#include <natgpu/core/file.hpp>
#include <natgpu/plugin/library.hpp>
#include <natgpu/scheduling/spec.hpp>
#include <natgpu/simulation/interrupted.hpp>

#include "length_option.hpp"
#include "policy_actions.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

using conformance::Candidate;
using conformance::CheckReport;
using Mode = scheduling::PreemptionSettings::Mode;

constexpr std::int64_t usual_workloads = 1000;
constexpr std::int64_t most_workloads = 100'000'000;
constexpr std::int64_t most_reservations = 1'000'000'000;

template <class Row>
std::vector<std::string> names_of(const std::vector<Row>& rows) {
  std::vector<std::string> names;
  for (const Row& row : rows) names.push_back(row.name);
  return names;
}
template <class Row>
const Row& row_of(const std::vector<Row>& rows, const std::string& what, const std::string& name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == name; });
  if (found == rows.end())
    throw UsageError(fmt::format("unknown {} `{}`{}", what, name, did_you_mean(name, names_of(rows))),
                     "`natgpu policy list` lists them");
  return *found;
}

/// Backfill and seed as stated beside the policy.
conformance::Parts parts_of(const Arguments& arguments, scheduling::Backfill usual) {
  conformance::Parts parts;
  parts.backfill = usual;
  if (arguments.has("--backfill"))
    parts.backfill = row_of(scheduling::backfills(), "backfill", arguments.text("--backfill")).value;
  parts.reservations = arguments.whole("--reservations", 0, 1, most_reservations);
  const bool counts = parts.backfill == scheduling::Backfill::reservations;
  if (counts != (parts.reservations > 0))
    throw UsageError(counts ? "backfill reservations needs the number of jobs that hold one"
                            : "--reservations goes with backfill reservations",
                     counts ? "add `--reservations N`" : "add `--backfill reservations`, or leave it out");
  return parts;
}

/// An option of a policy that takes GPUs back, in ticks.
std::int64_t length_of_preemption(const Arguments& arguments, const std::string& option, bool may_preempt) {
  if (!arguments.has(option)) return 0;
  if (!may_preempt)
    throw UsageError(option + " has no meaning for a policy that leaves running jobs their GPUs",
                     "choose srtf, srsf, las, las2d or a library of level 2, add `--preemption by-class`, or "
                     "leave it out");
  return length_of(option, arguments.text(option));
}
void read_preemption(const Arguments& arguments, bool may_preempt, scheduling::PreemptiveRule& rule) {
  rule.shield = length_of_preemption(arguments, "--shield", may_preempt);
  rule.notice = length_of_preemption(arguments, "--notice", may_preempt);
}

Mode mode_of(const Arguments& arguments) {
  static constexpr Mode modes[] = {Mode::none, Mode::by_class, Mode::quota_reclaim};
  return modes[arguments.choice("--preemption", {"none", "by-class", "quota-reclaim"}, 0)];
}
/// Whether the order, which says who stands first, goes with who takes GPUs back beside it.
void check_mode(const conformance::Parts& parts) {
  if (parts.mode == Mode::by_class && parts.order != scheduling::Order::priority &&
      parts.order != scheduling::Order::plugged)
    throw UsageError("preemption by class needs an order whose keys are classes",
                     "check `priority`, or a library of level 1 with a key");
  if (parts.mode == Mode::quota_reclaim && (moves(parts.order) || preempts(parts.order)))
    throw UsageError("quota-reclaim serves jobs in an order that is settled at submission",
                     "check fcfs, sjf, ljf, saf, lottery or priority, or leave --preemption out");
  if ((preempts(parts.order) || parts.mode != Mode::none) && parts.backfill != scheduling::Backfill::fit &&
      parts.backfill != scheduling::Backfill::none)
    throw UsageError("an order that takes GPUs back keeps no reservations", "choose --backfill fit or none");
}
std::string in_words(const Arguments& arguments, Mode mode) {
  return mode == Mode::none ? "" : fmt::format(" with preemption {}", arguments.text("--preemption"));
}

/// A policy of natgpu, with another backfill where one is stated.
Candidate named(const Arguments& arguments, const std::string& name, bool with_options) {
  const scheduling::NamedPolicy& p = row_of(scheduling::named_policies(), "policy", name);
  conformance::Parts parts;
  if (with_options) parts = parts_of(arguments, p.backfill);
  if (!with_options) parts.backfill = p.backfill;
  parts.order = p.order;
  parts.mode = mode_of(arguments);
  parts.preemption = conformance::small_preemption(p.order);
  read_preemption(arguments, preempts(p.order) || parts.mode != Mode::none || !with_options,
                  parts.preemption);
  check_mode(parts);
  if (by_holding(parts.order) && keeps_reservations(parts.backfill))
    throw UsageError("drf and maxmin rank accounts anew after each start: no order of reservations lasts",
                     "choose --backfill none, fit or easy");
  if (by_holding(parts.order) && parts.backfill == scheduling::Backfill::easy_sjbf)
    throw UsageError("easy-sjbf tries jobs by their length, and this order by whose turn it is",
                     "choose --backfill none, fit or easy");
  std::string title = name;
  if (arguments.has("--backfill") && with_options)
    title += fmt::format(" with backfill {}", arguments.text("--backfill"));
  return conformance::built_in(title + in_words(arguments, parts.mode), parts);
}

Candidate candidate_of(const Arguments& arguments, const std::optional<plugin::Library>& library) {
  const std::string& name = arguments.positional[1];
  if (!library) {
    if (arguments.has("--like"))
      throw UsageError("a policy of natgpu is compared with its own rule", "leave --like out");
    return named(arguments, name, true);
  }
  if (library->policy().decides() && arguments.has("--backfill"))
    throw UsageError("this policy decides by itself who starts: it takes no backfill",
                     "leave --backfill out");
  conformance::Parts parts = parts_of(arguments, scheduling::Backfill::none);
  const bool decides = library->policy().decides();
  if (!decides) {
    parts.mode = mode_of(arguments);
    parts.order = library->policy().table->key != nullptr ? scheduling::Order::plugged : parts.order;
    check_mode(parts);
  } else if (arguments.has("--preemption") && !arguments.has("--like")) {
    throw UsageError("this policy decides by itself when it takes GPUs back",
                     "leave --preemption out, or say what it is `--like`");
  }
  read_preemption(arguments, decides || parts.mode != Mode::none, parts.preemption);
  Candidate c = conformance::plugged(library->policy(), parts);
  if (!arguments.has("--like")) return c;
  if (!library->policy().decides())
    throw UsageError("an order is compared with its own backfill", "leave --like out");
  return conformance::like(std::move(c), named(arguments, arguments.text("--like"), false));
}

// --- the report

std::string report_text(const Candidate& c, const CheckReport& r, std::uint64_t seed) {
  std::string out = fmt::format("{}: {} workloads (seed {}), {} starts, {} requeued{}\n", c.name, r.workloads,
                                seed, r.starts, r.requeued,
                                (r.preempted > 0 ? fmt::format(", {} preempted", r.preempted) : "") +
                                    (r.rejected > 0 ? fmt::format(", {} rejected", r.rejected) : ""));
  for (std::size_t i = 0; i < conformance::flaws; ++i) {
    const conformance::Finding& f = r.findings[i];
    out += fmt::format("  {:<16} {:<12} {}\n", name_of(static_cast<conformance::Flaw>(i)), name_of(f.status),
                       f.what);
    while (out.size() > 1 && out[out.size() - 2] == ' ') out.erase(out.size() - 2, 1);
  }
  if (!c.foresees) out += "  without announced outages, which it does not know\n";
  if (r.failure)
    out += fmt::format("\nthe smallest workload found that shows it (seconds; from workload {}):\n{}",
                       r.failure->index, in_words(r.failure->workload));
  return out + (r.passed() ? "passed\n" : "failed\n");
}

nlohmann::ordered_json workload_json(const conformance::TrialWorkload& w) {
  nlohmann::ordered_json jobs = nlohmann::ordered_json::array(), outages = jobs;
  for (const conformance::TrialJob& j : w.jobs)
    jobs.push_back({{"submit_s", j.submit},
                    {"requested_s", j.requested},
                    {"run_s", j.run},
                    {"gpus", j.gpus},
                    {"account", j.account}});
  for (const conformance::Outage& o : w.outages)
    outages.push_back(
        {{"from_s", o.from}, {"until_s", o.until}, {"gpus", o.gpus}, {"announced", o.announced}});
  return {{"gpus", w.gpus}, {"jobs", jobs}, {"outages", outages}};
}

std::string report_json(const Candidate& c, const CheckReport& r, std::uint64_t seed,
                        const std::optional<plugin::Library>& library) {
  nlohmann::ordered_json json{{"policy", c.name}};
  if (library) json["sha256"] = library->policy().sha256;
  json["rule"] = c.rule.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(c.rule);
  json["passed"] = r.passed();
  json["seed"] = seed;
  json["workloads"] = r.workloads;
  json["starts"] = r.starts;
  json["requeued"] = r.requeued;
  json["rejected"] = r.rejected;
  json["preempted"] = r.preempted;
  for (std::size_t i = 0; i < conformance::flaws; ++i)
    json["checks"][name_of(static_cast<conformance::Flaw>(i))] = {{"status", name_of(r.findings[i].status)},
                                                                  {"what", r.findings[i].what}};
  if (r.failure)
    json["failure"] = {{"check", name_of(r.failure->violation.flaw)},
                       {"what", r.failure->violation.what},
                       {"found_in_workload", r.failure->index},
                       {"workload", workload_json(r.failure->workload)}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

int check_policy(const Arguments& arguments) {
  const std::string& name = arguments.positional[1];
  if (arguments.positional.size() > 2)
    throw UsageError("policy check takes one policy", "natgpu policy check easy");
  std::optional<plugin::Library> library;
  if (plugin::names_library(name)) library.emplace(name);
  const Candidate candidate = candidate_of(arguments, library);
  conformance::CheckOptions options;
  options.workloads =
      static_cast<std::uint64_t>(arguments.whole("--workloads", usual_workloads, 1, most_workloads));
  options.seed =
      static_cast<std::uint64_t>(arguments.whole("--seed", 1, 0, std::numeric_limits<std::int64_t>::max()));
  options.stop = &stop_requested();
  const CheckReport report = conformance::check(candidate, options);
  if (report.stopped) throw simulation::Interrupted{};
  if (arguments.has("--json"))
    write_file_whole(arguments.text("--json"), report_json(candidate, report, options.seed, library));
  put_out(report_text(candidate, report, options.seed));
  return report.passed() ? Exit::done : Exit::failed;
}

}  // namespace natgpu::cli
