// SPDX-License-Identifier: Apache-2.0
#include <natgpu/demand/spec.hpp>

#include <algorithm>

namespace natgpu::demand {
namespace {

constexpr double most_organisations = 1e8;  // 16 times all firms of Korea; ordinals are 32 bits

template <class JobClass>
Fields<JobClass>& add_needs(Fields<JobClass>& fields) {
  return fields
      .quantity("gpu_share", &JobClass::gpu_share, Dimension::share, between(0.001, 1),
                "In the node view, the share of one GPU that each takes, in thousandths, or with MIG the "
                "smallest instance that has it; counted GPUs are never shared.")
      .quantity("cores_per_gpu", &JobClass::cores_per_gpu, Dimension::count, between(0, 1e4),
                "In the node view, cores of its machine that each GPU, or share of one, goes with.")
      .quantity("memory_per_gpu", &JobClass::memory_gb_per_gpu, Dimension::memory, between(0, 1e6),
                "In the node view, main memory of its machine that each GPU, or share of one, goes with.");
}

}  // namespace

const FieldTable& fields_of(const NamedShare*) {
  static const FieldTable table = Fields<NamedShare>("share", "A name with its weight in a list.")
                                      .text("name", &NamedShare::name, "Name of the part.")
                                      .required()
                                      .quantity("share", &NamedShare::share, Dimension::share, at_least(0),
                                                "Weight; the weights of a list are divided by their sum.");
  return table;
}

const FieldTable& fields_of(const BatchShare*) {
  static const FieldTable table =
      Fields<BatchShare>("share of a batch class", "How often a sector's requests are of one batch class.")
          .reference("name", &BatchShare::name, "demand.batch", "The batch class.")
          .required()
          .quantity("share", &BatchShare::share, Dimension::share, at_least(0),
                    "Weight; the weights of a list are divided by their sum.");
  return table;
}

const FieldTable& fields_of(const ServiceShare*) {
  static const FieldTable table =
      Fields<ServiceShare>("share of a service class",
                           "How often a sector's services are of one service class.")
          .reference("name", &ServiceShare::name, "demand.service", "The service class.")
          .required()
          .quantity("share", &ServiceShare::share, Dimension::share, at_least(0),
                    "Weight; the weights of a list are divided by their sum.");
  return table;
}

const FieldTable& fields_of(const ProjectShare*) {
  static const FieldTable table =
      Fields<ProjectShare>("share of a project class",
                           "How often a sector's projects are of one project class.")
          .reference("name", &ProjectShare::name, "demand.project", "The project class.")
          .required()
          .quantity("share", &ProjectShare::share, Dimension::share, at_least(0),
                    "Weight; the weights of a list are divided by their sum.");
  return table;
}

const FieldTable& fields_of(const Adoption*) {
  static const FieldTable table =
      Fields<Adoption>(
          "adoption",
          "Bass diffusion of the survey state `any_ai`: each organisation's hazard is innovation + "
          "imitation x adopters / market (Bass 1969).")
          .quantity("initial", &Adoption::initial, Dimension::share, unit_interval(),
                    "Share of all organisations that are any_ai at the start.")
          .quantity("market", &Adoption::market, Dimension::share, unit_interval(),
                    "Ceiling: the share of organisations that ever are any_ai.")
          .quantity("innovation", &Adoption::innovation, Dimension::rate, at_least(0),
                    "Bass's p, the hazard that no adopter causes.")
          .quantity("imitation", &Adoption::imitation, Dimension::rate, at_least(0),
                    "Bass's q, the hazard once the whole market has adopted.");
  return table;
}

const FieldTable& fields_of(const Onboarding*) {
  static const FieldTable table =
      Fields<Onboarding>("onboarding", "From any_ai to gpu_user, the subset that computes on public GPUs.")
          .quantity("share", &Onboarding::share, Dimension::share, unit_interval(),
                    "Share of any_ai demanders that ever onboard.")
          .quantity("initial", &Onboarding::initial, Dimension::share, unit_interval(),
                    "Share of all organisations that are gpu_user at the start; they are any_ai demanders.")
          .law("duration", &Onboarding::duration, Dimension::time, at_least(0),
               "Time from any_ai to gpu_user.")
          .quantity("lapse_rate", &Onboarding::lapse_rate, Dimension::rate, at_least(0),
                    "Rate at which a gpu_user stops for good; 0: never.");
  return table;
}

const FieldTable& fields_of(const Sector*) {
  static const FieldTable table =
      Fields<Sector>("sector", "A kind of organisations that ask for GPUs.")
          .text("name", &Sector::name, "Name of the sector; its organisations' draws depend on it.")
          .required()
          .text("title", &Sector::title, "Name for reports; the name itself if left out.")
          .integer("organisations", &Sector::organisations, between(0, most_organisations),
                   "Organisations in reality.")
          .integer("represents", &Sector::represents, between(1, most_organisations),
                   "Independent organisations for which one simulated organisation stands.")
          .quantity("non_demanders", &Sector::non_demanders, Dimension::share, unit_interval(),
                    "Share of organisations that never need public GPUs, any_ai or not.")
          .integer("owner_groups", &Sector::owner_groups, between(0, most_organisations),
                   "Owner groups to which organisations are dealt in turn; 0: each owns itself.")
          .law("activity", &Sector::activity, Dimension::count, at_least(0),
               "Relative weight of one organisation in requests, divided by the law's mean.")
          .quantity("request_rate", &Sector::request_rate, Dimension::rate, at_least(0),
                    "Batch requests of one gpu_user of mean activity, in the mean over the week.")
          .object("adoption", &Sector::adoption, "How organisations become any_ai.")
          .object("onboarding", &Sector::onboarding, "How any_ai organisations become users of public GPUs.")
          .items("regions", &Sector::regions, "Where the organisations are; left out: not stated.")
          .items("verticals", &Sector::verticals, "In which industries they are; left out: not stated.")
          .items("mix", &Sector::mix, "Batch classes of the requests, with weights.")
          .quantity("service_rate", &Sector::service_rate, Dimension::rate, at_least(0),
                    "Services that one gpu_user of mean activity opens, in the mean over the week.")
          .items("services", &Sector::services, "Service classes of the services, with weights.")
          .quantity("project_rate", &Sector::project_rate, Dimension::rate, at_least(0),
                    "Projects that one gpu_user of mean activity asks for, in the mean over the week.")
          .items("projects", &Sector::projects, "Project classes of the projects, with weights.");
  return table;
}

const FieldTable& fields_of(const BatchClass*) {
  static const FieldTable table =
      add_needs(Fields<BatchClass>("batch class",
                                   "A gang of GPUs that runs once. Times are of the reference device.")
                    .text("name", &BatchClass::name, "Name by which mixes refer to it.")
                    .required()
                    .text("title", &BatchClass::title, "Name for reports; the name itself if left out.")
                    .law("gpus", &BatchClass::gpus, Dimension::gpus, positive(),
                         "GPUs of one job, rounded to a whole number of at least 1."))
          .law("run_time", &BatchClass::run_time, Dimension::time, at_least(0),
               "How long a job runs that neither fails nor is cancelled; at least one tick.")
          .law("overestimate", &BatchClass::overestimate, Dimension::count, positive(),
               "Requested time over run time; below 1 the job is killed at its request.")
          .duration("requested_max", &BatchClass::requested_max, positive(),
                    "Longest request; longer ones are cut to it, and such jobs are killed there.")
          .law("patience", &BatchClass::patience, Dimension::time, any_value(),
               "How long a job waits before it gives up; negative: for ever.")
          .duration("checkpoint_every", &BatchClass::checkpoint_every, at_least(0),
                    "Run time between checkpoints; 0: none.")
          .duration("restart_cost", &BatchClass::restart_cost, at_least(0),
                    "Stalled time after a restart, before work goes on.")
          .quantity("failed_share", &BatchClass::failed_share, Dimension::share, unit_interval(),
                    "Share of jobs that end by the user's error, at a uniform point of their run time.")
          .quantity("cancelled_share", &BatchClass::cancelled_share, Dimension::share, unit_interval(),
                    "Share of jobs that the user cancels, at a uniform point of their run time.")
          .quantity("inference_share", &BatchClass::inference_share, Dimension::share, unit_interval(),
                    "Share of the work that is memory-bound inference, which processing in memory speeds up.")
          .references("devices", &BatchClass::devices, "hardware", "Devices it accepts; left out: any.");
  return table;
}

const FieldTable& fields_of(const ServiceClass*) {
  static const FieldTable table =
      add_needs(Fields<ServiceClass>("service class", "Replicas that follow the arrival calendar for months.")
                    .text("name", &ServiceClass::name, "Name by which sectors refer to it.")
                    .required()
                    .text("title", &ServiceClass::title, "Name for reports; the name itself if left out.")
                    .gpus("gpus_per_replica", &ServiceClass::gpus_per_replica, between(1, 1e6),
                          "GPUs of one replica."))
          .integer("floor", &ServiceClass::floor, between(1, 1e6),
                   "Replicas held from start to contract end, as one gang.")
          .integer("peak", &ServiceClass::peak, between(1, 1e6), "Replicas in the calendar's highest hour.")
          .law("duration", &ServiceClass::duration, Dimension::time, at_least(0), "Length of the contract.")
          .required()
          .law("patience", &ServiceClass::patience, Dimension::time, any_value(),
               "How long the floor waits before the service gives up; negative: for ever.")
          .references("devices", &ServiceClass::devices, "hardware", "Devices it accepts; left out: any.");
  return table;
}

const FieldTable& fields_of(const ProjectJobs*) {
  static const FieldTable table =
      Fields<ProjectJobs>("jobs of a project", "What the owner of a block submits to it.")
          .quantity("rate", &ProjectJobs::rate, Dimension::rate, at_least(0),
                    "Jobs of one block, in the mean over the week, from its grant to its end.")
          .items("mix", &ProjectJobs::mix, "Batch classes of the jobs, with weights.");
  return table;
}

const FieldTable& fields_of(const ProjectClass*) {
  static const FieldTable table =
      Fields<ProjectClass>("project class", "A block of GPUs for months that carries its own stream of jobs.")
          .text("name", &ProjectClass::name, "Name by which sectors refer to it.")
          .required()
          .text("title", &ProjectClass::title, "Name for reports; the name itself if left out.")
          .law("gpus", &ProjectClass::gpus, Dimension::gpus, positive(),
               "GPUs of the block, rounded to a whole number of at least 1.")
          .law("duration", &ProjectClass::duration, Dimension::time, at_least(0),
               "Length of the block, from its grant on; at least one tick.")
          .required()
          .law("patience", &ProjectClass::patience, Dimension::time, any_value(),
               "How long a project waits for its block before it gives up; negative: for ever.")
          .references("devices", &ProjectClass::devices, "hardware",
                      "Devices it accepts, which its jobs accept too; left out: any.")
          .object("jobs", &ProjectClass::jobs, "What the owner runs in the block.")
          .boolean("overflow", &ProjectClass::overflow,
                   "Whether jobs that the block cannot hold, or not until its end, go to the common pool; "
                   "they are left over otherwise.")
          .duration("reclaim_after", &ProjectClass::reclaim_after, at_least(0),
                    "GPUs of the block that were idle for so long return to the common pool for good; 0: "
                    "never.");
  return table;
}

const FieldTable& fields_of(const ArrivalCalendar*) {
  static const FieldTable table =
      Fields<ArrivalCalendar>("arrival calendar", "How requests lie within day, week and year.")
          .quantities("hours", &ArrivalCalendar::hours, Dimension::count, at_least(0),
                      "Weights of the 24 hours of a working day; left out: all alike.")
          .quantity("weekend", &ArrivalCalendar::weekend, Dimension::count, at_least(0),
                    "Factor on Saturday and Sunday.")
          .quantity("holiday", &ArrivalCalendar::holiday, Dimension::count, at_least(0),
                    "Factor on the listed holidays, in place of the weekend's.")
          .dates("holidays", &ArrivalCalendar::holidays, "Days that count as holidays.")
          .boolean("normalised", &ArrivalCalendar::normalised,
                   "Whether weights are divided by their mean over a week without holidays, so that rates "
                   "are means.");
  return table;
}

const FieldTable& fields_of(const TraceSource*) {
  static const FieldTable table =
      Fields<TraceSource>("trace", "A log of jobs as a source of requests.")
          .text("file", &TraceSource::file, "The log, relative to the scenario's folder; left out: none.")
          .reference("sector", &TraceSource::sector, "demand.sectors", "The sector to which its jobs belong.")
          .quantity("time_scale", &TraceSource::time_scale, Dimension::count, positive(),
                    "Factor on the gaps between submissions.");
  return table;
}

const FieldTable& fields_of(const Demand*) {
  static const FieldTable table =
      Fields<Demand>("demand", "Who asks for GPUs, and what they ask for.")
          .items("sectors", &Demand::sectors, "Kinds of organisations.")
          .items("batch", &Demand::batch, "Kinds of jobs that run once.")
          .items("service", &Demand::service, "Kinds of services that run for months.")
          .items("project", &Demand::project, "Kinds of projects that hold a block for months.")
          .object("calendar", &Demand::calendar, "Day, week and holidays.")
          .object("trace", &Demand::trace, "A log of jobs, beside the sectors.");
  return table;
}

MachineNeeds needs_of_block(const Demand& demand, const ProjectClass& project) {
  MachineNeeds block;
  for (const BatchShare& share : project.jobs.mix)
    for (const BatchClass& job : demand.batch) {
      if (job.name != share.name) continue;
      block.cores_per_gpu = std::max(block.cores_per_gpu, job.cores_per_gpu);
      block.memory_gb_per_gpu = std::max(block.memory_gb_per_gpu, job.memory_gb_per_gpu);
    }
  return block;
}

}  // namespace natgpu::demand
