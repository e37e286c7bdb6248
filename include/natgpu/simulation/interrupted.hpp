// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>

namespace natgpu::simulation {

/// The run was told to stop; it leaves nothing behind.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted"; }
};

}  // namespace natgpu::simulation
