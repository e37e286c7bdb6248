// SPDX-License-Identifier: Apache-2.0
#include "checks.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <natgpu/measures/warmup.hpp>
#include <natgpu/scheduling/nodes.hpp>

#include "mistakes.hpp"

namespace natgpu::scenario {
namespace {

namespace fs = std::filesystem;

constexpr double longest_horizon = 1e9;  // seconds, 1e15 ticks: 31.7 years
constexpr double shortest_steady =
    static_cast<double>(measures::warmup_batch * measures::fewest_batches) * 86400.0;
constexpr double most_jobs = 1e9;  // in one replication

double seconds_until(const Scenario& s, const Date& end) {
  const auto length = end.day - s.horizon.start.day;
  return static_cast<double>(length.count()) * 86400.0;
}

void check_horizon(const Scenario& s, std::vector<Finding>& out) {
  const Horizon& h = s.horizon;
  if (h.start.is_never || h.end.is_never || !(h.start < h.end)) {
    out.push_back({"horizon.end", "the horizon ends before it starts", "`end` is the first day not simulated",
                   code_of(Fault::bad_horizon)});
  } else if (seconds_until(s, end_of_run(s)) > longest_horizon) {
    out.push_back({"horizon.end", "the horizon is longer than 31.7 years, its run-off included",
                   "at most 1e15 microseconds can be simulated", code_of(Fault::bad_horizon)});
  } else if (s.report.warmup == Warmup::mser_5 && seconds_until(s, h.end) < shortest_steady) {
    out.push_back({"report.warmup", "the horizon is shorter than 50 days, too short for MSER-5",
                   "it looks at one observation a day, in batches of five, and needs ten batches",
                   code_of(Fault::bad_horizon)});
  }
}

/// Of the class that has most of them.
double jobs_of_a_project(const demand::Demand& demand, const demand::Sector& sector, double horizon) {
  double most = 0;
  for (const demand::ProjectShare& share : sector.projects)
    for (const demand::ProjectClass& c : demand.project)
      if (c.name == share.name) most = std::max(most, c.jobs.rate * std::min(c.duration.mean(), horizon));
  return most;
}

/// Crude and from above: everyone asks from the first day to the last.
double expected_jobs(const Scenario& s) {
  double jobs = 0;
  for (const demand::Sector& sector : s.demand.sectors) {
    const double simulated = static_cast<double>(sector.organisations) /
                             static_cast<double>(std::max<std::int64_t>(sector.represents, 1));
    const double horizon = seconds_until(s, end_of_run(s));
    jobs += simulated * horizon *
            (sector.request_rate + sector.service_rate +
             sector.project_rate * (1 + jobs_of_a_project(s.demand, sector, horizon)));
  }
  return jobs;
}

void check_jobs(const Scenario& s, std::vector<Finding>& out) {
  const double jobs = expected_jobs(s);
  if (jobs > most_jobs)
    out.push_back({"demand.sectors", fmt::format("up to {:.3g} jobs in one replication, more than 1e9", jobs),
                   "check the units of the rates, or raise `represents`", code_of(Fault::too_many_jobs)});
}

void check_trace(const Scenario& s, std::vector<Finding>& out) {
  const std::string& file = s.demand.trace.file;
  if (file.empty()) return;
  const std::string flaw = path_flaw(s.folder, file);
  if (!flaw.empty())
    out.push_back({"demand.trace.file", fmt::format("trace file `{}` {}", file, flaw),
                   "give it relative to the folder of the scenario", code_of(Fault::bad_trace)});
}

/// The node view places jobs on machines of a limited size.
void check_machines(const Scenario& s, std::vector<Finding>& out) {
  if (s.scheduling.view != scheduling::View::node) return;
  for (const supply::Device& device : s.hardware) {
    const bool is_used = std::any_of(s.supply.tranches.begin(), s.supply.tranches.end(),
                                     [&](const supply::Tranche& t) { return t.device == device.name; });
    if (is_used && device.per_node > scheduling::most_gpus_per_node)
      out.push_back({fmt::format("hardware[{}].per_node", device.name),
                     fmt::format("{} GPUs on one node; the node view places jobs on nodes of up to {}",
                                 device.per_node, scheduling::most_gpus_per_node),
                     "state smaller nodes, or write `view: pool` in `scheduling`"});
  }
}

bool fits_a_machine(const Scenario& s, const demand::MachineNeeds& needs,
                    const std::vector<std::string>& devices) {
  return std::any_of(s.hardware.begin(), s.hardware.end(), [&](const supply::Device& d) {
    const bool accepted =
        devices.empty() || std::find(devices.begin(), devices.end(), d.name) != devices.end();
    return accepted && (d.node_cores == 0 || needs.cores_per_gpu <= d.node_cores) &&
           (d.node_memory_gb == 0 || needs.memory_gb_per_gpu <= d.node_memory_gb);
  });
}

/// Jobs of the class find machines on which one of their GPUs has its cores and memory.
void check_needs(const Scenario& s, const demand::MachineNeeds& needs,
                 const std::vector<std::string>& devices, const std::string& path,
                 std::vector<Finding>& out) {
  if (!fits_a_machine(s, needs, devices))
    out.push_back({fmt::format("{}.{}", path, needs.cores_per_gpu > 0 ? "cores_per_gpu" : "memory_per_gpu"),
                   "no device that it accepts has a node with so many cores and so much memory for one GPU",
                   "ask for less, or state larger `node_cores` and `node_memory` of a device"});
}
/// The same of its block, which holds for each GPU what the most demanding of its jobs ask for.
void check_needs(const Scenario& s, const demand::ProjectClass& c, std::vector<Finding>& out) {
  if (!fits_a_machine(s, demand::needs_of_block(s.demand, c), c.devices))
    out.push_back({fmt::format("demand.project[{}].jobs.mix", c.name),
                   "no device that it accepts has a node with the cores and memory that its jobs ask for "
                   "beside one GPU of the block",
                   "list classes that ask for less, or state larger `node_cores` and `node_memory`"});
}
void check_all_needs(const Scenario& s, std::vector<Finding>& out) {
  if (s.scheduling.view != scheduling::View::node) return;
  for (const demand::BatchClass& c : s.demand.batch)
    check_needs(s, c, c.devices, fmt::format("demand.batch[{}]", c.name), out);
  for (const demand::ServiceClass& c : s.demand.service)
    check_needs(s, c, c.devices, fmt::format("demand.service[{}]", c.name), out);
  for (const demand::ProjectClass& c : s.demand.project) check_needs(s, c, out);
}

void check_mig(const Scenario& s, std::vector<Finding>& out) {
  std::vector<std::string> tables;
  for (const scheduling::MigTable& t : scheduling::mig_tables()) tables.emplace_back(t.gpu);
  for (const supply::Device& device : s.hardware) {
    if (device.mig.empty() || scheduling::mig_table_named(device.mig)) continue;
    const std::string near = nearest_name(device.mig, tables);
    out.push_back({fmt::format("hardware[{}].mig", device.name),
                   fmt::format("there is no MIG table `{}`", device.mig),
                   near.empty() ? fmt::format("tables: {}; devices of other models are not cut: leave it out",
                                              fmt::join(tables, ", "))
                                : fmt::format("did you mean `{}`?", near),
                   code_of(Fault::unknown_reference)});
  }
}

void check_name(const std::string& at, const std::string& name, const std::vector<std::string>& known,
                std::vector<Finding>& out) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  const std::string near = nearest_name(name, known);
  out.push_back({at, fmt::format("there is no such class of jobs: `{}`", name),
                 near.empty() ? fmt::format("classes: {}", fmt::join(known, ", "))
                              : fmt::format("did you mean `{}`?", near),
                 code_of(Fault::unknown_reference)});
}

/// Names of classes in one list of `scheduling`.
void check_names(const std::string& path, const std::vector<std::string>& names,
                 const std::vector<std::string>& known, std::vector<Finding>& out) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string at = fmt::format("{}[{}]", path, i);
    const auto here = names.begin() + static_cast<std::ptrdiff_t>(i);
    check_name(at, names[i], known, out);
    if (std::find(names.begin(), here, names[i]) != here)
      out.push_back({at, fmt::format("`{}` stands twice", names[i]), "leave one of them out",
                     code_of(Fault::duplicate_name)});
  }
}

/// Classes that share GPUs in time.
void check_shares(const scheduling::Scheduling& s, const demand::Demand& demand,
                  std::vector<std::string> classes, std::vector<Finding>& out) {
  classes.emplace_back("log");
  for (const scheduling::SharingWeight& w : s.weights)
    check_name(fmt::format("scheduling.weights[{}].name", w.name), w.name, classes, out);
  if (s.sharing == scheduling::Sharing::gang && !demand.service.empty())
    out.push_back({"scheduling.sharing", "in gang scheduling a service would be off between its turns",
                   "leave `demand.service` empty, or write `sharing: ps`"});
}

/// What blocks of projects leave no room for.
void check_projects(const Scenario& s, std::vector<Finding>& out) {
  if (s.demand.project.empty()) return;
  const scheduling::Scheduling& by = s.scheduling;
  struct Beside {
    const char* path;
    bool there;
    const char *message, *help;
  };
  const Beside all[] = {
      {"scheduling.sharing", shares(by),
       "a block is its owner's alone, and GPUs shared in time are everybody's",
       "leave `sharing` out, or `demand.project`"},
      {"scheduling.order", !shares(by) && preempts(by.order),
       "a block is granted until its end, and this order takes GPUs back",
       "choose an order that lets jobs finish, such as fcfs or multifactor, or leave `demand.project` out"},
      {"scheduling.order", by_holding(by.order),
       "drf and maxmin count what an account holds job by job, and blocks hand GPUs back one by one",
       "choose multifactor or fairtree, or leave `demand.project` out"},
      {"scheduling.preemption.mode", by.preemption.mode != scheduling::PreemptionSettings::Mode::none,
       "a block is granted until its end, and preemption takes GPUs back",
       "leave `preemption` out, or `demand.project`"},
      {"demand.project", s.plugged_order && s.plugged_order.decides(),
       "a policy of level 2 is told of jobs, not of blocks that hand GPUs back one by one",
       "leave it out, or bring an order (level 1)"},
  };
  for (const Beside& b : all)
    if (b.there) out.push_back({b.path, b.message, b.help});
}

}  // namespace

std::vector<Finding> check_classes(const Scenario& s) {
  std::vector<Finding> all;
  std::vector<std::string> classes;
  for (const demand::BatchClass& c : s.demand.batch) classes.push_back(c.name);
  check_names("scheduling.preemption.spot", s.scheduling.preemption.spot, classes, all);
  for (const demand::ServiceClass& c : s.demand.service) classes.push_back(c.name);
  for (const demand::ProjectClass& c : s.demand.project) classes.push_back(c.name);
  check_names("scheduling.classes", s.scheduling.classes, classes, all);
  check_shares(s.scheduling, s.demand, classes, all);
  check_projects(s, all);
  return all;
}

std::string path_flaw(const std::string& folder, const std::string& file) {
  const fs::path relative(file);
  if (relative.is_absolute()) return "is absolute";
  for (const fs::path& part : relative)
    if (part == "..") return "leads out of the scenario's folder";
  std::error_code failed;
  const fs::path base = fs::weakly_canonical(folder.empty() ? "." : folder, failed);
  const fs::path full = fs::weakly_canonical(base / relative, failed);
  const auto [base_end, full_at] = std::mismatch(base.begin(), base.end(), full.begin(), full.end());
  if (failed || (base_end != base.end() && !base_end->empty())) return "leads out of the scenario's folder";
  if (!fs::exists(full, failed)) return "does not exist";
  return fs::is_regular_file(full, failed) ? "" : "is not a regular file";
}

Date end_of_run(const Scenario& scenario) {
  Date end = scenario.horizon.end;
  end.day += std::chrono::ceil<std::chrono::days>(scenario.report.runoff);
  return end;
}

std::string trace_path(const Scenario& scenario) {
  if (scenario.demand.trace.file.empty()) return {};
  return (fs::path(scenario.folder) / scenario.demand.trace.file).string();
}

std::vector<Finding> check_whole(const Scenario& scenario) {
  std::vector<Finding> all;
  check_horizon(scenario, all);
  if (all.empty()) check_jobs(scenario, all);
  check_trace(scenario, all);
  check_machines(scenario, all);
  check_mig(scenario, all);
  check_all_needs(scenario, all);
  return all;
}

}  // namespace natgpu::scenario
