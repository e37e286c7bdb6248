// SPDX-License-Identifier: Apache-2.0
// The accounts and classes of a scenario's jobs, for orders that rank by them.
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/demand/population.hpp>
#include <natgpu/scenario/scenario.hpp>
#include <natgpu/scheduling/account_tree.hpp>
#include <natgpu/scheduling/fair_share.hpp>
#include <natgpu/scheduling/preemptive_rule.hpp>

#include "job_groups.hpp"

namespace natgpu::simulation {

/// Sectors in name order and under them their organisations, in the order of their numbers; what a log's jobs
/// hold stands last in its sector. Empty where neither order nor quotas ask for it.
struct NationalAccounts {
  scheduling::AccountTree tree;
  std::vector<double> weights;                 ///< by node: the shares of its sector
  std::vector<std::uint32_t> of_organisation;  ///< node
  std::vector<std::uint32_t> of_sector;        ///< node of jobs without an organisation
  std::vector<double> weight_of_sector;        ///< its shares: of gavel-las and gavel-ftf, each job's
  std::vector<std::int64_t> rank_of_class;     ///< by class of JobGroups: 0 is the highest
  std::vector<double> factor_of_class;         ///< of multifactor: 1 for the first, 0 for those not named

  std::uint32_t node(std::uint32_t organisation, std::uint16_t sector) const {
    return organisation == no_organisation ? of_sector[sector] : of_organisation[organisation];
  }
  static constexpr std::uint32_t no_organisation = 0xffffffff;
};

NationalAccounts make_national_accounts(const scenario::Scenario& scenario,
                                        const demand::Population& population, const JobGroups& groups);

/// What the scenario leaves of Slurm's rules to state.
scheduling::FairShareRule fair_share_rule(const scheduling::FairShareSettings& settings);

/// The preemption that the scenario states, for dispatchers that take GPUs back.
scheduling::PreemptiveRule preemptive_rule(const scheduling::Scheduling& scheduling);

}  // namespace natgpu::simulation
