// SPDX-License-Identifier: Apache-2.0
// From submission to the end of a job: applies the dispatcher's decisions, carries out ends, failures and
// requeues, and keeps the books. The rules of who runs are in `scheduling`, those of who asks in `demand`.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <natgpu/core/ensure.hpp>
#include "dispatch_port.hpp"
#include "job_desk.hpp"

namespace natgpu::simulation {

/// @tparam Dispatcher  whatever a DispatchPort can talk to
template <class Dispatcher>
class DispatchProcess : public JobDesk {
 public:
  static constexpr bool shares = false;  ///< whether running jobs may have less than they ask for

  DispatchProcess(const DispatchParts& parts, Dispatcher dispatcher, Streams& streams)
      : JobDesk(parts),
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
    dispatcher_.pass(world_.now, *this);
    if (dismiss_impatient([this](std::uint32_t slot) { withdraw(slot); }))
      dispatcher_.pass(world_.now, *this);
    if constexpr (Port::wakes) wake_at_next_start();
    if constexpr (Port::on_machines) note_fragmentation();
  }
  /// The dispatcher's sink: a job starts now.
  void start(const scheduling::WaitingJob& waiting, std::uint32_t pool, std::int64_t requested_on_pool) {
    const std::uint32_t slot = waiting.slot;
    Job& j = jobs_[slot];
    j.state = JobState::running;
    j.pool = pool;
    j.slowdown_milli = port_.slowdown_milli(slot);
    j.started = world_.now;
    j.requested_end = plus(world_.now, requested_on_pool);
    queued_parts_ -= j.parts;
    j.parts = port_.parts_of(slot, j, groups_.parts_per_gpu);
    running_jobs_ += 1;
    orders_[pool].add(slot, j.gpus, [this](std::uint32_t s) -> std::uint32_t& { return jobs_[s].position; });
    levels_[pool].idle.change(world_.now, -j.parts);
    levels_[pool].allocated.change(world_.now, j.parts);
    if (port_.spread(slot)) ledger_.count(j, &JobCounts::spread);
    if (!j.has_started) {
      j.has_started = true;
      world_.events.cancel(j.patience);
      if (j.kind != JobKind::replica) ledger_.first_start(j);
    }
    if (j.kind == JobKind::replica) {
      const std::int64_t end = listener_->replica_started(j.service, slot);
      extend(slot, end);
      return;
    }
    const std::int64_t work = time_for(groups_, j, std::max<std::int64_t>(j.run_time - j.done, 1));
    std::int64_t end = std::min(plus(plus(world_.now, j.stall), work), j.requested_end);
    if (j.kind == JobKind::service_floor) {
      world_.events.cancel(j.completion);  // of its contract
      end = listener_->floor_started(j.service, end);
      extend(slot, end);
    }
    j.completion = world_.events.schedule(
        instant(end), engine::rank_of(engine::Phase::release, kind::completion, j.id), {slot, 0});
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

  /// A batch job or a service's floor is done, or killed at its requested time.
  void complete(std::uint32_t slot) {
    Job& j = jobs_[slot];
    const std::int64_t work = time_for(groups_, j, std::max<std::int64_t>(j.run_time - j.done, 1));
    const bool killed = j.kind == JobKind::batch && plus(plus(j.started, j.stall), work) > world_.now;
    if (j.kind == JobKind::service_floor) listener_->floor_stopped(j.service, true);
    release(slot);
    settlement_.close_segment(j, killed ? Use::lost_limit : end_use(j.fate),
                              killed || j.fate == demand::Fate::user_error);
    ledger_.end(j, killed);
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

  // --- what capacity that comes and goes needs

  /// The jobs that started last in the pool lose their GPUs until so many are idle.
  void vacate(std::uint32_t pool, std::int64_t units) {
    while (dispatcher_.free(pool) < units) requeue(orders_[pool].last());
  }
  /// Jobs that hold any of the units [first, first + count) of the pool, numbered by running jobs in start
  /// order, lose their GPUs.
  void requeue_holders(std::uint32_t pool, std::int64_t first, std::int64_t count) {
    holders_.clear();
    orders_[pool].holders(first, count, holders_);
    requeue(holders_);
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
        } else {
          settlement_.close_segment(j, Use::unfinished, false);
        }
      } else if (j.settled != no_index) {
        settlement_.close_saved(j, Use::useful);
      }
      if (j.kind != JobKind::replica) ledger_.still_there(j);
    }
  }

  std::size_t waiting_jobs() const { return dispatcher_.waiting(); }

 private:
  using Port = DispatchPort<Dispatcher>;

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
    port_.finish(slot, j);
    hand_back(j);
  }
  /// The same, where the dispatcher has taken them already.
  void hand_back(const Job& j) {
    orders_[j.pool].remove(j.position);
    levels_[j.pool].allocated.change(world_.now, -j.parts);
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
    world_.events.cancel(j.completion);
    settlement_.close_segment(j, Use::lost_failure, false, true);
    j.attained += world_.now - j.started;
    ++j.restarts;
    ledger_.count(j, &JobCounts::restarts);
    j.stall = groups_.classes[j.job_class].restart_cost;
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
};

}  // namespace natgpu::simulation
