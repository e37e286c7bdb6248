// SPDX-License-Identifier: Apache-2.0
// Policies from shared libraries: the one user of the dynamic loader.
#pragma once

#include <memory>
#include <string>

#include <natgpu/scheduling/plugged.hpp>

namespace natgpu::plugin {

/// Whether the word names a library and not a policy of natgpu: it holds a slash, or ends in `.so`.
bool names_library(const std::string& word);

/// A policy's library, loaded as long as this or a copy of it lives.
class Library {
 public:
  /// Loads the library, which runs what it does when loaded, and looks at what it exports (natgpu/policy.h).
  /// @throws ScenarioError: E0601 cannot be read, E0602 not a shared library, E0603 no policy in it, E0604
  /// made for another natgpu/policy.h, E0605 it has neither `key` nor `pass`
  explicit Library(const std::string& path);

  const scheduling::PluggedPolicy& policy() const { return policy_; }

 private:
  std::shared_ptr<void> handle_;
  std::shared_ptr<const natgpu_policy> table_;  ///< the library's own, with null for what it does not have
  scheduling::PluggedPolicy policy_;
};

}  // namespace natgpu::plugin
