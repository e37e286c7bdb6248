// SPDX-License-Identifier: Apache-2.0
// What differs between a replay on machines and plain loops over all of them, in words.
#pragma once

#include <string>

#include "node_cases.hpp"
#include "plain_nodes.hpp"

namespace natgpu::testing {

/// When jobs run, and where; nothing if all is the same.
inline std::string difference(const NodeReplayResult& r, const PlainNodes& plain) {
  for (std::size_t i = 0; i < plain.jobs.size(); ++i) {
    const PlainNodes::Job& p = plain.jobs[i];
    if (r.replay.start_s[i] != p.first || r.replay.end_s[i] != p.end)
      return "job " + std::to_string(i) + ": " + std::to_string(r.replay.start_s[i]) + " to " +
             std::to_string(r.replay.end_s[i]) + ", plainly " + std::to_string(p.first) + " to " +
             std::to_string(p.end);
    if (machines_of(r, i) != p.machines) return "job " + std::to_string(i) + ": other machines";
  }
  return {};
}

}  // namespace natgpu::testing
