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
  out += fmt::format("{}: {} points x {} replications, seed {}, the same draws at every point\n\n",
                     name_of(r.method), r.found.runs, r.replications, r.seed);
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
                       printable(r.paths[i]), printable(r.ranges[i]), figures_of(r, f, style), number(noise));
  }
  return out + fmt::format("\n{}\nNoise is what replications alone would make of the same measure.\n",
                           method_text(r));
}

std::string sensitivity_json(const SensitivityResult& r) {
  std::vector<std::string> factors;
  for (const std::size_t i : strongest_first(r)) {
    const Factor& f = r.found.factors[i];
    factors.push_back(
        fmt::format("{{\"path\": {}, \"range\": {}, \"ranked\": {}, \"effect\": {}, \"effect_ci95\": {}, "
                    "\"strength\": {}, "
                    "\"strength_ci95\": {}, \"spread\": {}, \"noise\": {}, \"low\": {}, \"high\": {}}}",
                    json_text(r.paths[i]), json_text(r.ranges[i]), f.ranked, json_number(f.effect),
                    interval_json(f.effect_ci), json_number(f.strength), interval_json(f.strength_ci),
                    json_number(f.spread), json_number(f.noise), json_number(f.low), json_number(f.high)));
  }
  return fmt::format(
      "{{\n  \"schema\": \"{}\",\n  \"version\": {},\n  \"scenario\": {},\n  \"policy\": {},\n  \"metric\": "
      "{},\n"
      "  \"labels\": {},\n  \"unit\": {},\n  \"method\": \"{}\",\n  \"seed\": {},\n  \"replications\": {},\n"
      "  \"points\": {},\n  \"mean\": {},\n  \"variance\": {},\n  \"factors\": {}\n}}\n",
      sensitivity_schema, json_text(build_info().version), json_text(r.scenario), json_text(r.policy),
      json_text(r.metric), json_text(r.labels), json_text(r.unit), name_of(r.method), r.seed, r.replications,
      r.found.runs, json_number(r.found.mean), json_number(r.found.variance),
      array_json(factors, [](const std::string& f) { return f; }));
}

}  // namespace natgpu::report
