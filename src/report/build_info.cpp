// SPDX-License-Identifier: Apache-2.0
#include <natgpu/report/build_info.hpp>

#include "commit.hpp"  // made by cmake/build_info.cmake

namespace natgpu::report {

const BuildInfo& build_info() {
  static const BuildInfo info{NATGPU_VERSION, NATGPU_COMMIT, NATGPU_COMPILER, NATGPU_FLAGS,
                              NATGPU_BUILD_TYPE};
  return info;
}

}  // namespace natgpu::report
