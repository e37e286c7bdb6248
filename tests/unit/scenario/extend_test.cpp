// SPDX-License-Identifier: Apache-2.0
// Scenarios that say only what differs from another one.
#include <string>

#include "catch.hpp"
#include "folder.hpp"

using namespace natgpu;
using namespace natgpu::scenario;
using natgpu::scenario::test::codes_of;
using natgpu::scenario::test::Folder;

namespace {

const std::string base = R"(schema: natgpu/1
name: base
title: {en: Base, ko: 바탕}
horizon: {start: 2026-01-01, end: 2027-01-01}
hardware:
  - {name: h100, bf16: 989.4 TFLOP/s, power: 1.3 kW}
supply:
  sites:
    - {name: a, pue: {value: 1.3, source: press}, grid: [{from: 2025-01-01, power: 10 MW}, {from: 2026-06-01, power: 20 MW}]}
    - {name: b, pue: 1.4}
  tranches:
    - {name: first, site: a, device: h100, units: 64 GPU, in_service: 2026-02-01}
    - {name: second, site: b, device: h100, units: 32 GPU, in_service: 2026-03-01}
demand:
  sectors:
    - {name: sme, organisations: 100, request_rate: 4 /month, mix: [{name: train}],
       onboarding: {initial: 10 %}, adoption: {initial: 20 %}}
  batch:
    - {name: train, gpus: 8 GPU, run_time: 5 h}
policies:
  late: {"supply.tranches[first].in_service": 2026-06-01}
  cool: {"supply.sites[a].pue": 1.1}
)";

/// The scenario of a file over the base.
Scenario over(const std::string& text, const LoadOptions& options = {}) {
  const Folder folder;
  folder.write("base.yaml", base);
  try {
    return load_scenario(folder.write("new.yaml", "schema: natgpu/1\nextends: base.yaml\n" + text), options);
  } catch (const ScenarioError& e) {
    FAIL(format_diagnostics(e.diagnostics()));
    throw;
  }
}

std::vector<Diagnostic> mistakes_of(const std::string& text, const std::string& below = base) {
  const Folder folder;
  folder.write("base.yaml", below);
  try {
    load_scenario(folder.write("new.yaml", text));
  } catch (const ScenarioError& e) {
    return e.diagnostics();
  }
  return {};
}

std::string refused(const std::string& text) {
  return codes_of(mistakes_of("schema: natgpu/1\n" + text));
}

}  // namespace

TEST_CASE("a scenario that extends another is that one but for what it states") {
  const Scenario s = over(R"(name: new
horizon: {end: 2028-01-01}
supply:
  sites:
    - {name: a, pue: 1.2}
    - {name: c, pue: 1.1}
  tranches:
    - {name: second, remove: true}
)");
  CHECK(s.name == "new");
  CHECK(s.title.en == "Base");
  CHECK(s.horizon.start == Date::of(2026, 1, 1));
  CHECK(s.horizon.end == Date::of(2028, 1, 1));
  REQUIRE(s.supply.sites.size() == 3);
  CHECK(s.supply.sites[0].pue == 1.2);
  CHECK(s.supply.sites[0].grid.size() == 2);  // what is not stated stays
  CHECK(s.supply.sites[1].pue == 1.4);
  CHECK(s.supply.sites[2].name == "c");
  REQUIRE(s.supply.tranches.size() == 1);
  CHECK(s.supply.tranches[0].name == "first");
  CHECK(s.assumptions.empty());  // the source was that of the value that is replaced
  REQUIRE(s.extended.size() == 1);
}

TEST_CASE("extending without changes comes to the same values") {
  const Scenario s = over("name: base\n");
  const Folder folder;
  CHECK(s.resolved == load_scenario(folder.write("base.yaml", base)).resolved);
}

TEST_CASE("lists without names, policies and single values stand in place of the base's") {
  const Scenario s = over(R"(name: new
supply: {sites: [{name: a, grid: [{power: 5 MW}]}]}
policies:
  late: {seed: 9}
  new: {seed: 10}
)");
  CHECK(s.supply.sites[0].grid.size() == 1);
  CHECK(s.policies.size() == 3);
  LoadOptions options;
  options.policy = "late";
  const Scenario late = over("name: new\npolicies: {late: {seed: 9}}\n", options);
  CHECK(late.seed == 9);
  CHECK(late.supply.tranches[0].in_service == Date::of(2026, 2, 1));
}

TEST_CASE("a mistake is reported in the file where it stands") {
  std::string wrong = base;
  wrong.replace(wrong.find("pue: 1.4"), 8, "pue: 0.4");
  const auto all = mistakes_of("schema: natgpu/1\nextends: base.yaml\nname: new\nseed: -1\n", wrong);
  REQUIRE(codes_of(all) == "E0108 E0108");
  std::string files;
  for (const Diagnostic& d : all)
    files += d.place.file.substr(d.place.file.rfind('/') + 1) + ":" + std::to_string(d.place.line) + " ";
  CHECK(files == "new.yaml:4 base.yaml:10 ");
}

TEST_CASE("what cannot be extended or removed is refused") {
  CHECK(refused("extends: nothing.yaml\nname: new\n") == "E0200");
  CHECK(refused("extends: ../base.yaml\nname: new\n") == "E0200");
  CHECK(refused("extends: /etc/passwd\nname: new\n") == "E0200");
  CHECK(refused("extends: new.yaml\nname: new\n") == "E0200");  // itself
  CHECK(refused("extends: [base.yaml]\nname: new\n") == "E0200");
  CHECK(refused("extends: base.yaml\nname: new\nsupply: {sites: [{name: z, remove: true}]}\n") == "E0218");
  CHECK(refused("extends: base.yaml\nname: new\nsupply: {sites: [{name: b, remove: yes}]}\n") == "E0110");
  CHECK(refused("extends: base.yaml\nname: new\nsupply: {tranches: [{name: first, sight: a}]}\n") == "E0213");
  CHECK(mistakes_of("schema: natgpu/1\nextends: base.yaml\nname: new\n",
                    "schema: natgpu/1\nextends: new.yaml\nname: base\n")
            .front()
            .code == "E0200");  // a circle of two
}

TEST_CASE("a scenario may call uncertain what the one that it extends states") {
  const Scenario s = over(R"(name: new
uncertainties:
  - {name: pue, path: "supply.sites[b].pue", value: {dist: uniform, low: 1.2, high: 1.6}}
)");
  CHECK(s.uncertainties.size() == 1);
}
