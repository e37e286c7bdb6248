// SPDX-License-Identifier: Apache-2.0
// Tables of policies as a shared library would export them.
#pragma once

#include <cstdint>

#include <natgpu/policy.h>
#include <natgpu/scheduling/plugged_policy.hpp>

namespace natgpu::testing {

/// A policy of level 2 that keeps nothing between its passes.
inline natgpu_policy policy_with(void (*pass)(void*, const natgpu_host*, std::int64_t)) {
  natgpu_policy p{};
  p.abi = NATGPU_POLICY_ABI;
  p.size = sizeof p;
  p.pass = pass;
  return p;
}

inline scheduling::PluggedPolicy plugged(const natgpu_policy& table) {
  return {&table, "./mine.so", "mine.so", "0123"};
}

/// A pass of fit: all that fits starts, in the order of the queue.
inline void fit(void*, const natgpu_host* host, std::int64_t now) {
  std::int64_t job = -1;
  while ((job = host->next_fit(host, job, host->free(host, 0, now, now + 1), NATGPU_ANY, 0)) >= 0)
    host->start(host, job, 0);
}

}  // namespace natgpu::testing
