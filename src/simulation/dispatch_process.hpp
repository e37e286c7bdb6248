// SPDX-License-Identifier: Apache-2.0
// From submission to the end of a job: applies the dispatcher's decisions, carries out ends, failures and
// requeues, and keeps the books. The rules of who runs are in `scheduling`, those of who asks in `demand`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include "block_desk.hpp"
#include "dispatch_port.hpp"

namespace natgpu::simulation {

/// @tparam Dispatcher  whatever a DispatchPort can talk to
template <class Dispatcher>
class DispatchProcess : public BlockDesk {
 public:
  static constexpr bool shares = false;  ///< whether running jobs may have less than they ask for

  DispatchProcess(const DispatchParts& parts, Dispatcher dispatcher, Streams& streams)
      : BlockDesk(parts),
        port_(world_, parts.accounts, streams, std::move(dispatcher)),
        dispatcher_(port_.dispatcher()) {}

  Dispatcher& dispatcher() { return dispatcher_; }

  // --- jobs come

  /// @returns the job's slot, or no_index if it was rejected
  std::uint32_t submit(const Submission& s) {
    const std::uint32_t slot = admit(s, queue_is_full());
    if (slot != no_index) enqueue(slot);
    return slot;
  }
  std::uint32_t ask_for_block(const Submission& s) override { return submit(s); }
  /// A waiting job leaves: its patience is over, or its service wants it no more.
  void withdraw(std::uint32_t slot) {
    const Job& j = jobs_[slot];
    port_.withdraw(slot, j);
    queued_parts_ -= j.parts;
    world_.events.cancel(j.patience);
    forget(slot);
  }

  // --- the pass

  void decide() {
    pass();
    if (dismiss_impatient([this](std::uint32_t slot) { dismiss(slot); })) pass();
    if constexpr (Port::wakes) wake_at_next_start();
    if constexpr (Port::on_machines) note_fragmentation();
  }
  /// The dispatcher's sink: a job starts now.
  void start(const scheduling::WaitingJob& waiting, std::uint32_t pool, std::int64_t requested_on_pool) {
    const std::uint32_t slot = waiting.slot;
    Job& j = jobs_[slot];
    begin_segment(j, pool, plus(world_.now, requested_on_pool));
    // Months are months however the replicas lie, and hours served are served.
    j.slowdown_milli = serves(j.kind) ? 1000 : port_.slowdown_milli(slot);
    j.parts = port_.parts_of(slot, j, groups_.parts_per_gpu);
    orders_[pool].add(slot, j.gpus, [this](std::uint32_t s) -> std::uint32_t& { return jobs_[s].position; });
    levels_[pool].idle.change(world_.now, -j.parts);
    held_level(j).change(world_.now, j.parts);
    if (port_.spread(slot)) ledger_.count(j, &JobCounts::spread);
    note_start(j);
    if (j.kind == JobKind::replica) {
      const std::int64_t end = listener_->replica_started(j.service, slot);
      extend(slot, end);
      return;
    }
    std::int64_t end = end_of_segment(j);
    if (j.kind == JobKind::service_floor) {
      world_.events.cancel(j.completion);  // of its contract
      end = listener_->floor_started(j.service, end);
      extend(slot, end);
    }
    schedule_completion(slot, end);
    if (j.kind == JobKind::project) blocks_->granted(j.service, slot);
  }

  /// The dispatcher's sink: a waiting job is sent away.
  void reject(const scheduling::WaitingJob& waiting) {
    const Job& j = jobs_[waiting.slot];
    ledger_.count(j, &JobCounts::rejected);
    queued_parts_ -= j.parts;
    world_.events.cancel(j.patience);
    forget(waiting.slot);
  }

  /// The dispatcher's sink: others take the job's GPUs, at once or after the notice.
  void preempt(const scheduling::WaitingJob& waiting) {
    const std::uint32_t slot = waiting.slot;
    Job& j = jobs_[slot];
    world_.events.cancel(j.completion);
    settlement_.close_segment(j, Use::lost_preemption, false, true);
    j.attained += world_.now - j.started;
    j.stall = groups_.classes[j.job_class].restart_cost;
    ledger_.count(j, &JobCounts::preemptions);
    const std::int64_t notice = world_.scenario.scheduling.preemption.notice.count();
    if (notice == 0) {
      hand_back(j);
      enqueue(slot);
      return;
    }
    j.leaves = true;
    j.started = world_.now;  // what comes until the notice is over is no work
    j.completion =
        world_.events.schedule(instant(plus(world_.now, notice)),
                               engine::rank_of(engine::Phase::release, kind::notice_over, j.id), {slot, 0});
  }
  /// A preempted job hands its GPUs back.
  void notice_over(std::uint32_t slot) {
    Job& j = jobs_[slot];
    settlement_.spend(j, j.started, world_.now, Use::stalled);
    j.attained += world_.now - j.started;
    j.leaves = false;
    release(slot);
    enqueue(slot);
  }

  // --- jobs end

  /// A batch job or a service's floor is done, or killed at its requested time; or a block is over.
  void complete(std::uint32_t slot) {
    Job& j = jobs_[slot];
    if (j.kind == JobKind::block_job) return end_inside(slot);
    if (j.kind == JobKind::project) return end_block(slot);
    if (j.kind == JobKind::service_floor) listener_->floor_stopped(j.service, true);
    release(slot);
    settle_end(j);
    forget(slot);
  }
  /// The contract of a service ends while its floor waits for GPUs.
  void contract_over(std::uint32_t slot) {
    Job& j = jobs_[slot];
    listener_->floor_stopped(j.service, true);
    settlement_.close_saved(j, Use::useful);
    ledger_.end(j, false);
    withdraw(slot);
  }
  /// A replica is scaled down; all it did was of use.
  void stop_replica(std::uint32_t slot) {
    Job& j = jobs_[slot];
    release(slot);
    settlement_.spend(j, j.started, world_.now, Use::useful);
    forget(slot);
  }
  /// A running replica's known end moves.
  void extend(std::uint32_t slot, std::int64_t new_end) {
    Job& j = jobs_[slot];
    if (new_end == j.requested_end) return;
    port_.extend(slot, j, new_end);
    j.requested_end = new_end;
  }

  // --- blocks of projects

  std::vector<scheduling::GpuPlace> places_of(std::uint32_t block) const override {
    return port_.places_of(block, jobs_[block]);
  }
  void give_back(std::uint32_t slot, const std::vector<scheduling::GpuPlace>& places) override {
    Job& j = jobs_[slot];
    const std::int64_t gpus = std::ssize(places);
    if (gpus == j.gpus) {
      world_.events.cancel(j.completion);
      return end_block(slot);
    }
    port_.hand_back(slot, j, places);
    orders_[j.pool].shrink(j.position, gpus);
    const std::int64_t parts = groups_.parts_of(j.group, gpus);
    levels_[j.pool].reserved.change(world_.now, -parts);
    levels_[j.pool].idle.change(world_.now, parts);
    j.gpus -= static_cast<std::int32_t>(gpus);
    j.parts -= parts;
  }
  void to_common_pool(std::uint32_t slot) override {
    Job& j = jobs_[slot];
    if (!groups_.ever_fits(j.group, j.gpus) || queue_is_full()) {
      ledger_.count(j, &JobCounts::rejected);
      return drop_inside(slot);
    }
    stop_waiting_inside(j);
    j.kind = JobKind::batch;
    j.service = no_index;
    enqueue(slot);
  }

  // --- what capacity that comes and goes needs

  /// The jobs that started last in the pool lose their GPUs until so many are idle; a block only as many as
  /// are missing, its last ones.
  void vacate(std::uint32_t pool, std::int64_t units) {
    while (dispatcher_.free(pool) < units) {
      const std::uint32_t last = orders_[pool].last();
      if (!is_block(last)) {
        requeue(last);
        continue;
      }
      const Job& block = jobs_[last];
      const std::int64_t lost = std::min<std::int64_t>(units - dispatcher_.free(pool), block.gpus);
      blocks_->lose(block.service, block.gpus - lost, lost);
    }
  }
  /// Jobs that hold any of the units [first, first + count) of the pool, numbered by running jobs in start
  /// order, lose their GPUs; a block loses those units alone.
  void requeue_holders(std::uint32_t pool, std::int64_t first, std::int64_t count) {
    holders_.clear();
    hit_blocks_.clear();
    orders_[pool].each_holder(first, count, [&](std::uint32_t slot, std::int64_t from, std::int64_t until) {
      if (is_block(slot))
        hit_blocks_.push_back({jobs_[slot].service, from, until - from});
      else
        holders_.push_back(slot);
    });
    requeue(holders_);
    for (const HitBlock& b : hit_blocks_) blocks_->lose(b.project, b.first, b.count);
  }
  /// Jobs with a part on the machine lose their GPUs; a block loses those of the machine alone.
  void requeue_those_on(const scheduling::Machine& machine) {
    holders_.clear();
    hit_blocks_.clear();
    for (const std::uint32_t slot : dispatcher_.jobs_on(machine))
      if (is_block(slot))
        hit_blocks_.push_back({jobs_[slot].service, 0, 0});
      else
        holders_.push_back(slot);
    requeue(holders_);
    for (const HitBlock& b : hit_blocks_) blocks_->lose_machine(b.project, machine.node);
  }
  /// These running jobs lose their GPUs.
  void requeue(const std::vector<std::uint32_t>& slots) {
    for_victims(slots, [this](std::uint32_t slot) { requeue(slot); });
  }

  // --- the books

  /// Closes the quarter: areas up to `boundary` belong to it.
  void close_quarter(std::uint16_t quarter, std::int64_t boundary) {
    if constexpr (Port::reserves) {
      std::uint64_t before = 0;
      for (std::uint16_t q = 0; q < quarter; ++q) before += books_.promises_broken[q];
      books_.promises_broken[quarter] = dispatcher_.broken_promises() - before;
    }
    close_levels(quarter, boundary);
  }
  /// Ends the run: whatever runs is split into saved and unfinished work, whatever waits is counted.
  void close_run() {
    for (std::uint32_t slot = 0; slot < jobs_.slots(); ++slot) {
      Job& j = jobs_[slot];
      if (!j.in_use) continue;
      if (j.state == JobState::running) {
        if (j.leaves) {
          settlement_.spend(j, j.started, world_.now, Use::stalled);
          settlement_.close_saved(j, Use::useful);
        } else if (j.kind == JobKind::replica) {
          settlement_.spend(j, j.started, world_.now, Use::useful);
        } else if (j.kind != JobKind::project) {  // whose GPU-time is that of the jobs inside
          settlement_.close_segment(j, Use::unfinished, false);
        }
      } else if (j.settled != no_index) {
        settlement_.close_saved(j, Use::useful);
      }
      if (j.kind != JobKind::replica) ledger_.still_there(j);
    }
  }

  std::size_t waiting_jobs() const { return dispatcher_.waiting() + waiting_inside_; }

 private:
  using Port = DispatchPort<Dispatcher>;

  /// Units of a block that fail.
  struct HitBlock {
    std::uint32_t project;
    std::int64_t first, count;
  };

  void pass() {
    if (blocks_ != nullptr) blocks_->pass();
    dispatcher_.pass(world_.now, *this);
  }
  /// A waiting job gives up.
  void dismiss(std::uint32_t slot) {
    const Job& j = jobs_[slot];
    if (j.kind == JobKind::block_job) {
      blocks_->job_leaves(j.service, slot);
      return drop_inside(slot);
    }
    if (j.kind == JobKind::project) blocks_->over(j.service);
    withdraw(slot);
  }
  void end_block(std::uint32_t slot) {
    Job& j = jobs_[slot];
    blocks_->over(j.service);
    release(slot);
    ledger_.end(j, false);
    forget(slot);
  }
  bool queue_is_full() const {
    const std::int64_t limit = world_.scenario.scheduling.queue_limit;
    return limit > 0 && dispatcher_.waiting() >= static_cast<std::size_t>(limit);
  }
  void note_fragmentation() {
    for (std::uint32_t p = 0; p < levels_.size(); ++p) {
      Level& level = levels_[p].fragmented;
      level.change(world_.now, dispatcher_.fragmented_milli(p) - level.value());
    }
  }
  /// A reserved start, or a change that a preemptive order waits for, is an instant of a pass of its own.
  void wake_at_next_start() {
    const std::int64_t next = dispatcher_.next_start();
    if constexpr (Port::wakes_otherwise) {  // what it no longer asks for must not come
      if (next == wake_) return;
      world_.events.cancel(wake_event_);
      wake_ = next;
      if (next != scheduling::Profile::forever && instant(next) < world_.end)
        wake_event_ = world_.events.schedule(
            instant(next), engine::rank_of(engine::Phase::decide, kind::reserved_start, 0), {});
      return;
    }
    if (next <= world_.now || next == scheduling::Profile::forever || (wake_ > world_.now && wake_ <= next))
      return;
    wake_ = next;
    world_.schedule(instant(next), engine::Phase::decide, kind::reserved_start, 0, {});
  }
  void enqueue(std::uint32_t slot) {
    Job& j = jobs_[slot];
    j.state = JobState::queued;
    j.parts = asked(j);
    queued_parts_ += j.parts;
    port_.submit(slot, j);
  }
  void forget(std::uint32_t slot) {
    port_.forget(slot);
    jobs_.remove(slot);
  }

  /// Hands a running job's GPUs back.
  void release(std::uint32_t slot) {
    Job& j = jobs_[slot];
    port_.finish(slot, j, j.gpus);
    hand_back(j);
  }
  /// The same, where the dispatcher has taken them already.
  void hand_back(const Job& j) {
    orders_[j.pool].remove(j.position);
    held_level(j).change(world_.now, -j.parts);
    levels_[j.pool].idle.change(world_.now, j.parts);
    --running_jobs_;
  }
  /// A running job loses its GPUs and goes back to its place in the queue, to its last checkpoint.
  void requeue(std::uint32_t slot) {
    Job& j = jobs_[slot];
    if (j.leaves) {
      world_.events.cancel(j.completion);
      return notice_over(slot);
    }
    release(slot);
    if (j.kind == JobKind::replica) {
      settlement_.spend(j, j.started, world_.now, Use::useful);
      listener_->replica_stopped(j.service, slot);
      forget(slot);
      return;
    }
    interrupt(j);
    if (j.kind == JobKind::service_floor) {
      listener_->floor_stopped(j.service, false);
      await_contract_end(slot);
    }
    enqueue(slot);
  }
  /// A floor that has lost its GPUs wants them back for what is left of its contract, outages included.
  void await_contract_end(std::uint32_t slot) {
    Job& j = jobs_[slot];
    const std::int64_t end = j.requested_end;
    j.done = std::max<std::int64_t>(j.run_time - (end - world_.now), 0);
    j.completion = world_.events.schedule(
        instant(end), engine::rank_of(engine::Phase::release, kind::contract_end, j.id), {slot, 0});
  }

  Port port_;
  Dispatcher& dispatcher_;  ///< the port's
  std::int64_t wake_ = -1;  ///< the next pass that the dispatcher asks for
  engine::EventHandle wake_event_;
  std::vector<std::uint32_t> holders_;
  std::vector<HitBlock> hit_blocks_;
};

}  // namespace natgpu::simulation
