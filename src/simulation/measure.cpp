// SPDX-License-Identifier: Apache-2.0
#include "measure.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>

#include <natgpu/supply/energy.hpp>
#include <natgpu/supply/readings.hpp>

namespace natgpu::simulation {
namespace {

using measures::Labels;

/// A period of the report: a quarter, a year, or the whole horizon.
struct Span {
  std::string label;
  std::size_t first = 0, last = 0;  ///< quarters, inclusive
  double hours = 0;
};

class Measurer {
 public:
  explicit Measurer(const Books& books) : b_(books), scenario_(books.world.scenario) { add_spans(); }

  std::vector<measures::Measurement> run() {
    for (const Span& s : spans_) {
      use_of_gpus(s);
      capacity_over(s);
      sectors(s);
      jobs_by_sector(s);
      broken_promises(s);
      if (s.label.find('Q') != std::string::npos) continue;
      energy(s);
      failures(s);
      repairs(s);
    }
    regions_and_fairness();
    jobs_by_class();
    services();
    stocks();
    return std::move(out_);
  }

 private:
  void put(const char* metric, Labels labels, double value) {
    out_.push_back({metric, std::move(labels), value});
  }
  static double ratio(Area part, Area whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
  }

  void add_spans() {
    const auto& quarters = b_.world.quarters;
    std::vector<Span> years;
    for (std::size_t q = 0; q < quarters.size(); ++q) {
      const double hours = in_hours(quarters[q].to - quarters[q].from);
      spans_.push_back({quarters[q].label, q, q, hours});
      const std::string year = std::to_string(quarters[q].year);
      if (years.empty() || years.back().label != year) years.push_back({year, q, q, 0});
      years.back().last = q;
      years.back().hours += hours;
    }
    Span all{"all", 0, quarters.size() - 1, 0};
    for (const Span& y : years) all.hours += y.hours;
    spans_.insert(spans_.end(), years.begin(), years.end());
    spans_.push_back(all);
  }

  PoolAreas areas(const Span& s, std::size_t pool) const {
    PoolAreas sum;
    for (std::size_t q = s.first; q <= s.last; ++q) {
      const PoolAreas& a = b_.dispatch.area(q, pool);
      sum.in_service += a.in_service;
      sum.down += a.down;
      sum.idle += a.idle;
      sum.allocated += a.allocated;
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
  Area of_sector(const Span& s, std::size_t sector) const {
    Area sum = 0;
    for (std::size_t q = s.first; q <= s.last; ++q)
      for (std::size_t p = 0; p < b_.dispatch.pools; ++p)
        for (std::size_t u = 0; u < uses; ++u)
          sum += b_.dispatch.gpu_time.at(q, p, sector, static_cast<Use>(u));
    return sum;
  }

  // --- GPU-time
  // --------------------------------------------------------------------------------------------------

  void use_of_gpus(const Span& s) {
    PoolAreas all;
    for (std::size_t p = 0; p < b_.dispatch.pools; ++p) {
      const PoolAreas a = areas(s, p);
      all.in_service += a.in_service;
      all.down += a.down;
      all.idle += a.idle;
      all.allocated += a.allocated;
      if (a.in_service > 0 && b_.dispatch.pools > 1)
        put("gpu.allocated.share", {{"period", s.label}, {"site", site(p)}, {"gpu", gpu(p)}},
            ratio(a.allocated, a.in_service));
    }
    const Area stalled = used(s, Use::stalled), useful = used(s, Use::useful);
    if (all.in_service > 0) {
      put("gpu.allocated.share", {{"period", s.label}}, ratio(all.allocated, all.in_service));
      put("gpu.busy.share", {{"period", s.label}}, ratio(all.allocated - stalled, all.in_service));
      put("gpu.useful.share", {{"period", s.label}}, ratio(useful, all.in_service));
    }
    if (all.in_service > all.down)
      put("gpu.allocated.of_up.share", {{"period", s.label}},
          ratio(all.allocated, all.in_service - all.down));
    const auto hours = [&](const char* state, Area area) {
      put("gpu.hours", {{"period", s.label}, {"state", state}}, in_gpu_hours(area));
    };
    hours("in_service", all.in_service);
    hours("down", all.down);
    hours("idle", all.idle);
    hours("allocated", all.allocated);
    hours("stalled", stalled);
    hours("useful", useful);
    hours("unfinished", used(s, Use::unfinished));
    static constexpr std::pair<const char*, Use> causes[] = {{"failure", Use::lost_failure},
                                                             {"limit", Use::lost_limit},
                                                             {"user_error", Use::lost_user_error},
                                                             {"cancel", Use::lost_cancel}};
    for (const auto& [cause, use] : causes)
      put("gpu.hours", {{"period", s.label}, {"state", "lost"}, {"cause", cause}},
          in_gpu_hours(used(s, use)));
  }

  // --- the waterfall
  // ---------------------------------------------------------------------------------------------

  /// Cumulative states as people speak of them, from units per exclusive state.
  struct StateRow {
    const char* name;
    std::function<double(const std::array<double, supply_states>&)> of;
  };
  static const std::vector<StateRow>& state_rows() {
    using A = std::array<double, supply_states>;
    static constexpr auto at = [](const A& a, SupplyState s) { return a[static_cast<std::size_t>(s)]; };
    static constexpr auto in_service = [](const A& a) {
      return at(a, SupplyState::operator_own) + at(a, SupplyState::outside) +
             at(a, SupplyState::public_in_service);
    };
    static constexpr auto powered = [](const A& a) { return at(a, SupplyState::installing) + in_service(a); };
    static constexpr auto delivered = [](const A& a) { return at(a, SupplyState::dark) + powered(a); };
    static const std::vector<StateRow> rows = {
        {"ordered", [](const A& a) { return at(a, SupplyState::ordered) + delivered(a); }},
        {"delivered", [](const A& a) { return delivered(a); }},
        {"dark", [](const A& a) { return at(a, SupplyState::dark); }},
        {"powered", [](const A& a) { return powered(a); }},
        {"installing", [](const A& a) { return at(a, SupplyState::installing); }},
        {"in_service", [](const A& a) { return in_service(a); }},
        {"operator", [](const A& a) { return at(a, SupplyState::operator_own); }},
        {"outside", [](const A& a) { return at(a, SupplyState::outside); }},
        {"public", [](const A& a) { return at(a, SupplyState::public_in_service); }},
        {"retired", [](const A& a) { return at(a, SupplyState::retired); }},
    };
    return rows;
  }
  /// Puts one state's units, and what they come to. `units` is by device of the catalogue.
  void put_devices(const Labels& labels, const std::vector<double>& units) {
    double count = 0, h100e = 0;
    for (std::size_t d = 0; d < units.size(); ++d) {
      count += units[d];
      h100e += units[d] * scenario_.hardware[d].h100e();
    }
    put("capacity.units", labels, count);
    put("capacity.h100e", labels, h100e);
  }
  /// In all three measures.
  void put_capacity(const Labels& labels, const std::vector<double>& units) {
    put_devices(labels, units);
    for (const char* precision : {"fp64_tensor", "bf16", "fp8"}) {
      double peak = 0;
      for (std::size_t d = 0; d < units.size(); ++d)
        peak += supply::eflops(scenario_.hardware[d], precision, units[d]);
      Labels with_reading = labels;
      with_reading.emplace_back("reading", precision);
      put("capacity.eflops", with_reading, peak);
    }
  }
  /// Units by device of the pools that are wanted. Whole numbers: their sums are exact in any order.
  template <class Wanted>
  std::vector<double> by_device(const std::vector<double>& of_pool, const Wanted& wanted) const {
    std::vector<double> units(scenario_.hardware.size());
    for (std::size_t p = 0; p < of_pool.size(); ++p)
      if (wanted(b_.fleet.pools()[p])) units[b_.fleet.pools()[p].device] += of_pool[p];
    return units;
  }
  /// Puts a state at the end of a day, of the nation, by site and by device. @returns the nation's units
  std::vector<double> put_stock(const std::string& day, const char* state,
                                const std::vector<double>& of_pool) {
    const auto national = by_device(of_pool, [](const auto&) { return true; });
    put_capacity({{"at", day}, {"state", state}}, national);
    for (std::size_t i = 0; i < scenario_.supply.sites.size(); ++i)
      put_devices({{"at", day}, {"site", scenario_.supply.sites[i].name}, {"state", state}},
                  by_device(of_pool, [i](const auto& pool) { return pool.site == i; }));
    for (std::size_t d = 0; d < scenario_.hardware.size(); ++d)
      put_devices({{"at", day}, {"gpu", scenario_.hardware[d].name}, {"state", state}},
                  by_device(of_pool, [d](const auto& pool) { return pool.device == d; }));
    return national;
  }
  std::uint32_t device_of_tranche(std::uint32_t t) const {
    return b_.fleet.pools()[b_.fleet.pool_of(t)].device;
  }
  bool counts_for_nation(std::uint32_t t) const { return scenario_.supply.tranches[t].scope != "private"; }

  /// Time averages over the period, of what the government's programmes hold.
  void capacity_over(const Span& s) {
    if (s.hours <= 0) return;
    for (const StateRow& row : state_rows()) {
      std::vector<double> units(scenario_.hardware.size());
      for (std::uint32_t t = 0; t < b_.fleet.tranches(); ++t) {
        if (!counts_for_nation(t)) continue;
        std::array<double, supply_states> mean{};
        for (std::size_t q = s.first; q <= s.last; ++q)
          for (std::size_t i = 0; i < supply_states; ++i)
            mean[i] += in_gpu_hours(b_.supply.area(q, t)[i]) / s.hours;
        units[device_of_tranche(t)] += row.of(mean);
      }
      put_capacity({{"period", s.label}, {"state", row.name}}, units);
    }
    std::vector<double> up(scenario_.hardware.size()), allocated(up), useful(up);
    for (std::size_t p = 0; p < b_.dispatch.pools; ++p) {
      const PoolAreas a = areas(s, p);
      const std::size_t d = b_.fleet.pools()[p].device;
      up[d] += in_gpu_hours(a.in_service - a.down) / s.hours;
      allocated[d] += in_gpu_hours(a.allocated) / s.hours;
      for (std::size_t q = s.first; q <= s.last; ++q)
        for (std::size_t sector = 0; sector < b_.dispatch.sectors; ++sector)
          useful[d] += in_gpu_hours(b_.dispatch.gpu_time.at(q, p, sector, Use::useful)) / s.hours;
    }
    put_capacity({{"period", s.label}, {"state", "up"}}, up);
    put_capacity({{"period", s.label}, {"state", "allocated"}}, allocated);
    put_capacity({{"period", s.label}, {"state", "useful"}}, useful);
    unconfirmed(s);
  }
  void unconfirmed(const Span& s) {
    Area all = 0, planned = 0;
    for (std::uint32_t t = 0; t < b_.fleet.tranches(); ++t)
      for (std::size_t q = s.first; q <= s.last; ++q) {
        const Area a = b_.supply.area(q, t)[static_cast<std::size_t>(SupplyState::public_in_service)];
        all += a;
        if (!scenario_.supply.tranches[t].confirmed) planned += a;
      }
    if (all > 0) put("supply.unconfirmed.share", {{"period", s.label}}, ratio(planned, all));
  }

  /// Stocks at the end of each year, and the readings of the target.
  void stocks() {
    const auto& quarters = b_.world.quarters;
    for (std::size_t q = 0; q < quarters.size(); ++q) {
      const bool last_of_year = q + 1 == quarters.size() || quarters[q + 1].year != quarters[q].year;
      if (!last_of_year) continue;
      const std::string day = to_string(b_.world.calendar.date_of(quarters[q].to - one_tick));
      for (const StateRow& row : state_rows()) {
        std::vector<double> units(b_.fleet.pools().size());
        for (std::uint32_t t = 0; t < b_.fleet.tranches(); ++t) {
          if (!counts_for_nation(t)) continue;
          std::array<double, supply_states> now{};
          for (std::size_t i = 0; i < supply_states; ++i)
            now[i] = static_cast<double>(b_.supply.stock(q, t)[i]);
          units[b_.fleet.pool_of(t)] += row.of(now);
        }
        put_readings(day, row.name, put_stock(day, row.name, units));
      }
      std::vector<double> up(b_.dispatch.pools), allocated(up);
      for (std::size_t p = 0; p < b_.dispatch.pools; ++p) {
        const PoolStock& stock = b_.dispatch.stock(q, p);
        up[p] = static_cast<double>(stock.in_service - stock.down);
        allocated[p] = static_cast<double>(stock.allocated);
      }
      put_stock(day, "up", up);
      put_readings(day, "allocated", put_stock(day, "allocated", allocated));
      for (std::size_t s = 0; s < scenario_.demand.sectors.size(); ++s) {
        const AdoptionStock& a = b_.demand.stock(q, s);
        put("adoption.any_ai.share", {{"at", day}, {"sector", scenario_.demand.sectors[s].name}}, a.any_ai);
        put("adoption.gpu_user.share", {{"at", day}, {"sector", scenario_.demand.sectors[s].name}},
            a.gpu_user);
      }
    }
  }
  void put_readings(const std::string& day, const char* state, const std::vector<double>& units) {
    for (const supply::Reading& reading : supply::readings()) {
      double value = 0;
      for (std::size_t d = 0; d < units.size(); ++d)
        value += supply::reading_value(reading, scenario_.hardware[d], units[d]);
      const Labels labels = {{"at", day}, {"state", state}, {"reading", std::string(reading.id)}};
      put("reading.value", labels, value);
      put("reading.target.share", labels, value / reading.target);
    }
  }

  // --- who gets it
  // -----------------------------------------------------------------------------------------------

  void sectors(const Span& s) {
    Area all = 0;
    std::vector<Area> by_sector;
    for (std::size_t sector = 0; sector < b_.dispatch.sectors; ++sector) {
      by_sector.push_back(of_sector(s, sector));
      all += by_sector.back();
    }
    for (std::size_t sector = 0; sector < by_sector.size(); ++sector) {
      const Labels labels = {{"period", s.label}, {"sector", scenario_.demand.sectors[sector].name}};
      put("gpu_hours.sector", labels, in_gpu_hours(by_sector[sector]));
      if (all > 0) put("share.gpu_hours", labels, ratio(by_sector[sector], all));
    }
  }
  void regions_and_fairness() {
    const auto& organisations = b_.population.organisations;
    std::vector<Area> regions(b_.population.regions.size());
    std::map<std::pair<std::uint32_t, std::uint32_t>, Area> groups;
    std::vector<double> each;
    Area all = 0;
    for (std::size_t o = 0; o < organisations.size(); ++o) {
      const Area a = b_.dispatch.of_organisation[o];
      if (a == 0) continue;
      all += a;
      regions[organisations[o].region] += a;
      groups[{organisations[o].sector, organisations[o].group}] += a;
      each.push_back(in_gpu_hours(a));
    }
    if (all == 0) return;
    for (std::size_t r = 0; r < regions.size(); ++r)
      if (!b_.population.regions[r].empty())
        put("share.gpu_hours", {{"period", "all"}, {"region", b_.population.regions[r]}},
            ratio(regions[r], all));
    std::vector<double> shares;
    double hhi = 0;
    for (const auto& [group, area] : groups) {
      shares.push_back(ratio(area, all));
      hhi += shares.back() * shares.back();
    }
    std::sort(shares.rbegin(), shares.rend());
    double top = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(5, shares.size()); ++i) top += shares[i];
    put("share.gpu_hours.top_groups", {{"period", "all"}}, top);
    put("fairness.hhi", {{"period", "all"}}, hhi);
    std::sort(each.begin(), each.end());
    double sum = 0, squares = 0, ranked = 0;
    for (std::size_t i = 0; i < each.size(); ++i) {
      sum += each[i];
      squares += each[i] * each[i];
      ranked += static_cast<double>(i + 1) * each[i];
    }
    const auto n = static_cast<double>(each.size());
    put("fairness.gini", {{"period", "all"}}, 2 * ranked / (n * sum) - (n + 1) / n);
    put("fairness.jain", {{"period", "all"}}, sum * sum / (n * squares));
  }

  // --- jobs
  // ------------------------------------------------------------------------------------------------------

  void put_jobs(const Labels& labels, const JobCounts& c) {
    const std::pair<const char*, std::uint64_t> counts[] = {
        {"jobs.submitted.count", c.submitted}, {"jobs.finished.count", c.finished},
        {"jobs.killed.count", c.killed},       {"jobs.failed.count", c.failed},
        {"jobs.cancelled.count", c.cancelled}, {"jobs.rejected.count", c.rejected},
        {"jobs.gave_up.count", c.gave_up},     {"jobs.running.count", c.running},
        {"jobs.queued.count", c.queued},       {"jobs.censored.count", c.censored},
        {"jobs.restarts.count", c.restarts}};
    for (const auto& [name, n] : counts) put(name, labels, static_cast<double>(n));
    if (c.started > 0) {
      const double per_job = 1e-6 / static_cast<double>(c.started);
      put("jobs.wait.mean", labels, static_cast<double>(c.waited) * per_job);
      put_quantile("jobs.wait.p50", labels, c, 0.50);
      put_quantile("jobs.wait.p95", labels, c, 0.95);
    }
    if (c.censored > 0)
      put("jobs.censored.wait.mean", labels,
          static_cast<double>(c.censored_wait) * 1e-6 / static_cast<double>(c.censored));
    if (c.ended() > 0) {
      const auto ended = static_cast<double>(c.ended());
      put("jobs.turnaround.mean", labels, static_cast<double>(c.turnaround) * 1e-6 / ended);
      put("jobs.bounded_slowdown.mean", labels, c.slowdown / ended);
    }
  }
  void broken_promises(const Span& s) {
    std::uint64_t n = 0;
    for (std::size_t q = s.first; q <= s.last; ++q) n += b_.dispatch.promises_broken[q];
    put("jobs.promises.broken", {{"period", s.label}}, static_cast<double>(n));
  }
  /// Censored jobs wait longer than any that started counts: ranks among them are not known.
  void put_quantile(const char* metric, const Labels& labels, const JobCounts& c, double p) {
    const auto with_censored = static_cast<double>(c.started + c.censored);
    const double rank = p * with_censored;
    if (rank > static_cast<double>(c.started)) return;
    put(metric, labels, c.wait_s.quantile(rank / static_cast<double>(c.started)));
  }
  void jobs_by_sector(const Span& s) {
    JobCounts all;
    for (std::size_t sector = 0; sector < b_.dispatch.sectors; ++sector) {
      JobCounts sum;
      for (std::size_t q = s.first; q <= s.last; ++q) sum.merge(b_.dispatch.cohort(q, sector));
      put_jobs({{"period", s.label}, {"sector", scenario_.demand.sectors[sector].name}}, sum);
      all.merge(sum);
    }
    put_jobs({{"period", s.label}}, all);
  }
  void jobs_by_class() {
    for (std::size_t c = 0; c < b_.groups.classes.size(); ++c)
      if (b_.dispatch.by_class[c].submitted > 0)
        put_jobs({{"period", "all"}, {"class", b_.groups.classes[c].name}}, b_.dispatch.by_class[c]);
  }
  void services() {
    if (scenario_.demand.service.empty()) return;
    put("services.entries.count", {{"period", "all"}}, static_cast<double>(b_.replicas.entries));
    put("services.lapsed.count", {{"period", "all"}}, static_cast<double>(b_.replicas.lapsed));
    put("services.unserved.gpu_hours", {{"period", "all"}}, in_gpu_hours(b_.replicas.unserved));
  }

  // --- energy and failures
  // ---------------------------------------------------------------------------------------

  struct Energy {
    double mwh = 0, co2_t = 0, krw = 0;
    void add(double more_mwh, double co2, double price) {
      mwh += more_mwh;
      co2_t += more_mwh * co2 / 1e3;  // g/kWh = kg/MWh
      krw += more_mwh * price * 1e3;  // KRW/kWh
    }
  };
  void put_energy(const Labels& labels, const Energy& e) {
    put("energy.mwh", labels, e.mwh);
    put("energy.co2_t", labels, e.co2_t);
    put("energy.cost_krw", labels, e.krw);
  }
  void energy(const Span& s) {
    Energy all;
    std::vector<Energy> of_site(scenario_.supply.sites.size());
    for (std::size_t q = s.first; q <= s.last; ++q) {
      const Date day = b_.world.calendar.date_of(b_.world.quarters[q].from);
      for (std::size_t p = 0; p < b_.dispatch.pools; ++p) {
        const PoolAreas& a = b_.dispatch.area(q, p);
        const std::size_t i = b_.fleet.pools()[p].site;
        const supply::Site& at = scenario_.supply.sites[i];
        const double mwh = supply::energy_mwh(scenario_.hardware[b_.fleet.pools()[p].device], at,
                                              in_gpu_hours(a.in_service), in_gpu_hours(a.allocated));
        for (Energy* e : {&all, &of_site[i]})
          e->add(mwh, supply::value_on(at.co2, day), supply::value_on(at.power_price, day));
      }
    }
    put_energy({{"period", s.label}}, all);
    for (std::size_t i = 0; i < of_site.size(); ++i)
      put_energy({{"period", s.label}, {"site", scenario_.supply.sites[i].name}}, of_site[i]);
  }
  void repairs(const Span& s) {
    RepairCounts sum;
    for (std::size_t q = s.first; q <= s.last; ++q) {
      sum.begun += b_.supply.repairs[q].begun;
      sum.waited += b_.supply.repairs[q].waited;
    }
    if (sum.begun > 0)
      put("repairs.wait.mean", {{"period", s.label}},
          static_cast<double>(sum.waited) * 1e-6 / static_cast<double>(sum.begun));
  }
  void failures(const Span& s) {
    for (std::size_t c = 0; c < b_.supply.causes; ++c) {
      std::uint64_t n = 0;
      for (std::size_t q = s.first; q <= s.last; ++q)
        for (std::size_t t = 0; t < b_.supply.tranches; ++t) n += b_.supply.strike(q, t, c);
      put("failures.count", {{"period", s.label}, {"cause", scenario_.supply.failures.causes[c].name}},
          static_cast<double>(n));
    }
  }

  std::string site(std::size_t pool) const {
    return scenario_.supply.sites[b_.fleet.pools()[pool].site].name;
  }
  std::string gpu(std::size_t pool) const { return scenario_.hardware[b_.fleet.pools()[pool].device].name; }

  const Books& b_;
  const scenario::Scenario& scenario_;
  std::vector<Span> spans_;
  std::vector<measures::Measurement> out_;
};

}  // namespace

void JobCounts::merge(const JobCounts& o) {
  submitted += o.submitted;
  finished += o.finished;
  killed += o.killed;
  failed += o.failed;
  cancelled += o.cancelled;
  rejected += o.rejected;
  gave_up += o.gave_up;
  running += o.running;
  queued += o.queued;
  started += o.started;
  censored += o.censored;
  restarts += o.restarts;
  waited += o.waited;
  turnaround += o.turnaround;
  censored_wait += o.censored_wait;
  slowdown += o.slowdown;
  wait_s.merge(o.wait_s);
}

std::vector<measures::Measurement> measure(const Books& books) {
  return Measurer(books).run();
}

}  // namespace natgpu::simulation
