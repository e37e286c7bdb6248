// SPDX-License-Identifier: Apache-2.0
// `--quick`: a preview, marked as one in every output.
//
// Work to simulate grows with the number of jobs, so that demand is cut to a twentieth; for waits and
// utilisation to mean anything capacity is cut alike. Both are cut where they enter: devices of a tranche and
// power of a site, and the rate at which one organisation asks. Organisations are left alone, because
// adoption depends on their number.
//
// Two things do not scale. Nodes are whole, so that every tranche keeps at least one; and gangs keep their
// size, or the mix of small and large would change. But a gang of 512 waits for ever in a pool of 400, so
// that sizes above one node of eight shrink too, down to eight. What a shrunk gang lacks is made up for by
// more of them: every class of every sector keeps its share of the GPU-hours, and the pool its load.
//
// Bars of targets that count capacity are cut as well, or none would be met.
//
// A pool that is small already is not cut, nor is one that replays a log, whose jobs cannot be thinned
// without becoming another log. Then only replications are fewer.
#include "quick.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <natgpu/core/units.hpp>

namespace natgpu::scenario {
namespace {

constexpr double usual_scale = 0.05;
constexpr double smallest_pool = 1000;         // devices below which rounding to nodes would rule the result
constexpr std::int64_t most_replications = 2;  // the fewest that give an interval
constexpr double size_kept = 8;                // GPUs: one common node

const supply::Device* device_of(const Scenario& s, const std::string& name) {
  for (const supply::Device& d : s.hardware)
    if (d.name == name) return &d;
  return nullptr;
}

double devices_of(const Scenario& s, const supply::Tranche& t) {
  if (t.units > 0) return static_cast<double>(t.units);
  const supply::Device* device = device_of(s, t.device);
  return device != nullptr && device->price_krw > 0 ? t.budget_krw / device->price_krw : 0;
}

double scale_of(const Scenario& s) {
  double devices = 0;
  for (const supply::Tranche& t : s.supply.tranches) devices += devices_of(s, t);
  if (!s.demand.trace.file.empty() || devices <= smallest_pool) return 1;
  return std::max(usual_scale, smallest_pool / devices);
}

std::int64_t scaled_count(std::int64_t count, double scale, std::int64_t least) {
  return std::max(least, static_cast<std::int64_t>(std::llround(static_cast<double>(count) * scale)));
}

void scale_tranche(const Scenario& s, supply::Tranche& t, double scale) {
  const supply::Device* device = device_of(s, t.device);
  const std::int64_t per_node = device != nullptr ? device->per_node : 1;
  if (t.units > 0) {
    const double nodes = static_cast<double>(t.units) / static_cast<double>(per_node);
    t.units = std::max<std::int64_t>(1, std::llround(nodes * scale)) * per_node;
  } else if (device != nullptr) {
    const double one_node = device->price_krw * static_cast<double>(per_node);
    t.budget_krw = std::max(t.budget_krw * scale, std::min(t.budget_krw, one_node));
  }
}

double scaled_size(double gpus, double scale) {
  return gpus <= size_kept ? gpus : std::max(size_kept, std::round(gpus * scale));
}

/// Shrinks the sizes of a class. Returns by how much more jobs make the same GPU-time.
double scale_sizes(Law& gpus, double scale) {
  if (gpus.kind == Law::Kind::constant) {
    const double before = gpus.a;
    gpus.a = scaled_size(before, scale);
    return before / gpus.a;
  }
  if (gpus.kind != Law::Kind::discrete) return 1;
  std::vector<double> weights;
  double below = 0, more = 0;
  for (std::size_t i = 0; i < gpus.values.size(); ++i) {
    const double before = gpus.values[i];
    gpus.values[i] = scaled_size(before, scale);
    weights.push_back((gpus.cumulative[i] - below) * before / gpus.values[i]);
    below = gpus.cumulative[i];
    more += weights.back();
  }
  gpus = Law::discrete(gpus.values, weights);
  return more;
}

/// Replicas, so that their GPUs together follow the rule of gangs.
std::int64_t scaled_replicas(std::int64_t replicas, std::int64_t gpus_each, double scale) {
  const double gpus = static_cast<double>(replicas) * static_cast<double>(gpus_each);
  const double kept = scaled_size(gpus, scale) / static_cast<double>(std::max<std::int64_t>(gpus_each, 1));
  return std::clamp<std::int64_t>(std::llround(kept), std::min<std::int64_t>(replicas, 1), replicas);
}

/// Shrinks the replicas of a class. Returns by how much more services make the same GPU-time.
double scale_service(demand::ServiceClass& c, double scale) {
  const std::int64_t before = c.floor + c.peak;
  c.floor = scaled_replicas(c.floor, c.gpus_per_replica, scale);
  c.peak = std::max(c.floor, scaled_replicas(c.peak, c.gpus_per_replica, scale));
  return static_cast<double>(before) / static_cast<double>(c.floor + c.peak);
}

/// Weighs the parts of a list by how many more each class needs. Returns the factor on their total.
template <class Share>
double reweigh(std::vector<Share>& shares, const std::map<std::string, double>& more) {
  double before = 0, after = 0;
  for (Share& part : shares) {
    before += part.share;
    part.share *= more.at(part.name);
    after += part.share;
  }
  return before > 0 ? after / before : 1;
}

void scale_demand(demand::Demand& demand, double scale) {
  std::map<std::string, double> more_jobs, more_services, more_projects;
  for (demand::BatchClass& c : demand.batch) more_jobs[c.name] = scale_sizes(c.gpus, scale);
  for (demand::ServiceClass& c : demand.service) more_services[c.name] = scale_service(c, scale);
  for (demand::ProjectClass& c : demand.project) {
    more_projects[c.name] = scale_sizes(c.gpus, scale);
    c.jobs.rate *= reweigh(c.jobs.mix, more_jobs) / more_projects[c.name];
  }
  for (demand::Sector& sector : demand.sectors) {
    sector.request_rate *= scale * reweigh(sector.mix, more_jobs);
    sector.service_rate *= scale * reweigh(sector.services, more_services);
    sector.project_rate *= scale * reweigh(sector.projects, more_projects);
  }
}

/// Scales a bar that is stated in GPUs, their peaks, hours or energy; shares and waits are held to the same
/// bar.
void scale_bar(std::string& expect, double scale) {
  constexpr std::array<std::string_view, 5> scaled_units{"GPU", "GPU.h", "H100e", "EFLOP/s", "MWh"};
  const std::size_t from = std::min(expect.find_first_of("0123456789"), expect.size());
  const std::size_t to = std::min(expect.find(' ', from), expect.size());
  const std::string unit = expect.substr(std::min(to + 1, expect.size()));
  const std::string word = unit.substr(0, unit.find(' '));
  double bound = 0;
  if (std::find(scaled_units.begin(), scaled_units.end(), word) == scaled_units.end()) return;
  if (parse_number(expect.substr(from, to - from), bound) != QuantityError::none) return;  // said later
  expect = fmt::format("{}{:.6g} {}", expect.substr(0, from), bound * scale, unit);
}

void scale_all(Scenario& s, double scale) {
  for (supply::Tranche& t : s.supply.tranches) scale_tranche(s, t, scale);
  for (supply::Site& site : s.supply.sites)
    for (supply::GridStep& step : site.grid) step.power_w *= scale;
  if (s.supply.failures.crews > 0) s.supply.failures.crews = scaled_count(s.supply.failures.crews, scale, 1);
  scale_demand(s.demand, scale);
  for (Target& target : s.targets) scale_bar(target.expect, scale);
  if (s.scheduling.queue_limit > 0)
    s.scheduling.queue_limit = scaled_count(s.scheduling.queue_limit, scale, 1);
}

}  // namespace

void make_quick(Scenario& scenario, bool keep_replications) {
  scenario.quick = true;
  scenario.quick_scale = scale_of(scenario);
  if (scenario.quick_scale < 1) scale_all(scenario, scenario.quick_scale);
  if (!keep_replications) scenario.replications = std::min(scenario.replications, most_replications);
}

}  // namespace natgpu::scenario
