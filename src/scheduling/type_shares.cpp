// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/type_shares.hpp>

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include <natgpu/core/ensure.hpp>

#include "type_levels.hpp"

namespace natgpu::scheduling {
namespace {

double sum_of(const std::vector<std::int64_t>& gpus) {
  return static_cast<double>(std::accumulate(gpus.begin(), gpus.end(), std::int64_t{0}));
}
double best_speed(const GpuTypes& types, const TypedClaim& claim) {
  const double best = types.best_speed(claim.job_class, claim.job.gpus);
  NATGPU_ENSURE(best > 0, "who has a share can run somewhere");
  return best;
}
/// With equal time on all GPUs.
double mean_speed(const GpuTypes& types, const TypedClaim& claim) {
  double sum = 0;
  for (std::size_t j = 0; j < types.count(); ++j)
    sum += types.speed(claim.job_class, j, claim.job.gpus) * static_cast<double>(types.gpus[j]);
  return sum / sum_of(types.gpus);
}
/// On all types that have GPUs.
bool equally_fast(const GpuTypes& types, const TypedClaim& claim) {
  const double best = best_speed(types, claim);
  for (std::size_t j = 0; j < types.count(); ++j)
    if (types.gpus[j] > 0 && types.speed(claim.job_class, j, claim.job.gpus) != best) return false;
  return true;
}

/// Where types make no difference: time as on one type, type after type.
std::vector<double> filled_up(Order order, const GpuTypes& types, const std::vector<TypedClaim>& claims) {
  std::vector<ShareClaim> plain;
  for (const TypedClaim& c : claims) {
    plain.push_back(c.job);
    plain.back().remaining /= best_speed(types, c);  // as time
  }
  const std::vector<double> time = time_shares(order, sum_of(types.gpus), plain);
  std::vector<double> shares(claims.size() * types.count(), 0.0);
  std::size_t type = 0;
  double room = static_cast<double>(types.gpus[0]);
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const auto gang = static_cast<double>(claims[i].job.gpus);
    double gpus = time[i] * gang;
    while (gpus > room && type + 1 < types.count()) {
      shares[i * types.count() + type] = room / gang;
      gpus -= room;
      room = static_cast<double>(types.gpus[++type]);
    }
    shares[i * types.count() + type] = gpus / gang;
    room = std::max(room - gpus, 0.0);
  }
  return shares;
}

/// @param alike  so many such jobs
LevelledJob levelled(Order order, const GpuTypes& types, const TypedClaim& claim, double alike) {
  LevelledJob job;
  const double best = best_speed(types, claim);
  const auto gang = static_cast<double>(claim.job.gpus);
  for (std::size_t j = 0; j < types.count(); ++j) {
    const double speed = types.speed(claim.job_class, j, claim.job.gpus);
    job.program.pace.push_back(speed / best);
    job.program.load.push_back(speed > 0 ? alike * gang / static_cast<double>(types.gpus[j]) : 0.0);
  }
  if (order == Order::gavel_ftf) {
    NATGPU_ENSURE(claim.job.remaining > 0 && claim.job.isolated > 0, "who has a share has work left");
    job.elapsed = claim.job.elapsed;
    job.fastest = claim.job.remaining / best;
    job.isolated = claim.job.isolated;
  } else {
    // A level l asks for the pace at which speed x GPUs / (weight x mean speed) is l.
    job.isolated = gang * best / (claim.job.weight * mean_speed(types, claim));
  }
  return job;
}

/// Jobs that are alike are one of the program: together they have what each has, as often.
class Alike {
 public:
  Alike(Order order, const GpuTypes& types, const std::vector<TypedClaim>& claims) {
    std::map<std::tuple<std::size_t, std::int64_t, double, double, double, double>, std::size_t> known;
    std::vector<std::size_t> first;
    std::vector<double> alike;
    for (std::size_t i = 0; i < claims.size(); ++i) {
      const ShareClaim& c = claims[i].job;
      const bool by_time = order == Order::gavel_ftf;
      const auto found = known.emplace(
          std::tuple{claims[i].job_class, c.gpus, by_time ? 0.0 : c.weight, by_time ? c.elapsed : 0.0,
                     by_time ? c.remaining : 0.0, by_time ? c.isolated : 0.0},
          first.size());
      if (found.second) {
        first.push_back(i);
        alike.push_back(0);
      }
      group.push_back(found.first->second);
      ++alike[group.back()];
    }
    for (std::size_t g = 0; g < first.size(); ++g)
      jobs.push_back(levelled(order, types, claims[first[g]], alike[g]));
  }
  std::vector<LevelledJob> jobs;
  std::vector<std::size_t> group;  ///< of each claim, among jobs
};

}  // namespace

double GpuTypes::best_speed(std::size_t job_class, std::int64_t gang) const {
  double best = 0;
  for (std::size_t j = 0; j < count(); ++j) best = std::max(best, speed(job_class, j, gang));
  return best;
}

double fair_speed(const GpuTypes& types, double weight_of_all, const TypedClaim& claim) {
  return isolated_share(sum_of(types.gpus), weight_of_all, claim.job) * mean_speed(types, claim);
}

std::vector<double> type_shares(Order order, const GpuTypes& types, const std::vector<TypedClaim>& claims) {
  NATGPU_ENSURE(by_target(order), "shares of time are those of gavel-las or gavel-ftf");
  if (std::all_of(claims.begin(), claims.end(), [&](const TypedClaim& c) { return equally_fast(types, c); }))
    return claims.empty() ? std::vector<double>() : filled_up(order, types, claims);
  const Alike alike(order, types, claims);
  std::vector<double> prices;  // the same for all GPUs
  for (const std::int64_t g : types.gpus) prices.push_back(static_cast<double>(g) / sum_of(types.gpus));
  const std::vector<double> of_groups = levelled_shares(alike.jobs, prices);
  std::vector<double> shares;
  shares.reserve(claims.size() * types.count());
  for (const std::size_t group : alike.group)
    for (std::size_t j = 0; j < types.count(); ++j) shares.push_back(of_groups[group * types.count() + j]);
  return shares;
}

}  // namespace natgpu::scheduling
