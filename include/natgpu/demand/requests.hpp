// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/core/random.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/demand/population.hpp>
#include <natgpu/demand/profile.hpp>
#include <natgpu/demand/spec.hpp>

namespace natgpu::demand {

/// GPUs that a value of a law comes to: the nearest whole number, at least one.
std::int32_t whole_gpus(double gpus);

enum class Fate : std::uint8_t { completes, user_error, cancelled };

/// What one batch request is, fixed at birth and the same under every policy. Times are of the reference
/// device.
struct Request {
  std::uint32_t batch_class = 0;
  std::int32_t gpus = 1;
  Duration run_time{};   ///< until it ends by itself, by error or by cancellation
  Duration requested{};  ///< the limit stated to the scheduler
  Duration patience{};   ///< endless: never gives up
  Fate fate = Fate::completes;
};

/// Classes with weights; empty where a sector asks for none.
struct ClassMix {
  std::vector<double> cumulative;
  std::vector<std::uint32_t> index;
  std::uint32_t pick(double u) const;
};

/// Draws batch requests. Addresses at a given entity and index:
///   sub 0: wide 0 run time, word 2 class, word 3 GPUs; sub 1: wide 0 overestimate, word 2 fate and its
///   instant, word 3 patience; Erlang laws take one wide a stage from sub 2^16 x (1 + field) on
class BatchSampler {
 public:
  explicit BatchSampler(const std::vector<BatchClass>& classes);
  Request draw(const ClassMix& mix, const Stream& bodies, std::uint64_t entity, std::uint32_t index) const;

 private:
  struct Laws {
    Law gpus, run_time, overestimate, patience;
    Duration requested_max{};
    double failed = 0, cancelled = 0;
  };
  std::vector<Laws> classes_;
};

/// What a stream must know of an organisation, in 16 bytes: the organisations themselves would not stay in
/// cache.
struct Asker {
  double rate = 0;  ///< per operational second
  std::uint32_t sector = 0;
  std::uint32_t ordinal = 0;
};

/// The latent request stream of each organisation: candidate k of organisation i is a pure function of
/// (seed, replication, sector, ordinal, k). Nothing that a policy does moves one. Addresses, entity =
/// ordinal, index = k:
///   stream ("gaps", sector), wide 0: gap
///   stream ("requests", sector): as BatchSampler
class RequestStreams {
 public:
  RequestStreams(const Demand& demand, const Population& population, Streams& streams);

  /// Requests per operational second of one organisation: request_rate x activity x represents.
  double rate(std::uint32_t organisation) const { return askers_[organisation].rate; }

  /// Gap in operational seconds between candidates k-1 and k (k = 0: from the start). Exp(1) / rate; infinite
  /// where the rate is 0.
  double gap(std::uint32_t organisation, std::uint32_t k) const;
  /// What candidate k asks for. At most 200 ns with gap(): two Philox blocks, portable logarithms.
  Request request(std::uint32_t organisation, std::uint32_t k) const;

 private:
  struct SectorSampler {
    Stream gaps, bodies;
    ClassMix mix;
  };
  std::vector<Asker> askers_;
  std::vector<SectorSampler> sectors_;
  BatchSampler batch_;
};

/// A walk along one organisation's candidates in time order.
struct RequestCursor {
  std::uint32_t k = 0;     ///< the candidate that comes next
  double operational = 0;  ///< its operational time, seconds
};

/// One service contract of an organisation, keyed like a request.
struct ServiceContract {
  std::uint32_t service_class = 0;
  Duration duration{};
  Duration patience{};
};

/// Service openings per organisation, on streams of their own: ("service-gaps", sector), wide 0: gap;
/// ("services", sector): wide 0 duration, word 2 class, word 3 patience, Erlang laws as above.
class ServiceStreams {
 public:
  ServiceStreams(const Demand& demand, const Population& population, Streams& streams);
  double rate(std::uint32_t organisation) const { return askers_[organisation].rate; }
  double gap(std::uint32_t organisation, std::uint32_t k) const;
  ServiceContract contract(std::uint32_t organisation, std::uint32_t k) const;

 private:
  struct ClassSampler {
    Law duration, patience;
  };
  struct SectorSampler {
    Stream gaps, bodies;
    ClassMix mix;
  };
  std::vector<Asker> askers_;
  std::vector<SectorSampler> sectors_;
  std::vector<ClassSampler> classes_;
};

/// One project of an organisation, keyed like a request.
struct ProjectRequest {
  std::uint32_t project_class = 0;
  std::int32_t gpus = 1;
  Duration duration{};
  Duration patience{};  ///< endless: never gives up
};

/// Projects per organisation and the jobs of each, on streams of their own: ("project-gaps", sector), wide 0:
/// gap; ("projects", sector): wide 0 duration, word 2 class, word 3 patience, sub 1: word 2 GPUs, Erlang laws
/// as above. Job m of project k, entity = ordinal + 2^32 k, index = m: ("project-job-gaps", sector), wide 0:
/// gap; ("project-jobs", sector): as BatchSampler.
class ProjectStreams {
 public:
  ProjectStreams(const Demand& demand, const Population& population, Streams& streams);
  double rate(std::uint32_t organisation) const { return askers_[organisation].rate; }
  double gap(std::uint32_t organisation, std::uint32_t k) const;
  ProjectRequest project(std::uint32_t organisation, std::uint32_t k) const;
  /// Operational seconds between jobs m-1 and m of project k (m = 0: from its grant).
  double job_gap(std::uint32_t organisation, std::uint32_t k, std::uint32_t project_class,
                 std::uint32_t m) const;
  Request job(std::uint32_t organisation, std::uint32_t k, std::uint32_t project_class,
              std::uint32_t m) const;

 private:
  struct ClassSampler {
    Law gpus, duration, patience;
    double job_rate = 0;
    ClassMix jobs;
  };
  struct SectorSampler {
    Stream gaps, bodies, job_gaps, jobs;
    ClassMix mix;
  };
  std::vector<Asker> askers_;
  std::vector<SectorSampler> sectors_;
  std::vector<ClassSampler> classes_;
  BatchSampler batch_;
};

/// Replicas wanted hour by hour, from the arrival calendar's shape: floor + round((peak - floor) c(t) /
/// highest c).
class ServiceCurve {
 public:
  ServiceCurve(const ServiceClass& spec, const ArrivalProfile& profile);
  std::int64_t replicas(Instant at) const { return hourly_[hour_of(at)]; }
  /// The first instant after `at` at which the number changes, or `limit` if none before. O(1).
  Instant next_change(Instant at, Instant limit) const;
  /// The first instant after `at` at which it is below `level`, or `limit`. @pre replicas(at) >= level
  /// O(different numbers of replicas): services ask for it at every change, contracts last for months.
  Instant next_below(Instant at, std::int64_t level, Instant limit) const;

 private:
  std::size_t hour_of(Instant at) const;
  Instant at_hour(std::size_t hour, Instant limit) const;

  std::vector<std::int64_t> hourly_;  ///< replicas by hour since the start
  std::vector<std::uint32_t>
      next_change_;  ///< the next hour with another number; the end where there is none
  std::vector<std::uint32_t>
      next_smaller_;  ///< the next hour with a smaller number; the end where there is none
};

}  // namespace natgpu::demand
