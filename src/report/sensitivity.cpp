// SPDX-License-Identifier: Apache-2.0
#include <natgpu/report/sensitivity.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/report/build_info.hpp>

#include "escape.hpp"
#include "figures.hpp"
#include "json_parts.hpp"

namespace natgpu::report {
namespace {

using experiment::Factor;

constexpr std::string_view sensitivity_schema = "natgpu-sensitivity/1";

const char* name_of(SensitivityMethod m) {
  static constexpr std::array<const char*, 3> names{"tornado", "morris", "sobol"};
  return names[static_cast<std::size_t>(m)];
}

std::vector<std::size_t> strongest_first(const SensitivityResult& r) {
  std::vector<std::size_t> order(r.found.factors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const Factor &x = r.found.factors[a], &y = r.found.factors[b];
    return x.ranked != y.ranked ? x.ranked : x.strength > y.strength;
  });
  return order;
}

/// What a factor contributes, so that contributions add up as variances do.
double weight_of(const SensitivityResult& r, const Factor& f) {
  return r.method == SensitivityMethod::sobol ? f.strength : f.strength * f.strength;
}

/// Factors beyond the noise, strongest first, until they make up nine tenths of all that is.
std::vector<std::size_t> deciding(const SensitivityResult& r) {
  constexpr double enough = 0.9;
  double all = 0, sum = 0;
  for (const Factor& f : r.found.factors)
    if (f.ranked) all += weight_of(r, f);
  std::vector<std::size_t> some;
  for (const std::size_t i : strongest_first(r)) {
    if (!r.found.factors[i].ranked || sum >= enough * all) break;
    some.push_back(i);
    sum += weight_of(r, r.found.factors[i]);
  }
  return some;
}

std::string headline(const SensitivityResult& r) {
  std::vector<std::string> names;
  for (const std::size_t i : deciding(r)) names.push_back(r.names[i]);
  const std::size_t others = static_cast<std::size_t>(std::count_if(
      r.found.factors.begin(), r.found.factors.end(), [](const Factor& f) { return f.ranked; }));
  if (names.empty()) return "Decided by none of them: no factor is told from the noise of replications.\n";
  return fmt::format(
      "Decided by {}{}.\n", printable(fmt::format("{}", fmt::join(names, ", "))),
      others > names.size() ? fmt::format("; {} more of small effect", others - names.size()) : "");
}

std::string title_of(const SensitivityResult& r, std::size_t i) {
  return r.names[i] == r.paths[i] ? r.paths[i] : fmt::format("{}: {}", r.names[i], r.paths[i]);
}

std::string number(double value) {
  return fmt::format("{:.3g}", value);
}

std::string between(const experiment::Interval& i, double factor) {
  return fmt::format("[{}, {}]", number(i.low * factor), number(i.high * factor));
}

/// One line's figures, in the words of the method.
std::string figures_of(const SensitivityResult& r, const Factor& f, const Style& style) {
  switch (r.method) {
    case SensitivityMethod::tornado:
      return fmt::format("{} at the low end, {} at the high end; effect {} {} {}",
                         number(f.low * style.factor), number(f.high * style.factor),
                         number(f.effect * style.factor), style.unit, between(f.effect_ci, style.factor));
    case SensitivityMethod::morris:
      return fmt::format("mu* {} {} {}, mu {}, sigma {}", number(f.strength * style.factor), style.unit,
                         between(f.strength_ci, style.factor), number(f.effect * style.factor),
                         number(f.spread * style.factor));
    case SensitivityMethod::sobol:
      break;
  }
  return fmt::format("first {} {}, total {} {}", number(f.effect), between(f.effect_ci, 1),
                     number(f.strength), between(f.strength_ci, 1));
}

std::string method_text(const SensitivityResult& r) {
  switch (r.method) {
    case SensitivityMethod::tornado:
      return "One factor at a time from the middle of all ranges; effect: high end less low end, paired by "
             "replication, "
             "Student-t 95 %; ranked: Holm, 5 %.";
    case SensitivityMethod::morris:
      return "Morris's elementary effects over the whole range of each factor; intervals: bootstrap 95 % "
             "over "
             "trajectories. A sigma as large as mu* means that the effect depends on other factors.";
    case SensitivityMethod::sobol:
      break;
  }
  return "Shares of the figure's variance: alone (first) and with all interactions (total); intervals: "
         "bootstrap 95 % over "
         "rows.";
}

}  // namespace

std::string sensitivity_text(const SensitivityResult& r) {
  std::string out = fmt::format("{}: policy {}, {}{}{}\n", printable(r.scenario), printable(r.policy),
                                r.metric, r.labels.empty() ? "" : " ", printable(r.labels));
  out += fmt::format("{}: {} points x {} replications, seed {}, the same draws at every point\n",
                     name_of(r.method), r.found.runs, r.replications, r.seed);
  out += headline(r) + "\n";
  double largest = std::abs(r.found.mean);
  for (const Factor& f : r.found.factors) largest = std::max({largest, std::abs(f.low), std::abs(f.high)});
  const Style style = style_of(r.metric, r.unit, largest);
  std::size_t place = 0;
  bool below = false;
  for (const std::size_t i : strongest_first(r)) {
    const Factor& f = r.found.factors[i];
    if (!f.ranked && !below) {
      out += "  not told from the noise of replications, and not ranked:\n";
      below = true;
    }
    const double noise = f.noise * (r.method == SensitivityMethod::sobol ? 1 : style.factor);
    out += fmt::format("  {:>2}  {} ({})\n      {}; noise {}\n", f.ranked ? fmt::format("{}", ++place) : "-",
                       printable(title_of(r, i)), printable(r.ranges[i]), figures_of(r, f, style),
                       number(noise));
  }
  return out + fmt::format("\n{}\nNoise is what replications alone would make of the same measure.\n",
                           method_text(r));
}

std::string sensitivity_json(const SensitivityResult& r) {
  std::vector<std::string> factors, decisive;
  for (const std::size_t i : deciding(r)) decisive.push_back(json_text(r.names[i]));
  for (const std::size_t i : strongest_first(r)) {
    const Factor& f = r.found.factors[i];
    factors.push_back(fmt::format(
        "{{\"name\": {}, \"path\": {}, \"range\": {}, \"ranked\": {}, \"effect\": {}, \"effect_ci95\": {}, "
        "\"strength\": {}, "
        "\"strength_ci95\": {}, \"spread\": {}, \"noise\": {}, \"low\": {}, \"high\": {}}}",
        json_text(r.names[i]), json_text(r.paths[i]), json_text(r.ranges[i]), f.ranked, json_number(f.effect),
        interval_json(f.effect_ci), json_number(f.strength), interval_json(f.strength_ci),
        json_number(f.spread), json_number(f.noise), json_number(f.low), json_number(f.high)));
  }
  return fmt::format(
      "{{\n  \"schema\": \"{}\",\n  \"version\": {},\n  \"scenario\": {},\n  \"policy\": {},\n  \"metric\": "
      "{},\n"
      "  \"labels\": {},\n  \"unit\": {},\n  \"method\": \"{}\",\n  \"seed\": {},\n  \"replications\": {},\n"
      "  \"points\": {},\n  \"mean\": {},\n  \"variance\": {},\n  \"deciding\": [{}],\n  \"factors\": "
      "{}\n}}\n",
      sensitivity_schema, json_text(build_info().version), json_text(r.scenario), json_text(r.policy),
      json_text(r.metric), json_text(r.labels), json_text(r.unit), name_of(r.method), r.seed, r.replications,
      r.found.runs, json_number(r.found.mean), json_number(r.found.variance), fmt::join(decisive, ", "),
      array_json(factors, [](const std::string& f) { return f; }));
}

}  // namespace natgpu::report
