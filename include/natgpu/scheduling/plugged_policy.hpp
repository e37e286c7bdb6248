// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <natgpu/policy.h>

namespace natgpu::scheduling {

/// A policy that natgpu does not bring. Where it comes from is no matter of this room.
struct PluggedPolicy {
  const natgpu_policy* table = nullptr;  ///< null: none
  std::string file;                      ///< its library, as given
  std::string name;                      ///< the same without folders
  std::string sha256;                    ///< of the library
  explicit operator bool() const { return table != nullptr; }
  /// Whether it says who starts (level 2), not only who stands before whom (level 1).
  bool decides() const { return table->pass != nullptr; }
};

}  // namespace natgpu::scheduling
