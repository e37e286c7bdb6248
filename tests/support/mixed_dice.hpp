// SPDX-License-Identifier: Apache-2.0
// Small numbers from one seed.
#pragma once

#include <cstdint>

#include <natgpu/core/hash.hpp>

namespace natgpu::testing {

struct MixedDice {
  std::uint64_t state;
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(mix64(state += 0x9e3779b97f4a7c15ULL) % static_cast<std::uint64_t>(n));
  }
};

}  // namespace natgpu::testing
