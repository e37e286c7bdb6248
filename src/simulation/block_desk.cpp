// SPDX-License-Identifier: Apache-2.0
#include "block_desk.hpp"

#include <algorithm>

#include "machine_mix.hpp"

namespace natgpu::simulation {

void BlockDesk::begin_segment(Job& j, std::uint32_t pool, std::int64_t requested_end) {
  j.state = JobState::running;
  j.pool = pool;
  j.started = world_.now;
  j.requested_end = requested_end;
  queued_parts_ -= j.parts;
  running_jobs_ += 1;
}

void BlockDesk::note_start(Job& j) {
  if (j.has_started) return;
  j.has_started = true;
  world_.events.cancel(j.patience);
  if (j.kind != JobKind::replica) ledger_.first_start(j);
}

std::int64_t BlockDesk::end_of_segment(const Job& j) const {
  const std::int64_t work = time_for(groups_, j, std::max<std::int64_t>(j.run_time - j.done, 1));
  return std::min(plus(plus(j.started, j.stall), work), j.requested_end);
}

void BlockDesk::schedule_completion(std::uint32_t slot, std::int64_t end) {
  Job& j = jobs_[slot];
  j.completion = world_.events.schedule(
      instant(end), engine::rank_of(engine::Phase::release, kind::completion, j.id), {slot, 0});
}

void BlockDesk::settle_end(Job& j) {
  const bool limited = j.kind == JobKind::batch || j.kind == JobKind::block_job;
  const std::int64_t work = time_for(groups_, j, std::max<std::int64_t>(j.run_time - j.done, 1));
  const bool killed = limited && plus(plus(j.started, j.stall), work) > world_.now;
  settlement_.close_segment(j, killed ? Use::lost_limit : end_use(j.fate),
                            killed || j.fate == demand::Fate::user_error);
  ledger_.end(j, killed);
}

void BlockDesk::interrupt(Job& j) {
  world_.events.cancel(j.completion);
  settlement_.close_segment(j, Use::lost_failure, false, true);
  j.attained += world_.now - j.started;
  ++j.restarts;
  ledger_.count(j, &JobCounts::restarts);
  j.stall = groups_.classes[j.job_class].restart_cost;
}

std::uint32_t BlockDesk::admit_inside(const Submission& s) {
  const std::uint32_t slot = admit(s, false);
  if (slot != no_index) wait_inside(jobs_[slot]);
  return slot;
}

void BlockDesk::wait_inside(Job& j) {
  j.state = JobState::queued;
  j.parts = asked(j);
  queued_parts_ += j.parts;
  ++waiting_inside_;
}
void BlockDesk::stop_waiting_inside(const Job& j) {
  queued_parts_ -= j.parts;
  --waiting_inside_;
}

std::int32_t BlockDesk::slowdown_milli(bool spread) const {
  const std::int64_t stated = stated_slowdown(world_.scenario.scheduling);
  return spread ? static_cast<std::int32_t>(std::max<std::int64_t>(stated, 1000)) : 1000;
}

std::int64_t BlockDesk::requested_in(const Job& j, const Job& block, bool spread) const {
  const std::int64_t left = std::max<std::int64_t>(j.requested - j.done, 1);
  return scheduling::slowed(
      scheduling::time_at_speed(plus(left, j.stall), groups_.speed_in(j.group, block.pool)),
      slowdown_milli(spread));
}

bool BlockDesk::may_be_inside(std::uint32_t slot, std::uint32_t block, std::int64_t machines) const {
  const Job &j = jobs_[slot], &in = jobs_[block];
  const scheduling::Scheduling& s = world_.scenario.scheduling;
  const bool spread = is_spread(j, in, machines);
  if (spread && !scheduling::may_spread(s.placement, stated_slowdown(s))) return false;
  return plus(world_.now, requested_in(j, in, spread)) <= in.requested_end;
}

void BlockDesk::start_inside(std::uint32_t slot, std::uint32_t block, std::int64_t machines) {
  const Job& in = jobs_[block];
  const std::uint32_t pool = in.pool;
  Job& j = jobs_[slot];
  const bool spread = is_spread(j, in, machines);
  --waiting_inside_;
  begin_segment(j, pool, plus(world_.now, requested_in(j, in, spread)));
  j.slowdown_milli = slowdown_milli(spread);
  if (spread) ledger_.count(j, &JobCounts::spread);
  j.parts = j.gpus * groups_.parts_per_gpu;
  levels_[pool].reserved.change(world_.now, -j.parts);
  levels_[pool].allocated.change(world_.now, j.parts);
  note_start(j);
  schedule_completion(slot, end_of_segment(j));
}

void BlockDesk::leave_gpus(const Job& j) {
  levels_[j.pool].allocated.change(world_.now, -j.parts);
  levels_[j.pool].reserved.change(world_.now, j.parts);
  --running_jobs_;
}

void BlockDesk::end_inside(std::uint32_t slot) {
  Job& j = jobs_[slot];
  world_.events.cancel(j.completion);  // where the block's own end comes first at this instant
  leave_gpus(j);
  settle_end(j);
  blocks_->job_ended(j.service, slot);
  jobs_.remove(slot);
}

void BlockDesk::stop_inside(std::uint32_t slot) {
  Job& j = jobs_[slot];
  leave_gpus(j);
  interrupt(j);
  wait_inside(j);
}

void BlockDesk::leave_over(std::uint32_t slot) {
  ledger_.count(jobs_[slot], &JobCounts::left_over);
  drop_inside(slot);
}

void BlockDesk::drop_inside(std::uint32_t slot) {
  Job& j = jobs_[slot];
  stop_waiting_inside(j);
  settlement_.close_saved(j, Use::useful);
  world_.events.cancel(j.patience);
  jobs_.remove(slot);
}

}  // namespace natgpu::simulation
