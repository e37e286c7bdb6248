// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scenario/futures.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/random.hpp>

#include "recipe.hpp"
#include "uncertainty.hpp"

namespace natgpu::scenario {

DrawnValue value_at(const Uncertainty& uncertainty, double u) {
  const double value = uncertainty.value.quantile(u);
  if (uncertainty.kind == FieldKind::date) {
    const std::string date = to_string(date_of(value));
    return {date, "date", date};
  }
  DrawnValue drawn;
  drawn.number = uncertainty.kind == FieldKind::integer ? fmt::format("{:.0f}", std::round(value) + 0.0)
                                                        : fmt::format("{}", value);
  drawn.unit = base_unit(uncertainty.dimension);
  drawn.setting = drawn.unit.empty() ? drawn.number : drawn.number + " " + drawn.unit;
  return drawn;
}

DrawnValue drawn_value(const Uncertainty& uncertainty, std::uint64_t seed, std::uint32_t replication) {
  return value_at(uncertainty, Streams(seed, replication).open("uncertainty", uncertainty.name).unit(0, 0));
}

std::vector<const Uncertainty*> drawn_uncertainties(const Scenario& scenario) {
  std::vector<const Uncertainty*> all;
  for (const Uncertainty& u : scenario.uncertainties)
    if (u.known_from.empty()) all.push_back(&u);
  return all;
}

bool has_futures(const Scenario& scenario) {
  return !drawn_uncertainties(scenario).empty();
}

Scenario future_of(const Scenario& scenario, std::uint64_t seed, std::uint32_t replication) {
  NATGPU_ENSURE(scenario.recipe != nullptr, "a scenario with uncertainties can be resolved again");
  std::vector<std::string> settings;
  for (const Uncertainty* u : drawn_uncertainties(scenario))
    settings.push_back(u->path + "=" + drawn_value(*u, seed, replication).setting);
  try {
    return resolve_again(*scenario.recipe, settings, "uncertainties");
  } catch (const ScenarioError& e) {
    std::vector<Diagnostic> mistakes = e.diagnostics();
    for (Diagnostic& d : mistakes)
      d.message += fmt::format("; replication {} drew {}", replication, fmt::join(settings, ", "));
    throw ScenarioError(std::move(mistakes));
  }
}

}  // namespace natgpu::scenario
