// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/supply/fleet.hpp>
#include <natgpu/supply/spec.hpp>

namespace natgpu::supply {
namespace {

/// More than the world has; beyond it areas of GPU-time would lose their meaning.
constexpr double most_units = 1e8;

class Findings {
 public:
  explicit Findings(std::vector<Finding>& all) : all_(&all) {}
  void add_if(bool wrong, std::string path, std::string message, std::string help = {}) {
    if (wrong) all_->push_back({std::move(path), std::move(message), std::move(help)});
  }

 private:
  std::vector<Finding>* all_;
};

const Device* device_of(const std::vector<Device>& hardware, const std::string& name) {
  const auto found =
      std::find_if(hardware.begin(), hardware.end(), [&](const Device& d) { return d.name == name; });
  return found == hardware.end() ? nullptr : &*found;
}

void check_device(const Device& device, Findings& findings) {
  findings.add_if(device.idle_power_w > device.power_w, fmt::format("hardware[{}].idle_power", device.name),
                  "an idle device draws more than a busy one",
                  "state `power` at full load and `idle_power` below it");
}

template <class Entry>
bool ascending(const std::vector<Entry>& entries) {
  for (std::size_t i = 1; i < entries.size(); ++i)
    if (!(entries[i - 1].from < entries[i].from)) return false;
  return true;
}

void check_site(const Site& site, Findings& findings) {
  const std::string path = fmt::format("supply.sites[{}]", site.name);
  const std::string order = "list them by `from`, each day once";
  // Steps that never come may stand together; any other two may not fall on one day.
  const bool grid_in_order =
      std::is_sorted(site.grid.begin(), site.grid.end(),
                     [](const GridStep& a, const GridStep& b) { return a.from < b.from; }) &&
      std::adjacent_find(site.grid.begin(), site.grid.end(), [](const auto& a, const auto& b) {
        return a.from == b.from && !a.from.is_never;
      }) == site.grid.end();
  findings.add_if(!grid_in_order, path + ".grid", "the grid steps are not in the order of their dates",
                  order);
  findings.add_if(!ascending(site.power_price), path + ".power_price",
                  "the prices are not in the order of their dates", order);
  findings.add_if(!ascending(site.co2), path + ".co2", "the factors are not in the order of their dates",
                  order);
}

void check_units(const Tranche& tranche, const Device* device, const std::string& path, Findings& findings) {
  const bool by_count = tranche.units > 0, by_budget = tranche.budget_krw > 0;
  findings.add_if(!by_count && !by_budget, path, "the tranche has neither units nor a budget",
                  "state `units`, or `budget` and the device's `price`");
  findings.add_if(by_count && by_budget, path + ".budget", "the tranche has both units and a budget",
                  "leave one of them out");
  findings.add_if(static_cast<double>(tranche.units) > most_units, path + ".units",
                  fmt::format("{} devices are more than the world has", tranche.units));
  if (by_count || !by_budget || device == nullptr) return;
  const std::int64_t bought = units_of(tranche, *device);
  findings.add_if(!(device->price_krw > 0), path + ".budget",
                  fmt::format("the budget buys devices without a price: {}", device->name),
                  fmt::format("state hardware[{}].price", device->name));
  findings.add_if(device->price_krw > 0 && bought == 0, path + ".budget",
                  fmt::format("the budget does not buy one node of {} {}", device->per_node, device->name));
  findings.add_if(static_cast<double>(bought) > most_units, path + ".budget",
                  fmt::format("the budget buys more {} than the world has", device->name));
}

void check_dates(const Tranche& tranche, const std::string& path, Findings& findings) {
  struct Stage {
    const char* name;
    const Date* date;
  };
  const std::array<Stage, 4> stages = {{{"ordered", &tranche.ordered},
                                        {"delivered", &tranche.delivered},
                                        {"in_service", &tranche.in_service},
                                        {"until", &tranche.until}}};
  for (std::size_t late = 1; late < stages.size(); ++late) {
    for (std::size_t early = 0; early < late; ++early) {
      if (stages[early].date->is_never || stages[late].date->is_never) continue;
      const bool is_end = late + 1 == stages.size();
      const bool wrong =
          *stages[late].date < *stages[early].date || (is_end && *stages[late].date == *stages[early].date);
      findings.add_if(
          wrong, fmt::format("{}.{}", path, stages[late].name),
          fmt::format("`{}` ({}) is {} `{}` ({})", stages[late].name, to_string(*stages[late].date),
                      is_end ? "not after" : "before", stages[early].name, to_string(*stages[early].date)));
    }
  }
  const bool comes = !tranche.ordered.is_never || !tranche.delivered.is_never || !tranche.in_service.is_never;
  if (tranche.origin != TrancheOrigin::lease || !comes) return;
  findings.add_if(tranche.in_service.is_never, path + ".in_service", "a lease needs its first day",
                  "state `in_service`; a lease has no delivery to wait for");
  findings.add_if(tranche.until.is_never, path + ".until", "a lease needs the day on which it ends",
                  "state `until`");
}

void check_tranche(const Tranche& tranche, const std::vector<Device>& hardware, Findings& findings) {
  static const std::vector<std::string> scopes = {"gov_purchase", "kisti6", "nacc", "lease", "private"};
  const std::string path = fmt::format("supply.tranches[{}]", tranche.name);
  if (std::find(scopes.begin(), scopes.end(), tranche.scope) == scopes.end()) {
    const std::string near = nearest_name(tranche.scope, scopes);
    findings.add_if(true, path + ".scope", fmt::format("unknown scope `{}`", tranche.scope),
                    near.empty() ? fmt::format("one of {}", fmt::join(scopes, ", "))
                                 : fmt::format("did you mean `{}`?", near));
  }
  check_units(tranche, device_of(hardware, tranche.device), path, findings);
  check_dates(tranche, path, findings);
}

void check_maintenance(const Maintenance& m, Findings& findings) {
  findings.add_if(m.length > m.every, fmt::format("supply.maintenance[{}].length", m.name),
                  "a window is still open when the next one opens",
                  "make `every` longer or `length` shorter");
}

}  // namespace

std::vector<Finding> check(const std::vector<Device>& hardware, const Supply& supply) {
  std::vector<Finding> all;
  Findings findings(all);
  for (const Device& device : hardware) check_device(device, findings);
  for (const Site& site : supply.sites) check_site(site, findings);
  for (const Tranche& tranche : supply.tranches) check_tranche(tranche, hardware, findings);
  for (const Maintenance& m : supply.maintenance) check_maintenance(m, findings);
  return all;
}

}  // namespace natgpu::supply
