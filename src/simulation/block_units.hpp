// SPDX-License-Identifier: Apache-2.0
// The GPUs of one block, and which jobs inside hold them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <natgpu/scheduling/nodes.hpp>

#include "job_table.hpp"

namespace natgpu::simulation {

/// Units stand in a line, machine by machine and by their number there; one that leaves closes the gap.
/// Counted GPUs are all of one machine.
///
/// A job goes to as few machines as it can: where most of the GPUs are idle that it still needs, of those to
/// the machine with the fewest idle ones, then of lowest number; there to the first idle ones in line.
class BlockUnits {
 public:
  static constexpr std::int64_t too_many = std::numeric_limits<std::int64_t>::max();
  struct Unit {
    scheduling::GpuPlace place;
    std::uint32_t holder = no_index;  ///< the job that runs on it
    std::int64_t idle_since = 0;
  };

  BlockUnits() = default;
  /// @param places  in rising order; all are idle
  BlockUnits(const std::vector<scheduling::GpuPlace>& places, std::int64_t now);

  const std::vector<Unit>& line() const { return units_; }
  std::int64_t size() const { return std::ssize(units_); }
  /// Machines that a job of so many GPUs would be on, were the whole block idle; or `too_many`.
  std::int64_t machines_if_idle(std::int64_t gpus) const { return machines_for(gpus, &Machine::size); }
  /// The same on what is idle.
  std::int64_t machines_now(std::int64_t gpus) const { return machines_for(gpus, &Machine::idle); }
  /// @pre machines_now() are not too many
  void occupy(std::uint32_t job, std::int64_t gpus);
  void vacate(std::uint32_t job, std::int64_t now);
  /// Jobs on the units [first, first + count) of the line, each once.
  std::vector<std::uint32_t> holders(std::int64_t first, std::int64_t count) const;
  /// Where the units of a machine begin in the line, and how many they are.
  std::pair<std::int64_t, std::int64_t> on_machine(std::uint32_t node) const;
  /// The instant since which that unit is idle which has been so for longest; -1 if none is.
  std::int64_t first_idle_since() const;

  // --- units leave. @returns where they are

  std::vector<scheduling::GpuPlace> remove(std::int64_t first, std::int64_t count);
  /// Those that have been idle since that instant or before it.
  std::vector<scheduling::GpuPlace> remove_idle_since(std::int64_t instant);

 private:
  struct Machine {
    std::size_t first = 0;  ///< of its units
    std::int64_t size = 0, idle = 0;
  };

  std::int64_t machines_for(std::int64_t gpus, std::int64_t Machine::*there) const;
  Machine& next_for(std::int64_t gpus);
  void tell_machines_apart();
  template <class Leaves>
  std::vector<scheduling::GpuPlace> remove_if(Leaves&& leaves);

  std::vector<Unit> units_;
  std::vector<Machine> machines_;
};

}  // namespace natgpu::simulation
