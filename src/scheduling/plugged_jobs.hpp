// SPDX-License-Identifier: Apache-2.0
// Jobs and accounts as plugged policies know them, whatever the jobs run on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/policy.h>
#include <natgpu/scheduling/plugged.hpp>

#include "plugged_accounts.hpp"

namespace natgpu::scheduling {

enum class PluggedState : std::uint8_t { unknown, waiting, running, stopping, gone };

/// What is known of a job, under its slot.
struct PluggedJob {
  PluggedState state = PluggedState::unknown;
  PluggedSubmission asked;
  natgpu_job seen{};
  std::int64_t requested_end = 0;  ///< of one that is stopping: when it hands its GPUs back

  std::int64_t requested() const { return asked.job.requested; }
};

class PluggedJobs {
 public:
  PluggedJob& at(std::uint32_t slot) { return jobs_[slot]; }
  /// Null where no job has the identifier.
  const PluggedJob* find(std::int64_t id) const {
    if (id < 0 || static_cast<std::size_t>(id) >= slots_.size()) return nullptr;
    const std::uint32_t slot = slots_[static_cast<std::size_t>(id)];
    return slot != no_slot ? &jobs_[slot] : nullptr;
  }
  PluggedJob* find(std::int64_t id) { return const_cast<PluggedJob*>(std::as_const(*this).find(id)); }
  std::size_t waiting() const { return waiting_; }
  /// Nobody will ask for the job in this slot again.
  void forget(std::uint32_t slot) {
    slots_[static_cast<std::size_t>(jobs_[slot].asked.id)] = no_slot;
    jobs_[slot].state = PluggedState::unknown;
  }
  PluggedAccounts& accounts() { return accounts_; }

 protected:
  /// @returns the job, which waits from now on
  PluggedJob& add(const PluggedSubmission& s) {
    const std::uint32_t slot = s.job.slot;
    if (slot >= jobs_.size()) jobs_.resize(slot + std::size_t{1});
    const auto id = static_cast<std::size_t>(s.id);
    if (id >= slots_.size()) slots_.resize(id + 1, no_slot);
    slots_[id] = slot;
    PluggedJob& j = jobs_[slot];
    j.state = PluggedState::waiting;
    j.asked = s;
    j.seen = {s.id, s.submitted, s.job.requested, s.job.gpus, s.account, -1, -1};
    ++waiting_;
    accounts_.queue(s.account);
    return j;
  }
  /// It waits no more.
  void note_left(PluggedJob& j) {
    --waiting_;
    accounts_.leave_queue(j.seen.account);
    j.state = PluggedState::gone;
  }
  /// It runs from now on.
  void note_start(PluggedJob& j, std::int64_t pool, std::int64_t until, std::int64_t now) {
    j.state = PluggedState::running;
    j.seen.started = now;
    j.seen.pool = pool;
    j.requested_end = until;
    accounts_.hold(j.seen, 1, now);
  }
  /// It runs no more. The account's part of it is settled at the next pass, or by the caller.
  static void note_end(PluggedJob& j) {
    j.state = PluggedState::gone;
    j.seen.started = j.seen.pool = -1;
  }

  std::vector<PluggedJob> jobs_;  ///< by slot
  PluggedAccounts accounts_;

 private:
  static constexpr std::uint32_t no_slot = ~std::uint32_t{0};

  std::vector<std::uint32_t> slots_;  ///< by identifier
  std::size_t waiting_ = 0;
};

}  // namespace natgpu::scheduling
