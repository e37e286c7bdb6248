// SPDX-License-Identifier: Apache-2.0
// Uncertainties: what is drawn, from what, and what is left alone.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <natgpu/scenario/futures.hpp>

#include "catch.hpp"
#include "folder.hpp"

using namespace natgpu;
using namespace natgpu::scenario;
using namespace natgpu::scenario::test;

namespace {

const std::string plain = R"(schema: natgpu/1
name: small
horizon: {start: 2026-01-01, end: 2027-01-01}
hardware:
  - {name: h100, bf16: 989.4 TFLOP/s, power: 1.3 kW}
supply:
  sites:
    - {name: haenam, pue: 1.3}
  tranches:
    - {name: first, site: haenam, device: h100, units: 64 GPU, in_service: 2026-02-01, slip: 1 month}
demand:
  sectors:
    - {name: sme, organisations: 100, request_rate: 4 /month, mix: [{name: train}],
       onboarding: {initial: 10 %}, adoption: {initial: 20 %}}
  batch:
    - {name: train, gpus: 8 GPU, run_time: {dist: exponential, mean: 5 h}, patience: 2 d}
policies:
  cool: {"supply.sites[haenam].pue": 1.15}
)";

const std::string uncertain = plain + R"(uncertainties:
  - {name: pue, path: "supply.sites[haenam].pue", value: {dist: triangular, low: 1.1, mode: 1.3, high: 1.6, source: press, status: assumed}}
  - {name: units, path: "supply.tranches[first].units", value: {dist: uniform, low: 32 GPU, high: 96 GPU}}
  - {name: opening, path: "supply.tranches[first].in_service", value: {dist: uniform, low: 2026-01-15, high: 2026-03-15}}
  - {name: slip, path: "supply.tranches[first].slip", value: {dist: loguniform, low: 1 week, high: 6 months}}
  - {name: rate, path: "demand.sectors[sme].request_rate", value: {dist: lognormal, median: 4 /month, sigma: 0.5}}
  - {name: crews, path: supply.failures.crews, value: {dist: discrete, values: [0, 2, 5], weights: [1, 1, 2]}}
)";

Scenario load(const std::string& text, const LoadOptions& options = {}) {
  const Folder folder;
  try {
    return load_scenario(folder.write("a.yaml", text), options);
  } catch (const ScenarioError& e) {
    FAIL(format_diagnostics(e.diagnostics()));
    throw;
  }
}

/// Codes of what is wrong with one uncertainty of the plain scenario.
std::string diagnosed(const std::string& item) {
  const auto all = diagnostics_of(plain + "uncertainties:\n  - " + item + "\n");
  for (const Diagnostic& d : all) UNSCOPED_INFO(format_diagnostic(d));
  return codes_of(all);
}

const Uncertainty& named(const Scenario& s, const std::string& name) {
  const auto found = std::find_if(s.uncertainties.begin(), s.uncertainties.end(),
                                  [&](const Uncertainty& u) { return u.name == name; });
  REQUIRE(found != s.uncertainties.end());
  return *found;
}

}  // namespace

TEST_CASE("the future of a replication holds the drawn values, each typed as its field") {
  const Scenario s = load(uncertain);
  REQUIRE(has_futures(s));
  CHECK(s.supply.sites[0].pue == 1.3);  // the scenario itself keeps what the file states
  for (std::uint32_t r = 0; r < 20; ++r) {
    const Scenario f = future_of(s, 7, r);
    CHECK_FALSE(has_futures(f));
    const auto number = [&](const char* name) { return std::stod(drawn_value(named(s, name), 7, r).number); };
    CHECK(f.supply.sites[0].pue == number("pue"));
    CHECK(static_cast<double>(f.supply.tranches[0].units) == number("units"));
    CHECK(to_string(f.supply.tranches[0].in_service) == drawn_value(named(s, "opening"), 7, r).number);
    CHECK(f.supply.tranches[0].slip.kind == Law::Kind::constant);
    CHECK(f.supply.tranches[0].slip.a == Approx(number("slip")).epsilon(1e-9));
    CHECK(f.demand.sectors[0].request_rate == number("rate"));
    CHECK((f.supply.failures.crews == 0 || f.supply.failures.crews == 2 || f.supply.failures.crews == 5));
    CHECK(f.demand.batch[0].run_time == s.demand.batch[0].run_time);  // what is not uncertain stays
  }
}

TEST_CASE("ten thousand draws have the distribution that the file states") {
  const Scenario s = load(uncertain);
  constexpr std::uint32_t n = 10000;
  for (const Uncertainty& u : s.uncertainties) {
    if (u.kind != FieldKind::quantity && u.kind != FieldKind::law) continue;
    std::vector<double> values;
    for (std::uint32_t r = 0; r < n; ++r) values.push_back(std::stod(drawn_value(u, 7, r).number));
    for (const double p : {0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99}) {
      INFO(u.name << " below its quantile of " << p);
      const auto below =
          std::count_if(values.begin(), values.end(), [&](double v) { return v < u.value.quantile(p); });
      CHECK(std::abs(static_cast<double>(below) / n - p) < 4 * std::sqrt(p * (1 - p) / n));
    }
  }
  std::size_t five = 0;
  for (std::uint32_t r = 0; r < n; ++r) five += drawn_value(named(s, "crews"), 7, r).number == "5";
  CHECK(std::abs(static_cast<double>(five) / n - 0.5) < 3.3 * 0.5 / std::sqrt(n));
}

TEST_CASE("a draw depends on seed, replication and name, and on nothing else of the scenario") {
  const Scenario all = load(uncertain);
  const Scenario one = load(plain + R"(uncertainties:
  - {name: rate, path: "demand.sectors[sme].request_rate", value: {dist: lognormal, median: 4 /month, sigma: 0.5}}
)");
  const Uncertainty& rate = named(all, "rate");
  CHECK(drawn_value(rate, 7, 3).setting == drawn_value(one.uncertainties[0], 7, 3).setting);
  CHECK(drawn_value(rate, 7, 3).setting != drawn_value(rate, 7, 4).setting);
  CHECK(drawn_value(rate, 7, 3).setting != drawn_value(rate, 8, 3).setting);
  LoadOptions cool;
  cool.policy = "cool";
  const Scenario under = load(uncertain, cool);
  CHECK(future_of(under, 7, 3).demand.sectors[0].request_rate ==
        future_of(all, 7, 3).demand.sectors[0].request_rate);
}

TEST_CASE("uncertainties of one distribution draw values of their own") {
  const Scenario s = load(plain + R"(uncertainties:
  - {name: one, path: "supply.sites[haenam].pue", value: {dist: uniform, low: 1, high: 2}}
  - {name: other, path: "demand.sectors[sme].request_rate", value: {dist: uniform, low: 1 /month, high: 10 /month}}
)");
  double sum = 0;  // of the products of the two places within their ranges, less their means
  constexpr std::uint32_t n = 1000;
  for (std::uint32_t r = 0; r < n; ++r) {
    const double one = std::stod(drawn_value(s.uncertainties[0], 7, r).number) - 1;
    const Law& law = s.uncertainties[1].value;
    const double other = (std::stod(drawn_value(s.uncertainties[1], 7, r).number) - law.a) / (law.b - law.a);
    sum += (one - 0.5) * (other - 0.5);
  }
  CHECK(std::abs(sum / n * 12) < 4 / std::sqrt(n));  // correlation
}

TEST_CASE("what a policy or a setting states is known and not drawn") {
  LoadOptions options;
  options.policy = "cool";
  options.set = {"supply.tranches[first].units=40 GPU"};
  const Scenario s = load(uncertain, options);
  CHECK(named(s, "pue").known_from == "policy cool");
  CHECK(named(s, "units").known_from == "--set");
  CHECK(named(s, "rate").known_from.empty());
  CHECK(drawn_uncertainties(s).size() == s.uncertainties.size() - 2);
  for (std::uint32_t r = 0; r < 5; ++r) {
    CHECK(future_of(s, 7, r).supply.sites[0].pue == 1.15);
    CHECK(future_of(s, 7, r).supply.tranches[0].units == 40);
  }
}

TEST_CASE("dates may be never where the field may") {
  const Scenario s = load(plain + R"(uncertainties:
  - {name: opening, path: "supply.tranches[first].in_service",
     value: {dist: discrete, values: [2026-02-01, 2026-06-01, never], weights: [1, 1, 1]}}
)");
  std::map<std::string, int> seen;
  for (std::uint32_t r = 0; r < 60; ++r) {
    const std::string date = drawn_value(s.uncertainties[0], 7, r).setting;
    ++seen[date];
    CHECK(to_string(future_of(s, 7, r).supply.tranches[0].in_service) == date);
  }
  CHECK(seen.size() == 3);
  CHECK(seen["never"] > 5);
}

TEST_CASE("with the option central nothing is drawn and the scenario is as one without uncertainties") {
  LoadOptions options;
  options.central = true;
  const Scenario s = load(uncertain, options);
  CHECK_FALSE(has_futures(s));
  CHECK(s.resolved == load(plain).resolved);
  CHECK(s.hash == load(plain).hash);
  CHECK(load(uncertain).hash != s.hash);
}

TEST_CASE("the source of an uncertainty is an assumption like any other") {
  const Scenario s = load(uncertain);
  REQUIRE(s.assumptions.size() == 1);
  CHECK(s.assumptions[0].path == "uncertainties[pue].value");
  CHECK(s.assumptions[0].source == "press");
  CHECK(s.uncertainties[0].stated == "{dist: triangular, low: 1.1, mode: 1.3, high: 1.6}");
}

TEST_CASE("what cannot be uncertain is refused, with the place") {
  CHECK(diagnosed("{name: a, path: \"supply.sites[haenan].pue\", value: {dist: uniform, low: 1, high: 2}}") ==
        "E0231");
  CHECK(diagnosed("{name: a, path: replications, value: {dist: uniform, low: 1, high: 5}}") == "E0224");
  CHECK(
      diagnosed("{name: a, path: horizon.end, value: {dist: uniform, low: 2026-02-01, high: 2027-02-01}}") ==
      "E0224");
  CHECK(diagnosed("{name: a, path: scheduling.order, value: {dist: uniform, low: 1, high: 2}}") == "E0224");
  CHECK(diagnosed("{name: a, path: demand.calendar.hours, value: {dist: uniform, low: 1, high: 2}}") ==
        "E0224");
  const std::string pue = "{name: a, path: \"supply.sites[haenam].pue\", ";
  CHECK(diagnosed(pue + "value: {dist: uniform, low: 1.4, high: 1.6}}") == "E0224");  // never 1.3
  CHECK(diagnosed(pue + "value: 1.3}") == "E0224");
  CHECK(diagnosed(pue + "value: {dist: constant, value: 1.3}}") == "E0224");
  CHECK(diagnosed(pue + "value: {dist: erlang, stages: 2, mean: 1.3}}") != "");
  CHECK(diagnosed(pue + "value: {dist: uniform, low: 0.5, high: 1.6}}") == "E0305");  // a PUE is at least 1
  CHECK(diagnosed(pue + "value: {dist: uniform, low: 1.1 kW, high: 1.6 kW}}") != "");
  CHECK(diagnosed(pue + "value: {dist: unifrom, low: 1.1, high: 1.6}}") == "E0221");
  CHECK(diagnosed("{name: a, path: \"supply.sites[haenam].pue\"}") == "E0214");
  CHECK(diagnosed("{name: a, value: {dist: uniform, low: 1.1, high: 1.6}}") == "E0214");
  CHECK(
      diagnosed(
          "{name: a, path: \"demand.batch[train].run_time\", value: {dist: uniform, low: 1 h, high: 9 h}}") ==
      "E0224");  // a distribution already
  const std::string day = "{name: a, path: \"supply.tranches[first].in_service\", ";
  CHECK(diagnosed(day + "value: {dist: uniform, low: 2026-01-01, high: never}}") == "E0224");
  CHECK(diagnosed(day + "value: {dist: lognormal, median: 2026-02-01, sigma: 1}}") == "E0224");
  CHECK(diagnosed(day + "value: {dist: uniform, low: 2026-01-01, high: 2026-02-30}}") == "E0109");
  CHECK(diagnosed(pue + "value: {dist: uniform, low: 1.1, high: 1.6}}\n  - {name: b, path: "
                        "\"supply.sites[haenam].pue\", value: {dist: uniform, low: 1.1, high: 1.6}}") ==
        "E0224");
}

TEST_CASE("a caret stands under the part of an uncertainty's path that leads nowhere") {
  const auto all = diagnostics_of(plain +
                                  "uncertainties:\n  - {name: a, path: \"supply.sites[haenam].pux\", value: "
                                  "{dist: uniform, low: 1, high: 2}}\n");
  REQUIRE(all.size() == 1);
  CHECK(all[0].source_line.substr(static_cast<std::size_t>(all[0].place.column) - 1, 3) == "pux");
}

TEST_CASE("an uncertainty is not changed by a path") {
  LoadOptions options;
  options.set = {"uncertainties[pue].path=supply.failures.crews"};
  CHECK(codes_of(diagnostics_of(uncertain, options)) == "E0231");
}

TEST_CASE("drawn values that contradict each other name the replication") {
  const Scenario s = load(plain + R"(uncertainties:
  - {name: delivery, path: "supply.tranches[first].delivered", value: {dist: uniform, low: 2026-01-01, high: 2026-04-01}}
)");
  std::size_t refused = 0;
  for (std::uint32_t r = 0; r < 30; ++r) try {
      future_of(s, 7, r);
    } catch (const ScenarioError& e) {
      ++refused;
      CHECK(e.diagnostics().front().message.find("replication " + std::to_string(r) + " drew supply") !=
            std::string::npos);
    }
  CHECK(refused > 5);
  CHECK(refused < 30);
}
