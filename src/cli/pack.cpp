// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include <natgpu/core/file.hpp>
#include <natgpu/core/text.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/experiment/summary.hpp>
#include <natgpu/simulation/packing.hpp>
#include <natgpu/workload/trace.hpp>

#include "command.hpp"
#include "log_format.hpp"
#include "mig_option.hpp"
#include "run_options.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

/// Rules that differ for single tasks.
std::vector<scheduling::PlacementRule> all_rules() {
  std::vector<scheduling::PlacementRule> rules;
  for (const scheduling::PlacementRule& r : scheduling::placement_rules())
    if (!r.of_gangs) rules.push_back(r);
  return rules;
}
std::vector<std::string> rule_names() {
  std::vector<std::string> names;
  for (const scheduling::PlacementRule& r : all_rules()) names.emplace_back(r.name);
  return names;
}

/// The rules that `a,b,c` names; all without the option. @throws UsageError with the nearest name
std::vector<scheduling::PlacementRule> rules_of(const Arguments& arguments) {
  const std::vector<scheduling::PlacementRule> all = all_rules();
  if (!arguments.has("--placement")) return all;
  std::vector<scheduling::PlacementRule> rules;
  const std::vector<std::string> names = rule_names();
  for (const std::string& name : parts_of(arguments.text("--placement"), ',')) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end())
      throw UsageError(fmt::format("no placement `{}`{}", printable(name), did_you_mean(name, names)),
                       fmt::format("--placement takes {}, or several with commas", fmt::join(names, ", ")));
    rules.push_back(all[static_cast<std::size_t>(at - names.begin())]);
  }
  return rules;
}

/// One rule over all seeds.
struct Outcome {
  scheduling::PlacementRule rule;
  std::vector<simulation::Packing> packings;  ///< by seed
  experiment::Estimate allocated;             ///< share of the GPUs, over the seeds

  explicit Outcome(const scheduling::PlacementRule& r) : rule(r) {}
};

double mean_of(const std::vector<simulation::Packing>& packings, double (*of)(const simulation::Packing&)) {
  double sum = 0;
  for (const simulation::Packing& p : packings) sum += of(p);
  return sum / static_cast<double>(packings.size());
}

std::string table(const std::vector<Outcome>& outcomes) {
  std::string out = fmt::format("{:<10} {:>12} {:>10} {:>10} {:>22}\n", "placement", "allocated", "sd",
                                "unplaced", "of free, unusable");
  out += fmt::format("{:<10} {:>12} {:>10} {:>10} {:>22}\n", "", "% of GPUs", "points", "tasks", "%");
  for (const Outcome& o : outcomes) {
    const double sd = experiment::standard_deviation(o.allocated);
    out += fmt::format("{:<10} {:>12.2f} {:>10} {:>10.0f} {:>22.1f}\n", o.rule.name, 100 * o.allocated.mean,
                       std::isnan(sd) ? "one seed" : fmt::format("{:.2f}", 100 * sd),
                       mean_of(o.packings, [](const auto& p) { return static_cast<double>(p.unplaced); }),
                       100 * mean_of(o.packings, [](const auto& p) { return p.fragmented; }));
  }
  return out;
}

std::string result_json(const std::vector<Outcome>& outcomes, const simulation::PackingOptions& options,
                        const std::string& log, const workload::NodeList& cluster, bool interrupted) {
  nlohmann::ordered_json json{{"schema", "natgpu-packing/1"},
                              {"log", log},
                              {"nodes", cluster.file},
                              {"interrupted", interrupted},
                              {"until_share", options.until},
                              {"first_seed", options.seed},
                              {"gpu_nodes_only", options.gpu_nodes_only}};
  for (const Outcome& o : outcomes) {
    nlohmann::ordered_json runs = nlohmann::ordered_json::array();
    for (const simulation::Packing& p : o.packings) {
      runs.push_back({{"tasks", p.tasks},
                      {"unplaced", p.unplaced},
                      {"fit_no_machine", p.never},
                      {"gpus", p.gpus},
                      {"asked_gpus", p.asked},
                      {"allocated_gpus", p.allocated},
                      {"allocated_share", p.allocated_share()},
                      {"unusable_share_of_free", p.fragmented}});
      if (!options.mig.any()) continue;
      runs.back()["mig"] = mig_json(options.mig, cluster, p.instances);
      runs.back()["mig"]["asked_gpus"] = p.mig_asked;
      runs.back()["mig"]["given_gpus"] = p.mig_given;
    }
    json["placements"].push_back({{"placement", o.rule.name},
                                  {"allocated_share_mean", o.allocated.mean},
                                  {"by_seed", std::move(runs)}});
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// What tasks asked for of the instances that they hold, by rule.
std::string instances_text(const std::vector<Outcome>& outcomes) {
  std::string out = "MIG instances: GPUs asked for, and held\n";
  for (const Outcome& o : outcomes)
    out += fmt::format("{:<10} {:>12.2f} {:>10.2f}\n", o.rule.name,
                       mean_of(o.packings, [](const auto& p) { return p.mig_asked; }),
                       mean_of(o.packings, [](const auto& p) { return p.mig_given; }));
  return out;
}

/// The rules that were finished: all, unless the user stopped before.
std::vector<Outcome> outcomes_of(const std::vector<scheduling::PlacementRule>& rules, std::int64_t seeds,
                                 const workload::NodeList& cluster, const workload::JobLog& log,
                                 const simulation::PackingOptions& options) {
  std::vector<Outcome> outcomes;
  ProgressBar bar("packing");
  double done = 0;
  for (const scheduling::PlacementRule& rule : rules) {
    Outcome o(rule);
    for (std::int64_t i = 0; i < seeds; ++i) {
      if (stop_requested()) return outcomes;
      simulation::PackingOptions one = options;
      one.placement = rule.placement;
      one.seed += static_cast<std::uint64_t>(i);
      o.packings.push_back(simulation::pack(cluster, log, one));
      o.allocated.values.push_back(o.packings.back().allocated_share());
      bar.show(++done / static_cast<double>(rules.size() * static_cast<std::size_t>(seeds)),
               std::string(rule.name));
    }
    experiment::estimate_from_values(o.allocated);
    outcomes.push_back(std::move(o));
  }
  return outcomes;
}

int pack(const Arguments& arguments) {
  if (!arguments.has("--nodes"))
    throw UsageError("pack needs the machines of the cluster", "--nodes FILE, a CSV file of machines");
  const std::vector<scheduling::PlacementRule> rules = rules_of(arguments);
  const std::int64_t seeds = arguments.whole("--seeds", 10, 1, 10'000);
  simulation::PackingOptions options;
  options.until = static_cast<double>(arguments.whole("--until", 130, 1, 10'000)) / 100;
  options.seed = static_cast<std::uint64_t>(arguments.whole("--seed", 1, 0, std::int64_t{1} << 53));
  options.gpu_nodes_only = arguments.has("--gpu-nodes-only");
  prepare_file(arguments.text("--json"));
  const workload::NodeList cluster = workload::read_node_list(arguments.text("--nodes"));
  options.mig = mig_use_of(arguments, cluster);
  const workload::JobLog log = workload::read_log(arguments.positional[0], {log_format(arguments), 0, true});
  put_err(rows_left_out(log));

  const std::vector<Outcome> outcomes = outcomes_of(rules, seeds, cluster, log, options);
  const bool interrupted = outcomes.size() < rules.size();
  if (interrupted)
    put_err(fmt::format("interrupted; {} of {} rules are finished\n", outcomes.size(), rules.size()));
  if (!outcomes.empty()) {
    const std::vector<simulation::Packing>& all = outcomes.front().packings;
    const double asked = mean_of(all, [](const auto& p) { return p.asked / p.gpus; });
    const double never = mean_of(all, [](const auto& p) { return static_cast<double>(p.never); });
    put_out(fmt::format("{:.0f} GPUs; tasks of {} ask for {:.0f} % of them; {} seeds from {}\n", all[0].gpus,
                        printable(arguments.positional[0]), 100 * asked, seeds, options.seed));
    if (options.mig.any()) put_out(simulation::in_words(options.mig, cluster) + "\n");
    put_out(table(outcomes));
    if (options.mig.any()) put_out(instances_text(outcomes));
    if (never > 0)
      put_err(fmt::format("note: {:.0f} of {:.0f} tasks fit no machine of this cluster, even an empty one\n",
                          never, mean_of(all, [](const auto& p) { return static_cast<double>(p.tasks); })));
    if (arguments.has("--json"))
      write_file_whole(arguments.text("--json"),
                       result_json(outcomes, options, log.file, cluster, interrupted));
  }
  return interrupted ? Exit::interrupted : Exit::done;
}

std::vector<Option> pack_options() {
  std::vector<Option> options{
      {"--nodes", "FILE", "the machines: CSV of openb or of Alibaba PAI, plain or .gz"},
      {"--placement", "P",
       fmt::format("{}, or several with commas; by default all", fmt::join(rule_names(), ", "))},
      {"--until", "PERCENT", "tasks arrive until they ask for so much of the GPUs (default 130)"},
      {"--seeds", "N", "as many runs of each rule (default 10)"},
      {"--seed", "S", "of the first run (default 1)"},
      {"--gpu-nodes-only", "", "leave out machines without GPUs"},
      {"--format", "F", log_format_help()},
      {"--json", "FILE", "the figures of every run"}};
  for (Option& o : mig_options()) options.push_back(std::move(o));
  return options;
}

}  // namespace

const Command& pack_command() {
  static const Command command{
      "pack",
      "How full does a cluster get under each rule of placement?",
      "LOG",
      1,
      1,
      pack_options(),
      {"natgpu pack openb_pod_list_default.csv.gz --nodes openb_node_list_all_node.csv.gz --gpu-nodes-only",
       "natgpu pack tasks.csv --nodes machines.csv --placement best,fgd --until 150 --json packing.json"},
      pack};
  return command;
}

}  // namespace natgpu::cli
