// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace natgpu {

/// A broken promise of our own code. The program ends with exit code 70 and says how to report it.
class InvariantError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void fail_invariant(const char* what, const char* file, int line);

}  // namespace natgpu

/// Checked in release builds as well: a simulator that goes on after a broken invariant prints lies.
#define NATGPU_ENSURE(condition, what) \
  (static_cast<bool>(condition) ? void(0) : ::natgpu::fail_invariant(what, __FILE__, __LINE__))
