// SPDX-License-Identifier: Apache-2.0
// Jobs that have whole GPUs while they run: their segments, and those of them that run inside the block of a
// project, apart from all dispatchers.
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/scheduling/nodes.hpp>

#include "job_desk.hpp"

namespace natgpu::simulation {

/// What the owner of blocks wants to hear of them and of the jobs inside. Called for projects only.
class BlockListener {
 public:
  virtual ~BlockListener() = default;
  /// Jobs inside blocks may start; before the dispatcher's pass.
  virtual void pass() = 0;
  virtual void granted(std::uint32_t project, std::uint32_t slot) = 0;
  /// The block is at its end or without GPUs, or its project has given up.
  virtual void over(std::uint32_t project) = 0;
  virtual void job_ended(std::uint32_t project, std::uint32_t slot) = 0;
  /// A job that waits inside has no patience left.
  virtual void job_leaves(std::uint32_t project, std::uint32_t slot) = 0;
  /// The block loses its units [first, first + count), which it has yet to give back.
  virtual void lose(std::uint32_t project, std::int64_t first, std::int64_t count) = 0;
  /// The same of all that it has on that machine.
  virtual void lose_machine(std::uint32_t project, std::uint32_t node) = 0;
};

class BlockDesk : public JobDesk {
 public:
  void listen_to_blocks(BlockListener* listener) { blocks_ = listener; }

  // --- what the owner of blocks has done

  /// A block is asked for. @returns its slot, or no_index if it was rejected
  virtual std::uint32_t ask_for_block(const Submission& s) = 0;
  /// GPUs of a block that has just been granted, in rising order.
  virtual std::vector<scheduling::GpuPlace> places_of(std::uint32_t block) const = 0;
  /// A block hands these of its GPUs back, all of them idle. Without any left it is over.
  virtual void give_back(std::uint32_t block, const std::vector<scheduling::GpuPlace>& gpus) = 0;
  /// A job that waits inside goes on as any other of its organisation.
  virtual void to_common_pool(std::uint32_t slot) = 0;

  /// @returns the slot of the job, which waits inside, or no_index if it was rejected
  std::uint32_t admit_inside(const Submission& s);
  /// Whether a waiting job may be on so many machines of the block: as few as it needs, unless gangs may be
  /// spread, and so that it ends in the block, as requested.
  bool may_be_inside(std::uint32_t slot, std::uint32_t block, std::int64_t machines) const;
  /// On so many machines. It takes a whole GPU for each that it asks a share of. @pre may_be_inside()
  void start_inside(std::uint32_t slot, std::uint32_t block, std::int64_t machines);
  /// A job inside is done, or killed at its requested time.
  void end_inside(std::uint32_t slot);
  /// A running job inside loses its GPUs: it waits again, at its last checkpoint.
  void stop_inside(std::uint32_t slot);
  /// A job that waits inside has nothing left to wait for.
  void leave_over(std::uint32_t slot);

 protected:
  using JobDesk::JobDesk;

  bool is_block(std::uint32_t slot) const { return jobs_[slot].kind == JobKind::project; }
  /// Where GPUs that the job holds are booked: a block's are idle until jobs run in it.
  Level& held_level(const Job& j) {
    return j.kind == JobKind::project ? levels_[j.pool].reserved : levels_[j.pool].allocated;
  }
  void begin_segment(Job& j, std::uint32_t pool, std::int64_t requested_end);
  /// The first start of a job other than a replica, if it is that.
  void note_start(Job& j);
  /// Instant at which the job that has just started ends by itself or by its request.
  std::int64_t end_of_segment(const Job& j) const;
  void schedule_completion(std::uint32_t slot, std::int64_t end);
  /// Books the end of a job that has handed its GPUs back.
  void settle_end(Job& j);
  /// Books what a job that loses its GPUs has done, for it to go on later.
  void interrupt(Job& j);
  void stop_waiting_inside(const Job& j);
  /// A job that waits inside is gone.
  void drop_inside(std::uint32_t slot);

  BlockListener* blocks_ = nullptr;
  std::size_t waiting_inside_ = 0;

 private:
  /// How many times longer a job takes there that is spread or not, in thousandths.
  std::int32_t slowdown_milli(bool spread) const;
  /// How long a waiting job may run in the block, its restart included.
  std::int64_t requested_in(const Job& j, const Job& block, bool spread) const;
  bool is_spread(const Job& j, const Job& block, std::int64_t machines) const {
    return machines > groups_.fewest_machines(block.group, block.pool, j.gpus);
  }
  void wait_inside(Job& j);
  void leave_gpus(const Job& j);
};

}  // namespace natgpu::simulation
