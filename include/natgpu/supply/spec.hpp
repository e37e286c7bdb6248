// SPDX-License-Identifier: Apache-2.0
// What a scenario states about hardware, sites and the buildout. Plain data; units as in the field tables.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/field.hpp>

namespace natgpu::supply {

/// How fast a device runs one class of work, against the reference device.
struct ClassSpeed {
  std::string name;    ///< a workload class
  double speed = 1.0;  ///< work of the reference device done per unit of time
};

enum class DeviceKind : unsigned char { gpu, npu, pim };

/// One accelerator model. Peaks are dense (no structured sparsity), in FLOP/s.
struct Device {
  std::string name, title;
  DeviceKind kind = DeviceKind::gpu;
  double fp64_tensor = 0, bf16 = 0, fp8 = 0;  ///< FLOP/s
  double memory_gb = 0;
  double power_w = 0;       ///< per device at the server's inlet under full load (server power / devices)
  double idle_power_w = 0;  ///< the same when idle
  double price_krw = 0;     ///< all-in programme cost per device
  std::int64_t per_node = 8;
  double node_cores = 0;      ///< of one server; 0: they set no limit
  double node_memory_gb = 0;  ///< main memory of one server; 0: it sets no limit
  std::string mig;            ///< table by which MIG cuts it; empty: it is not cut
  double speed = 1.0;  ///< for classes not listed in `speeds`
  std::vector<ClassSpeed> speeds;

  /// H100-equivalents: dense BF16 peak over 989.4 TFLOP/s (NVIDIA H100 SXM data sheet).
  double h100e() const { return bf16 / 989.4e12; }
};

/// Power that the grid grants a site from a day on. Steps replace each other; the last one in force counts.
struct GridStep {
  Date from = Date::of(2000, 1, 1);
  double power_w = 0;           ///< at the meter, PUE included
  double approval = 1.0;        ///< chance that it comes at all
  Law slip = Law::constant(0);  ///< delay in seconds
};

/// A price or factor from a day on.
struct DatedValue {
  Date from = Date::of(2000, 1, 1);
  double value = 0;
};
struct DatedPrice : DatedValue {};  ///< KRW/kWh
struct DatedCo2 : DatedValue {};    ///< g/kWh

struct Site {
  std::string name, title, region;
  double pue = 1.3;            ///< power usage effectiveness: facility power / IT power
  std::vector<GridStep> grid;  ///< empty: no limit
  std::vector<DatedPrice> power_price;
  std::vector<DatedCo2> co2;
};

/// A call for offers that may fail and be repeated.
struct Tender {
  double failure = 0;            ///< chance that one round fails
  Law round = Law::constant(0);  ///< seconds from call to award or failure
  std::int64_t max_rounds = 10;  ///< after so many failures the tranche never comes
};

enum class TrancheOrigin : unsigned char { purchase, lease, programme };

/// A block of devices bought, leased or announced together.
///
/// Dates: with `in_service` stated the tranche comes into service on that day plus `slip` (history is pinned
/// with slip 0); otherwise ordered + tender rounds + delivery + commissioning + slip. Ordered and delivered
/// may be stated as well, for the part of the waterfall before service.
struct Tranche {
  std::string name, title, site, device;
  std::string scope =
      "gov_purchase";  ///< gov_purchase, kisti6, nacc, lease, private: which readings count it
  TrancheOrigin origin = TrancheOrigin::purchase;
  std::int64_t units = 0;        ///< by count; 0: by budget
  double budget_krw = 0;         ///< by budget: units = floor(budget / device price), whole nodes
  Date ordered = Date::never();  ///< call for offers opens (with a tender) or order is placed
  Date delivered = Date::never();
  Date in_service = Date::never();
  Date until =
      Date::never();  ///< leaves on that day (leases: last day is the day before), else by service_life
  Tender tender;
  Law delivery = Law::constant(0);       ///< seconds from award to delivery
  Law commissioning = Law::constant(0);  ///< seconds from delivery to service
  Law slip = Law::constant(0);           ///< seconds of further delay of the service date
  double operator_share = 0;             ///< kept by the operator as payment, outside the public pool
  double public_share = 1.0;             ///< of the rest, open to the government's users
  Duration service_life = days(1826);    ///< 5 years
  bool confirmed = true;                 ///< false: a plan not confirmed as met; its GPU-hours are told apart
};

struct FailureCause {
  std::string name;
  Duration mtbf = days(264);         ///< mean up-time of one node until this cause strikes
  Law repair = Law::constant(3600);  ///< seconds
};

enum class Victim : unsigned char { uniform, last_started };

struct Failures {
  std::vector<FailureCause> causes;  ///< empty: nothing fails
  double early_life_factor = 1.0;    ///< hazard multiplier while a node is young
  Duration early_life = days(90);
  std::int64_t crews = 0;  ///< repair crews of the nation; 0: as many as needed
  Victim victim = Victim::uniform;
};

/// Announced windows in which a share of a site's nodes is away.
struct Maintenance {
  std::string name, site;
  Date first = Date::never();
  Duration every = days(90);
  Duration length = hours(12);
  double share = 0.05;
};

struct Supply {
  std::vector<Site> sites;
  std::vector<Tranche> tranches;
  Failures failures;
  std::vector<Maintenance> maintenance;
};

const FieldTable& fields_of(const ClassSpeed*);
const FieldTable& fields_of(const Device*);
const FieldTable& fields_of(const GridStep*);
const FieldTable& fields_of(const DatedPrice*);
const FieldTable& fields_of(const DatedCo2*);
const FieldTable& fields_of(const Site*);
const FieldTable& fields_of(const Tender*);
const FieldTable& fields_of(const Tranche*);
const FieldTable& fields_of(const FailureCause*);
const FieldTable& fields_of(const Failures*);
const FieldTable& fields_of(const Maintenance*);
const FieldTable& fields_of(const Supply*);

/// What the field tables cannot see: contradictory dates, a tranche with neither units nor budget, a grid in
/// disorder.
std::vector<Finding> check(const std::vector<Device>& hardware, const Supply& supply);

}  // namespace natgpu::supply
