// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace natgpu::report {

/// What this program was built from and with. Goes to manifest.json and `natgpu version`; of it only
/// `version` may stand in a result file.
struct BuildInfo {
  std::string version;  ///< "0.1.0"
  std::string commit;   ///< of the source, with "-dirty" where it was changed; "unknown" outside a repository
  std::string compiler;  ///< "GNU 12.2.0"
  std::string flags;
  std::string type;  ///< "Release"
};
const BuildInfo& build_info();

}  // namespace natgpu::report
