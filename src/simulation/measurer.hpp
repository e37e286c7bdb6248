// SPDX-License-Identifier: Apache-2.0
// What the measurers of a run share: the books, the periods of the report, and where numbers go.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "measure.hpp"

namespace natgpu::simulation {

using measures::Labels;

/// A period of the report: a quarter, a year, or the whole horizon.
struct Span {
  std::string label;
  std::size_t first = 0, last = 0;  ///< quarters, inclusive
  double hours = 0;
};

/// Reads the books and appends to one list, whose order is that of every result file.
class Measurer {
 public:
  Measurer(const Books& books, std::vector<measures::Measurement>& out)
      : b_(books), scenario_(books.world.scenario), out_(&out) {}

 protected:
  void put(const char* metric, Labels labels, double value) {
    out_->push_back({metric, std::move(labels), value});
  }
  static double ratio(Area part, Area whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
  }

  /// GPU-hours of an area of the dispatch books.
  double gpu_hours(Area parts) const {
    return in_gpu_hours(parts) / static_cast<double>(b_.dispatch.parts_per_gpu);
  }
  PoolAreas areas(const Span& s, std::size_t pool) const {
    PoolAreas sum;
    for (std::size_t q = s.first; q <= s.last; ++q) {
      const PoolAreas& a = b_.dispatch.area(q, pool);
      sum.in_service += a.in_service;
      sum.down += a.down;
      sum.idle += a.idle;
      sum.allocated += a.allocated;
      sum.reserved += a.reserved;
    }
    return sum;
  }
  Area used(const Span& s, Use use) const {
    Area sum = 0;
    for (std::size_t q = s.first; q <= s.last; ++q)
      for (std::size_t p = 0; p < b_.dispatch.pools; ++p)
        for (std::size_t sector = 0; sector < b_.dispatch.sectors; ++sector)
          sum += b_.dispatch.gpu_time.at(q, p, sector, use);
    return sum;
  }
  /// Whether jobs may lose their GPUs to others.
  bool preempting() const {
    const scheduling::PluggedPolicy& plugged = scenario_.plugged_order;
    return preempts(scenario_.scheduling) || (plugged && plugged.decides());
  }
  bool with_projects() const { return !scenario_.demand.project.empty(); }
  std::string site(std::size_t pool) const {
    return scenario_.supply.sites[b_.fleet.pools()[pool].site].name;
  }
  std::string gpu(std::size_t pool) const { return scenario_.hardware[b_.fleet.pools()[pool].device].name; }

  const Books& b_;
  const scenario::Scenario& scenario_;

 private:
  std::vector<measures::Measurement>* out_;
};

/// What became of GPU-time, and what it took: energy, failures, repairs.
class UseMeasurer : Measurer {
 public:
  using Measurer::Measurer;
  void use_of_gpus(const Span& s);
  void energy(const Span& s);
  void failures(const Span& s);
  void repairs(const Span& s);
  void fragmentation(const Span& s);

 private:
  struct Energy {
    double mwh = 0, co2_t = 0, krw = 0;
    void add(double more_mwh, double co2, double price);
  };
  void put_energy(const Labels& labels, const Energy& e);
};

/// The waterfall from ordered to useful, over periods and as stocks, and the readings of the target.
class CapacityMeasurer : Measurer {
 public:
  using Measurer::Measurer;
  void over(const Span& s);
  void stocks();

 private:
  using Units = std::vector<double>;
  void put_devices(const Labels& labels, const Units& units);
  void put_capacity(const Labels& labels, const Units& units);
  template <class Wanted>
  Units by_device(const Units& of_pool, const Wanted& wanted) const;
  Units put_stock(const std::string& day, const char* state, const Units& of_pool);
  void put_readings(const std::string& day, const char* state, const Units& units);
  void stocks_of_supply(std::size_t quarter, const std::string& day);
  void stocks_of_use(std::size_t quarter, const std::string& day);
  void stocks_of_adoption(std::size_t quarter, const std::string& day);
  void unconfirmed(const Span& s);
  std::uint32_t device_of_tranche(std::uint32_t t) const;
  bool counts_for_nation(std::uint32_t t) const;
};

/// Who got the GPU-hours, and how jobs fared.
class JobMeasurer : Measurer {
 public:
  using Measurer::Measurer;
  void sectors(const Span& s);
  void jobs_by_sector(const Span& s);
  void broken_promises(const Span& s);
  void regions_and_groups();
  void jobs_by_class();
  void services();
  void projects();

 private:
  Area of_sector(const Span& s, std::size_t sector) const;
  void put_jobs(const Labels& labels, const JobCounts& c);
  void put_quantile(const char* metric, const Labels& labels, const JobCounts& c, double p);
  void put_concentration(std::vector<double> shares);
  void put_inequality(std::vector<double> hours);
};

}  // namespace natgpu::simulation
