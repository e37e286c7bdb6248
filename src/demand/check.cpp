// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include <natgpu/demand/spec.hpp>

namespace natgpu::demand {
namespace {

/// Shares are typed in decimal: 0.1 + 0.9 may pass 1 by a rounding.
constexpr double rounding = 1e-9;

using Findings = std::vector<Finding>;

void find(Findings& findings, std::string path, std::string message, std::string help = {}) {
  Finding f;
  f.path = std::move(path);
  f.message = std::move(message);
  f.help = std::move(help);
  findings.push_back(std::move(f));
}

template <class Item>
bool has(const std::vector<Item>& items, const std::string& name) {
  for (const Item& item : items)
    if (item.name == name) return true;
  return false;
}

template <class Share>
void check_weights(const std::vector<Share>& shares, const std::string& path, Findings& findings) {
  double sum = 0;
  for (const Share& s : shares) sum += s.share;
  if (!shares.empty() && !(sum > 0))
    find(findings, path, "the weights sum to 0", "give at least one `share` above 0");
}

/// A kind of classes, and where a sector lists them.
struct Kind {
  std::string_view name, list;
  bool (*has)(const Demand& demand, const std::string& name);
};
constexpr Kind kinds[] = {
    {"batch", "mix", [](const Demand& d, const std::string& n) { return has(d.batch, n); }},
    {"service", "services", [](const Demand& d, const std::string& n) { return has(d.service, n); }},
    {"project", "projects", [](const Demand& d, const std::string& n) { return has(d.project, n); }}};

/// @param kind  of the classes that the list names
template <class Share>
void check_mix(const Demand& demand, const std::vector<Share>& mix, const Kind& kind, const std::string& path,
               Findings& findings) {
  check_weights(mix, path, findings);
  for (const Share& s : mix) {
    if (kind.has(demand, s.name)) continue;
    const std::string at = fmt::format("{}[{}]", path, s.name);
    const auto other = std::find_if(std::begin(kinds), std::end(kinds),
                                    [&](const Kind& k) { return k.has(demand, s.name); });
    if (other != std::end(kinds))
      find(findings, at, fmt::format("`{}` is a {} class, not a {} class", s.name, other->name, kind.name),
           fmt::format("list it under `{}`", other->list));
    else
      find(findings, at, fmt::format("there is no {} class `{}`", kind.name, s.name),
           fmt::format("add it to `demand.{}`", kind.name));
  }
}

void check_law(const Law& law, const std::string& path, Findings& findings) {
  if (!std::isfinite(law.mean()))
    find(findings, path, fmt::format("the mean of {} is infinite", to_string(law)), "choose a lighter tail");
}

void check_adoption(const Sector& s, const std::string& path, Findings& findings) {
  if (s.adoption.initial > s.adoption.market + rounding)
    find(findings, path + ".adoption.initial",
         fmt::format("{} of the organisations are any_ai at the start, above the market of {}",
                     s.adoption.initial, s.adoption.market),
         "raise `market` or lower `initial`");
  const double able = s.adoption.initial * (1 - s.non_demanders);
  if (s.onboarding.initial > able + rounding)
    find(
        findings, path + ".onboarding.initial",
        fmt::format("{} of the organisations use GPUs at the start, but only {:.6g} are any_ai and demanders",
                    s.onboarding.initial, able),
        "gpu_users are any_ai organisations that are demanders");
  if (s.adoption.innovation <= 0 && s.adoption.imitation > 0 && s.adoption.initial <= 0 &&
      s.organisations > 0)
    find(findings, path + ".adoption", "imitation without an adopter or innovation never starts",
         "give `initial` or `innovation`");
}

void check_sector(const Demand& demand, const Sector& s, Findings& findings) {
  const std::string path = fmt::format("demand.sectors[{}]", s.name);
  check_adoption(s, path, findings);
  check_weights(s.regions, path + ".regions", findings);
  check_weights(s.verticals, path + ".verticals", findings);
  check_mix(demand, s.mix, kinds[0], path + ".mix", findings);
  check_mix(demand, s.services, kinds[1], path + ".services", findings);
  check_mix(demand, s.projects, kinds[2], path + ".projects", findings);
  if (s.request_rate > 0 && s.mix.empty())
    find(findings, path + ".mix", "requests have no class",
         "list batch classes with weights, or drop `request_rate`");
  if (s.service_rate > 0 && s.services.empty())
    find(findings, path + ".services", "services have no class",
         "list service classes with weights, or drop `service_rate`");
  if (s.project_rate > 0 && s.projects.empty())
    find(findings, path + ".projects", "projects have no class",
         "list project classes with weights, or drop `project_rate`");
  if (s.owner_groups > 0 && s.represents > 1)
    find(findings, path + ".represents", "affiliates of an owner group cannot stand for several firms",
         "set `represents` to 1, or `owner_groups` to 0");
  check_law(s.activity, path + ".activity", findings);
  check_law(s.onboarding.duration, path + ".onboarding.duration", findings);
  if (!(s.activity.mean() > 0))
    find(findings, path + ".activity", "the mean is 0, so that nobody asks",
         "give a law with a mean above 0");
}

/// @param one_gpu  whether all of its jobs, or replicas, are of one GPU
void check_needs(const MachineNeeds& needs, bool one_gpu, const std::string& path, Findings& findings) {
  const double milli = needs.gpu_share * 1000;
  if (std::abs(milli - std::round(milli)) > 1e-6)
    find(findings, path + ".gpu_share", "GPUs are shared in whole thousandths",
         fmt::format("write {:.3f}, or {:.3f}", std::floor(milli) / 1000, std::ceil(milli) / 1000));
  if (needs.gpu_share < 1 && !one_gpu)
    find(findings, path + ".gpu_share", "only one GPU is shared, and these jobs are of several",
         "leave the number of GPUs at 1, or write a class for jobs that share one");
}

void check_batch(const BatchClass& c, Findings& findings) {
  const std::string path = fmt::format("demand.batch[{}]", c.name);
  check_needs(c, c.gpus == Law::constant(1), path, findings);
  check_law(c.gpus, path + ".gpus", findings);
  check_law(c.run_time, path + ".run_time", findings);
  check_law(c.overestimate, path + ".overestimate", findings);
  check_law(c.patience, path + ".patience", findings);
  if (c.failed_share + c.cancelled_share > 1 + rounding)
    find(findings, path + ".cancelled_share", "failed and cancelled shares sum to more than 1",
         "a job fails or is cancelled, not both");
}

void check_service(const ServiceClass& c, Findings& findings) {
  const std::string path = fmt::format("demand.service[{}]", c.name);
  check_needs(c, c.gpus_per_replica == 1, path, findings);
  check_law(c.duration, path + ".duration", findings);
  check_law(c.patience, path + ".patience", findings);
  if (c.floor > c.peak)
    find(findings, path + ".floor", fmt::format("the floor of {} is above the peak of {}", c.floor, c.peak),
         "lower `floor` or raise `peak`");
}

/// A block's jobs run on whatever device the block is of.
void check_devices(const Demand& demand, const ProjectClass& c, const std::string& path, Findings& findings) {
  const auto accepts = [](const BatchClass& job, const std::string& device) {
    return job.devices.empty() ||
           std::find(job.devices.begin(), job.devices.end(), device) != job.devices.end();
  };
  for (const BatchShare& s : c.jobs.mix)
    for (const BatchClass& job : demand.batch) {
      if (job.name != s.name) continue;
      const bool any = c.devices.empty() && !job.devices.empty();
      if (any || !std::all_of(c.devices.begin(), c.devices.end(),
                              [&](const std::string& d) { return accepts(job, d); }))
        find(findings, path + ".devices",
             fmt::format("a block may be of a device that its jobs `{}` do not accept", job.name),
             fmt::format("list only devices of `demand.batch[{}].devices`", job.name));
    }
}

void check_project(const Demand& demand, const ProjectClass& c, Findings& findings) {
  const std::string path = fmt::format("demand.project[{}]", c.name);
  check_law(c.gpus, path + ".gpus", findings);
  check_law(c.duration, path + ".duration", findings);
  check_law(c.patience, path + ".patience", findings);
  check_mix(demand, c.jobs.mix, kinds[0], path + ".jobs.mix", findings);
  check_devices(demand, c, path, findings);
  if (c.jobs.rate > 0 && c.jobs.mix.empty())
    find(findings, path + ".jobs.mix", "the jobs of the project have no class",
         "list batch classes with weights, or drop `rate`");
}

void check_calendar(const ArrivalCalendar& calendar, Findings& findings) {
  const std::string path = "demand.calendar";
  constexpr std::size_t hours_of_a_day = 24;
  if (!calendar.hours.empty() && calendar.hours.size() != hours_of_a_day)
    find(findings, path + ".hours", fmt::format("expected 24 weights, got {}", calendar.hours.size()),
         "one for each hour from 00:00 on, or none for a flat day");
  double sum = 0;
  for (const double w : calendar.hours) sum += w;
  if (!calendar.hours.empty() && !(sum > 0))
    find(findings, path + ".hours", "the weights sum to 0", "give at least one hour a weight above 0");
  for (const Date& d : calendar.holidays)
    if (d.is_never) find(findings, path + ".holidays", "`never` is no day", "drop it from the list");
}

}  // namespace

std::vector<Finding> check(const Demand& demand) {
  Findings findings;
  for (const Sector& s : demand.sectors) check_sector(demand, s, findings);
  for (const BatchClass& c : demand.batch) check_batch(c, findings);
  for (const ServiceClass& c : demand.service) check_service(c, findings);
  for (const ProjectClass& c : demand.project) check_project(demand, c, findings);
  check_calendar(demand.calendar, findings);
  if (!demand.trace.file.empty() && !has(demand.sectors, demand.trace.sector))
    find(findings, "demand.trace.sector", "the jobs of the trace belong to no sector",
         "name one of `demand.sectors`");
  return findings;
}

}  // namespace natgpu::demand
