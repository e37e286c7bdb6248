// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <natgpu/scheduling/nodes.hpp>
#include <natgpu/scheduling/preemptive_rule.hpp>

namespace natgpu::scheduling {

/// What a job on machines is ranked by, or loses its machines by, beside its submission.
struct NodeProgress {
  Progress progress;
  std::int64_t gpu_milli = whole_gpu_milli;  ///< thousandths of a GPU that it asks for; of an order that
                                             ///< ranks by them, at least 1
  bool firm = false;                         ///< once it runs, nobody takes its machines
};

}  // namespace natgpu::scheduling
