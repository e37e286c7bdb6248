// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/ensure.hpp>

#include <fmt/format.h>

namespace natgpu {

void fail_invariant(const char* what, const char* file, int line) {
  throw InvariantError(fmt::format("broken invariant: {} ({}:{})", what, file, line));
}

}  // namespace natgpu
