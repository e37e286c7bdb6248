// SPDX-License-Identifier: Apache-2.0
#include "sections.hpp"

namespace natgpu::report {

const std::vector<Section>& sections() {
  static const std::vector<Section> all{
      {Say::who,
       Say::who_text,
       {{{{"share.gpu_hours"}, {"sector"}, {}}},
        {{{"share.gpu_hours"}, {"region"}, {}}},
        {{{"share.gpu_hours.top_groups", "fairness."}, {}, {}}},
        {{{"jobs.submitted.count", "jobs.finished.count", "jobs.gave_up.count"}, {"sector"}, {}}},
        {{{"jobs.wait.mean", "jobs.wait.p50", "jobs.wait.p95", "jobs.censored.count"}, {"sector"}, {}},
         Say::waits_text}}},
      {Say::use, Say::use_text, {{{{"gpu."}, {}, {}}}, {{{"gpu.hours"}, {"state"}, {}}}}},
      {Say::jobs,
       Say::jobs_text,
       {{{{"jobs."}, {}, {}}}, {{{"services."}, {}, {}}}, {{{"projects."}, {}, {}}}}},
      {Say::energy, Say::energy_text, {{{{"energy."}, {}, {}}}, {{{"energy.mwh"}, {"site"}, {}}}}},
      {Say::failures, Say::failures_text, {{{{"failures.count"}, {"cause"}, {}}}, {{{"repairs."}, {}, {}}}}},
      {Say::adoption,
       Say::adoption_text,
       {{{{"adoption."}, {}, {}}}, {{{"adoption.any_ai.share", "adoption.gpu_user.share"}, {"sector"}, {}}}}},
  };
  return all;
}

}  // namespace natgpu::report
