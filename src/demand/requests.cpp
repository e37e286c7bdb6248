// SPDX-License-Identifier: Apache-2.0
#include <natgpu/demand/requests.hpp>

#include <algorithm>
#include <limits>

#include "sampling.hpp"

namespace natgpu::demand {
namespace {

/// Which law of a request or service it is, where it needs blocks of its own. Part of the addresses.
enum Field : std::uint32_t { run_time_field, gpus_field, overestimate_field, patience_field, duration_field };

template <class Share, class Class>
ClassMix make_mix(const std::vector<Share>& shares, const std::vector<Class>& classes) {
  ClassMix mix;
  mix.cumulative = cumulative_shares(shares);
  for (const Share& s : shares) {
    std::uint32_t index = 0;
    while (index < classes.size() && classes[index].name != s.name) ++index;
    NATGPU_ENSURE(index < classes.size(), "a mix names classes that exist");
    mix.index.push_back(index);
  }
  return mix;
}

std::vector<Asker> askers_of(const Population& population, const std::vector<Sector>& sectors,
                             double Sector::*rate) {
  std::vector<Asker> all;
  all.reserve(population.organisations.size());
  for (const Organisation& o : population.organisations)
    all.push_back(
        {sectors[o.sector].*rate * o.activity * static_cast<double>(o.represents), o.sector, o.ordinal});
  return all;
}

double exponential_gap(double u, double rate) {
  return rate > 0 ? -portable_log(u) / rate : std::numeric_limits<double>::infinity();
}

/// Rounded up to a tick; at least one.
Duration requested_time(Duration run_time, double overestimate, Duration most) {
  constexpr double longest = longest_seconds * static_cast<double>(ticks_per_second);
  const double exact = std::min(static_cast<double>(run_time.count()) * overestimate, longest);
  const auto below = static_cast<std::int64_t>(exact);
  const Duration requested{static_cast<double>(below) < exact ? below + 1 : below};
  return std::max(std::min(requested, most), one_tick);
}

Duration part_of(Duration whole, double share) {
  return std::max(Duration{static_cast<std::int64_t>(static_cast<double>(whole.count()) * share)}, one_tick);
}

/// Of project k of an organisation, whose jobs are numbered.
std::uint64_t entity_of(std::uint32_t ordinal, std::uint32_t k) {
  return (std::uint64_t{k} << 32) | ordinal;
}

}  // namespace

std::int32_t whole_gpus(double gpus) {
  constexpr double most = std::numeric_limits<std::int32_t>::max();
  if (!(gpus >= 1.5)) return 1;
  return gpus < most ? static_cast<std::int32_t>(gpus + 0.5) : std::numeric_limits<std::int32_t>::max();
}

std::uint32_t ClassMix::pick(double u) const {
  return index[pick_share(cumulative, u)];
}

BatchSampler::BatchSampler(const std::vector<BatchClass>& classes) {
  for (const BatchClass& c : classes)
    classes_.push_back(
        {c.gpus, c.run_time, c.overestimate, c.patience, c.requested_max, c.failed_share, c.cancelled_share});
}

Request BatchSampler::draw(const ClassMix& mix, const Stream& bodies, std::uint64_t entity,
                           std::uint32_t index) const {
  const Block work = bodies.block(entity, index, 0);
  const Block terms = bodies.block(entity, index, 1);

  Request r;
  r.batch_class = mix.pick(work.unit32(2));
  const Laws& c = classes_[r.batch_class];
  r.gpus = whole_gpus(value_of(c.gpus, work.unit32(3), bodies, entity, index, gpus_field));
  r.run_time = ticks_at_least_one(value_of(c.run_time, work.unit(0), bodies, entity, index, run_time_field));
  r.requested = requested_time(
      r.run_time, value_of(c.overestimate, terms.unit(0), bodies, entity, index, overestimate_field),
      c.requested_max);
  r.patience = ticks_or_endless(value_of(c.patience, terms.unit32(3), bodies, entity, index, patience_field));

  // One uniform decides both whether a job ends early and, being uniform again within the share, when.
  const double u = terms.unit32(2);
  if (u < c.failed) {
    r.fate = Fate::user_error;
    r.run_time = part_of(r.run_time, u / c.failed);
  } else if (u < c.failed + c.cancelled) {
    r.fate = Fate::cancelled;
    r.run_time = part_of(r.run_time, (u - c.failed) / c.cancelled);
  }
  return r;
}

RequestStreams::RequestStreams(const Demand& demand, const Population& population, Streams& streams)
    : askers_(askers_of(population, demand.sectors, &Sector::request_rate)), batch_(demand.batch) {
  for (const Sector& s : demand.sectors)
    sectors_.push_back(
        {streams.open("gaps", s.name), streams.open("requests", s.name), make_mix(s.mix, demand.batch)});
}

double RequestStreams::gap(std::uint32_t organisation, std::uint32_t k) const {
  const Asker& o = askers_[organisation];
  return exponential_gap(sectors_[o.sector].gaps.unit(o.ordinal, k), o.rate);
}

Request RequestStreams::request(std::uint32_t organisation, std::uint32_t k) const {
  const Asker& o = askers_[organisation];
  return batch_.draw(sectors_[o.sector].mix, sectors_[o.sector].bodies, o.ordinal, k);
}

ServiceStreams::ServiceStreams(const Demand& demand, const Population& population, Streams& streams)
    : askers_(askers_of(population, demand.sectors, &Sector::service_rate)) {
  for (const Sector& s : demand.sectors)
    sectors_.push_back({streams.open("service-gaps", s.name), streams.open("services", s.name),
                        make_mix(s.services, demand.service)});
  for (const ServiceClass& c : demand.service) classes_.push_back({c.duration, c.patience});
}

double ServiceStreams::gap(std::uint32_t organisation, std::uint32_t k) const {
  const Asker& o = askers_[organisation];
  return exponential_gap(sectors_[o.sector].gaps.unit(o.ordinal, k), o.rate);
}

ServiceContract ServiceStreams::contract(std::uint32_t organisation, std::uint32_t k) const {
  const Asker& o = askers_[organisation];
  const SectorSampler& sector = sectors_[o.sector];
  const Block block = sector.bodies.block(o.ordinal, k);
  ServiceContract s;
  s.service_class = sector.mix.pick(block.unit32(2));
  const ClassSampler& c = classes_[s.service_class];
  s.duration =
      ticks_at_least_one(value_of(c.duration, block.unit(0), sector.bodies, o.ordinal, k, duration_field));
  s.patience =
      ticks_or_endless(value_of(c.patience, block.unit32(3), sector.bodies, o.ordinal, k, patience_field));
  return s;
}

ProjectStreams::ProjectStreams(const Demand& demand, const Population& population, Streams& streams)
    : askers_(askers_of(population, demand.sectors, &Sector::project_rate)), batch_(demand.batch) {
  for (const Sector& s : demand.sectors)
    sectors_.push_back({streams.open("project-gaps", s.name), streams.open("projects", s.name),
                        streams.open("project-job-gaps", s.name), streams.open("project-jobs", s.name),
                        make_mix(s.projects, demand.project)});
  for (const ProjectClass& c : demand.project)
    classes_.push_back({c.gpus, c.duration, c.patience, c.jobs.rate, make_mix(c.jobs.mix, demand.batch)});
}

double ProjectStreams::gap(std::uint32_t organisation, std::uint32_t k) const {
  const Asker& o = askers_[organisation];
  return exponential_gap(sectors_[o.sector].gaps.unit(o.ordinal, k), o.rate);
}

ProjectRequest ProjectStreams::project(std::uint32_t organisation, std::uint32_t k) const {
  const Asker& o = askers_[organisation];
  const SectorSampler& sector = sectors_[o.sector];
  const Stream& bodies = sector.bodies;
  const Block terms = bodies.block(o.ordinal, k, 0);
  const Block size = bodies.block(o.ordinal, k, 1);
  ProjectRequest p;
  p.project_class = sector.mix.pick(terms.unit32(2));
  const ClassSampler& c = classes_[p.project_class];
  p.gpus = whole_gpus(value_of(c.gpus, size.unit32(2), bodies, o.ordinal, k, gpus_field));
  p.duration = ticks_at_least_one(value_of(c.duration, terms.unit(0), bodies, o.ordinal, k, duration_field));
  p.patience = ticks_or_endless(value_of(c.patience, terms.unit32(3), bodies, o.ordinal, k, patience_field));
  return p;
}

double ProjectStreams::job_gap(std::uint32_t organisation, std::uint32_t k, std::uint32_t project_class,
                               std::uint32_t m) const {
  const Asker& o = askers_[organisation];
  return exponential_gap(sectors_[o.sector].job_gaps.unit(entity_of(o.ordinal, k), m),
                         classes_[project_class].job_rate);
}

Request ProjectStreams::job(std::uint32_t organisation, std::uint32_t k, std::uint32_t project_class,
                            std::uint32_t m) const {
  const Asker& o = askers_[organisation];
  return batch_.draw(classes_[project_class].jobs, sectors_[o.sector].jobs, entity_of(o.ordinal, k), m);
}

}  // namespace natgpu::demand
