// SPDX-License-Identifier: Apache-2.0
#include <natgpu/supply/energy.hpp>

#include "measurer.hpp"

namespace natgpu::simulation {

void UseMeasurer::use_of_gpus(const Span& s) {
  PoolAreas all;
  for (std::size_t p = 0; p < b_.dispatch.pools; ++p) {
    const PoolAreas a = areas(s, p);
    all.in_service += a.in_service;
    all.down += a.down;
    all.idle += a.idle;
    all.allocated += a.allocated;
    all.reserved += a.reserved;
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
  if (with_projects() && all.in_service > 0)
    put("gpu.reserved.share", {{"period", s.label}}, ratio(all.reserved, all.in_service));
  if (all.in_service > all.down)
    put("gpu.allocated.of_up.share", {{"period", s.label}}, ratio(all.allocated, all.in_service - all.down));
  const auto hours = [&](const char* state, Area area) {
    put("gpu.hours", {{"period", s.label}, {"state", state}}, gpu_hours(area));
  };
  hours("in_service", all.in_service);
  hours("down", all.down);
  hours("idle", all.idle);
  hours("allocated", all.allocated);
  if (with_projects()) hours("reserved", all.reserved);
  hours("stalled", stalled);
  hours("useful", useful);
  hours("unfinished", used(s, Use::unfinished));
  static constexpr std::pair<const char*, Use> causes[] = {{"failure", Use::lost_failure},
                                                           {"limit", Use::lost_limit},
                                                           {"user_error", Use::lost_user_error},
                                                           {"cancel", Use::lost_cancel}};
  const auto lost = [&](const char* cause, Use use) {
    put("gpu.hours", {{"period", s.label}, {"state", "lost"}, {"cause", cause}}, gpu_hours(used(s, use)));
  };
  for (const auto& [cause, use] : causes) lost(cause, use);
  if (preempting()) lost("preemption", Use::lost_preemption);
}

void UseMeasurer::Energy::add(double more_mwh, double co2, double price) {
  mwh += more_mwh;
  co2_t += more_mwh * co2 / 1e3;  // g/kWh = kg/MWh
  krw += more_mwh * price * 1e3;  // KRW/kWh
}
void UseMeasurer::put_energy(const Labels& labels, const Energy& e) {
  put("energy.mwh", labels, e.mwh);
  put("energy.co2_t", labels, e.co2_t);
  put("energy.cost_krw", labels, e.krw);
}
void UseMeasurer::energy(const Span& s) {
  Energy all;
  std::vector<Energy> of_site(scenario_.supply.sites.size());
  for (std::size_t q = s.first; q <= s.last; ++q) {
    const Date day = b_.world.calendar.date_of(b_.world.quarters[q].from);
    for (std::size_t p = 0; p < b_.dispatch.pools; ++p) {
      const PoolAreas& a = b_.dispatch.area(q, p);
      const std::size_t i = b_.fleet.pools()[p].site;
      const supply::Site& at = scenario_.supply.sites[i];
      const double mwh = supply::energy_mwh(scenario_.hardware[b_.fleet.pools()[p].device], at,
                                            gpu_hours(a.in_service), gpu_hours(a.allocated));
      for (Energy* e : {&all, &of_site[i]})
        e->add(mwh, supply::value_on(at.co2, day), supply::value_on(at.power_price, day));
    }
  }
  put_energy({{"period", s.label}}, all);
  for (std::size_t i = 0; i < of_site.size(); ++i)
    put_energy({{"period", s.label}, {"site", scenario_.supply.sites[i].name}}, of_site[i]);
}
void UseMeasurer::repairs(const Span& s) {
  RepairCounts sum;
  for (std::size_t q = s.first; q <= s.last; ++q) {
    sum.begun += b_.supply.repairs[q].begun;
    sum.waited += b_.supply.repairs[q].waited;
  }
  if (sum.begun > 0)
    put("repairs.wait.mean", {{"period", s.label}},
        static_cast<double>(sum.waited) * 1e-6 / static_cast<double>(sum.begun));
}
/// In the node view alone: counted GPUs have no machines to lie scattered on.
void UseMeasurer::fragmentation(const Span& s) {
  if (scenario_.scheduling.view != scheduling::View::node || s.hours <= 0) return;
  Area fragmented = 0, idle = 0;
  for (std::size_t p = 0; p < b_.dispatch.pools; ++p) {
    idle += areas(s, p).idle;
    for (std::size_t q = s.first; q <= s.last; ++q)
      fragmented += b_.dispatch.fragmented[q * b_.dispatch.pools + p];
  }
  put("fragmentation.gpus", {{"period", s.label}}, in_gpu_hours(fragmented) / 1000 / s.hours);
  if (idle > 0)
    put("fragmentation.share", {{"period", s.label}},
        ratio(fragmented, idle) / 1000 * static_cast<double>(b_.dispatch.parts_per_gpu));
}
void UseMeasurer::failures(const Span& s) {
  for (std::size_t c = 0; c < b_.supply.causes; ++c) {
    std::uint64_t n = 0;
    for (std::size_t q = s.first; q <= s.last; ++q)
      for (std::size_t t = 0; t < b_.supply.tranches; ++t) n += b_.supply.strike(q, t, c);
    put("failures.count", {{"period", s.label}, {"cause", scenario_.supply.failures.causes[c].name}},
        static_cast<double>(n));
  }
}

}  // namespace natgpu::simulation
