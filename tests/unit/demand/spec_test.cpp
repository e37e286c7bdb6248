// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <string>

#include <natgpu/demand/spec.hpp>

#include "catch.hpp"
#include "example.hpp"

namespace {

using natgpu::Field;
using natgpu::FieldKind;
using natgpu::FieldTable;
using natgpu::Law;
using natgpu::demand::check;
using natgpu::demand::Demand;

const FieldTable& demand_table() {
  return fields_of(static_cast<const Demand*>(nullptr));
}

/// Applies `visit` to every field below the table.
void walk(const FieldTable& table, const std::function<void(const FieldTable&, const Field&)>& visit) {
  for (const Field& f : table.fields()) {
    visit(table, f);
    if (f.item) walk(f.item(), visit);
  }
}

/// Paths of what `check` finds after a change to a sound demand.
std::vector<std::string> found(const std::function<void(Demand&)>& spoil) {
  Demand d = natgpu::demand::testing::demand();
  spoil(d);
  std::vector<std::string> paths;
  for (const natgpu::Finding& f : check(d)) {
    CHECK(!f.message.empty());
    CHECK(f.message.back() != '.');
    paths.push_back(f.path);
  }
  return paths;
}

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("every field of demand has a sentence of its own and a default within its range") {
  walk(demand_table(), [](const FieldTable& table, const Field& f) {
    INFO(table.title() << "." << f.name);
    CHECK(f.doc.size() > 10);
    CHECK(f.doc.back() == '.');
    CHECK(table.find(f.name) == &f);
    if (f.required || !f.read || f.list) return;
    const auto object = table.make_default();
    const auto values = f.read(object.get());
    REQUIRE(values.size() == 1);
    if (const auto* q = std::get_if<double>(&values[0])) CHECK(f.range.contains(*q));
    if (const auto* i = std::get_if<std::int64_t>(&values[0]))
      CHECK(f.range.contains(static_cast<double>(*i)));
    if (const auto* law = std::get_if<Law>(&values[0]))
      CHECK((f.range.contains(law->lowest()) && f.range.contains(law->highest())));
  });
}

TEST_CASE("items of demand are addressed by required names, and references name their lists") {
  int references = 0;
  walk(demand_table(), [&](const FieldTable&, const Field& f) {
    if (f.kind == FieldKind::items) {
      REQUIRE(f.item().find("name") != nullptr);
      CHECK(f.item().find("name")->required);
    }
    if (f.kind == FieldKind::reference) {
      CHECK((f.target == "demand.batch" || f.target == "demand.service" || f.target == "demand.project" ||
             f.target == "demand.sectors" || f.target == "hardware"));
      ++references;
    }
  });
  CHECK(references == 8);
}

TEST_CASE("a sound demand has no findings") {
  CHECK(found([](Demand&) {}).empty());
  CHECK(check(Demand{}).empty());
}

TEST_CASE("each mistake that field tables cannot see is found at its path") {
  CHECK(found([](Demand& d) { d.sectors[0].mix[0].share = d.sectors[0].mix[1].share = 0; }) ==
        Paths{"demand.sectors[sme].mix"});
  CHECK(found([](Demand& d) {
          d.sectors[1].regions = {{"seoul", 0}};
        }) == Paths{"demand.sectors[academia].regions"});
  CHECK(found([](Demand& d) { d.sectors[0].mix[1].name = "chat"; }) ==
        Paths{"demand.sectors[sme].mix[chat]"});
  CHECK(found([](Demand& d) { d.sectors[0].services[0].name = "small"; }) ==
        Paths{"demand.sectors[sme].services[small]"});
  CHECK(found([](Demand& d) { d.sectors[0].mix.clear(); }) == Paths{"demand.sectors[sme].mix"});
  CHECK(found([](Demand& d) { d.sectors[0].services.clear(); }) == Paths{"demand.sectors[sme].services"});
  CHECK(found([](Demand& d) { d.sectors[0].adoption.market = 0.2; }) ==
        Paths{"demand.sectors[sme].adoption.initial"});
  CHECK(found([](Demand& d) { d.sectors[0].onboarding.initial = 0.19; }) ==
        Paths{"demand.sectors[sme].onboarding.initial"});  // 0.3 x 0.6 = 0.18 are able to
  CHECK(found([](Demand& d) { d.sectors[0].onboarding.initial = 0.18; }).empty());
  CHECK(found([](Demand& d) {
          d.sectors[0].adoption.initial = d.sectors[0].adoption.innovation = d.sectors[0].onboarding.initial =
              0;
        }) == Paths{"demand.sectors[sme].adoption"});
  CHECK(found([](Demand& d) {
          d.sectors[0].owner_groups = 5;
          d.sectors[0].represents = 10;
        }) == Paths{"demand.sectors[sme].represents"});
  CHECK(found([](Demand& d) { d.sectors[0].activity = Law::constant(0); }) ==
        Paths{"demand.sectors[sme].activity"});
  CHECK(found([](Demand& d) { d.batch[0].run_time = Law::weibull(0.001, 1); }) ==
        Paths{"demand.batch[small].run_time"});
  CHECK(found([](Demand& d) { d.batch[0].failed_share = 0.96; }) ==
        Paths{"demand.batch[small].cancelled_share"});
  CHECK(found([](Demand& d) { d.service[0].floor = 11; }) == Paths{"demand.service[chat].floor"});
  CHECK(found([](Demand& d) { d.calendar.hours = {1, 2, 3}; }) == Paths{"demand.calendar.hours"});
  CHECK(found([](Demand& d) { d.calendar.hours.assign(24, 0); }) == Paths{"demand.calendar.hours"});
  CHECK(found([](Demand& d) { d.calendar.holidays = {natgpu::Date::never()}; }) ==
        Paths{"demand.calendar.holidays"});
  CHECK(found([](Demand& d) { d.trace.file = "log.swf"; }) == Paths{"demand.trace.sector"});
}

TEST_CASE("all mistakes are found at once, and a class of the other kind is named as such") {
  Demand d = natgpu::demand::testing::demand();
  d.sectors[0].mix[1].name = "chat";
  d.service[0].floor = 11;
  const auto findings = check(d);
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].message == "`chat` is a service class, not a batch class");
  CHECK(findings[0].help == "list it under `services`");
}

TEST_CASE("projects have classes of their own, and their jobs accept the devices of their blocks") {
  using natgpu::demand::ProjectClass;
  const auto with = [](const std::function<void(Demand&, ProjectClass&)>& change) {
    Demand d = natgpu::demand::testing::demand();
    ProjectClass grant;
    grant.name = "grant";
    grant.duration = Law::constant(86400);
    grant.jobs.rate = 1.0 / 3600;
    grant.jobs.mix.resize(1);
    grant.jobs.mix[0].name = "small";
    d.sectors[0].project_rate = 1.0 / 86400;
    d.sectors[0].projects.resize(1);
    d.sectors[0].projects[0].name = "grant";
    change(d, grant);
    d.project = {grant};
    std::vector<std::string> all;
    for (const auto& f : check(d)) all.push_back(f.path + ": " + f.message);
    return all;
  };
  using All = std::vector<std::string>;
  CHECK(with([](Demand&, ProjectClass&) {}).empty());
  CHECK(with([](Demand& d, ProjectClass&) { d.sectors[0].projects.clear(); }) ==
        All{"demand.sectors[sme].projects: projects have no class"});
  CHECK(with([](Demand& d, ProjectClass&) { d.sectors[0].projects[0].name = "chat"; }) ==
        All{"demand.sectors[sme].projects[chat]: `chat` is a service class, not a project class"});
  CHECK(with([](Demand& d, ProjectClass&) { d.sectors[0].mix[0].name = "grant"; }) ==
        All{"demand.sectors[sme].mix[grant]: `grant` is a project class, not a batch class"});
  CHECK(with([](Demand&, ProjectClass& c) { c.jobs.mix.clear(); }) ==
        All{"demand.project[grant].jobs.mix: the jobs of the project have no class"});
  CHECK(with([](Demand&, ProjectClass& c) { c.jobs.mix[0].name = "chat"; }) ==
        All{"demand.project[grant].jobs.mix[chat]: `chat` is a service class, not a batch class"});
  CHECK(with([](Demand&, ProjectClass& c) { c.duration = Law::weibull(0.001, 1); }).size() == 1);
  const std::string barred =
      "demand.project[grant].devices: a block may be of a device that its jobs `small` do not accept";
  CHECK(with([](Demand& d, ProjectClass&) { d.batch[0].devices = {"h200"}; }) == All{barred});
  CHECK(with([](Demand& d, ProjectClass& c) {
          d.batch[0].devices = {"h200"};
          c.devices = {"h200", "b200"};
        }) == All{barred});
  CHECK(with([](Demand& d, ProjectClass& c) {
          d.batch[0].devices = {"h200", "b200"};
          c.devices = {"h200"};
        }).empty());
}
