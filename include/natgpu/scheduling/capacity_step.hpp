// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace natgpu::scheduling {

/// A change of a pool's free GPUs from an instant on.
struct CapacityStep {
  std::int64_t at = 0;  ///< ticks
  std::int64_t delta = 0;
};

/// Adds `delta` to the step at `at` in a SummarySequence of steps; one that comes to nothing is taken out.
/// @returns what the step was before
template <class Steps>
std::int64_t add_to_step(Steps& steps, std::int64_t at, std::int64_t delta) {
  const auto place = steps.locate(at);
  if (!place.found) {
    steps.insert(place, CapacityStep{at, delta});
    return 0;
  }
  const std::int64_t before = steps[place].delta;
  if (before + delta == 0)
    steps.erase(place);
  else
    steps.replace(place, {at, before + delta});
  return before;
}

}  // namespace natgpu::scheduling
