// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <tuple>

#include <natgpu/supply/fleet.hpp>

namespace natgpu::supply {
namespace {

/// Longer delays than this mean that it never comes; keeps sums of a few of them far from the end of time.
constexpr double longest_delay_s = 1e11;  // 3,169 years

/// Entities of a tranche's draws. Their numbers are part of the meaning of a seed: append only.
enum DrawnStage : std::uint64_t {
  tender_outcome = 0,
  tender_round = 1,
  delivery = 2,
  commissioning = 3,
  service_slip = 4,
};

/// Indices of a grid step's draws; append only.
enum GridDraw : std::uint32_t { grid_approval = 0, grid_slip = 1 };

/// A delay as drawn, or none if it is endless.
std::optional<Duration> drawn(const Law& law, const Stream& stream, std::uint64_t entity,
                              std::uint32_t index) {
  Draw draw(stream, entity, index);
  const double s = law.sample(draw);
  if (!(s < longest_delay_s)) return std::nullopt;
  return s > 0 ? ticks_from_seconds(s) : Duration{0};
}

Instant after(Instant from, const std::optional<Duration>& delay) {
  return from == never || !delay ? never : from + *delay;
}

/// The instant from which a law's delay leads to `to`. An endless delay puts it as far back as delays go.
Instant before(Instant to, const std::optional<Duration>& delay) {
  return to - delay.value_or(ticks_from_seconds(longest_delay_s));
}

/// Award of a call that opens at `call`: as many rounds as it takes, or never.
Instant award(const Tender& tender, Instant call, const Stream& stream) {
  Instant at = call;
  for (std::uint32_t round = 0; round < static_cast<std::uint32_t>(tender.max_rounds); ++round) {
    at = after(at, drawn(tender.round, stream, tender_round, round));
    if (at == never) return never;
    if (stream.unit(tender_outcome, round) >= tender.failure) return at;
  }
  return never;
}

struct Stages {
  Instant ordered = never, delivered = never, commissioned = never, retired = never;
};

/// Fixed points of a tranche's waterfall.
struct Stated {
  Instant call, delivered, service;
  Stated(const Tranche& t, const Calendar& calendar)
      : call(calendar.at(t.ordered)),
        delivered(calendar.at(t.delivered)),
        service(calendar.at(t.in_service)) {}
};

Stages stages_of_lease(const Tranche& tranche, const Stated& stated, const Stream& stream) {
  Stages s;
  s.commissioned = after(stated.service, drawn(tranche.slip, stream, service_slip, 0));
  s.delivered = std::min(stated.delivered, s.commissioned);
  s.ordered = std::min(stated.call, s.delivered);
  return s;
}

Stages stages_of_purchase(const Tranche& tranche, const Stated& stated, const Stream& stream) {
  const auto delivery_delay = drawn(tranche.delivery, stream, delivery, 0);
  const auto commissioning_delay = drawn(tranche.commissioning, stream, commissioning, 0);
  const bool called = stated.call != never;
  Stages s;
  if (called) s.ordered = award(tranche.tender, stated.call, stream);
  s.delivered = stated.delivered != never ? stated.delivered : after(s.ordered, delivery_delay);
  const Instant service = stated.service != never ? stated.service : after(s.delivered, commissioning_delay);
  s.commissioned = after(service, drawn(tranche.slip, stream, service_slip, 0));

  if (s.delivered == never)
    s.delivered = called || service == never ? s.commissioned : before(service, commissioning_delay);
  s.delivered = std::min(s.delivered, s.commissioned);
  if (s.ordered == never)
    s.ordered = called || s.delivered == never ? s.delivered : before(s.delivered, delivery_delay);
  s.ordered = std::min(s.ordered, s.delivered);
  return s;
}

Stages draw_stages(const Tranche& tranche, const Calendar& calendar, Streams& streams) {
  const Stream stream = streams.open("supply", tranche.name);
  const Stated stated(tranche, calendar);
  Stages s = tranche.origin == TrancheOrigin::lease ? stages_of_lease(tranche, stated, stream)
                                                    : stages_of_purchase(tranche, stated, stream);
  if (s.commissioned == never) return s;
  if (!tranche.until.is_never) {
    s.retired = calendar.at(tranche.until);
  } else if (tranche.service_life < never - std::max(s.commissioned, Instant{})) {
    s.retired = s.commissioned + tranche.service_life;
  }
  return s.commissioned < s.retired ? s : Stages{};
}

void add(std::vector<SupplyEvent>& events, SupplyEvent event, Instant at) {
  if (at == never) return;
  event.at = std::max(at, Instant{});
  event.since = at < Instant{} ? at : never;
  events.push_back(event);
}

void add_tranche(std::vector<SupplyEvent>& events, std::uint32_t tranche, const Stages& s) {
  SupplyEvent event;
  event.subject = tranche;
  event.kind = SupplyEventKind::ordered;
  add(events, event, s.ordered);
  event.kind = SupplyEventKind::delivered;
  add(events, event, s.delivered);
  event.kind = SupplyEventKind::commissioned;
  add(events, event, s.commissioned);
  event.kind = SupplyEventKind::retired;
  event.foreseen = true;
  add(events, event, s.retired);
}

struct DrawnStep {
  Instant at;
  std::uint32_t ordinal;
};

/// The steps that come, in the order in which they come, without those that a later one of the list
/// overtakes.
std::vector<DrawnStep> draw_steps(const Site& site, const Calendar& calendar, Streams& streams) {
  const Stream stream = streams.open("grid", site.name);
  std::vector<DrawnStep> steps;
  for (std::uint32_t i = 0; i < site.grid.size(); ++i) {
    const GridStep& step = site.grid[i];
    const bool approved = stream.unit(i, grid_approval) < step.approval;
    const Instant at = after(calendar.at(step.from), drawn(step.slip, stream, i, grid_slip));
    if (!approved || at == never) continue;
    while (!steps.empty() && steps.back().at >= at) steps.pop_back();  // overtaken before or as they come
    steps.push_back({at, i});
  }
  return steps;
}

void add_site(std::vector<SupplyEvent>& events, std::uint32_t ordinal, const Site& site,
              const Calendar& calendar, Streams& streams) {
  if (site.grid.empty()) return;
  const std::vector<DrawnStep> steps = draw_steps(site, calendar, streams);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool replaced_before_start = i + 1 < steps.size() && steps[i + 1].at <= Instant{};
    if (replaced_before_start) continue;
    const GridStep& step = site.grid[steps[i].ordinal];
    SupplyEvent event;
    event.kind = SupplyEventKind::grid;
    event.subject = ordinal;
    event.amount = step.power_w;
    event.foreseen = step.approval >= 1 && step.slip == Law::constant(0);
    add(events, event, steps[i].at);
  }
}

}  // namespace

std::vector<SupplyEvent> draw_timeline(const std::vector<Device>&, const Supply& supply,
                                       const Calendar& calendar, Streams& streams) {
  std::vector<SupplyEvent> events;
  for (std::uint32_t i = 0; i < supply.sites.size(); ++i)
    add_site(events, i, supply.sites[i], calendar, streams);
  for (std::uint32_t i = 0; i < supply.tranches.size(); ++i)
    add_tranche(events, i, draw_stages(supply.tranches[i], calendar, streams));
  const auto key = [](const SupplyEvent& e) {
    return std::tuple(std::min(e.at, e.since), e.kind, e.subject);  // `since` is before the start, or never
  };
  std::sort(events.begin(), events.end(), [&key](const auto& a, const auto& b) { return key(a) < key(b); });
  return events;
}

}  // namespace natgpu::supply
