// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "measurer.hpp"

namespace natgpu::simulation {

Area JobMeasurer::of_sector(const Span& s, std::size_t sector) const {
  Area sum = 0;
  for (std::size_t q = s.first; q <= s.last; ++q)
    for (std::size_t p = 0; p < b_.dispatch.pools; ++p)
      for (std::size_t u = 0; u < uses; ++u)
        sum += b_.dispatch.gpu_time.at(q, p, sector, static_cast<Use>(u));
  return sum;
}

void JobMeasurer::sectors(const Span& s) {
  Area all = 0;
  std::vector<Area> by_sector;
  for (std::size_t sector = 0; sector < b_.dispatch.sectors; ++sector) {
    by_sector.push_back(of_sector(s, sector));
    all += by_sector.back();
  }
  for (std::size_t sector = 0; sector < by_sector.size(); ++sector) {
    const Labels labels = {{"period", s.label}, {"sector", scenario_.demand.sectors[sector].name}};
    put("gpu_hours.sector", labels, gpu_hours(by_sector[sector]));
    if (all > 0) put("share.gpu_hours", labels, ratio(by_sector[sector], all));
  }
}
void JobMeasurer::regions_and_groups() {
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
    each.push_back(gpu_hours(a));
  }
  if (all == 0) return;
  for (std::size_t r = 0; r < regions.size(); ++r)
    if (!b_.population.regions[r].empty())
      put("share.gpu_hours", {{"period", "all"}, {"region", b_.population.regions[r]}},
          ratio(regions[r], all));
  std::vector<double> shares;
  for (const auto& [group, area] : groups) shares.push_back(ratio(area, all));
  put_concentration(std::move(shares));
  put_inequality(std::move(each));
}
/// How much the largest owner groups have.
void JobMeasurer::put_concentration(std::vector<double> shares) {
  double hhi = 0;
  for (const double share : shares) hhi += share * share;
  std::sort(shares.rbegin(), shares.rend());
  double top = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(5, shares.size()); ++i) top += shares[i];
  put("share.gpu_hours.top_groups", {{"period", "all"}}, top);
  put("fairness.hhi", {{"period", "all"}}, hhi);
}
/// Among organisations that got any GPU-hours.
void JobMeasurer::put_inequality(std::vector<double> hours) {
  std::sort(hours.begin(), hours.end());
  double sum = 0, squares = 0, ranked = 0;
  for (std::size_t i = 0; i < hours.size(); ++i) {
    sum += hours[i];
    squares += hours[i] * hours[i];
    ranked += static_cast<double>(i + 1) * hours[i];
  }
  const auto n = static_cast<double>(hours.size());
  put("fairness.gini", {{"period", "all"}}, 2 * ranked / (n * sum) - (n + 1) / n);
  put("fairness.jain", {{"period", "all"}}, sum * sum / (n * squares));
}
void JobMeasurer::put_jobs(const Labels& labels, const JobCounts& c) {
  const std::pair<const char*, std::uint64_t> counts[] = {
      {"jobs.submitted.count", c.submitted}, {"jobs.finished.count", c.finished},
      {"jobs.killed.count", c.killed},       {"jobs.failed.count", c.failed},
      {"jobs.cancelled.count", c.cancelled}, {"jobs.rejected.count", c.rejected},
      {"jobs.gave_up.count", c.gave_up},     {"jobs.running.count", c.running},
      {"jobs.queued.count", c.queued},       {"jobs.censored.count", c.censored},
      {"jobs.restarts.count", c.restarts}};
  for (const auto& [name, n] : counts) put(name, labels, static_cast<double>(n));
  if (scenario_.scheduling.view == scheduling::View::node)
    put("jobs.spread.count", labels, static_cast<double>(c.spread));
  if (preempting()) put("jobs.preempted.count", labels, static_cast<double>(c.preemptions));
  if (with_projects()) put("jobs.left_over.count", labels, static_cast<double>(c.left_over));
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
/// Censored jobs wait longer than any that started counts: ranks among them are not known.
void JobMeasurer::put_quantile(const char* metric, const Labels& labels, const JobCounts& c, double p) {
  const auto with_censored = static_cast<double>(c.started + c.censored);
  const double rank = p * with_censored;
  if (rank > static_cast<double>(c.started)) return;
  put(metric, labels, c.wait_s.quantile(rank / static_cast<double>(c.started)));
}
void JobMeasurer::jobs_by_sector(const Span& s) {
  JobCounts all;
  for (std::size_t sector = 0; sector < b_.dispatch.sectors; ++sector) {
    JobCounts sum;
    for (std::size_t q = s.first; q <= s.last; ++q) sum.merge(b_.dispatch.cohort(q, sector));
    put_jobs({{"period", s.label}, {"sector", scenario_.demand.sectors[sector].name}}, sum);
    all.merge(sum);
  }
  put_jobs({{"period", s.label}}, all);
}
void JobMeasurer::broken_promises(const Span& s) {
  std::uint64_t n = 0;
  for (std::size_t q = s.first; q <= s.last; ++q) n += b_.dispatch.promises_broken[q];
  put("promises.broken.count", {{"period", s.label}}, static_cast<double>(n));
}
void JobMeasurer::jobs_by_class() {
  for (std::size_t c = 0; c < b_.groups.classes.size(); ++c)
    if (b_.dispatch.by_class[c].submitted > 0)
      put_jobs({{"period", "all"}, {"class", b_.groups.classes[c].name}}, b_.dispatch.by_class[c]);
}
void JobMeasurer::services() {
  if (scenario_.demand.service.empty()) return;
  put("services.entries.count", {{"period", "all"}}, static_cast<double>(b_.replicas.entries));
  put("services.lapsed.count", {{"period", "all"}}, static_cast<double>(b_.replicas.lapsed));
  put("services.unserved.gpu_hours", {{"period", "all"}}, gpu_hours(b_.replicas.unserved));
}
/// Projects are jobs of their classes; here all together, and what became of their owners' jobs.
void JobMeasurer::projects() {
  if (!with_projects()) return;
  JobCounts all;
  const std::size_t first = scenario_.demand.batch.size() + scenario_.demand.service.size();
  for (std::size_t c = 0; c < scenario_.demand.project.size(); ++c)
    all.merge(b_.dispatch.by_class[first + c]);
  const std::pair<const char*, std::uint64_t> counts[] = {{"projects.asked.count", all.submitted},
                                                          {"projects.granted.count", all.started},
                                                          {"projects.rejected.count", all.rejected},
                                                          {"projects.gave_up.count", all.gave_up},
                                                          {"projects.waiting.count", all.queued}};
  for (const auto& [name, n] : counts) put(name, {{"period", "all"}}, static_cast<double>(n));
  if (all.started > 0)
    put("projects.wait.mean", {{"period", "all"}},
        static_cast<double>(all.waited) * 1e-6 / static_cast<double>(all.started));
}

void JobCounts::merge(const JobCounts& o) {
  submitted += o.submitted;
  finished += o.finished;
  killed += o.killed;
  failed += o.failed;
  cancelled += o.cancelled;
  rejected += o.rejected;
  gave_up += o.gave_up;
  left_over += o.left_over;
  running += o.running;
  queued += o.queued;
  started += o.started;
  censored += o.censored;
  restarts += o.restarts;
  preemptions += o.preemptions;
  spread += o.spread;
  waited += o.waited;
  turnaround += o.turnaround;
  censored_wait += o.censored_wait;
  slowdown += o.slowdown;
  wait_s.merge(o.wait_s);
}

}  // namespace natgpu::simulation
