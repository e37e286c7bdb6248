// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/order_settings.hpp>

namespace natgpu::scheduling {

const FieldTable& fields_of(const SectorShare*) {
  static const FieldTable table =
      Fields<SectorShare>("shares of a sector", "What a sector is entitled to against the others.")
          .reference("name", &SectorShare::name, "demand.sectors", "The sector.")
          .required()
          .quantity("share", &SectorShare::share, Dimension::count, positive(),
                    "Its shares; a sector that is not named has one.")
          .required();
  return table;
}

const FieldTable& fields_of(const AccountSettings*) {
  using Level = AccountSettings::Level;
  static const FieldTable table =
      Fields<AccountSettings>(
          "accounts",
          "Whose use and holdings multifactor, fairtree, drf and maxmin weigh, and whose quotas "
          "quota-reclaim keeps; under gavel-las and gavel-ftf, what a job weighs.")
          .choice("level", &AccountSettings::level,
                  {{"organisation", Level::organisation}, {"sector", Level::sector}},
                  "Each organisation by itself, under its sector, or all of a sector together.")
          .items("shares", &AccountSettings::shares,
                 "What sectors are entitled to. Under multifactor, fairtree and quota-reclaim organisations "
                 "divide what their sector has; under drf and maxmin each organisation weighs as much as its "
                 "sector's shares say, and under gavel-las and gavel-ftf each job.");
  return table;
}

const FieldTable& fields_of(const FairShareSettings*) {
  using Factor = FairShareSettings::Factor;
  static const FieldTable table =
      Fields<FairShareSettings>("fair share",
                                "What multifactor and fairtree leave open; slurm.conf's values.")
          .choice("factor", &FairShareSettings::factor,
                  {{"classic", Factor::classic}, {"tree", Factor::tree}},
                  "Of multifactor: 2^(-use / share), or the place in Fair Tree.")
          .duration("half_life", &FairShareSettings::half_life, at_least(0),
                    "After which past use counts half; 0 s: it never fades.")
          .duration("max_age", &FairShareSettings::max_age, at_least(1),
                    "Of multifactor: a wait that counts in full.")
          .quantity("age_weight", &FairShareSettings::age_weight, Dimension::count, between(0, 1e12),
                    "Of multifactor: what a wait of `max_age` is worth.")
          .quantity("fair_share_weight", &FairShareSettings::fair_share_weight, Dimension::count,
                    between(0, 1e12), "Of multifactor: what a factor of 1 is worth.")
          .quantity("size_weight", &FairShareSettings::size_weight, Dimension::count, between(0, 1e12),
                    "Of multifactor: what a job of all GPUs ever planned is worth.")
          .quantity("class_weight", &FairShareSettings::class_weight, Dimension::count, between(0, 1e12),
                    "Of multifactor: what the first of `classes` is worth.");
  return table;
}

const FieldTable& fields_of(const PreemptionSettings*) {
  using Mode = PreemptionSettings::Mode;
  static const FieldTable table =
      Fields<PreemptionSettings>("preemption",
                                 "Who may take the GPUs of a running job. Services keep theirs.")
          .choice(
              "mode", &PreemptionSettings::mode,
              {{"none", Mode::none},
               {"by-class", Mode::by_class},
               {"spot-first", Mode::spot_first},
               {"quota-reclaim", Mode::quota_reclaim}},
              "Nobody (but under srtf, srsf, las, las2d, gavel-las and gavel-ftf, which rank running jobs "
              "too); "
              "jobs of a higher "
              "class, with order priority; all jobs, those of spot jobs, which stand behind them; or jobs of "
              "accounts within their quotas, those of accounts beyond theirs.")
          .duration("shield", &PreemptionSettings::shield, at_least(0),
                    "Of the modes: nobody loses GPUs so soon after a start.")
          .duration("notice", &PreemptionSettings::notice, at_least(0),
                    "From a preemption to the return of the GPUs, which are stalled meanwhile.")
          .duration("rounds", &PreemptionSettings::rounds, at_least(0),
                    "Jobs start and lose GPUs at multiples of it alone, from the first day on; 0 s: whenever "
                    "something happens, and under gavel-las and gavel-ftf each 6 min.")
          .duration("quantum", &PreemptionSettings::quantum, positive(),
                    "Of las: time on GPUs after which a job ranks lower.")
          .quantities("thresholds", &PreemptionSettings::thresholds, Dimension::work, positive(),
                      "Of las2d: GPU time at which a job leaves each queue, rising; none: 1 and 10 GPU.h.")
          .integer("promote", &PreemptionSettings::promote, between(0, 1'000'000),
                   "Of las2d: a wait of so many times its service leads a job to the first queue; 0: never.")
          .texts("spot", &PreemptionSettings::spot, "Of spot-first: batch classes whose jobs are spot jobs.");
  return table;
}

}  // namespace natgpu::scheduling
