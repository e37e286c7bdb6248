// SPDX-License-Identifier: Apache-2.0
// Whole scenarios: from bytes and settings to a Scenario, or to all mistakes at once.
#include <algorithm>

#include <natgpu/core/hash.hpp>

#include "catch.hpp"
#include "folder.hpp"

using namespace natgpu;
using namespace natgpu::scenario;
using namespace natgpu::scenario::test;

namespace {

const std::string good = R"(schema: natgpu/1
name: small
title: {en: Small, ko: 작은 도시}
about:
  summary: {en: A test., ko: 시험.}
  excludes: [everything else]
horizon: {start: 2026-01-01, end: 2027-01-01}
seed: 7
replications: 4
hardware:
  - {name: h100, bf16: 989.4 TFLOP/s, power: 1.3 kW, idle_power: 300 W, price: 60 m KRW, source: data sheet}
supply:
  sites:
    - name: haenam
      pue: {value: 1.3, source: press, as_of: 2026-08, status: published, low: 1.15, high: 1.5}
      grid: [{power: 10 MW}]
  tranches:
    - {name: first, site: haenam, device: h100, units: 64 GPU, ordered: 2025-06-01, in_service: 2026-02-01,
       slip: {dist: triangular, low: 0 months, mode: 3 months, high: 6 months}}
demand:
  sectors:
    - {name: sme, organisations: 100, request_rate: 4 /month, mix: [{name: train}],
       onboarding: {initial: 10 %}, adoption: {initial: 20 %}}
  batch:
    - {name: train, gpus: 8 GPU, run_time: {dist: exponential, mean: 5 h}, patience: endless}
policies:
  late:
    "supply.tranches[first].slip": 9 months
    scheduling.backfill: none
  cool: {"supply.sites[haenam].pue": 1.15}
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

LoadOptions with_set(std::vector<std::string> set) {
  LoadOptions options;
  options.set = std::move(set);
  return options;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

std::string diagnosed(const std::string& text, const LoadOptions& options = {}) {
  const auto all = diagnostics_of(text, options);
  for (const Diagnostic& d : all) UNSCOPED_INFO(format_diagnostic(d));
  return codes_of(all);
}

/// GPUs that the first sector's jobs of the first class ask for in a second, in the mean.
double gpus_asked(const Scenario& s) {
  return s.demand.sectors[0].request_rate * s.demand.batch[0].gpus.mean();
}

}  // namespace

TEST_CASE("a scenario is read into the rooms' structs") {
  const Scenario s = load(good);
  CHECK(s.name == "small");
  CHECK(s.title.ko == "작은 도시");
  CHECK(s.horizon.end == Date::of(2027, 1, 1));
  CHECK(s.hardware[0].power_w == 1300);
  CHECK(s.supply.sites[0].pue == 1.3);
  CHECK(s.supply.tranches[0].units == 64);
  CHECK(s.supply.tranches[0].slip == Law::triangular(0, 3 * 2629800.0, 6 * 2629800.0));
  CHECK(s.demand.sectors[0].mix[0].name == "train");
  CHECK(s.demand.batch[0].patience == Law::constant(-1));
  CHECK(s.policy == "base");
  CHECK(s.policies.size() == 2);
  CHECK(s.policies[0].settings[0].path == "supply.tranches[first].slip");
  CHECK(s.policies[0].settings[0].value == "9 months");
  REQUIRE(s.assumptions.size() == 2);
  CHECK(s.assumptions[1].path == "supply.sites[haenam].pue");
  CHECK(s.assumptions[1].place.line == 15);
}

TEST_CASE("five different mistakes are named all five, by line") {
  std::string text = replaced(good, "pue: {value: 1.3,", "pue: {value: 13,");
  text = replaced(text, "units: 64 GPU", "units: 64");
  text = replaced(text, "organisations: 100", "organisations: 0100");
  text = replaced(text, "site: haenam", "site: haenan");
  text = replaced(text, "replications: 4", "replicatoins: 4");
  const auto all = diagnostics_of(text);
  REQUIRE(codes_of(all) == "E0213 E0108 E0218 E0107 E0103");
  const int lines[] = {9, 15, 18, 18, 22};
  for (std::size_t i = 0; i < 5; ++i) CHECK(all[i].place.line == lines[i]);
  CHECK(all[0].help.find("did you mean `replications`?") == 0);
  CHECK(all[2].help.find("did you mean `haenam`?") == 0);
  const std::string printed = format_diagnostics(all);
  CHECK(
      printed.find("a.yaml:9:1: error[E0213]: unknown key `replicatoins` in scenario\n 9 | replicatoins: 4\n"
                   "   | ^^^^^^^^^^^^\nhelp: did you mean `replications`?") != std::string::npos);
  CHECK(printed.find("5 errors, nothing was run. `natgpu explain E0213` tells more.\n") != std::string::npos);
}

TEST_CASE("a room's own findings are tied to the line they speak of") {
  const std::string text = replaced(good, "mix: [{name: train}]", "mix: [{name: train, share: 0}]");
  const auto all = diagnostics_of(text);
  REQUIRE_FALSE(all.empty());
  CHECK(all[0].code == "E0301");
  CHECK(all[0].place.line == 22);
  CHECK(all[0].message.find("demand.sectors[sme].mix") == 0);
}

TEST_CASE("the whole is checked: schema, horizon, jobs, names") {
  CHECK(diagnosed(replaced(good, "schema: natgpu/1\n", "")) == "E0233");
  CHECK(diagnosed(replaced(good, "natgpu/1", "natgpu/2")) == "E0233");
  CHECK(diagnosed(replaced(good, "end: 2027-01-01", "end: 2026-01-01")) == "E0302");
  CHECK(diagnosed(replaced(good, "end: 2027-01-01", "end: 2099-01-01")) == "E0302");
  CHECK(diagnosed(replaced(good, "4 /month", "4000 /s")) == "E0303");
  CHECK(diagnosed(replaced(good, "name: small", "name: ../small")) == "E0220");
  CHECK(diagnosed(replaced(good, "name: small\n", "")) == "E0214");
  CHECK(diagnosed(replaced(good, "replications: 4", "replications: 10000000")) == "E0108");
  CHECK(diagnosed("- a\n") == "E0216");
  CHECK(diagnosed(good + "economy: {}\n") == "E0234");
  CHECK(diagnosed(good + "levers: []\n") == "E0234");
}

TEST_CASE("the option --set changes values, typed and checked as in the file") {
  CHECK(load(good, with_set({"supply.sites[haenam].pue=1.2"})).supply.sites[0].pue == 1.2);
  CHECK(load(good, with_set({"seed=8", "seed=9"})).seed == 9);
  CHECK(load(good, with_set({"scheduling.semantics.pass=event"})).scheduling.semantics.pass ==
        scheduling::PassRule::event);
  CHECK(load(good, with_set({"demand.calendar.holidays=[2026-01-01, 2026-02-17]"}))
            .demand.calendar.holidays.size() == 2);
  CHECK(load(good, with_set({"supply.tranches[first].slip={dist: uniform, low: 1 d, high: 2 d}"}))
            .supply.tranches[0]
            .slip == Law::uniform(86400, 172800));
  CHECK(load(good, with_set({"supply.sites[haenam].grid[1].power=5 MW"})).supply.sites[0].grid[0].power_w ==
        5e6);
  CHECK(load(good, with_set({"title.en=\"no\""})).title.en == "no");
  CHECK(load(good, with_set({"supply.sites[haenam].pue=1.2"})).assumptions.size() == 1);

  struct Case {
    std::string set, codes;
    int column;
    std::string help;
  };
  const Case cases[] = {
      {"supply.sites[haenam].peu=1.2", "E0231", 22, "did you mean `pue`?"},
      {"supply.sites[haenan].pue=1.2", "E0231", 8, "did you mean `haenam`?"},
      {"supply.sites.pue=1.2", "E0231", 8, "items: haenam"},
      {"suply.sites=1", "E0231", 1, "did you mean `supply`?"},
      {"supply=1", "E0231", 1, "sites"},
      {"supply[x].sites=1", "E0231", 1, "brackets"},
      {"seed.x=1", "E0231", 1, ""},
      {"supply.sites[haenam].grid[2].power=1 MW", "E0231", 22, ""},
      {"supply..sites=1", "E0230", 1, ""},
      {"supply.sites[haenam=1", "E0230", 1, ""},
      {"seed", "E0230", 1, ""},
      {"=1", "E0230", 1, ""},
      {"supply.sites[haenam].pue=010", "E0103", 26, ""},
      {"supply.sites[haenam].pue= 9", "E0108", 27, "between 1 and 5"},
      {"supply.tranches[first].units=8", "E0107", 30, "write `8 GPU`"},
      {"supply.tranches[first].confirmed=no", "E0110", 34, "write `false`"},
      {"supply.tranches[first].site=haenan", "E0218", 29, "did you mean `haenam`?"},
      {"title.en=no", "E0111", 10, ""},
      {"title.en=", "E0215", 1, ""},
      {"demand.calendar.holidays=[2026-01-01, 2026-02-30]", "E0109", 39, ""},
      {"seed=[1", "E0212", 6, "close the bracket"},
      {"title.en=\"x", "E0206", 10, ""},
      {"title.en=a\x1b[31m", "E0203", 11, ""},
      {"schema=natgpu/1", "E0231", 1, ""},
  };
  for (const Case& c : cases) {
    INFO(c.set);
    const auto all = diagnostics_of(good, with_set({c.set}));
    for (const Diagnostic& d : all) UNSCOPED_INFO(format_diagnostic(d));
    CHECK(codes_of(all) == c.codes);
    if (all.empty()) continue;
    CHECK(all[0].place.file == "--set");
    CHECK(all[0].place.line == 1);
    CHECK(all[0].place.column == c.column);
    CHECK(all[0].help.find(c.help) != std::string::npos);
  }
}

TEST_CASE("a policy changes the file, and --set changes the policy") {
  LoadOptions late;
  late.policy = "late";
  const Scenario s = load(good, late);
  CHECK(s.policy == "late");
  CHECK(s.supply.tranches[0].slip == Law::constant(9 * 2629800.0));
  CHECK(s.scheduling.backfill == scheduling::Backfill::none);
  late.set = {"scheduling.backfill=fit"};
  CHECK(load(good, late).scheduling.backfill == scheduling::Backfill::fit);

  LoadOptions named;
  named.policy = "fcfs";
  CHECK(load(good, named).scheduling.backfill == scheduling::Backfill::none);
  CHECK(load(good, named).policy == "fcfs");
  named.policy = "base";
  CHECK(load(good, named).scheduling.backfill == scheduling::Backfill::easy);
}

TEST_CASE("a named policy settles order, backfill and reservations, whatever the file says of them") {
  LoadOptions options;
  options.set = {"scheduling.order=saf", "scheduling.backfill=reservations", "scheduling.reservations=5"};
  const Scenario s = load(good, options);
  CHECK(s.scheduling.order == scheduling::Order::saf);
  CHECK(s.scheduling.backfill == scheduling::Backfill::reservations);
  CHECK(s.scheduling.reservations == 5);
  std::string counted = good;
  counted += "scheduling: {order: ljf, backfill: reservations, reservations: 3}\n";
  options.set = {};
  for (const scheduling::NamedPolicy& named : scheduling::named_policies()) {
    const bool needs_more =  // classes of jobs; and some are for replays
        named.order == scheduling::Order::priority || by_target(named.order);
    if (needs_more) continue;
    options.policy = named.name;
    INFO(named.name);
    const Scenario chosen = load(counted, options);
    CHECK(chosen.scheduling.order == named.order);
    CHECK(chosen.scheduling.backfill == named.backfill);
    CHECK(chosen.scheduling.reservations == 0);
  }
}

TEST_CASE("a number of reservations goes with that backfill alone, and it needs one") {
  LoadOptions options;
  options.set = {"scheduling.backfill=reservations"};
  auto all = diagnostics_of(good, options);
  REQUIRE(all.size() == 1);
  CHECK(all[0].code == "E0301");
  CHECK(all[0].message.find("needs the number of jobs that hold one") != std::string::npos);
  options.set = {"scheduling.backfill=conservative", "scheduling.reservations=3"};
  all = diagnostics_of(good, options);
  REQUIRE(all.size() == 1);
  CHECK(all[0].message.find("contradicts a backfill") != std::string::npos);
}

TEST_CASE("what only replays have is refused with the reason, and with what to use") {
  const auto all = diagnostics_of(good + "scheduling: {dialect: pyss}\n");
  REQUIRE(all.size() == 1);
  CHECK(all[0].code == "E0213");
  CHECK(all[0].message.find("unknown key") == std::string::npos);
  CHECK(all[0].help.find("natgpu replay LOG --") != std::string::npos);
}

TEST_CASE("GPUs are shared in time with weights of classes that are there, and services not in turns") {
  const Scenario shared =
      load(good +
           "scheduling: {sharing: ps, backfill: none, weights: [{name: train, weight: 2.5}, {name: log, "
           "weight: 0.5}]}\n");
  CHECK(shared.scheduling.sharing == scheduling::Sharing::ps);
  REQUIRE(shared.scheduling.weights.size() == 2);
  CHECK(shared.scheduling.weights[0].weight == 2.5);
  const Scenario in_turns = load(good + "scheduling: {sharing: gang, quantum: 30 min}\n");
  CHECK(in_turns.scheduling.quantum == natgpu::hours(1) / 2);

  auto all = diagnostics_of(good + "scheduling: {sharing: ps, weights: [{name: trian, weight: 2}]}\n");
  REQUIRE(all.size() == 1);
  CHECK(all[0].message.find("there is no such class of jobs: `trian`") != std::string::npos);
  CHECK(all[0].help.find("`train`") != std::string::npos);
  CHECK(diagnostics_of(good + "scheduling: {sharing: ps, weights: [{name: train, weight: 0}]}\n").size() ==
        1);

  std::string serving = good;
  serving.replace(serving.find("policies:"), 0,
                  "  service: [{name: web, floor: 1, peak: 2, duration: 9 d}]\n");
  CHECK(load(serving + "scheduling: {sharing: ps}\n").scheduling.sharing == scheduling::Sharing::ps);
  all = diagnostics_of(serving + "scheduling: {sharing: gang, quantum: 1 h}\n");
  REQUIRE(all.size() == 1);
  CHECK(all[0].message.find("off between its turns") != std::string::npos);

  LoadOptions options;
  options.set = {"scheduling.sharing=ps"};
  CHECK(load(good, options).scheduling.sharing == scheduling::Sharing::ps);
  options.policy = "easy";  // is an order and a backfill of a queue
  all = diagnostics_of(good, options);
  REQUIRE(all.size() == 1);
  CHECK(all[0].message.find("have none") != std::string::npos);
  options.set.clear();
  CHECK(load(good + "scheduling: {sharing: ps, weights: [{name: train, weight: 2}]}\n", options)
            .scheduling.sharing == scheduling::Sharing::exclusive);
}

TEST_CASE("projects are read with their jobs, and refused where nobody can hold a block") {
  std::string granting = good;
  granting.replace(granting.find("onboarding: {initial: 10 %}"), 0,
                   "project_rate: 1 /year, projects: [{name: grant}], ");
  granting.replace(
      granting.find("policies:"), 0,
      "  project:\n    - {name: grant, gpus: 16 GPU, duration: 3 months, patience: 60 d, overflow: "
      "true,\n       reclaim_after: 7 d, jobs: {rate: 4 /d, mix: [{name: train}]}}\n");
  const Scenario s = load(granting + "scheduling: {order: priority, classes: [grant, train]}\n");
  REQUIRE(s.demand.project.size() == 1);
  const demand::ProjectClass& grant = s.demand.project[0];
  CHECK(grant.gpus.mean() == 16);
  CHECK(grant.overflow);
  CHECK(grant.reclaim_after == days(7));
  CHECK(grant.jobs.rate == Approx(4.0 / 86400));
  CHECK(grant.jobs.mix.at(0).name == "train");
  CHECK(s.demand.sectors[0].projects.at(0).name == "grant");

  struct Case {
    const char *scheduling, *path, *reason;
  };
  const Case cases[] = {
      {"{sharing: ps, backfill: none}", "scheduling.sharing", "owner's alone"},
      {"{order: srtf, backfill: fit}", "scheduling.order", "takes GPUs back"},
      {"{order: gavel-las, backfill: fit}", "scheduling.order", "takes GPUs back"},
      {"{order: drf, backfill: fit}", "scheduling.order", "one by one"},
      {"{backfill: fit, preemption: {mode: spot-first, spot: [train]}}", "scheduling.preemption.mode",
       "takes GPUs back"},
      {"{backfill: fit, preemption: {mode: quota-reclaim}}", "scheduling.preemption.mode", "takes GPUs back"},
  };
  for (const Case& c : cases) {
    INFO(c.scheduling);
    CHECK(diagnostics_of(good + "scheduling: " + c.scheduling + "\n").empty());
    const auto all = diagnostics_of(granting + "scheduling: " + c.scheduling + "\n");
    REQUIRE(all.size() == 1);
    CHECK(all[0].message.rfind(std::string(c.path) + ": ", 0) == 0);
    CHECK(all[0].message.find(c.reason) != std::string::npos);
    CHECK(all[0].help.find("leave") != std::string::npos);
    CHECK(all[0].place.line > 0);
  }
  for (const char* scheduling : {"{backfill: conservative}", "{order: wfp, backfill: easy}",
                                 "{order: fairtree, backfill: fit}", "{order: saf, backfill: easy-sjbf}",
                                 "{view: node}", "{view: node, order: fairtree, backfill: conservative}"})
    CHECK(diagnostics_of(granting + "scheduling: " + scheduling + "\n").empty());

  // Each class of jobs fits a node of its own device, and no device holds what they ask for together.
  std::string apart =
      replaced(granting, "price: 60 m KRW", "node_cores: 10, node_memory: 50 GB, price: 60 m KRW");
  apart = replaced(apart, "supply:\n",
                   "  - {name: deep, bf16: 1 TFLOP/s, node_cores: 4, node_memory: 100 GB}\nsupply:\n");
  apart = replaced(apart, "  batch:\n",
                   "  batch:\n    - {name: wide, cores_per_gpu: 8, memory_per_gpu: 20 GB}\n"
                   "    - {name: large, cores_per_gpu: 2, memory_per_gpu: 60 GB}\n");
  apart = replaced(apart, "mix: [{name: train}]}}", "mix: [{name: wide}, {name: large}]}}");
  CHECK(diagnostics_of(apart + "scheduling: {view: pool}\n").empty());
  CHECK(diagnostics_of(replaced(apart, "60 GB}", "40 GB}") + "scheduling: {view: node}\n").empty());
  const auto all = diagnostics_of(apart + "scheduling: {view: node}\n");
  REQUIRE(all.size() == 1);
  CHECK(all[0].message.rfind("demand.project[grant].jobs.mix: ", 0) == 0);
  CHECK(all[0].help.find("node_cores") != std::string::npos);
  CHECK(all[0].place.line > 0);
}

TEST_CASE("parts of scheduling that contradict each other are refused at their line, with the reason") {
  struct Case {
    const char *scheduling, *path, *reason;
  };
  const Case cases[] = {
      {"{order: srtf, backfill: easy-sjbf}", "scheduling.backfill", "nobody can be promised"},
      {"{order: maxmin, backfill: easy-sjbf}", "scheduling.backfill", "whose turn it is"},
      {"{order: gavel-las, backfill: easy}", "scheduling.backfill", "nobody can be promised"},
      {"{order: gavel-ftf, backfill: conservative}", "scheduling.backfill", "nobody can be promised"},
      {"{order: gavel-ftf, backfill: reservations, reservations: 3}", "scheduling.backfill",
       "nobody can be promised"},
      {"{order: gavel-las, backfill: fit, view: node, preemption: {notice: 5 min}}",
       "scheduling.preemption.notice", "come free at once"},
      {"{order: gavel-las, backfill: fit, semantics: {pass: event, ties: arrival-first}}",
       "scheduling.semantics.pass", "at an instant"},
      {"{order: gavel-las, backfill: fit, preemption: {mode: by-class}}", "scheduling.order",
       "whose keys are classes"},
      {"{order: gavel-ftf, backfill: fit, preemption: {mode: spot-first, spot: [train]}}", "scheduling.order",
       "behind all others"},
      {"{order: gavel-las, backfill: fit, preemption: {shield: 1 h}}", "scheduling.preemption.shield",
       "no meaning"},
      {"{order: gavel-las, backfill: fit, preemption: {quantum: 2 h}}", "scheduling.preemption.quantum",
       "no meaning"},
      {"{order: gavel-las, backfill: fit, accounts: {level: sector}}", "scheduling.accounts.level",
       "those of jobs"},
      {"{order: gavel-las, backfill: fit, recalc: 10 min}", "scheduling.recalc", "no meaning"},
      {"{order: drf, backfill: conservative}", "scheduling.backfill", "no order of reservations lasts"},
      {"{order: srtf, backfill: easy}", "scheduling.backfill", "nobody can be promised"},
      {"{order: srtf, backfill: fit, semantics: {pass: event}}", "scheduling.semantics.pass",
       "at an instant"},
      {"{order: priority, backfill: fit}", "scheduling.classes", "needs the classes"},
      {"{backfill: fit, preemption: {mode: by-class}}", "scheduling.order", "whose keys are classes"},
      {"{order: sjf, backfill: fit, preemption: {mode: spot-first, spot: [train]}}", "scheduling.order",
       "behind all others"},
      {"{backfill: fit, preemption: {mode: spot-first}}", "scheduling.preemption.spot", "spot jobs"},
      {"{order: drf, backfill: fit, preemption: {mode: quota-reclaim}}", "scheduling.order",
       "settled at submission"},
      {"{order: srtf, backfill: fit, preemption: {mode: quota-reclaim}}", "scheduling.order",
       "settled at submission"},
      {"{order: wfp, backfill: none, preemption: {mode: quota-reclaim}}", "scheduling.order",
       "settled at submission"},
      {"{preemption: {mode: quota-reclaim}}", "scheduling.backfill", "nobody can be promised"},
      {"{backfill: fit, semantics: {pass: event}, preemption: {mode: quota-reclaim}}",
       "scheduling.semantics.pass", "at an instant"},
      {"{view: node, preemption: {mode: quota-reclaim}}", "scheduling.backfill", "nobody can be promised"},
      {"{backfill: fit, accounts: {shares: [{name: sme, share: 0.0000001}]}, preemption: {mode: "
       "quota-reclaim}}",
       "scheduling.accounts.shares", "in millionths"},
      {"{backfill: fit, accounts: {shares: [{name: sme, share: 200000000}]}, preemption: {mode: "
       "quota-reclaim}}",
       "scheduling.accounts.shares", "in millionths"},
      {"{backfill: fit, preemption: {mode: quota-reclaim, spot: [train]}}", "scheduling.preemption.spot",
       "no meaning"},
      {"{order: las2d, backfill: fit, preemption: {thresholds: [10 GPU.h, 1 GPU.h]}}",
       "scheduling.preemption.thresholds", "rise"},
      {"{order: fairtree, fair_share: {half_life: 500 ms}}", "scheduling.fair_share.half_life",
       "whole seconds"},
      {"{view: node, backfill: conservative, order: drf}", "scheduling.backfill",
       "no order of reservations lasts"},
      {"{view: node, backfill: easy, order: srtf}", "scheduling.backfill", "who comes first"},
      {"{view: node, backfill: fit, order: las2d, preemption: {notice: 5 min}}",
       "scheduling.preemption.notice", "come free at once"},
      {"{view: node, backfill: fit, preemption: {mode: quota-reclaim, notice: 5 min}}",
       "scheduling.preemption.notice", "come free at once"},
      {"{view: node, backfill: easy, preemption: {mode: spot-first, spot: [train]}}", "scheduling.backfill",
       "nobody can be promised"},
      {"{view: node, backfill: easy-sjbf, order: drf}", "scheduling.backfill", "whose turn it is"},
      {"{view: node, locality: 0.5}", "scheduling.locality", "faster"},
      {"{view: node, semantics: {pass: event, ties: arrival-first}}", "scheduling.semantics.ties",
       "still stands"},
      {"{sharing: gang}", "scheduling.sharing", "the length of a turn"},
      {"{quantum: 1 h}", "scheduling.quantum", "no meaning"},
      {"{sharing: ps, quantum: 1 h}", "scheduling.quantum", "no meaning"},
      {"{weights: [{name: train, weight: 2}]}", "scheduling.weights", "no meaning"},
      {"{sharing: gang, quantum: 1 h, weights: [{name: train, weight: 2}]}", "scheduling.weights",
       "no meaning"},
      {"{sharing: ps, view: node}", "scheduling.view", "counted"},
      {"{sharing: ps, order: sjf}", "scheduling.order", "have none"},
      {"{sharing: ps, backfill: easy}", "scheduling.backfill", "have none"},
      {"{sharing: gang, quantum: 1 h, backfill: fit}", "scheduling.backfill", "have none"},
      {"{sharing: ps, queue_limit: 9}", "scheduling.queue_limit", "have none"},
      {"{sharing: ps, reservations: 9}", "scheduling.reservations", "contradicts a backfill"},
      {"{sharing: ps, semantics: {pass: event}}", "scheduling.semantics.pass", "at an instant"},
      {"{sharing: ps, backfill: none, preemption: {mode: spot-first, spot: [train]}}",
       "scheduling.preemption.mode", "take none from others"},
      {"{sharing: ps, preemption: {notice: 1 min}}", "scheduling.preemption.notice", "no meaning"},
      {"{sharing: ps, fair_share: {age_weight: 1}}", "scheduling.fair_share", "no meaning"},
      {"{sharing: ps, accounts: {level: sector}}", "scheduling.accounts", "no meaning"},
      {"{placement: fgd}", "scheduling.placement", "no meaning"},
      {"{locality: 2}", "scheduling.locality", "no meaning"},
      {"{recalc: 10 min}", "scheduling.recalc", "no meaning"},
      {"{order: drf, backfill: fit, recalc: 10 min}", "scheduling.recalc", "no meaning"},
      {"{classes: [train]}", "scheduling.classes", "no meaning"},
      {"{accounts: {level: sector}}", "scheduling.accounts", "no meaning"},
      {"{order: fairtree, fair_share: {age_weight: 1}}", "scheduling.fair_share", "no meaning"},
      {"{order: srtf, backfill: fit, preemption: {shield: 1 h}}", "scheduling.preemption.shield",
       "no meaning"},
      {"{preemption: {notice: 1 min}}", "scheduling.preemption.notice", "no meaning"},
      {"{order: srtf, backfill: fit, preemption: {quantum: 2 h}}", "scheduling.preemption.quantum",
       "no meaning"},
      {"{order: las, backfill: fit, preemption: {promote: 2}}", "scheduling.preemption.promote",
       "no meaning"},
  };
  for (const Case& c : cases) {
    INFO(c.scheduling);
    const auto all = diagnostics_of(good + "scheduling: " + c.scheduling + "\n");
    REQUIRE(all.size() == 1);
    CHECK(all[0].code == "E0301");
    CHECK(all[0].message.rfind(std::string(c.path) + ": ", 0) == 0);
    CHECK(all[0].message.find(c.reason) != std::string::npos);
    CHECK_FALSE(all[0].help.empty());
    CHECK(all[0].place.line > 0);
  }
}

TEST_CASE("the node view refuses nodes on which it cannot place jobs, at their line") {
  LoadOptions options;
  options.set = {"hardware[h100].per_node=72"};
  CHECK(load(good, options).hardware[0].per_node == 72);
  const auto all = diagnostics_of(good + "scheduling: {view: node}\n", options);
  REQUIRE(all.size() == 1);
  CHECK(all[0].message.find("72 GPUs on one node") != std::string::npos);
  CHECK(all[0].help.find("view: pool") != std::string::npos);
}

TEST_CASE("what a file states for its own order does not stand in the way of a policy of natgpu's") {
  const std::string spot = good +
                           "scheduling: {backfill: fit, preemption: {mode: spot-first, spot: [train], "
                           "notice: 1 min}}\n";
  LoadOptions options;
  CHECK(load(spot, options).scheduling.preemption.mode == scheduling::PreemptionSettings::Mode::spot_first);
  for (const char* policy : {"easy", "srtf", "fairtree", "drf", "conservative"}) {
    INFO(policy);
    options.policy = policy;
    CHECK(load(spot, options).scheduling.preemption.mode == scheduling::PreemptionSettings::Mode::none);
  }
}

TEST_CASE(
    "accounts and a shield have a meaning beside quota-reclaim, and classes beside its order priority") {
  const auto loaded = [](const std::string& scheduling) {
    return load(good + "scheduling: " + scheduling + "\n").scheduling;
  };
  const scheduling::Scheduling s = loaded(
      "{backfill: fit, accounts: {level: sector, shares: [{name: sme, share: 3}]}, preemption: {mode: "
      "quota-reclaim, shield: 1 h, notice: 5 min, rounds: 1 h}}");
  CHECK(s.preemption.mode == scheduling::PreemptionSettings::Mode::quota_reclaim);
  CHECK(s.accounts.shares.at(0).share == 3);
  CHECK(loaded("{order: priority, classes: [train], backfill: none, preemption: {mode: quota-reclaim}}")
            .classes.size() == 1);
  CHECK(loaded("{order: lottery, backfill: none, preemption: {mode: quota-reclaim}}").order ==
        scheduling::Order::lottery);
}

TEST_CASE(
    "shares and classes may stand beside an order without use for them if a policy of the file has one") {
  const std::string text = good + "  fair: {scheduling.order: fairtree}\n";
  const std::string shares = "scheduling: {accounts: {shares: [{name: sme, share: 3}]}}\n";
  LoadOptions options;
  CHECK(load(text + shares).scheduling.accounts.shares.size() == 1);
  options.policy = "fair";
  CHECK(load(text + shares, options).scheduling.accounts.shares.at(0).share == 3);
  options.set = {"scheduling.accounts.shares[sme].share=5"};
  CHECK(load(text + shares, options).scheduling.accounts.shares.at(0).share == 5);
  CHECK(diagnosed(good + shares) == "E0301");
}

TEST_CASE("classes of jobs are named as they are, and once") {
  const auto refused = [](const std::string& scheduling) {
    const auto all = diagnostics_of(good + "scheduling: " + scheduling + "\n");
    REQUIRE(all.size() == 1);
    return all[0];
  };
  const Diagnostic unknown = refused("{order: priority, classes: [trian]}");
  CHECK(unknown.code == "E0218");
  CHECK(unknown.help == "did you mean `train`?");
  CHECK(refused("{order: priority, classes: [train, train]}").code == "E0219");
  CHECK(refused("{backfill: fit, preemption: {mode: spot-first, spot: [nobody]}}").code == "E0218");
  CHECK(refused("{order: fairtree, accounts: {shares: [{name: nowhere, share: 2}]}}").code == "E0218");
  CHECK(refused("{order: fairtree, accounts: {shares: [{name: sme, share: 0}]}}").code == "E0108");
}

TEST_CASE("the settings of every policy must fit, whichever is asked for") {
  struct Case {
    std::string block, codes;
  };
  const Case cases[] = {
      {"  bad: {\"supply.sites[haenam].peu\": 1.2}\n", "E0231"},
      {"  bad: {\"supply.sites[haenam].pue\": 12}\n", "E0108"},
      {"  bad: {\"supply.tranches[first].site\": nowhere}\n", "E0218"},
      {"  bad: {seed: }\n", "E0215"},
      {"  bad: 3\n", "E0216"},
      {"  easy: {seed: 2}\n", "E0232"},
      {"  base: {seed: 2}\n", "E0220"},
      {"  late: {seed: 2}\n", "E0211"},
  };
  for (const Case& c : cases) {
    INFO(c.block);
    CHECK(diagnosed(good + c.block) == c.codes);
  }
  LoadOptions options;
  options.policy = "lat";
  const auto all = diagnostics_of(good, options);
  REQUIRE(codes_of(all) == "E0232");
  CHECK(all[0].help.find("did you mean `late`?") == 0);
}

TEST_CASE("a wrong value of the policy asked for is reported once, at its line") {
  LoadOptions options;
  options.policy = "bad";
  const auto all = diagnostics_of(good + "  bad: {\"supply.sites[haenam].pue\": 12}\n", options);
  REQUIRE(codes_of(all) == "E0108");
  CHECK(all[0].place.line == 31);

  const auto path = diagnostics_of(good + "  bad: {\"supply.sites[haenam].peu\": 1.2}\n");
  REQUIRE(codes_of(path) == "E0231");
  CHECK(path[0].place.column == 31);  // of `peu`, behind the quote
}

TEST_CASE("the resolved text holds defaults and is equal exactly when runs are") {
  const Scenario s = load(good);
  CHECK(s.resolved.find("schema = \"natgpu/1\"\nname = \"small\"\n") == 0);
  CHECK(s.resolved.find("\nsupply.sites[haenam].pue = 1.3\n") != std::string::npos);
  CHECK(s.resolved.find("\nsupply.sites[haenam].grid[1].power = 10000000\n") != std::string::npos);
  CHECK(s.resolved.find("\nscheduling.slowdown_floor = 10\n") != std::string::npos);
  CHECK(s.resolved.find("\ndemand.service = []\n") != std::string::npos);
  CHECK(s.resolved.find("\nsupply.tranches[first].until = never\n") != std::string::npos);
  CHECK(s.resolved.find("\ndemand.batch[train].run_time = exponential(18000)\n") != std::string::npos);
  CHECK(s.hash == sha256_hex(s.resolved));
  CHECK(load(replaced(good, "1.3 kW", "1300 W")).hash == s.hash);
  CHECK(load(good + "# a comment\n").hash == s.hash);
  CHECK(load(good, with_set({"seed=8"})).hash != s.hash);
  LoadOptions cool;
  cool.policy = "cool";
  CHECK(load(good, cool).hash == load(good, with_set({"supply.sites[haenam].pue=1.15"})).hash);
}

TEST_CASE("what a report measures is part of the resolved text where a scenario states it, and only there") {
  const Folder folder;
  const auto with = [&](const std::string& line) {
    return load_scenario(folder.write("s.yaml", good + line));
  };
  const Scenario plain = with("");
  CHECK(plain.resolved.find("report") == std::string::npos);
  CHECK(with("report: {warmup: none}\n").hash == plain.hash);
  const Scenario run_off = with("report: {runoff: 12 months}\n");
  CHECK(run_off.resolved.find("report.runoff = 31557600\n") != std::string::npos);
  CHECK(run_off.hash != plain.hash);
  CHECK(to_string(end_of_run(plain)) == "2027-01-01");
  CHECK(to_string(end_of_run(run_off)) == "2028-01-02");  // 365.25 days, begun ones count
  CHECK(with("report: {warmup: mser-5}\n").report.warmup == Warmup::mser_5);
}

TEST_CASE(
    "a report that cannot be is refused: an unknown rule, less than no time, a horizon too long or too "
    "short") {
  const auto codes = [&](const std::string& text) { return codes_of(diagnostics_of(text)); };
  CHECK(codes(good + "report: {warmup: mser5}\n") == "E0217");
  CHECK(codes(good + "report: {runoff: -1 d}\n") == "E0108");
  CHECK(codes(good + "report: {runoff: 31 years}\n") == "E0302");
  std::string brief = good;
  brief.replace(brief.find("end: 2027-01-01"), 15, "end: 2026-02-19");
  CHECK(codes(brief + "report: {warmup: mser-5}\n") == "E0302");
  CHECK(codes(brief).empty());
}

TEST_CASE("a scenario that is not there, or is no file, is refused") {
  const Folder folder;
  for (const std::string& path : {folder.path("none.yaml"), folder.path(""), std::string("/dev/zero")}) {
    INFO(path);
    try {
      load_scenario(path);
      FAIL("accepted");
    } catch (const ScenarioError& e) {
      CHECK(codes_of(e.diagnostics()) == "E0200");
    }
  }
}

TEST_CASE("a trace must lie in the scenario's folder") {
  const Folder outer;
  std::filesystem::create_directory(outer.path("in"));
  outer.write("out.swf", "; log\n");
  outer.write("in/log.swf", "; log\n");
  std::filesystem::create_symlink(outer.path("out.swf"), outer.path("in/link.swf"));
  std::filesystem::create_symlink(outer.path("in/log.swf"), outer.path("in/inner.swf"));
  std::filesystem::create_directory(outer.path("in/folder"));
  const auto codes = [&](const std::string& trace) {
    const std::string text = good + "";
    const std::string file = outer.write(
        "in/a.yaml",
        replaced(text, "  batch:\n", "  trace: {file: \"" + trace + "\", sector: sme}\n  batch:\n"));
    try {
      load_scenario(file);
    } catch (const ScenarioError& e) {
      return codes_of(e.diagnostics());
    }
    return std::string();
  };
  CHECK(codes("log.swf").empty());
  CHECK(codes("./log.swf").empty());
  CHECK(codes("inner.swf").empty());
  CHECK(codes("link.swf") == "E0304");
  CHECK(codes("../out.swf") == "E0304");
  CHECK(codes("folder/../log.swf") == "E0304");
  CHECK(codes(outer.path("in/log.swf")) == "E0304");
  CHECK(codes("none.swf") == "E0304");
  CHECK(codes("folder") == "E0304");
}

TEST_CASE("the bytes of a trace are part of what makes runs equal") {
  const Folder folder;
  const std::string text = replaced(good, "  batch:\n", "  trace: {file: log.swf, sector: sme}\n  batch:\n");
  folder.write("log.swf", "; one\n");
  const std::string one = load_scenario(folder.write("a.yaml", text)).hash;
  folder.write("log.swf", "; two\n");
  CHECK(load_scenario(folder.path("a.yaml")).hash != one);
}

TEST_CASE("a quick run keeps the load of every class of services and jobs, whatever their size") {
  std::string text = replaced(good, "units: 64 GPU", "units: 40000 GPU");
  text = replaced(text, "gpus: 8 GPU", "gpus: 512 GPU");
  text =
      replaced(text, "       onboarding:",
               "       service_rate: 2 /year, services: [{name: small, share: 3}, {name: large, share: 1}],\n"
               "       onboarding:");
  text = replaced(text, "  batch:\n",
                  "  service:\n"
                  "    - {name: small, gpus_per_replica: 2 GPU, floor: 1, peak: 4, duration: 1 d}\n"
                  "    - {name: large, gpus_per_replica: 8 GPU, floor: 10, peak: 30, duration: 1 d}\n"
                  "  batch:\n");
  LoadOptions quick;
  quick.quick = true;
  const Scenario s = load(text, quick), full = load(text);
  REQUIRE(s.quick_scale == 0.05);
  CHECK(s.demand.batch[0].gpus.a == 26);
  CHECK(gpus_asked(s) == Approx(0.05 * gpus_asked(full)));
  const demand::ServiceClass& large = s.demand.service[1];
  CHECK(large.floor == 1);  // 80 GPUs are 8, and 240 are 12: one replica and two
  CHECK(large.peak == 2);
  // Opened a year: small ones a twentieth of 1.5, large ones as many more as they are smaller.
  const auto& sector = s.demand.sectors[0];
  const double all = sector.services[0].share + sector.services[1].share;
  CHECK(sector.service_rate * sector.services[0].share / all ==
        Approx(0.05 * full.demand.sectors[0].service_rate * 0.75));
  CHECK(sector.service_rate * sector.services[1].share / all ==
        Approx(0.05 * full.demand.sectors[0].service_rate * 0.25 * 40 / 3));
}

TEST_CASE("a quick run of a large scenario is a twentieth of it, in whole nodes") {
  std::string text = replaced(good, "units: 64 GPU", "units: 40000 GPU");
  text = replaced(text, "gpus: 8 GPU",
                  "gpus: {dist: discrete, values: [1 GPU, 8 GPU, 64 GPU, 1024 GPU], weights: [1, 1, 1, 1]}");
  LoadOptions quick;
  quick.quick = true;
  const Scenario s = load(text, quick), full = load(text);
  CHECK(s.quick);
  CHECK(s.quick_scale == 0.05);
  CHECK(s.replications == 2);
  CHECK(s.supply.tranches[0].units == 2000);
  CHECK(s.supply.sites[0].grid[0].power_w == Approx(5e5));
  CHECK(s.demand.sectors[0].organisations == 100);
  CHECK(s.demand.batch[0].gpus.values == std::vector<double>{1, 8, 8, 51});
  CHECK(gpus_asked(s) == Approx(0.05 * gpus_asked(full)));
  CHECK(s.demand.batch[0].gpus.cumulative[0] == Approx(1 / (1 + 1 + 64. / 8 + 1024. / 51)));
  CHECK(s.hash != full.hash);
  CHECK(s.resolved.find("quick_scale = 0.05\n") != std::string::npos);
}

TEST_CASE("a quick run is held to a twentieth of what counts capacity, and to all of what is a share") {
  const std::string text =
      replaced(good, "units: 64 GPU", "units: 40000 GPU") +
      "targets:\n"
      "  - {name: a, metric: capacity.h100e, where: at=2026-12-31;state=public, expect: \">= 30000 H100e\"}\n"
      "  - {name: b, metric: reading.value, expect: \"< 2.5 EFLOP/s fp64_tensor\"}\n"
      "  - {name: c, metric: gpu.allocated.share, expect: \">= 0.65\"}\n"
      "  - {name: d, metric: jobs.wait.mean, expect: \"<= 3600 s\"}\n";
  LoadOptions quick;
  quick.quick = true;
  const Scenario s = load(text, quick);
  CHECK(s.targets[0].expect == ">= 1500 H100e");
  CHECK(s.targets[1].expect == "< 0.125 EFLOP/s fp64_tensor");
  CHECK(s.targets[2].expect == ">= 0.65");
  CHECK(s.targets[3].expect == "<= 3600 s");
}

TEST_CASE("a quick run of a small scenario has fewer replications and nothing else") {
  LoadOptions quick;
  quick.quick = true;
  const Scenario s = load(good, quick);
  CHECK(s.quick);
  CHECK(s.quick_scale == 1);
  CHECK(s.supply.tranches[0].units == 64);
  CHECK(s.replications == 2);
  CHECK_FALSE(load(good).quick);
}

TEST_CASE("a quick run keeps at least one node of every tranche") {
  std::string text = replaced(good, "units: 64 GPU", "units: 40000 GPU");
  text =
      replaced(text, "demand:\n",
               "    - {name: tiny, site: haenam, device: h100, units: 8 GPU, in_service: 2026-03-01}\n"
               "    - {name: money, site: haenam, device: h100, budget: 600 m KRW, in_service: 2026-03-01}\n"
               "demand:\n");
  LoadOptions quick;
  quick.quick = true;
  const Scenario s = load(text, quick);
  CHECK(s.supply.tranches[1].units == 8);
  CHECK(s.supply.tranches[2].budget_krw == Approx(480e6));
}

TEST_CASE("a policy uses named blocks of overrides and wins over them") {
  const std::string text = good + R"(overrides:
  slow: {"supply.tranches[first].slip": 12 months, "supply.sites[haenam].pue": 1.4}
  strict: {scheduling.backfill: none}
)";
  const std::string with_policies = replaced(text, "policies:\n", R"(policies:
  both: {use: [slow, strict], "supply.sites[haenam].pue": 1.2}
  one: {use: slow}
)");
  LoadOptions options;
  options.policy = "both";
  const Scenario both = load(with_policies, options);
  CHECK(both.supply.tranches[0].slip.a == Approx(12 * 2629800.0));
  CHECK(both.scheduling.backfill == scheduling::Backfill::none);
  CHECK(both.supply.sites[0].pue == 1.2);
  REQUIRE(both.policies[0].name == "both");
  CHECK(both.policies[0].settings.size() == 3);
  options.policy = "one";
  const Scenario one = load(with_policies, options);
  CHECK(one.supply.sites[0].pue == 1.4);
  CHECK(one.scheduling.backfill != scheduling::Backfill::none);
  CHECK(load(text).resolved == load(good).resolved);  // unused, they change nothing
}

TEST_CASE("overrides that are unknown, wrong or of two minds are refused") {
  const auto with = [&](const std::string& policy, const std::string& overrides) {
    return diagnosed(replaced(good, "policies:\n", "policies:\n  new: " + policy + "\n") + "overrides:\n" +
                     overrides);
  };
  const std::string slow = "  slow: {\"supply.sites[haenam].pue\": 1.4}\n";
  CHECK(with("{use: slow}", slow).empty());
  CHECK(with("{use: slw}", slow) == "E0218");
  CHECK(with("{use: [slow, cold]}", slow + "  cold: {\"supply.sites[haenam].pue\": 1.1}\n") == "E0211");
  CHECK(with("{seed: 2}", "  bad: {\"supply.sites[haenam].pux\": 1.4}\n") == "E0231");  // though unused
  CHECK(with("{seed: 2}", "  bad: {\"supply.sites[haenam].pue\": 0.4}\n") == "E0108");
  CHECK(with("{seed: 2}", "  bad: 3\n") == "E0216");
}
