// SPDX-License-Identifier: Apache-2.0
// Organisations adopt, onboard, submit and lapse. Formulas and draws are in `demand`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <vector>

#include <natgpu/core/hash.hpp>
#include <natgpu/demand/adoption.hpp>
#include <natgpu/demand/population.hpp>
#include <natgpu/demand/profile.hpp>
#include <natgpu/demand/requests.hpp>
#include <natgpu/workload/swf.hpp>

#include "accounts.hpp"
#include "arrival_tree.hpp"
#include "job_groups.hpp"
#include "world.hpp"

namespace natgpu::simulation {

template <class Dispatch>
class DemandProcess {
 public:
  /// @param log  submissions of a recorded log, or null
  DemandProcess(World& world, Dispatch& dispatch, const JobGroups& groups,
                const demand::Population& population, Streams& streams, const workload::JobLog* log)
      : world_(world),
        dispatch_(dispatch),
        groups_(groups),
        population_(population),
        profile_(world.scenario.demand.calendar, world.calendar, world.end),
        requests_(world.scenario.demand, population, streams),
        services_(world.scenario.demand, population, streams),
        projects_(world.scenario.demand, population, streams),
        cursors_(population.organisations.size()),
        is_user_(population.organisations.size()),
        users_(world.scenario.demand.sectors.size()),
        books_(world.quarters.size(), world.scenario.demand.sectors.size()),
        log_(log) {
    for (std::size_t s = 0; s < world.scenario.demand.sectors.size(); ++s) {
      const std::uint32_t first = population.first_of_sector[s];
      adoption_.emplace_back(world.scenario.demand.sectors[s].adoption,
                             population.organisations.data() + first,
                             population.first_of_sector[s + 1] - first);
    }
    for (const demand::Organisation& o : population.organisations) books_.weight[o.sector] += o.represents;
    if (log_ != nullptr) find_log_sector();
  }

  const demand::ArrivalProfile& profile() const { return profile_; }

  void begin() {
    for (std::uint32_t o = 0; o < population_.organisations.size(); ++o) {
      const demand::Organisation& org = population_.organisations[o];
      if (org.gpu_user_at_start)
        become_user(o);
      else if (org.any_ai_at_start)
        begin_onboarding(o);
    }
    for (std::uint32_t s = 0; s < adoption_.size(); ++s) schedule_adoption(s);
    note_next_log_row();
  }

  Instant next_arrival() const { return std::min(arrivals_.next_time(), next_log_row_); }

  engine::Rank arrive(Instant now) {
    if (arrivals_.next_time() != now) return arrive_from_log();
    const std::uint32_t o = arrivals_.top().organisation;
    const demand::RequestCursor at = cursors_[o];
    step(o);
    const Instant next = time_of(o);
    if (next < world_.end)
      arrivals_.replace_top(next);
    else
      arrivals_.pop();
    if (is_user_[o]) submit(o, at.k);
    return engine::rank_of(engine::Phase::arrive, kind::request, o);
  }

  void adopt(std::uint32_t sector) {
    const std::uint32_t o = population_.first_of_sector[sector] + adoption_[sector].adopt();
    begin_onboarding(o);
    schedule_adoption(sector);
  }
  void onboarded(std::uint32_t o) { become_user(o); }
  void lapse(std::uint32_t o) {
    is_user_[o] = false;
    users_[population_.organisations[o].sector] -= population_.organisations[o].represents;
  }
  bool is_user(std::uint32_t o) const { return is_user_[o]; }

  /// Whom service k of organisation o is for; the service process opens it.
  demand::ServiceContract contract(std::uint32_t o, std::uint32_t k) const {
    return services_.contract(o, k);
  }
  const demand::ProjectStreams& projects() const { return projects_; }
  void next_service(std::uint32_t o, std::uint32_t k) { next_opening(services_, openings_, o, k); }
  void next_project(std::uint32_t o, std::uint32_t k) { next_opening(projects_, askings_, o, k); }

  void close_quarter(std::uint16_t quarter) {
    for (std::size_t s = 0; s < adoption_.size(); ++s)
      books_.stocks[quarter * adoption_.size() + s] = {
          adoption_[s].share(), books_.weight[s] > 0 ? users_[s] / books_.weight[s] : 0};
  }
  const DemandBooks& books() {
    books_.hash = hash_.value();
    return books_;
  }
  double users_now() const {
    double n = 0;
    for (const double u : users_) n += u;
    return n;
  }

 private:
  using Cursors = std::vector<demand::RequestCursor>;

  void schedule_adoption(std::uint32_t sector) {
    const Instant at = adoption_[sector].next_time();
    if (at < world_.end) world_.schedule(at, engine::Phase::arrive, kind::adoption, sector, {sector, 0});
  }
  void begin_onboarding(std::uint32_t o) {
    const demand::Organisation& org = population_.organisations[o];
    if (!org.demander || !org.onboards) return;
    const Instant at = instant(plus(world_.now, std::max(org.onboarding, one_tick).count()));
    if (at < world_.end) world_.schedule(at, engine::Phase::arrive, kind::onboarding, o, {o, 0});
  }
  void become_user(std::uint32_t o) {
    const demand::Organisation& org = population_.organisations[o];
    is_user_[o] = true;
    users_[org.sector] += org.represents;
    if (org.stays != endless) {
      const Instant at = instant(plus(world_.now, std::max(org.stays, one_tick).count()));
      if (at < world_.end) world_.schedule(at, engine::Phase::arrive, kind::lapse, o, {o, 0});
    }
    if (requests_.rate(o) > 0) begin_requests(o);
    if (services_.rate(o) > 0) begin_openings(services_, openings_, o);
    if (projects_.rate(o) > 0) begin_openings(projects_, askings_, o);
  }
  /// The latent stream runs from the start, whoever listens: candidates before today are passed over.
  void begin_requests(std::uint32_t o) {
    cursors_[o] = {0, requests_.gap(o, 0)};
    const double today = profile_.cumulative(instant(world_.now));
    while (cursors_[o].operational < today) step(o);
    if (const Instant at = time_of(o); at < world_.end) arrivals_.push(at, o);
  }
  static std::uint8_t kind_of(const demand::ServiceStreams&) { return kind::service_opening; }
  static std::uint8_t kind_of(const demand::ProjectStreams&) { return kind::project_opening; }
  /// The same of services, or of projects.
  template <class Streams_>
  void begin_openings(const Streams_& streams, Cursors& cursors, std::uint32_t o) {
    const double today = profile_.cumulative(instant(world_.now));
    std::uint32_t k = 0;
    double before = 0, at = streams.gap(o, 0);
    while (at < today) {
      before = at;
      at += streams.gap(o, ++k);
    }
    if (cursors.size() <= o) cursors.resize(population_.organisations.size());
    cursors[o].operational = before;
    next_opening(streams, cursors, o, k);
  }
  template <class Streams_>
  void next_opening(const Streams_& streams, Cursors& cursors, std::uint32_t o, std::uint32_t k) {
    const double at = cursors[o].operational + streams.gap(o, k);
    const Instant when = profile_.inverse(at);
    if (when >= world_.end) return;
    cursors[o] = {k, at};
    world_.schedule(std::max(when, instant(world_.now) + one_tick), engine::Phase::arrive, kind_of(streams),
                    o, {o, k});
  }
  void step(std::uint32_t o) {
    demand::RequestCursor& c = cursors_[o];
    c.operational += requests_.gap(o, ++c.k);
  }
  /// Requests of one organisation are at least a tick apart, and never in the past.
  Instant time_of(std::uint32_t o) const {
    return std::max(profile_.inverse(cursors_[o].operational), instant(world_.now) + one_tick);
  }
  void submit(std::uint32_t o, std::uint32_t k) {
    const demand::Organisation& org = population_.organisations[o];
    const demand::Request r = requests_.request(o, k);
    hash_.add((static_cast<std::uint64_t>(o) << 32) | k);
    hash_.add(static_cast<std::uint64_t>(r.run_time.count()) * 0x9e3779b97f4a7c15ULL +
              static_cast<std::uint64_t>(r.requested.count()) + static_cast<std::uint64_t>(r.gpus));
    typename Dispatch::Submission s;
    s.organisation = o;
    s.sector = static_cast<std::uint16_t>(org.sector);
    s.job_class = static_cast<std::uint16_t>(r.batch_class);
    s.group = groups_.of_class[r.batch_class];
    s.gpus = r.gpus;
    s.run_time = r.run_time.count();
    s.requested = r.requested.count();
    s.patience = r.patience.count();
    s.fate = r.fate;
    dispatch_.submit(s);
  }

  // --- a recorded log

  void find_log_sector() {
    const auto& sectors = world_.scenario.demand.sectors;
    for (std::size_t s = 0; s < sectors.size(); ++s)
      if (sectors[s].name == world_.scenario.demand.trace.sector) log_sector_ = static_cast<std::uint16_t>(s);
  }
  std::int64_t log_time(std::size_t row) const {
    const double s = static_cast<double>(log_->jobs[row].submit_s - log_->jobs.front().submit_s);
    return static_cast<std::int64_t>(s * world_.scenario.demand.trace.time_scale * 1e6);
  }
  void note_next_log_row() {
    next_log_row_ = log_ != nullptr && log_row_ < log_->jobs.size() ? instant(log_time(log_row_)) : never;
  }
  engine::Rank arrive_from_log() {
    const std::uint64_t row = log_row_++;
    const workload::LogJob& j = log_->jobs[row];
    note_next_log_row();
    hash_.add(row);
    typename Dispatch::Submission s;
    s.sector = log_sector_;
    s.job_class = groups_.log_class;
    s.group = groups_.group_of_log_job(row);
    s.gpus = j.gpus;
    s.run_time = seconds(j.run_s).count();
    s.requested = seconds(j.requested_s).count();
    s.patience = std::numeric_limits<std::int64_t>::max();
    dispatch_.submit(s);
    return engine::rank_of(engine::Phase::arrive, kind::log_row, row);
  }

  World& world_;
  Dispatch& dispatch_;
  const JobGroups& groups_;
  const demand::Population& population_;
  demand::ArrivalProfile profile_;
  demand::RequestStreams requests_;
  demand::ServiceStreams services_;
  demand::ProjectStreams projects_;
  std::vector<demand::BassAdoption> adoption_;
  ArrivalTree arrivals_;
  Cursors cursors_, openings_, askings_;  ///< along requests, services and projects
  std::vector<std::uint8_t> is_user_;
  std::vector<double> users_;  ///< gpu_user organisations per sector, by `represents`
  DemandBooks books_;
  const workload::JobLog* log_;
  std::size_t log_row_ = 0;
  Instant next_log_row_ = never;
  std::uint16_t log_sector_ = 0;
  Digest64 hash_;
};

}  // namespace natgpu::simulation
