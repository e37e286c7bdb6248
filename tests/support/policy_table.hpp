// SPDX-License-Identifier: Apache-2.0
// Tables of policies as a shared library would export them.
#pragma once

#include <cstdint>

#include <natgpu/policy.h>

namespace natgpu::testing {

/// A policy of level 2 that keeps nothing between its passes.
inline natgpu_policy policy_with(void (*pass)(void*, const natgpu_host*, std::int64_t)) {
  natgpu_policy p{};
  p.abi = NATGPU_POLICY_ABI;
  p.size = sizeof p;
  p.pass = pass;
  return p;
}

}  // namespace natgpu::testing
