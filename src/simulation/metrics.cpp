// SPDX-License-Identifier: Apache-2.0
#include <natgpu/simulation/metrics.hpp>
#include <natgpu/simulation/simulate.hpp>
#include <natgpu/supply/metrics.hpp>

namespace natgpu::simulation {

const std::vector<measures::MetricRow>& own_metric_rows() {
  static const std::vector<measures::MetricRow> rows = {
      {"gpu.allocated.share", "share", "period,site,gpu",
       "Integral of allocated GPUs / integral of public GPUs in service (down included)."},
      {"gpu.allocated.of_up.share", "share", "period",
       "Integral of allocated GPUs / integral of GPUs that are up."},
      {"gpu.busy.share", "share", "period",
       "Integral of allocated GPUs less stalled ones / integral of public GPUs in service."},
      {"gpu.useful.share", "share", "period",
       "GPU-time of finished jobs and checkpointed work of cancelled ones / integral of public GPUs in "
       "service."},
      {"gpu.hours", "GPU.h", "period,state,cause",
       "Public GPU-time by state: in_service = down + idle + reserved (the part of projects' blocks in which "
       "nothing runs) + allocated; allocated = stalled + useful + lost (by cause: "
       "failure, limit, user_error, cancel, preemption) + unfinished (work since the last checkpoint at the "
       "horizon). A job that shares a GPU counts with what it holds of it."},
      {"gpu.reserved.share", "share", "period",
       "Integral of GPUs of projects' blocks in which nothing runs / integral of public GPUs in service."},
      {"fragmentation.gpus", "GPU", "period",
       "Idle GPUs that a job to be expected cannot use, as a mean over these jobs and over time; in the node "
       "view (F of Weng et al., USENIX ATC 2023)."},
      {"fragmentation.share", "share", "period", "The same as a share of idle GPU-time."},
      {"gpu.queued", "GPU", "", "GPUs asked for by waiting jobs at an instant."},
      {"share.gpu_hours", "share", "period,sector,region",
       "Allocated GPU-time of the sector or region / allocated GPU-time of all. Jobs of a log have no "
       "region."},
      {"share.gpu_hours.top_groups", "share", "period",
       "Share of allocated GPU-time that goes to the five owner groups with most of it."},
      {"gpu_hours.sector", "GPU.h", "period,sector", "Allocated GPU-time of the sector."},
      {"fairness.gini", "1", "period",
       "Gini coefficient of allocated GPU-time over organisations that got any."},
      {"fairness.jain", "1", "period",
       "Jain's index (sum x)^2 / (n sum x^2) of allocated GPU-time over organisations that got any "
       "(Jain, Chiu & Hawe, DEC TR-301, 1984)."},
      {"fairness.hhi", "1", "period",
       "Herfindahl-Hirschman index: sum of squared shares of allocated GPU-time over owner groups."},
      {"jobs.submitted.count", "1", "period,sector,class", "Jobs submitted in the period."},
      {"jobs.finished.count", "1", "period,sector,class", "Of these, jobs that did their work."},
      {"jobs.killed.count", "1", "period,sector,class", "Of these, jobs stopped at their requested time."},
      {"jobs.failed.count", "1", "period,sector,class", "Of these, jobs ended by a user's error."},
      {"jobs.cancelled.count", "1", "period,sector,class", "Of these, jobs ended by their user's will."},
      {"jobs.rejected.count", "1", "period,sector,class",
       "Of these, jobs refused at submission: larger than any pool will ever be, or a full queue."},
      {"jobs.gave_up.count", "1", "period,sector,class",
       "Of these, jobs whose patience ended before they started."},
      {"jobs.left_over.count", "1", "period,sector,class",
       "Of these, jobs of a project that still waited in its block when that was over."},
      {"jobs.running.count", "1", "period,sector,class",
       "Of these, jobs that still run at the end of the run."},
      {"jobs.queued.count", "1", "period,sector,class",
       "Of these, jobs that still wait at the end of the run."},
      {"jobs.censored.count", "1", "period,sector,class",
       "Of these, jobs that had not started at the end of the run."},
      {"jobs.censored.wait.mean", "s", "period,sector,class",
       "Mean of end of the run - eligible over these: how long they have waited so far."},
      {"jobs.restarts.count", "1", "period,sector,class",
       "Times such jobs were requeued by a failure or a loss."},
      {"jobs.spread.count", "1", "period,sector,class",
       "Of these, starts on more machines than the fewest; in the node view."},
      {"jobs.preempted.count", "1", "period,sector,class",
       "Times such jobs lost their GPUs to others (only where the scenario lets that happen)."},
      {"promises.broken.count", "1", "period",
       "Reserved starts put off in the period by a loss of GPUs that nobody knew of (backfill conservative "
       "and reservations)."},
      {"jobs.wait.mean", "s", "period,sector,class",
       "Mean of first start - eligible over started jobs of the period's cohort; with censored jobs a lower "
       "bound."},
      {"jobs.wait.p50", "s", "period,sector,class",
       "Median wait by nearest rank, absent where the rank falls among censored jobs."},
      {"jobs.wait.p95", "s", "period,sector,class",
       "95th percentile of waits by nearest rank, absent where the rank falls among censored jobs."},
      {"jobs.turnaround.mean", "s", "period,sector,class", "Mean of end - submission over ended jobs."},
      {"jobs.bounded_slowdown.mean", "1", "period,sector,class",
       "Mean over ended jobs of max(1, turnaround / max(service, floor)); service = min(run time, request) "
       "once."},
      {"warmup.cut.days", "d", "period",
       "Days left out at the start of a run of a steady state, by MSER-5 ([model.md](model.md), 4)."},
      {"services.entries.count", "1", "period", "Times a service asked for a replica above its floor."},
      {"services.lapsed.count", "1", "period", "Of these, lapsed unserved at the next change of the curve."},
      {"services.unserved.gpu_hours", "GPU.h", "period",
       "GPU-time wanted by replicas that waited, or shared GPUs, and not had."},
      {"projects.asked.count", "1", "period", "Projects that asked for a block."},
      {"projects.granted.count", "1", "period", "Of these, projects that got it."},
      {"projects.rejected.count", "1", "period",
       "Of these, projects refused at once: larger than any pool will ever be, or a full queue."},
      {"projects.gave_up.count", "1", "period",
       "Of these, projects whose patience ended before their block was granted."},
      {"projects.waiting.count", "1", "period",
       "Of these, projects that still wait for their block at the end of the run."},
      {"projects.wait.mean", "s", "period", "Mean of grant - request over granted projects."},
      {"adoption.any_ai.share", "share", "at,sector",
       "Organisations that use any AI / organisations, by `represents`."},
      {"adoption.gpu_user.share", "share", "at,sector",
       "Organisations that compute on the public pool / organisations, by `represents`."},
      {"adoption.gpu_user.count", "1", "", "Organisations that compute on the public pool at an instant."},
      {"supply.unconfirmed.share", "share", "period",
       "Public GPU-time in service that rests on tranches not confirmed as met / all of it."},
  };
  return rows;
}

const std::vector<measures::MetricRow>& metric_rows() {
  static const std::vector<measures::MetricRow> rows = [] {
    std::vector<measures::MetricRow> all = supply::metric_rows();
    const auto& own = own_metric_rows();
    all.insert(all.end(), own.begin(), own.end());
    return all;
  }();
  return rows;
}

}  // namespace natgpu::simulation
