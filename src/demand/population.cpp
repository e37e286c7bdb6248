// SPDX-License-Identifier: Apache-2.0
#include <natgpu/demand/population.hpp>

#include <algorithm>
#include <numeric>

#include "sampling.hpp"

namespace natgpu::demand {
namespace {

/// Indices of names in a growing list; a list of shares turns into positions in it.
std::vector<std::uint16_t> positions(const std::vector<NamedShare>& shares, std::vector<std::string>& names) {
  std::vector<std::uint16_t> all;
  for (const NamedShare& s : shares) {
    auto at = std::find(names.begin(), names.end(), s.name);
    if (at == names.end()) at = names.insert(names.end(), s.name);
    NATGPU_ENSURE(names.size() <= 0xffff, "names of regions and verticals fit into 16 bits");
    all.push_back(static_cast<std::uint16_t>(at - names.begin()));
  }
  return all;
}

struct NameDraw {
  std::vector<double> cumulative;
  std::vector<std::uint16_t> position;
  NameDraw(const std::vector<NamedShare>& shares, std::vector<std::string>& names)
      : cumulative(cumulative_shares(shares)), position(positions(shares, names)) {}
  std::uint16_t pick(double u) const {
    return position.empty() ? std::uint16_t{0} : position[pick_share(cumulative, u)];
  }
};

std::uint32_t simulated(const Sector& s) {
  return static_cast<std::uint32_t>((s.organisations + s.represents - 1) / s.represents);
}

/// The last one stands for what is left.
std::uint32_t represented(const Sector& s, std::uint32_t ordinal) {
  return static_cast<std::uint32_t>(std::min(s.represents, s.organisations - s.represents * ordinal));
}

Organisation draw_one(const Sector& s, const Stream& stream, std::uint32_t ordinal, double mean_activity) {
  Organisation o;
  o.ordinal = ordinal;
  o.group = s.owner_groups > 0 ? ordinal % static_cast<std::uint32_t>(s.owner_groups) : ordinal;
  o.represents = represented(s, ordinal);
  const Block traits = stream.block(ordinal, 0);
  o.demander = traits.unit32(0) >= s.non_demanders;
  o.onboards = o.demander && traits.unit32(1) < s.onboarding.share;
  const Block diffusion = stream.block(ordinal, 1);
  o.disposition = diffusion.unit(0);
  o.threshold = -portable_log(diffusion.unit(1));
  Draw activity(stream, ordinal, 2);
  o.activity = s.activity.sample(activity) / mean_activity;
  Draw onboarding(stream, ordinal, 3);
  o.onboarding = ticks_or_endless(s.onboarding.duration.sample(onboarding));
  if (s.onboarding.lapse_rate > 0)
    o.stays = ticks_at_least_one(-portable_log(stream.unit(ordinal, 4)) / s.onboarding.lapse_rate);
  return o;
}

std::size_t whole(double share, std::size_t count) {
  return static_cast<std::size_t>(share * static_cast<double>(count) + 0.5);
}

/// The lowest dispositions are any_ai, and the lowest demanders among these gpu_user.
void set_initial_states(const Sector& s, Organisation* first, std::size_t count) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [first](std::uint32_t a, std::uint32_t b) {
    return std::make_pair(first[a].disposition, a) < std::make_pair(first[b].disposition, b);
  });
  const std::size_t any_ai = std::min(whole(s.adoption.initial, count), count);
  std::size_t gpu_users = whole(s.onboarding.initial, count);
  for (std::size_t i = 0; i < any_ai; ++i) {
    Organisation& o = first[order[i]];
    o.any_ai_at_start = true;
    if (!o.demander || gpu_users == 0) continue;
    o.gpu_user_at_start = true;
    --gpu_users;
  }
}

}  // namespace

Population draw_population(const Demand& demand, Streams& streams) {
  Population population;
  population.regions = {""};
  population.verticals = {""};
  std::size_t total = 0;
  for (const Sector& s : demand.sectors) total += simulated(s);
  population.organisations.reserve(total);
  for (std::size_t sector = 0; sector < demand.sectors.size(); ++sector) {
    const Sector& s = demand.sectors[sector];
    const std::size_t first = population.organisations.size();
    population.first_of_sector.push_back(static_cast<std::uint32_t>(first));
    const Stream stream = streams.open("organisations", s.name);
    const NameDraw regions(s.regions, population.regions);
    const NameDraw verticals(s.verticals, population.verticals);
    const double mean_activity = s.activity.mean();
    NATGPU_ENSURE(mean_activity > 0, "the mean of a sector's activity is positive");
    const std::uint32_t count = simulated(s);
    for (std::uint32_t ordinal = 0; ordinal < count; ++ordinal) {
      Organisation o = draw_one(s, stream, ordinal, mean_activity);
      const Block traits = stream.block(ordinal, 0);
      o.sector = static_cast<std::uint32_t>(sector);
      o.region = regions.pick(traits.unit32(2));
      o.vertical = verticals.pick(traits.unit32(3));
      population.organisations.push_back(o);
    }
    set_initial_states(s, population.organisations.data() + first, count);
  }
  population.first_of_sector.push_back(static_cast<std::uint32_t>(total));
  return population;
}

}  // namespace natgpu::demand
