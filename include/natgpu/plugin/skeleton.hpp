// SPDX-License-Identifier: Apache-2.0
// The files with which an author begins.
#pragma once

#include <string>
#include <vector>

namespace natgpu::plugin {

enum class Level { order = 1, policy = 2 };
enum class Language { c, cpp };

struct SkeletonFile {
  std::string path;  ///< inside the policy's folder
  std::string text;
};

/// A policy that builds and runs as it stands, natgpu's header included: its source, a Makefile with a test, the
/// same for CMake and an installed natgpu, and a short log to try it on.
/// @pre name is a plain file name
std::vector<SkeletonFile> skeleton(const std::string& name, Level level, Language language);

}  // namespace natgpu::plugin
