// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/demand/requests.hpp>
#include <natgpu/engine/event_list.hpp>

namespace natgpu::simulation {

enum class JobKind : std::uint8_t {
  batch,
  service_floor,
  replica,
  project,   ///< the block of one, while its owner waits for it or holds it
  block_job  ///< runs inside a block
};
constexpr bool serves(JobKind kind) {
  return kind == JobKind::service_floor || kind == JobKind::replica;
}
enum class JobState : std::uint8_t { queued, running };

inline constexpr std::uint32_t no_index = 0xffffffff;

/// A job that waits or runs. Slots are reused, so memory grows with these, never with jobs done.
/// Times of work are reference ticks; times of day are ticks since the start.
struct Job {
  std::uint64_t id = 0;  ///< order of submission
  std::int64_t submitted = 0;
  std::int64_t started = 0;        ///< this segment
  std::int64_t requested_end = 0;  ///< this segment, as the dispatcher holds it
  std::int64_t run_time = 0;       ///< true work until the job ends by itself
  std::int64_t requested = 0;      ///< stated limit
  std::int64_t done = 0;           ///< work behind the last checkpoint
  std::int64_t stall = 0;          ///< restart cost of this segment, ticks of the day
  std::int64_t attained = 0;       ///< time on GPUs in earlier segments, ticks of the day
  std::int64_t patience_end = 0;
  engine::EventHandle completion;  ///< or, while the floor of a service waits, the end of its contract
  engine::EventHandle patience;
  std::uint32_t organisation = no_index;
  std::uint32_t service = no_index;  ///< of floors and replicas; of blocks and jobs in them the project
  std::uint32_t group = 0;           ///< of pools accepted
  std::uint32_t pool = 0;
  std::uint32_t position = 0;        ///< in the pool's start order
  std::uint32_t settled = no_index;  ///< work of earlier segments that awaits the job's end
  std::int32_t gpus = 1;             ///< or shares of one
  std::int64_t parts = 1;  ///< of GPUs (JobGroups::parts_per_gpu): that it holds, or asks for while it waits
  std::int32_t slowdown_milli =
      1000;  ///< of this segment: a gang on more machines than the fewest takes longer
  std::uint32_t restarts = 0;
  std::uint16_t sector = 0;
  std::uint16_t job_class = 0;  ///< batch classes, then service classes, project classes, logs
  std::uint16_t cohort = 0;     ///< quarter of submission
  JobKind kind = JobKind::batch;
  JobState state = JobState::queued;
  demand::Fate fate = demand::Fate::completes;
  bool leaves = false;  ///< it was preempted, and holds its GPUs until the notice is over
  bool has_started = false;
  bool in_use = false;
};

class JobTable {
 public:
  std::uint32_t add() {
    std::uint32_t slot;
    if (!free_.empty()) {
      slot = free_.back();
      free_.pop_back();
      jobs_[slot] = Job{};
    } else {
      slot = static_cast<std::uint32_t>(jobs_.size());
      jobs_.emplace_back();
    }
    jobs_[slot].in_use = true;
    return slot;
  }
  void remove(std::uint32_t slot) {
    jobs_[slot].in_use = false;
    free_.push_back(slot);
  }
  Job& operator[](std::uint32_t slot) { return jobs_[slot]; }
  const Job& operator[](std::uint32_t slot) const { return jobs_[slot]; }
  std::uint32_t slots() const { return static_cast<std::uint32_t>(jobs_.size()); }
  std::size_t live() const { return jobs_.size() - free_.size(); }

 private:
  std::vector<Job> jobs_;
  std::vector<std::uint32_t> free_;
};

}  // namespace natgpu::simulation
