// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace natgpu::report {

/// What manifest.json says about how to run again and what to get.
struct Manifest {
  std::string version, commit, scenario, hash, fingerprint;
  bool interrupted = false;
  std::vector<std::string> arguments;                                ///< behind `natgpu run`
  std::vector<std::pair<std::string, std::string>> inputs, outputs;  ///< name and SHA-256
};

/// @throws ScenarioError E0509, if the file cannot be read or is no manifest of a run
Manifest read_manifest(const std::string& path);

}  // namespace natgpu::report
