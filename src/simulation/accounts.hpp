// SPDX-License-Identifier: Apache-2.0
// The books of one replication: GPU-time by quarter, pool and use; jobs by cohort; levels by pool.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <natgpu/core/calendar.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/measures/histogram.hpp>

namespace natgpu::simulation {

/// What allocated GPU-time turned out to be. It stays in the period in which it was spent; its use is settled
/// when the job ends.
enum class Use : std::uint8_t {
  useful,
  stalled,       ///< restart, reload and drain
  lost_failure,  ///< work since the last checkpoint, by a failure or a loss of capacity
  lost_limit,    ///< killed at the requested time
  lost_user_error,
  lost_cancel,
  unfinished,       ///< since the last checkpoint, of jobs that still run at the end
  lost_preemption,  ///< work since the last checkpoint, by whoever took the GPUs
};
inline constexpr std::size_t uses = 8;

/// A number of GPUs that changes at instants, integrated exactly.
class Level {
 public:
  std::int64_t value() const { return value_; }
  void change(std::int64_t now, std::int64_t delta) {
    settle(now);
    value_ += delta;
  }
  void settle(std::int64_t now) {
    area_ += static_cast<Area>(value_) * (now - since_);
    since_ = now;
  }
  /// The area since the last call. @pre settled at the boundary
  Area take() {
    const Area a = area_;
    area_ = 0;
    return a;
  }

 private:
  std::int64_t value_ = 0;
  std::int64_t since_ = 0;
  Area area_ = 0;
};

/// Public GPUs of one pool by state, in parts of GPUs; in_service = down + idle + reserved + allocated at
/// every instant.
struct PoolLevels {
  Level in_service, down, idle, allocated;
  Level reserved;    ///< the part of projects' blocks in which nothing runs
  Level fragmented;  ///< in the node view: thousandths of idle GPUs of no use to a task to be expected
};
struct PoolAreas {
  Area in_service = 0, down = 0, idle = 0, allocated = 0, reserved = 0;
};

/// GPU-time by (quarter, pool, sector, use).
class GpuTime {
 public:
  GpuTime(std::size_t quarters, std::size_t pools, std::size_t sectors)
      : pools_(pools), sectors_(sectors), areas_(quarters * pools * sectors * uses) {}
  Area& at(std::size_t quarter, std::size_t pool, std::size_t sector, Use use) {
    return areas_[((quarter * pools_ + pool) * sectors_ + sector) * uses + static_cast<std::size_t>(use)];
  }
  Area at(std::size_t quarter, std::size_t pool, std::size_t sector, Use use) const {
    return areas_[((quarter * pools_ + pool) * sectors_ + sector) * uses + static_cast<std::size_t>(use)];
  }

 private:
  std::size_t pools_, sectors_;
  std::vector<Area> areas_;
};

/// Jobs of one cohort: those submitted in one quarter by one sector, or all of one class.
struct JobCounts {
  std::uint64_t submitted = 0, finished = 0, killed = 0, failed = 0, cancelled = 0, rejected = 0, gave_up = 0;
  std::uint64_t left_over = 0;            ///< of a project, when its block was over
  std::uint64_t running = 0, queued = 0;  ///< at the end
  std::uint64_t started = 0, censored = 0;
  std::uint64_t restarts = 0, preemptions = 0, spread = 0;
  Area waited = 0;         ///< ticks, over started jobs
  Area turnaround = 0;     ///< ticks, over ended jobs
  Area censored_wait = 0;  ///< ticks so far, of jobs that have not started
  double slowdown = 0;     ///< sum of bounded slowdowns, over ended jobs
  measures::Histogram wait_s;

  std::uint64_t ended() const { return finished + killed + failed + cancelled; }
  void merge(const JobCounts& o);
  /// submitted = finished + killed + failed + cancelled + rejected + gave up + left over + running + queued
  bool conserved() const { return submitted == ended() + rejected + gave_up + left_over + running + queued; }
};

/// Service capacity asked for above the floor.
struct ReplicaCounts {
  std::uint64_t entries = 0, started = 0, lapsed = 0;
  Area unserved = 0;  ///< ticks of parts of GPUs wanted and not had

  ReplicaCounts since(const ReplicaCounts& before) const {
    return {entries - before.entries, started - before.started, lapsed - before.lapsed,
            unserved - before.unserved};
  }
};

/// Public GPUs of one pool at the end of a quarter, in parts.
struct PoolStock {
  std::int64_t in_service = 0, down = 0, idle = 0, allocated = 0;
};

/// Everything the dispatch process leaves behind. Index by (quarter, pool) or (quarter, sector), quarter
/// first.
struct DispatchBooks {
  DispatchBooks(std::size_t quarters, std::size_t pool_count, std::size_t sector_count, std::size_t classes,
                std::size_t organisations)
      : pools(pool_count),
        sectors(sector_count),
        areas(quarters * pools),
        stocks(quarters * pools),
        fragmented(quarters * pools),
        gpu_time(quarters, pools, sectors),
        cohorts(quarters * sectors),
        by_class(classes + 1),
        of_organisation(organisations),
        promises_broken(quarters) {}

  std::size_t pools, sectors;
  std::int64_t parts_per_gpu = 1;  ///< areas and stocks count parts of GPUs, so many to one
  std::vector<PoolAreas> areas;
  std::vector<PoolStock> stocks;
  std::vector<Area> fragmented;  ///< thousandths of a GPU, as PoolLevels
  GpuTime gpu_time;
  std::vector<JobCounts> cohorts;     ///< by quarter of submission and sector
  std::vector<JobCounts> by_class;    ///< of measured cohorts; behind the classes the jobs of all others
  std::vector<Area> of_organisation;  ///< allocated GPU-time by organisation, in the measured time
  std::vector<std::uint64_t> promises_broken;  ///< by quarter: reserved starts put off by a loss

  const PoolAreas& area(std::size_t quarter, std::size_t pool) const { return areas[quarter * pools + pool]; }
  const PoolStock& stock(std::size_t quarter, std::size_t pool) const {
    return stocks[quarter * pools + pool];
  }
  const JobCounts& cohort(std::size_t quarter, std::size_t sector) const {
    return cohorts[quarter * sectors + sector];
  }
};

/// States of the waterfall that supply knows, in its order.
enum class SupplyState : std::uint8_t {
  ordered,
  dark,
  installing,
  operator_own,
  outside,
  public_in_service,
  retired
};
inline constexpr std::size_t supply_states = 7;
using SupplyCounts = std::array<std::int64_t, supply_states>;
using SupplyAreas = std::array<Area, supply_states>;

/// Repairs that began in one quarter.
struct RepairCounts {
  std::uint64_t begun = 0;
  Area waited = 0;  ///< ticks from the failure until a crew began, over these
};

/// Everything the supply process leaves behind, by (quarter, tranche).
struct SupplyBooks {
  SupplyBooks(std::size_t quarters, std::size_t tranche_count, std::size_t cause_count)
      : tranches(tranche_count),
        causes(cause_count),
        areas(quarters * tranches),
        stocks(quarters * tranches),
        strikes(quarters * tranches * causes),
        repairs(quarters) {}

  std::size_t tranches, causes;
  std::vector<SupplyAreas> areas;
  std::vector<SupplyCounts> stocks;    ///< at the end of the quarter
  std::vector<std::uint64_t> strikes;  ///< and cause
  std::vector<RepairCounts> repairs;   ///< by quarter in which they began
  std::uint64_t hash = 0;              ///< over every strike

  const SupplyAreas& area(std::size_t quarter, std::size_t tranche) const {
    return areas[quarter * tranches + tranche];
  }
  const SupplyCounts& stock(std::size_t quarter, std::size_t tranche) const {
    return stocks[quarter * tranches + tranche];
  }
  std::uint64_t& strike(std::size_t quarter, std::size_t tranche, std::size_t cause) {
    return strikes[(quarter * tranches + tranche) * causes + cause];
  }
  std::uint64_t strike(std::size_t quarter, std::size_t tranche, std::size_t cause) const {
    return strikes[(quarter * tranches + tranche) * causes + cause];
  }
};

/// Shares of a sector's organisations at the end of a quarter.
struct AdoptionStock {
  double any_ai = 0, gpu_user = 0;
};

/// Everything the demand process leaves behind, by (quarter, sector).
struct DemandBooks {
  DemandBooks(std::size_t quarters, std::size_t sector_count)
      : sectors(sector_count), stocks(quarters * sectors), weight(sectors) {}
  std::size_t sectors;
  std::vector<AdoptionStock> stocks;
  std::vector<double> weight;  ///< organisations per sector, by `represents`
  std::uint64_t hash = 0;      ///< over every request submitted
  const AdoptionStock& stock(std::size_t quarter, std::size_t sector) const {
    return stocks[quarter * sectors + sector];
  }
};

}  // namespace natgpu::simulation
