// SPDX-License-Identifier: Apache-2.0
// What a replay prints and writes.
#pragma once

#include <string>

#include <natgpu/simulation/replay.hpp>

#include "node_view.hpp"

namespace natgpu::cli {

/// Wall time, seconds.
struct ReplayTimings {
  double read_s = 0, simulate_s = 0;
};

/// Start and end of every usable job, in log order; on machines, also which.
std::string replay_jobs_csv(const workload::JobLog& log, const simulation::ReplayResult& result,
                            const NodeOutput* nodes = nullptr);
std::string replay_json(const workload::JobLog& log, const simulation::ReplayResult& result,
                        const scheduling::PluggedPolicy& plugged, const ReplayTimings& timings,
                        const NodeOutput* nodes = nullptr);
/// For people.
std::string replay_text(const workload::JobLog& log, const simulation::ReplayResult& result,
                        const ReplayTimings& timings, const NodeOutput* nodes = nullptr);

}  // namespace natgpu::cli
