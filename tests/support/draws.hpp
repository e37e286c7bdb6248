// SPDX-License-Identifier: Apache-2.0
// Small numbers in a row, as tests with long workloads draw them.
#pragma once

#include <cstdint>
#include <random>

namespace natgpu::testing {

class Draws {
 public:
  explicit Draws(std::uint64_t seed) : random_(seed) {}
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }
  bool one_in(std::int64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 random_;
};

}  // namespace natgpu::testing
