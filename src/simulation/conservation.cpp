// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <natgpu/core/ensure.hpp>

#include "measure.hpp"

namespace natgpu::simulation {
namespace {

void require(bool holds, const std::string& identity, const std::string& period, const std::string& where) {
  if (!holds) throw InvariantError(fmt::format("not conserved in {} at {}: {}", period, where, identity));
}

Area spent(const GpuTime& time, std::size_t quarter, std::size_t pool, std::size_t sectors) {
  Area sum = 0;
  for (std::size_t s = 0; s < sectors; ++s)
    for (std::size_t u = 0; u < uses; ++u) sum += time.at(quarter, pool, s, static_cast<Use>(u));
  return sum;
}

void check_pools(const Books& b) {
  const auto& sites = b.world.scenario.supply.sites;
  for (std::size_t q = 0; q < b.world.quarters.size(); ++q)
    for (std::size_t p = 0; p < b.fleet.pools().size(); ++p) {
      const PoolAreas& a = b.dispatch.area(q, p);
      const std::string& period = b.world.quarters[q].label;
      const supply::Pool& pool = b.fleet.pools()[p];
      const std::string where = sites[pool.site].name + "/" + b.world.scenario.hardware[pool.device].name;
      require(a.in_service == a.down + a.idle + a.reserved + a.allocated,
              "public in service = down + idle + reserved + allocated", period, where);
      require(a.allocated == spent(b.dispatch.gpu_time, q, p, b.dispatch.sectors),
              "allocated = stalled + useful + lost + unfinished", period, where);
      Area from_supply = 0;
      for (std::uint32_t t = 0; t < b.fleet.tranches(); ++t)
        if (b.fleet.pool_of(t) == p)
          from_supply += b.supply.area(q, t)[static_cast<std::size_t>(SupplyState::public_in_service)];
      require(from_supply * b.dispatch.parts_per_gpu == a.in_service,
              "public in service of the tranches = of the pool", period, where);
    }
}

void check_tranches(const Books& b) {
  for (std::size_t q = 0; q < b.world.quarters.size(); ++q) {
    const Period& period = b.world.quarters[q];
    for (std::uint32_t t = 0; t < b.fleet.tranches(); ++t) {
      const auto& stock = b.supply.stock(q, t);
      std::int64_t sum = 0;
      for (const std::int64_t n : stock) {
        require(n >= 0, "no state holds fewer than no units", period.label,
                b.world.scenario.supply.tranches[t].name);
        sum += n;
      }
      require(sum == 0 || sum == b.fleet.units_of(t), "a tranche's units are in one state each", period.label,
              b.world.scenario.supply.tranches[t].name);
    }
  }
}

void check_jobs(const Books& b) {
  const auto& sectors = b.world.scenario.demand.sectors;
  JobCounts all, classes;
  for (std::size_t q = 0; q < b.world.quarters.size(); ++q)
    for (std::size_t s = 0; s < sectors.size(); ++s) {
      const JobCounts& c = b.dispatch.cohort(q, s);
      require(c.conserved(),
              "submitted = finished + killed + failed + cancelled + rejected + gave up + left over + running "
              "+ queued",
              b.world.quarters[q].label, sectors[s].name);
      all.submitted += c.submitted;
    }
  for (const JobCounts& c : b.dispatch.by_class) classes.submitted += c.submitted;
  require(all.submitted == classes.submitted, "jobs by sector = jobs by class", "all", "all");
}

}  // namespace

void check_conservation(const Books& books) {
  check_pools(books);
  check_tranches(books);
  check_jobs(books);
}

}  // namespace natgpu::simulation
