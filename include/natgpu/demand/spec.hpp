// SPDX-License-Identifier: Apache-2.0
// What a scenario states about those who ask for GPUs and what they ask for. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/field.hpp>

namespace natgpu::demand {

/// A named share, for regions, verticals and class mixes.
struct NamedShare {
  std::string name;
  double share = 1.0;  ///< relative weight; a list's weights are divided by their sum
};
/// The same with a name that must be a batch, service or project class: types of their own, for tables of
/// their own.
struct BatchShare : NamedShare {};
struct ServiceShare : NamedShare {};
struct ProjectShare : NamedShare {};

/// Bass diffusion of the survey state `any_ai`: hazard p + q x (adopters / market), as events.
/// Source: Bass, "A new product growth for model consumer durables", Management Science 15(5), 1969.
struct Adoption {
  double initial = 0;     ///< share of all organisations that are any_ai at the start
  double market = 1.0;    ///< ceiling of the share
  double innovation = 0;  ///< p, per second (stated as a rate: "0.01 /year")
  double imitation = 0;   ///< q, per second
};

/// From any_ai to gpu_user: the subset that computes on the public pool.
struct Onboarding {
  double share = 1.0;               ///< of any_ai organisations that are demanders, those that ever onboard
  double initial = 0;               ///< share of all organisations that are gpu_user at the start
  Law duration = Law::constant(0);  ///< seconds from any_ai to gpu_user
  double lapse_rate = 0;            ///< per second: a gpu_user stops for good
};

struct Sector {
  std::string name, title;
  std::int64_t organisations = 1;   ///< in reality
  std::int64_t represents = 1;      ///< independent organisations one simulated one stands for
  double non_demanders = 0;         ///< share that never needs public GPUs
  std::int64_t owner_groups = 0;    ///< affiliates are dealt to so many groups; 0: each owns itself
  Law activity = Law::constant(1);  ///< relative weight of one organisation, divided by the law's mean
  double request_rate = 0;  ///< per second: batch requests of one gpu_user of activity 1, before the calendar
  Adoption adoption;
  Onboarding onboarding;
  std::vector<NamedShare> regions;
  std::vector<NamedShare> verticals;
  std::vector<BatchShare> mix;         ///< batch classes of a request
  double service_rate = 0;             ///< per second: services that one gpu_user of activity 1 opens
  std::vector<ServiceShare> services;  ///< service classes
  double project_rate = 0;             ///< per second: projects that one gpu_user of activity 1 asks for
  std::vector<ProjectShare> projects;  ///< project classes
};

/// What a job holds of its machines, in the node view.
struct MachineNeeds {
  double gpu_share = 1;  ///< of one GPU, in thousandths; below 1 a job (a replica) shares it with others
  double cores_per_gpu = 0;
  double memory_gb_per_gpu = 0;  ///< main memory
};

/// A gang of GPUs that runs once.
struct BatchClass : MachineNeeds {
  std::string name, title;
  Law gpus = Law::constant(1);
  Law run_time = Law::constant(3600);  ///< seconds on the reference device
  Law overestimate =
      Law::constant(1);              ///< requested time / run time; below 1 the job is killed at its request
  Duration requested_max = endless;  ///< requests above are cut (and such jobs killed there)
  Law patience = Law::constant(-1);  ///< seconds a job waits before it gives up; negative: for ever
  Duration checkpoint_every = Duration{0};  ///< 0: no checkpoints
  Duration restart_cost = Duration{0};      ///< stalled time after a restart
  double failed_share = 0;                  ///< ends early by a user's error, uniformly within its run time
  double cancelled_share = 0;               ///< ends early by the user's will, uniformly within its run time
  double inference_share = 0;               ///< memory-bound inference, for processing in memory
  std::vector<std::string> devices;         ///< accepted; empty: any
};

/// Replicas that follow a daily and weekly curve for months.
struct ServiceClass : MachineNeeds {
  std::string name, title;
  std::int64_t gpus_per_replica = 1;
  std::int64_t floor = 1;            ///< replicas held from start to contract end, as one gang
  std::int64_t peak = 2;             ///< replicas at the curve's highest hour
  Law duration = Law::constant(0);   ///< seconds of contract
  Law patience = Law::constant(-1);  ///< of the floor
  std::vector<std::string> devices;
};

/// Jobs of whoever holds a block, while it is held.
struct ProjectJobs {
  double rate = 0;              ///< per second and block, before the calendar
  std::vector<BatchShare> mix;  ///< batch classes of a job
};

/// A block of GPUs for months that carries its own stream of jobs.
struct ProjectClass {
  std::string name, title;
  Law gpus = Law::constant(1);
  Law duration = Law::constant(0);   ///< seconds from the grant to the block's end
  Law patience = Law::constant(-1);  ///< seconds that it waits for its block; negative: for ever
  std::vector<std::string> devices;  ///< accepted; empty: any
  ProjectJobs jobs;
  bool overflow = false;                 ///< jobs that the block cannot hold go to the common pool
  Duration reclaim_after = Duration{0};  ///< GPUs idle for so long return for good; 0: never
};

/// Arrival intensity within the week, relative; holidays count as `holiday`.
struct ArrivalCalendar {
  std::vector<double> hours;  ///< 24 weights for a working day; empty: flat
  double weekend = 1.0;       ///< factor on Saturday and Sunday
  double holiday = 1.0;       ///< factor on the days listed, in place of `weekend`
  std::vector<Date> holidays;
  bool normalised = true;  ///< weights are divided by their mean over the week without holidays
};

/// A log as the source of requests, in place of organisations' own streams.
struct TraceSource {
  std::string file;         ///< relative to the scenario's folder; empty: none
  std::string sector;       ///< to which its jobs belong
  double time_scale = 1.0;  ///< multiplies gaps between submissions
};

struct Demand {
  std::vector<Sector> sectors;
  std::vector<BatchClass> batch;
  std::vector<ServiceClass> service;
  std::vector<ProjectClass> project;
  ArrivalCalendar calendar;
  TraceSource trace;
};

const FieldTable& fields_of(const NamedShare*);
const FieldTable& fields_of(const BatchShare*);
const FieldTable& fields_of(const ServiceShare*);
const FieldTable& fields_of(const ProjectShare*);
const FieldTable& fields_of(const Adoption*);
const FieldTable& fields_of(const Onboarding*);
const FieldTable& fields_of(const Sector*);
const FieldTable& fields_of(const BatchClass*);
const FieldTable& fields_of(const ServiceClass*);
const FieldTable& fields_of(const ProjectJobs*);
const FieldTable& fields_of(const ProjectClass*);
const FieldTable& fields_of(const ArrivalCalendar*);
const FieldTable& fields_of(const TraceSource*);
const FieldTable& fields_of(const Demand*);

/// What a block holds beside each of its GPUs: the most that a class of its jobs asks for beside one.
MachineNeeds needs_of_block(const Demand& demand, const ProjectClass& project);

/// What the field tables cannot see: weights that sum to 0, a floor above the peak, shares above one,
/// mixes that name classes of another kind, laws with infinite mean.
std::vector<Finding> check(const Demand& demand);

}  // namespace natgpu::demand
