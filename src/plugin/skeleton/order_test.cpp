// SPDX-License-Identifier: Apache-2.0
// What the order promises, job by job. It takes the source in, so that it can call what the library hides.
#undef NDEBUG
#include <cassert>

#include "MY_SOURCE"

int main() {
  const natgpu::Job small{0, 0, 60 * NATGPU_TICKS_PER_SECOND, 1, -1, -1, -1};
  const natgpu::Job large{1, 0, 60 * NATGPU_TICKS_PER_SECOND, 8, -1, -1, -1};
  assert(Order::key(small) < Order::key(large));
}
