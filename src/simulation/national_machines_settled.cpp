// SPDX-License-Identifier: Apache-2.0
// National runs in the node view whose jobs have their place in the queue from submission on.
#include "machine_run.hpp"
#include "national_run.hpp"

namespace natgpu::simulation {
namespace {

struct Run {
  template <scheduling::Backfill B>
  static RunRecord with(const RunParts& parts) {
    return run_national(parts, machine_dispatcher<B>);
  }
};

}  // namespace

RunRecord run_on_machines(const RunParts& parts) {
  return run_under_backfill<Run>(parts);
}

}  // namespace natgpu::simulation
