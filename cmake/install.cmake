# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` brings: the program, its scenarios, and what policies of one's own are built against
# (docs/policies.md).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Targets of the package: natgpu::policy, the headers of a policy, and natgpu::natgpu, the program.
add_library(natgpu_policy INTERFACE)
set_target_properties(natgpu_policy PROPERTIES EXPORT_NAME policy)
target_include_directories(natgpu_policy INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

install(TARGETS natgpu natgpu_policy EXPORT natgpuTargets RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES include/natgpu/policy.h include/natgpu/policy.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/natgpu)
install(DIRECTORY scenarios DESTINATION ${CMAKE_INSTALL_DATADIR}/natgpu)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(natgpu_package ${CMAKE_INSTALL_LIBDIR}/cmake/natgpu)
# The package holds no library of natgpu, and a policy's ABI has a number of its own (NATGPU_POLICY_ABI).
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/natgpuConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(EXPORT natgpuTargets NAMESPACE natgpu:: DESTINATION ${natgpu_package})
install(FILES cmake/natgpuConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/natgpuConfigVersion.cmake
  DESTINATION ${natgpu_package})
