// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace natgpu {

/// SHA-256 of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  /// Of all bytes so far, 64 lower-case digits; more may follow.
  std::string hex() const;

 private:
  std::unique_ptr<void, void (*)(void*)> context_;
};

}  // namespace natgpu
