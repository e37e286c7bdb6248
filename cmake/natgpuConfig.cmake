# SPDX-License-Identifier: Apache-2.0
# natgpu for projects that write policies for it: find_package(natgpu) brings the targets natgpu::policy (headers)
# and natgpu::natgpu (the program), and the functions below.
include(${CMAKE_CURRENT_LIST_DIR}/natgpuTargets.cmake)
get_property(natgpu_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
if(CXX IN_LIST natgpu_languages)
  set_property(TARGET natgpu::policy PROPERTY INTERFACE_COMPILE_FEATURES cxx_std_20)
endif()

# natgpu_add_policy(NAME FILE ...): the policy NAME.so, in C or in C++20.
function(natgpu_add_policy name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE natgpu::policy)
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX .so C_VISIBILITY_PRESET hidden
                        CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()

# natgpu_check_policy(NAME [option ...]): a test NAME-check, `natgpu policy check` of the policy with these options.
function(natgpu_check_policy name)
  add_test(NAME ${name}-check COMMAND natgpu::natgpu policy check $<TARGET_FILE:${name}> ${ARGN})
endfunction()
