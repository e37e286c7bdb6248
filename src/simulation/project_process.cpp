// SPDX-License-Identifier: Apache-2.0
#include "project_process.hpp"

#include <algorithm>
#include <utility>

namespace natgpu::simulation {

// --- the block

std::uint32_t ProjectProcess::ask(std::uint32_t organisation, std::uint32_t k,
                                  const demand::ProjectRequest& wish) {
  std::uint32_t id;
  if (!spare_.empty()) {
    id = spare_.back();
    spare_.pop_back();
  } else {
    id = static_cast<std::uint32_t>(projects_.size());
    projects_.emplace_back();
  }
  Project& p = projects_[id];
  p.organisation = organisation;
  p.k = k;
  p.project_class = wish.project_class;
  const demand::Demand& demand = world_.scenario.demand;
  JobDesk::Submission s =
      submission(id, JobKind::project, demand.batch.size() + demand.service.size() + wish.project_class);
  s.gpus = wish.gpus;
  s.run_time = s.requested = wish.duration.count();
  s.patience = wish.patience.count();
  if (desk_.ask_for_block(s) == no_index) forget(id);
  return id;
}

JobDesk::Submission ProjectProcess::submission(std::uint32_t project, JobKind kind,
                                               std::size_t job_class) const {
  JobDesk::Submission s;
  s.kind = kind;
  s.organisation = projects_[project].organisation;
  s.service = project;
  s.sector = static_cast<std::uint16_t>(population_.organisations[s.organisation].sector);
  s.job_class = static_cast<std::uint16_t>(job_class);
  s.group = groups_.of_class[job_class];
  return s;
}

void ProjectProcess::granted(std::uint32_t project, std::uint32_t slot) {
  Project& p = projects_[project];
  const Job& block = desk_.job(slot);
  p.block = slot;
  p.end = block.requested_end;
  p.units = BlockUnits(desk_.places_of(slot), world_.now);
  p.jobs.operational = profile_.cumulative(instant(world_.now));
  schedule_job(project);
  schedule_reclaim(project);
}

void ProjectProcess::over(std::uint32_t project) {
  Project& p = projects_[project];
  // None is to end behind its block: whoever still runs ends at this instant.
  std::vector<std::uint32_t> running = p.units.holders(0, p.units.size());
  std::sort(running.begin(), running.end(),
            [&](std::uint32_t a, std::uint32_t b) { return desk_.job(a).id < desk_.job(b).id; });
  for (const std::uint32_t slot : running) desk_.end_inside(slot);
  p.queue.insert(p.queue.end(), p.aside.begin(), p.aside.end());
  for (const std::uint32_t slot : p.queue)
    if (spec(p).overflow)
      desk_.to_common_pool(slot);
    else
      desk_.leave_over(slot);
  world_.events.cancel(p.next_job);
  world_.events.cancel(p.next_reclaim);
  forget(project);
}

void ProjectProcess::forget(std::uint32_t project) {
  const bool touched = projects_[project].touched;
  projects_[project] = Project{};
  projects_[project].touched = touched;  // it still stands in the list
  spare_.push_back(project);
}

// --- its owner's jobs

void ProjectProcess::next_job(std::uint32_t project) {
  Project& p = projects_[project];
  submit(project, streams_.job(p.organisation, p.k, p.project_class, p.jobs.k));
  ++p.jobs.k;
  schedule_job(project);
}

void ProjectProcess::submit(std::uint32_t project, const demand::Request& r) {
  JobDesk::Submission s = submission(project, JobKind::block_job, r.batch_class);
  s.gpus = r.gpus;
  s.run_time = r.run_time.count();
  s.requested = r.requested.count();
  s.patience = r.patience.count();
  s.fate = r.fate;
  const std::uint32_t slot = desk_.admit_inside(s);
  if (slot == no_index) return;
  enqueue(projects_[project], slot);
  touch(project);
}

void ProjectProcess::schedule_job(std::uint32_t project) {
  Project& p = projects_[project];
  if (!(spec(p).jobs.rate > 0)) return;
  p.jobs.operational += streams_.job_gap(p.organisation, p.k, p.project_class, p.jobs.k);
  const Instant at = std::max(profile_.inverse(p.jobs.operational), instant(world_.now) + one_tick);
  if (at >= world_.end || ticks(at) >= p.end) return;
  p.next_job = world_.events.schedule(at, engine::rank_of(engine::Phase::arrive, kind::project_job, project),
                                      {project, 0});
}

bool ProjectProcess::can_hold(const Project& p, std::uint32_t slot) const {
  const std::int64_t machines = p.units.machines_if_idle(desk_.job(slot).gpus);
  return machines != BlockUnits::too_many && desk_.may_be_inside(slot, p.block, machines);
}

/// To its place by submission, if the block can hold it at all.
void ProjectProcess::enqueue(Project& p, std::uint32_t slot) {
  if (!can_hold(p, slot)) return turn_away(p, slot);
  const auto behind =
      std::upper_bound(p.queue.begin(), p.queue.end(), slot,
                       [&](std::uint32_t a, std::uint32_t b) { return desk_.job(a).id < desk_.job(b).id; });
  p.queue.insert(behind, slot);
}
void ProjectProcess::turn_away(Project& p, std::uint32_t slot) {
  if (spec(p).overflow)
    desk_.to_common_pool(slot);
  else
    p.aside.push_back(slot);
}

void ProjectProcess::pass() {
  for (const std::uint32_t project : touched_) {
    projects_[project].touched = false;
    if (projects_[project].block != no_index) run(project);
  }
  touched_.clear();
}
void ProjectProcess::touch(std::uint32_t project) {
  if (std::exchange(projects_[project].touched, true)) return;
  touched_.push_back(project);
}

void ProjectProcess::run(std::uint32_t project) {
  Project& p = projects_[project];
  auto next = p.queue.begin();
  for (; next != p.queue.end(); ++next) {
    const std::int64_t gpus = desk_.job(*next).gpus;
    if (!can_hold(p, *next)) {
      turn_away(p, *next);
      continue;
    }
    const std::int64_t machines = p.units.machines_now(gpus);
    if (machines == BlockUnits::too_many) break;
    if (!desk_.may_be_inside(*next, p.block, machines)) break;  // it may yet be on fewer
    p.units.occupy(*next, gpus);
    desk_.start_inside(*next, p.block, machines);
  }
  p.queue.erase(p.queue.begin(), next);
  schedule_reclaim(project);
}

void ProjectProcess::job_ended(std::uint32_t project, std::uint32_t slot) {
  projects_[project].units.vacate(slot, world_.now);
  touch(project);
}
void ProjectProcess::job_leaves(std::uint32_t project, std::uint32_t slot) {
  Project& p = projects_[project];
  for (std::vector<std::uint32_t>* line : {&p.queue, &p.aside})
    line->erase(std::remove(line->begin(), line->end(), slot), line->end());
  touch(project);
}

// --- its units

void ProjectProcess::lose(std::uint32_t project, std::int64_t first, std::int64_t count) {
  Project& p = projects_[project];
  const std::vector<std::uint32_t> hit = p.units.holders(first, count);
  for (const std::uint32_t slot : hit) {
    desk_.stop_inside(slot);
    p.units.vacate(slot, world_.now);
  }
  const std::vector<scheduling::GpuPlace> lost = p.units.remove(first, count);
  for (const std::uint32_t slot : hit) enqueue(p, slot);
  touch(project);
  desk_.give_back(p.block, lost);
}

void ProjectProcess::lose_machine(std::uint32_t project, std::uint32_t node) {
  const auto [first, count] = projects_[project].units.on_machine(node);
  lose(project, first, count);
}

void ProjectProcess::reclaim(std::uint32_t project) {
  Project& p = projects_[project];
  const std::vector<scheduling::GpuPlace> idle =
      p.units.remove_idle_since(world_.now - spec(p).reclaim_after.count());
  p.reclaim_at = -1;
  touch(project);
  desk_.give_back(p.block, idle);
}

/// At the instant at which the first of its idle units will have been idle for long enough.
void ProjectProcess::schedule_reclaim(std::uint32_t project) {
  Project& p = projects_[project];
  const std::int64_t after = spec(p).reclaim_after.count();
  if (after == 0) return;
  const std::int64_t since = p.units.first_idle_since();
  const std::int64_t at = since < 0 ? -1 : plus(since, after);
  if (at == p.reclaim_at) return;
  world_.events.cancel(p.next_reclaim);
  p.reclaim_at = at;
  if (at >= 0 && instant(at) < world_.end)
    p.next_reclaim = world_.events.schedule(
        instant(at), engine::rank_of(engine::Phase::release, kind::reclaim, project), {project, 0});
}

}  // namespace natgpu::simulation
