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

enum class Fate : std::uint8_t { completes, user_error, cancelled };

/// What one batch request is, fixed at birth and the same under every policy. Times are of the reference device.
struct Request {
  std::uint32_t batch_class = 0;
  std::int32_t gpus = 1;
  Duration run_time{};      ///< until it ends by itself, by error or by cancellation
  Duration requested{};     ///< the limit stated to the scheduler
  Duration patience{};      ///< endless: never gives up
  Fate fate = Fate::completes;
};

/// The latent request stream of each organisation: candidate k of organisation i is a pure function of
/// (seed, replication, sector, ordinal, k). Nothing that a policy does moves one.
class RequestStreams {
 public:
  RequestStreams(const Demand& demand, const Population& population, const ArrivalProfile& profile, Streams& streams);

  /// Requests per operational second of one organisation: request_rate x activity x represents.
  double rate(std::uint32_t organisation) const { return rate_[organisation]; }

  /// Gap in operational seconds between candidates k-1 and k (k = 0: from the start). Exp(1) / rate.
  double gap(std::uint32_t organisation, std::uint32_t k) const;
  /// What candidate k asks for. At most 200 ns with gap(): two Philox blocks, portable logarithms.
  Request request(std::uint32_t organisation, std::uint32_t k) const;

 private:
  struct ClassSampler {
    Law gpus, run_time, overestimate, patience;
    Duration requested_max{};
    double failed = 0, cancelled = 0;
  };
  struct SectorSampler {
    Stream gaps, bodies;
    std::vector<double> mix_cumulative;
    std::vector<std::uint32_t> mix_class;
  };
  const Population* population_;
  std::vector<double> rate_;
  std::vector<SectorSampler> sectors_;
  std::vector<ClassSampler> classes_;
};

/// A walk along one organisation's candidates in time order.
struct RequestCursor {
  std::uint32_t k = 0;            ///< the candidate that comes next
  double operational = 0;         ///< its operational time, seconds
};

/// One service contract of an organisation, keyed like a request.
struct ServiceContract {
  std::uint32_t service_class = 0;
  Duration duration{};
  Duration patience{};
};

/// Service openings per organisation, on streams of their own ("services", sector).
class ServiceStreams {
 public:
  ServiceStreams(const Demand& demand, const Population& population, Streams& streams);
  double rate(std::uint32_t organisation) const { return rate_[organisation]; }
  double gap(std::uint32_t organisation, std::uint32_t k) const;
  ServiceContract contract(std::uint32_t organisation, std::uint32_t k) const;

 private:
  const Demand* demand_;
  const Population* population_;
  std::vector<double> rate_;
  std::vector<Stream> gaps_, bodies_;
  std::vector<std::vector<double>> mix_cumulative_;
  std::vector<std::vector<std::uint32_t>> mix_class_;
};

/// Replicas wanted by hour of the week, from the arrival calendar's shape: between floor and peak.
class ServiceCurve {
 public:
  ServiceCurve(const ServiceClass& spec, const ArrivalProfile& profile);
  std::int64_t replicas(Instant at) const;
  /// The first instant after `at` at which the number changes, or `limit` if none before.
  Instant next_change(Instant at, Instant limit) const;
  /// The first instant after `at` at which it falls below `level`, or `limit`.
  Instant next_below(Instant at, std::int64_t level, Instant limit) const;

 private:
  const ArrivalProfile* profile_;
  std::int64_t floor_, peak_;
  double max_intensity_;
};

}  // namespace natgpu::demand
