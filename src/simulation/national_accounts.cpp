// SPDX-License-Identifier: Apache-2.0
#include "national_accounts.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <string>

namespace natgpu::simulation {
namespace {

using scheduling::AccountSettings;

double share_of(const AccountSettings& settings, const std::string& sector) {
  for (const scheduling::SectorShare& s : settings.shares)
    if (s.name == sector) return s.share;
  return 1;
}

void add_accounts(const scenario::Scenario& scenario, const demand::Population& population,
                  NationalAccounts& accounts) {
  const std::vector<demand::Sector>& sectors = scenario.demand.sectors;
  const AccountSettings& settings = scenario.scheduling.accounts;
  std::vector<std::size_t> in_name_order(sectors.size());
  std::iota(in_name_order.begin(), in_name_order.end(), std::size_t{0});
  std::sort(in_name_order.begin(), in_name_order.end(),
            [&](std::size_t a, std::size_t b) { return sectors[a].name < sectors[b].name; });
  accounts.weights.push_back(1.0);  // of the root
  accounts.of_sector.resize(sectors.size());
  accounts.of_organisation.resize(population.organisations.size());
  const auto add = [&](std::uint32_t parent, double share, double weight) {
    accounts.weights.push_back(weight);
    return accounts.tree.add(parent, share);
  };
  for (const std::size_t s : in_name_order) {
    const double share = share_of(settings, sectors[s].name);
    const std::uint32_t sector = add(scheduling::AccountTree::root, share, share);
    const std::uint32_t first = population.first_of_sector[s], last = population.first_of_sector[s + 1];
    const bool each = settings.level == AccountSettings::Level::organisation;
    for (std::uint32_t o = first; o < last; ++o)
      accounts.of_organisation[o] = each ? add(sector, 1, share) : sector;
    accounts.of_sector[s] =
        each && scenario.demand.trace.sector == sectors[s].name ? add(sector, 1, share) : sector;
  }
}

void rank_classes(const scenario::Scenario& scenario, const JobGroups& groups, NationalAccounts& accounts) {
  const std::vector<std::string>& named = scenario.scheduling.classes;
  const std::vector<std::string>& spot = scenario.scheduling.preemption.spot;
  const bool spot_last =
      scenario.scheduling.preemption.mode == scheduling::PreemptionSettings::Mode::spot_first;
  for (const JobClass& c : groups.classes) {
    const auto at = std::find(named.begin(), named.end(), c.name) - named.begin();
    const bool is_spot = std::find(spot.begin(), spot.end(), c.name) != spot.end();
    accounts.rank_of_class.push_back(spot_last ? is_spot : at);
    accounts.factor_of_class.push_back(1 - static_cast<double>(at) /
                                               static_cast<double>(std::max<std::size_t>(named.size(), 1)));
    if (named.empty()) accounts.factor_of_class.back() = 0;
  }
}

}  // namespace

NationalAccounts make_national_accounts(const scenario::Scenario& scenario,
                                        const demand::Population& population, const JobGroups& groups) {
  NationalAccounts accounts;
  if (by_account(scenario.scheduling)) add_accounts(scenario, population, accounts);
  for (const demand::Sector& s : scenario.demand.sectors)
    accounts.weight_of_sector.push_back(share_of(scenario.scheduling.accounts, s.name));
  rank_classes(scenario, groups, accounts);
  return accounts;
}

scheduling::FairShareRule fair_share_rule(const scheduling::FairShareSettings& settings) {
  using Settings = scheduling::FairShareSettings;
  using Rule = scheduling::FairShareRule;
  Rule rule;
  rule.weights = {settings.age_weight, settings.fair_share_weight, settings.size_weight,
                  settings.class_weight};
  rule.factor = settings.factor == Settings::Factor::tree ? Rule::Factor::tree : Rule::Factor::classic;
  rule.half_life_s = settings.half_life.count() / ticks_per_second;
  rule.longest_age_s = settings.max_age.count() / ticks_per_second;
  return rule;
}

scheduling::PreemptiveRule preemptive_rule(const scheduling::Scheduling& s) {
  scheduling::PreemptiveRule rule;
  const scheduling::PreemptionSettings& p = s.preemption;
  rule.order = s.order;
  rule.skips = s.backfill == scheduling::Backfill::fit;
  if (p.mode != scheduling::PreemptionSettings::Mode::none) rule.shield = p.shield.count();
  rule.notice = p.notice.count();
  rule.round = p.rounds.count();
  if (by_target(s.order) && rule.round == 0) rule.round = scheduling::usual_round.count();
  if (s.order == scheduling::Order::las) rule.quantum = p.quantum.count();
  if (s.order != scheduling::Order::las2d) return rule;
  std::vector<double> hours = p.thresholds;
  if (hours.empty())
    hours.assign(std::begin(scheduling::usual_thresholds), std::end(scheduling::usual_thresholds));
  for (const double h : hours)
    rule.limits.push_back(
        static_cast<Area>(std::llround(h * 3600.0 * static_cast<double>(ticks_per_second))));
  rule.promote = p.promote;
  return rule;
}

}  // namespace natgpu::simulation
