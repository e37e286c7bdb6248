// SPDX-License-Identifier: Apache-2.0
// National runs in the node view under orders that rank waiting jobs anew.
#include "machine_run.hpp"
#include "ranked_anew.hpp"

namespace natgpu::simulation {
namespace {

struct Run {
  template <scheduling::Backfill B>
  static RunRecord with(const RunParts& parts) {
    return run_ranked_anew(parts, machine_dispatcher<B>);
  }
};

}  // namespace

RunRecord run_on_machines_in_moving_order(const RunParts& parts) {
  return run_under_backfill<Run>(parts);
}

}  // namespace natgpu::simulation
