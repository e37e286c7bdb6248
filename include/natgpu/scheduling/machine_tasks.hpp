// SPDX-License-Identifier: Apache-2.0
// What jobs ask of the machines of one pool, as tasks that these are asked for one by one.
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/scheduling/fragmentation.hpp>
#include <natgpu/scheduling/nodes.hpp>

namespace natgpu::scheduling {

/// What a job holds of a machine for each of its GPUs; or for each of its shares of one, which may lie on
/// different GPUs and machines.
struct MachineNeed {
  std::int32_t gpu_milli = whole_gpu_milli;  ///< thousandths of the GPU; below a whole it is shared
  std::int32_t cpu_milli = 0;                ///< thousandths of a core
  std::int32_t memory_mib = 0;               ///< MiB of main memory
  std::vector<std::int32_t> gpus;            ///< that such jobs ask for, where it is known; empty: any number

  bool shares() const { return gpu_milli < whole_gpu_milli; }
  friend bool operator==(const MachineNeed&, const MachineNeed&) = default;
};

/// All machines that a pool will ever have; each comes with so many GPUs at most.
struct MachinePool {
  std::uint32_t machines = 0;
  std::int16_t gpus = 1;  ///< of 1 to most_gpus_per_node
  /// How often parts of jobs with so many GPUs on one machine are to be expected, by need and by GPUs less
  /// one; empty: not known.
  std::vector<std::vector<std::int64_t>> expected;
  std::int32_t cpu_milli = 0;   ///< of a machine, thousandths of a core; 0: cores set no limit
  std::int32_t memory_mib = 0;  ///< of a machine; 0: it sets no limit
  std::int8_t mig = -1;         ///< number of the layout by which MIG cuts the GPUs; -1: they are not cut
};

/// One of the machines with so many GPUs, empty.
Node whole_machine(const MachinePool& pool, std::int32_t gpus);
/// GPUs, or shares of one, that such jobs find on an empty machine with so many GPUs.
std::int32_t most_on(const MachinePool& pool, std::int32_t gpus, const MachineNeed& need);

/// The tasks of a pool: for each need one for each number of GPUs on one machine, or one share; and each of
/// these once for each level of departure that it may go up to (NodeRules::departures).
class MachineTasks {
 public:
  /// @param in_units  whether jobs may have to take GPUs one by one
  MachineTasks(const MachinePool& pool, const std::vector<MachineNeed>& needs, bool in_units);

  /// Only tasks that may go anywhere are expected.
  const TaskMix& mix() const { return mix_; }
  /// The same as most_on() a machine with all of its GPUs.
  std::int32_t most(std::uint32_t need) const { return of_need_[need].most; }
  /// The task of so many GPUs, or of one share, on machines that stay. @pre 1 <= gpus <= most(need)
  std::uint32_t task(std::uint32_t need, std::int32_t gpus) const;

 private:
  struct Tasks {
    std::int32_t most = 0;
    std::uint32_t first = 0;          ///< place of the first in the mix
    std::vector<std::int32_t> sizes;  ///< GPUs of each, rising
  };

  std::vector<Tasks> of_need_;
  TaskMix mix_;
};

}  // namespace natgpu::scheduling
