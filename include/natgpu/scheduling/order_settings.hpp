// SPDX-License-Identifier: Apache-2.0
// What a scenario states for orders by account and class, and for preemption.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/field.hpp>
#include <natgpu/core/time.hpp>

namespace natgpu::scheduling {

/// The shares that a sector is entitled to, against the other sectors.
struct SectorShare {
  std::string name;
  double share = 1;
  friend bool operator==(const SectorShare&, const SectorShare&) = default;
};

/// Whose use and holdings orders by account weigh, and who has quotas; of gavel-las and gavel-ftf, the weights
/// of jobs.
struct AccountSettings {
  enum class Level : std::uint8_t {
    organisation,  ///< each by itself, under its sector
    sector,        ///< all organisations of a sector together
  };
  Level level = Level::organisation;
  std::vector<SectorShare> shares;  ///< sectors that are not named have one each
  friend bool operator==(const AccountSettings&, const AccountSettings&) = default;
};

/// What multifactor and fairtree leave open; slurm.conf's values, and the weights of SchedMD's sample
/// configuration (Multifactor Priority Plugin).
struct FairShareSettings {
  enum class Factor : std::uint8_t { classic, tree };
  Factor factor = Factor::classic;  ///< of multifactor
  Duration half_life = days(7);     ///< of use; 0: it never fades
  Duration max_age = days(7);       ///< a wait that counts in full
  double age_weight = 1000, fair_share_weight = 10000, size_weight = 1000, class_weight = 1000;
  friend bool operator==(const FairShareSettings&, const FairShareSettings&) = default;
};

/// Who may take the GPUs of a running job, and how.
struct PreemptionSettings {
  enum class Mode : std::uint8_t {
    none,           ///< nobody; or whom an order that ranks running jobs too puts first
    by_class,       ///< jobs of a higher class
    spot_first,     ///< all others those of spot jobs
    quota_reclaim,  ///< accounts within their quotas those of accounts beyond theirs
  };
  Mode mode = Mode::none;
  Duration shield = hours(2);      ///< of the modes: nobody loses GPUs so soon after a start
  Duration notice{0};              ///< from a preemption to the return of the GPUs
  Duration rounds{0};              ///< passes at multiples of it alone; 0: whenever something happens
  Duration quantum = hours(1);     ///< of las
  std::vector<double> thresholds;  ///< of las2d: GPU-hours at which a job leaves each queue
  std::int64_t promote = 0;        ///< of las2d; 0: nothing leads back to the first queue
  std::vector<std::string> spot;   ///< classes of jobs, of spot-first
  friend bool operator==(const PreemptionSettings&, const PreemptionSettings&) = default;
};
/// Thresholds of las2d where none are stated, GPU-hours: Tiresias's two queues, and one behind.
inline constexpr double usual_thresholds[] = {1, 10};
/// Rounds of gavel-las and gavel-ftf where none are stated: Gavel's.
inline constexpr Duration usual_round = seconds(360);

const FieldTable& fields_of(const SectorShare*);
const FieldTable& fields_of(const AccountSettings*);
const FieldTable& fields_of(const FairShareSettings*);
const FieldTable& fields_of(const PreemptionSettings*);

}  // namespace natgpu::scheduling
