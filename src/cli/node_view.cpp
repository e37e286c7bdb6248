// SPDX-License-Identifier: Apache-2.0
#include "node_view.hpp"

#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <natgpu/core/time.hpp>
#include <natgpu/core/utf8.hpp>

#include "length_option.hpp"
#include "mig_option.hpp"

namespace natgpu::cli {
namespace {

constexpr double most_slowdown = 100;

std::vector<std::string> rule_names() {
  std::vector<std::string> names;
  for (const scheduling::PlacementRule& r : scheduling::placement_rules()) names.emplace_back(r.name);
  return names;
}

/// Thousandths. @throws UsageError for what is no number from 1 to 100
std::int64_t slowdown_of(const Arguments& arguments) {
  if (!arguments.has("--locality")) return 0;
  const std::string text = arguments.text("--locality");
  double factor = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), factor);
  if (error != std::errc{} || end != text.data() + text.size() || !(factor >= 1) || factor > most_slowdown)
    throw UsageError(
        fmt::format("--locality: `{}` is no factor from 1 to {}", printable(text), most_slowdown),
        "write 1.3 for gangs that run 1.3 times longer on more machines than the fewest");
  return std::llround(factor * 1000);
}

std::int64_t whole_seconds(const std::string& option, const Arguments& arguments) {
  const std::int64_t ticks = length_of(option, arguments.text(option));
  if (ticks % ticks_per_second != 0)
    throw UsageError(fmt::format("{}: on machines time goes by whole seconds", option),
                     "write whole seconds");
  return ticks / ticks_per_second;
}
/// 0: never.
std::int64_t checkpoint_of(const Arguments& arguments) {
  const std::string text = arguments.text("--checkpoint", "never");
  if (text == "never") return 0;
  if (text == "always") return 1;
  const std::int64_t every_s = whole_seconds("--checkpoint", arguments);
  if (every_s == 0) throw UsageError("--checkpoint is above zero", "write `--checkpoint always`, or 30min");
  return every_s;
}

void refuse_without_nodes(const Arguments& arguments) {
  for (const Option& o : node_view_options())
    if (o.name != "--nodes" && arguments.has(o.name))
      throw UsageError(fmt::format("{} goes with machines", o.name),
                       "add `--nodes MACHINES`, or leave it out");
}

/// GPU-seconds, rounded as they are counted. @param units  those of NodeTime
double gpu_seconds(Area milli, std::int64_t units) {
  return static_cast<double>(milli) / (scheduling::whole_gpu_milli * static_cast<double>(units));
}
nlohmann::ordered_json number_or_null(double value) {
  return std::isnan(value) ? nlohmann::ordered_json() : nlohmann::ordered_json(value);
}

}  // namespace

std::vector<Option> node_view_options() {
  std::vector<Option> options{
      {"--nodes", "MACHINES",
       "jobs hold GPUs, cores and memory of these machines: CSV of openb or of Alibaba PAI, or 813x8"},
      {"--placement", "P", fmt::format("with --nodes: {} (best by default)", fmt::join(rule_names(), ", "))},
      {"--locality", "F",
       "with --nodes: a gang may take more machines than the fewest and then runs F times longer; without "
       "it, it "
       "waits"},
      {"--node-outages", "FILE",
       "with --nodes: CSV node,from,until of machines that are lost for a while, or "
       "node,from,until,announced"},
      {"--checkpoint-cost", "T", "with --nodes and --checkpoint T: how long a job takes to write one (0s)"},
      {"--fragmentation", "", "with --nodes: measure what is free and cannot be used (F) over time"}};
  for (Option& o : mig_options()) options.push_back(std::move(o));
  return options;
}

std::optional<simulation::NodeView> node_view_of(const Arguments& arguments, bool preempts) {
  if (!arguments.has("--nodes")) {
    refuse_without_nodes(arguments);
    return {};
  }
  for (const char* option : {"--gpus", "--view", "--gpu-types", "--speeds", "--cpus", "--memory"})
    if (arguments.has(option))
      throw UsageError(fmt::format("{} has no meaning on machines", option),
                       "leave it out, or leave --nodes out");
  simulation::NodeView view;
  const std::string machines = arguments.text("--nodes");
  const auto equal = workload::equal_nodes(machines);
  view.machines = equal ? *equal : workload::read_node_list(machines);
  view.placement = scheduling::placement_rules()[arguments.choice("--placement", rule_names(), 1)].placement;
  view.slowdown_milli = slowdown_of(arguments);
  if (!preempts) view.checkpoint_s = checkpoint_of(arguments);
  if (arguments.has("--checkpoint-cost")) {
    const std::string every = arguments.text("--checkpoint", "never");
    if (preempts || every == "never" || every == "always")
      throw UsageError(
          "--checkpoint-cost needs to know how often one is written, in an order that preempts nobody",
          "add `--checkpoint 30min`, or leave it out");
    view.checkpoint_cost_s = whole_seconds("--checkpoint-cost", arguments);
  }
  if (!preempts && arguments.has("--restart-cost"))
    view.restart_s = whole_seconds("--restart-cost", arguments);
  view.fragmentation = arguments.has("--fragmentation");
  view.mig = mig_use_of(arguments, view.machines);
  if (arguments.has("--node-outages"))
    view.outages = workload::read_node_outages(arguments.text("--node-outages"), view.machines);
  else if (!preempts && (arguments.has("--checkpoint") || arguments.has("--restart-cost")))
    throw UsageError("--checkpoint and --restart-cost have no meaning where no machine is lost",
                     "add `--node-outages FILE`, or leave them out");
  return view;
}

std::string node_notes(const simulation::NodeFigures& figures) {
  std::string out;
  for (const simulation::NeverFits& n : figures.never_fit)
    out += fmt::format("note: {} jobs can never start: {}\n", n.jobs, n.reason);
  return out;
}

nlohmann::ordered_json node_json(const NodeOutput& nodes) {
  const simulation::NodeView& v = nodes.view;
  const simulation::NodeFigures& f = nodes.figures;
  nlohmann::ordered_json json{
      {"machines", f.machines},
      {"file", v.machines.file},
      {"gpus", static_cast<double>(f.gpus_milli) / scheduling::whole_gpu_milli},
      {"placement", scheduling::placement_rules()[static_cast<std::size_t>(v.placement)].name},
      {"locality", v.slowdown_milli > 0 ? nlohmann::ordered_json(static_cast<double>(v.slowdown_milli) / 1000)
                                        : nlohmann::ordered_json()},
      {"allocated_share_mean", f.allocated_share},
      {"fragmented_gpus_mean", number_or_null(f.fragmented_gpus)},
      {"fragmented_share_of_free_mean", number_or_null(f.fragmented_of_free)},
      {"spread_starts", f.spread},
      {"outages", f.failures},
      {"outages_announced", f.announced},
      {"jobs_stopped_by_outages", f.restarted},
      {"checkpoint_s", f.checkpoint_s ? nlohmann::ordered_json(*f.checkpoint_s) : nlohmann::ordered_json()},
      {"checkpoint_cost_s", f.checkpoint_cost_s},
      {"restart_cost_s", f.restart_s},
      {"gpu_seconds",
       {{"nominal", gpu_seconds(f.time.nominal, f.time.units_per_s)},
        {"useful", gpu_seconds(f.time.useful, f.time.units_per_s)},
        {"stopped_at_limit", gpu_seconds(f.time.stopped, f.time.units_per_s)},
        {"lost_to_outages", gpu_seconds(f.time.lost, f.time.units_per_s)},
        {"lost_to_preemptions", gpu_seconds(f.time.preempted, f.time.units_per_s)},
        {"checkpoints", gpu_seconds(f.time.checkpoints, f.time.units_per_s)},
        {"restarts", gpu_seconds(f.time.restarts, f.time.units_per_s)},
        {"idle", gpu_seconds(f.time.idle, f.time.units_per_s)},
        {"down", gpu_seconds(f.time.down, f.time.units_per_s)}}},
      {"mig", mig_json(v.mig, v.machines, f.mig.starts)},
      {"never_fit", nlohmann::ordered_json::array()}};
  if (v.mig.any()) {
    json["mig"]["asked_gpu_seconds"] = gpu_seconds(f.mig.asked, f.time.units_per_s);
    json["mig"]["given_gpu_seconds"] = gpu_seconds(f.mig.given, f.time.units_per_s);
  }
  for (const simulation::NeverFits& n : f.never_fit)
    json["never_fit"].push_back({{"reason", n.reason}, {"jobs", n.jobs}});
  return json;
}

std::string node_text(const NodeOutput& nodes) {
  const simulation::NodeFigures& f = nodes.figures;
  const simulation::NodeTime& t = f.time;
  const auto share = [&t](Area part) {
    return t.nominal > 0 ? 100 * static_cast<double>(part) / static_cast<double>(t.nominal) : 0.0;
  };
  std::string out = fmt::format("  machines               {}\n", f.machines);
  out +=
      fmt::format("  GPU time               useful {:.2f} %, stopped at the limit {:.2f} %, idle {:.2f} %\n",
                  share(t.useful), share(t.stopped), share(t.idle));
  if (f.failures > 0)
    out += fmt::format(
        "  outages                {}, which stopped jobs {} times: lost {:.2f} %, restarts {:.2f} %, down "
        "{:.2f} "
        "%\n",
        f.failures, f.restarted, share(t.lost), share(t.restarts), share(t.down));
  if (!std::isnan(f.fragmented_gpus))
    out += fmt::format("  fragmentation F        {:.2f} GPUs, {:.1f} % of those free\n", f.fragmented_gpus,
                       100 * f.fragmented_of_free);
  if (nodes.view.mig.any()) {
    out += fmt::format("  MIG instances          {}", in_words(f.mig.starts));
    if (f.mig.given > 0)
      out += fmt::format("; of the GPU time they held, {:.2f} % was asked for",
                         100 * static_cast<double>(f.mig.asked) / static_cast<double>(f.mig.given));
    out += '\n';
  }
  if (f.spread > 0) out += fmt::format("  spread over machines   {} starts\n", f.spread);
  return out;
}

std::string machines_text(const simulation::NodeFigures& figures, std::size_t job) {
  std::string out;
  const auto machines = figures.machines_of(job);
  for (std::size_t i = 0; i < machines.size();) {
    std::size_t last = i;
    while (last + 1 < machines.size() && machines[last + 1] == machines[last] + 1) ++last;
    if (!out.empty()) out += ' ';
    out += last == i ? fmt::format("{}", machines[i]) : fmt::format("{}-{}", machines[i], machines[last]);
    i = last + 1;
  }
  return out;
}

}  // namespace natgpu::cli
