// SPDX-License-Identifier: Apache-2.0
#include <natgpu/supply/spec.hpp>

namespace natgpu::supply {

const FieldTable& fields_of(const ClassSpeed*) {
  static const FieldTable table =
      Fields<ClassSpeed>("class speed",
                         "How fast a device runs one class of work, against the reference device.")
          .reference("name", &ClassSpeed::name, "demand.batch", "The batch class this speed is for.")
          .required()
          .quantity(
              "speed", &ClassSpeed::speed, Dimension::count, positive(),
              "Work of the reference device done per unit of time; run and requested times divide by it.");
  return table;
}

const FieldTable& fields_of(const Device*) {
  static const FieldTable table =
      Fields<Device>("device", "One accelerator model. Peaks are dense: no structured sparsity.")
          .text("name", &Device::name, "Name by which tranches and classes refer to it.")
          .required()
          .text("title", &Device::title, "Name for reports; the name itself if left out.")
          .choice("kind", &Device::kind,
                  {{"gpu", DeviceKind::gpu}, {"npu", DeviceKind::npu}, {"pim", DeviceKind::pim}},
                  "Graphics processor, neural processor, or processing in memory.")
          .quantity(
              "fp64_tensor", &Device::fp64_tensor, Dimension::compute, at_least(0),
              "Peak of FP64 on the tensor cores, 0 where it has none; the precision of the 2 EFLOP/s goal.")
          .quantity("bf16", &Device::bf16, Dimension::compute, at_least(0),
                    "Peak of BF16; over 989.4 TFLOP/s it gives H100-equivalents.")
          .quantity("fp8", &Device::fp8, Dimension::compute, at_least(0), "Peak of FP8, 0 where it has none.")
          .quantity("memory", &Device::memory_gb, Dimension::memory, at_least(0), "Memory of one device.")
          .quantity("power", &Device::power_w, Dimension::power, at_least(0),
                    "Power at full load at the server's inlet: server power over its devices, before PUE.")
          .quantity("idle_power", &Device::idle_power_w, Dimension::power, at_least(0),
                    "The same when idle; not above `power`.")
          .quantity("price", &Device::price_krw, Dimension::money, at_least(0),
                    "Programme cost of one device, network, storage and cooling included.")
          .integer("per_node", &Device::per_node, between(1, 1024),
                   "Devices in one server: the grain of buying, lighting and failing.")
          .quantity("node_cores", &Device::node_cores, Dimension::count, between(0, 1e6),
                    "In the node view, cores of one server; 0: they set no limit.")
          .quantity("node_memory", &Device::node_memory_gb, Dimension::memory, between(0, 1e6),
                    "In the node view, main memory of one server; 0: it sets no limit.")
          .text("mig", &Device::mig,
                "In the node view, the table by which MIG cuts the device for jobs that share one, such as "
                "A100-80GB; left out: they hold thousandths.")
          .quantity("speed", &Device::speed, Dimension::count, positive(),
                    "Speed against the reference device for classes not listed in `speeds`.")
          .items("speeds", &Device::speeds, "Speeds of single classes of work.");
  return table;
}

const FieldTable& fields_of(const GridStep*) {
  static const FieldTable table =
      Fields<GridStep>(
          "grid step",
          "Power that the grid grants a site from a day on. Steps replace each other; the last one in "
          "force counts.")
          .date("from", &GridStep::from, "Day from which this power is there, before `slip`; may be `never`.")
          .quantity("power", &GridStep::power_w, Dimension::power, at_least(0),
                    "Power at the meter, PUE included; replaces what was there before.")
          .required()
          .quantity("approval", &GridStep::approval, Dimension::share, unit_interval(),
                    "Chance that the step comes at all; a refused step changes nothing.")
          .law("slip", &GridStep::slip, Dimension::time, at_least(0), "Delay of the step.");
  return table;
}

const FieldTable& fields_of(const DatedPrice*) {
  static const FieldTable table =
      Fields<DatedPrice>("power price", "Price of electricity from a day on.")
          .date("from", &DatedPrice::from, "First day of this price.")
          .quantity("value", &DatedPrice::value, Dimension::power_price, at_least(0), "Price at the meter.")
          .required();
  return table;
}

const FieldTable& fields_of(const DatedCo2*) {
  static const FieldTable table =
      Fields<DatedCo2>("CO2 factor", "Emission of the grid's electricity from a day on.")
          .date("from", &DatedCo2::from, "First day of this factor.")
          .quantity("value", &DatedCo2::value, Dimension::co2_factor, at_least(0),
                    "CO2 per energy at the meter.")
          .required();
  return table;
}

const FieldTable& fields_of(const Site*) {
  static const FieldTable table =
      Fields<Site>("site", "A data centre: where devices stand and what power reaches them.")
          .text("name", &Site::name, "Name by which tranches refer to it.")
          .required()
          .text("title", &Site::title, "Name for reports; the name itself if left out.")
          .text("region", &Site::region, "Region, for shares by region.")
          .quantity("pue", &Site::pue, Dimension::count, between(1, 5),
                    "Power usage effectiveness: facility power over IT power (Korea: 1.15 / 1.30 / 1.50, Aju "
                    "Press 2026).")
          .items("grid", &Site::grid,
                 "Dated steps of the grid connection, in the order of their dates; left out: no limit.")
          .items("power_price", &Site::power_price,
                 "Price of electricity from given days on; 0 before the first.")
          .items("co2", &Site::co2, "CO2 factor of electricity from given days on; 0 before the first.");
  return table;
}

const FieldTable& fields_of(const Tender*) {
  static const FieldTable table =
      Fields<Tender>("tender", "A call for offers that may fail and be repeated.")
          .quantity("failure", &Tender::failure, Dimension::share, unit_interval(),
                    "Chance that one round fails, each on its own.")
          .law("round", &Tender::round, Dimension::time, at_least(0),
               "Length of one round, from call to award or failure; the next opens at once.")
          .integer("max_rounds", &Tender::max_rounds, between(1, 1000),
                   "Rounds that are tried; if all fail the tranche never comes.");
  return table;
}

const FieldTable& fields_of(const Tranche*) {
  static const FieldTable table =
      Fields<Tranche>(
          "tranche",
          "Devices bought, leased or announced together. A stated `ordered`, `delivered` or `in_service` "
          "pins that stage; the others are drawn from the laws.")
          .text("name", &Tranche::name, "Name of the tranche; its draws depend on it.")
          .required()
          .text("title", &Tranche::title, "Name for reports; the name itself if left out.")
          .reference("site", &Tranche::site, "supply.sites", "Where it stands.")
          .required()
          .reference("device", &Tranche::device, "hardware", "What it is made of.")
          .required()
          .text(
              "scope", &Tranche::scope,
              "gov_purchase, kisti6, nacc, lease or private: which readings of the national target count it.")
          .choice("origin", &Tranche::origin,
                  {{"purchase", TrancheOrigin::purchase},
                   {"lease", TrancheOrigin::lease},
                   {"programme", TrancheOrigin::programme}},
                  "Bought, leased (in service from `in_service` to `until`, no delivery), or announced by a "
                  "programme.")
          .gpus("units", &Tranche::units, at_least(0), "Devices; 0: as many as `budget` buys.")
          .quantity("budget", &Tranche::budget_krw, Dimension::money, at_least(0),
                    "Budget, if `units` is left out: buys whole nodes at the device's price.")
          .date("ordered", &Tranche::ordered,
                "Day of the call for offers, or of the order where no tender is held; `never`: set back by "
                "the laws "
                "from a later stage that is stated.")
          .date("delivered", &Tranche::delivered, "Day of delivery, which pins it; `never`: not stated.")
          .date("in_service", &Tranche::in_service,
                "Day of entry into service, before `slip`; `never`: not stated. With no stage stated the "
                "tranche never "
                "comes.")
          .date(
              "until", &Tranche::until,
              "Day on which it leaves (a lease's last day is the day before); `never`: after `service_life`.")
          .object("tender", &Tranche::tender, "The call for offers.")
          .law("delivery", &Tranche::delivery, Dimension::time, at_least(0),
               "Time from award to delivery (Korea 2025: 4 months; world: 3 / 5 / 12, FACTS section 5).")
          .law("commissioning", &Tranche::commissioning, Dimension::time, at_least(0),
               "Time from delivery to service (Korea 2025: 2.5 to 3.5 months, FACTS section 5).")
          .law("slip", &Tranche::slip, Dimension::time, at_least(0),
               "Further delay of the entry into service.")
          .quantity(
              "operator_share", &Tranche::operator_share, Dimension::share, unit_interval(),
              "Share kept by the operator as payment, outside the public pool; to the nearest whole node.")
          .quantity("public_share", &Tranche::public_share, Dimension::share, unit_interval(),
                    "Share of the rest that is open to the government's users; to the nearest whole node.")
          .duration("service_life", &Tranche::service_life, positive(),
                    "Time from entry into service to retirement (4 / 5 / 6 years, FACTS section 5).")
          .boolean(
              "confirmed", &Tranche::confirmed,
              "Whether it is more than a plan; GPU-hours that rest on unconfirmed supply are told apart.");
  return table;
}

const FieldTable& fields_of(const FailureCause*) {
  static const FieldTable table =
      Fields<FailureCause>("failure cause", "One way in which a node breaks, independent of the others.")
          .text("name", &FailureCause::name, "Name of the cause, a label of measures.")
          .required()
          .duration(
              "mtbf", &FailureCause::mtbf, positive(),
              "Mean up-time of one node until this cause strikes (264 d for all causes of an 8-GPU node: "
              "Llama 3 run, 419 unexpected interruptions in 21.2 m GPU-hours, DCD 2024).")
          .law("repair", &FailureCause::repair, Dimension::time, at_least(0),
               "Length of the repair, once a crew is there.");
  return table;
}

const FieldTable& fields_of(const Failures*) {
  static const FieldTable table =
      Fields<Failures>("failures", "What breaks and how it is repaired.")
          .items("causes", &Failures::causes,
                 "Independent causes, each with an exponential up-time; none: nothing fails.")
          .quantity("early_life_factor", &Failures::early_life_factor, Dimension::count, at_least(0),
                    "Factor on the failure rate while a node is young (1.5 / 2.5 / 4, FACTS section 9).")
          .duration("early_life", &Failures::early_life, at_least(0),
                    "How long after its entry into service a node counts as young.")
          .integer("crews", &Failures::crews, at_least(0),
                   "Repair crews of the nation; 0: as many as needed.")
          .choice(
              "victim", &Failures::victim,
              {{"uniform", Victim::uniform}, {"last_started", Victim::last_started}},
              "Which running jobs a broken node hits: any units alike, or those of the last started jobs.");
  return table;
}

const FieldTable& fields_of(const Maintenance*) {
  static const FieldTable table =
      Fields<Maintenance>("maintenance",
                          "Windows, announced from the start, in which a share of a site is away.")
          .text("name", &Maintenance::name, "Name of the series of windows.")
          .required()
          .reference("site", &Maintenance::site, "supply.sites", "The site.")
          .required()
          .date("first", &Maintenance::first, "Day on which the first window opens, at midnight.")
          .required()
          .duration("every", &Maintenance::every, at_least(3600),
                    "Time from one opening to the next, an hour or more.")
          .duration("length", &Maintenance::length, positive(), "Length of a window; not above `every`.")
          .quantity("share", &Maintenance::share, Dimension::share, unit_interval(),
                    "Share of the site's public units in service that is away; per pool, to the nearest "
                    "whole node.");
  return table;
}

const FieldTable& fields_of(const Supply*) {
  static const FieldTable table =
      Fields<Supply>("supply", "Sites, the dated buildout, and what breaks.")
          .items("sites", &Supply::sites, "Data centres.")
          .items("tranches", &Supply::tranches, "Blocks of devices, in the order that settles ties of age.")
          .object("failures", &Supply::failures, "Failures and repair.")
          .items("maintenance", &Supply::maintenance, "Announced maintenance windows.");
  return table;
}

}  // namespace natgpu::supply
