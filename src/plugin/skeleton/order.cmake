# SPDX-License-Identifier: Apache-2.0
# Against an installed natgpu: cmake -B build -DCMAKE_PREFIX_PATH=where/it/is && cmake --build build
cmake_minimum_required(VERSION 3.25)
project(my_policy LANGUAGES MY_LANGUAGE)
enable_testing()
find_package(natgpu REQUIRED)
natgpu_add_policy(my_policy MY_SOURCE)

# ctest --test-dir build: the order itself, a replay of it, and random workloads.
add_executable(my_policy_test MY_TEST)
target_link_libraries(my_policy_test PRIVATE natgpu::policy)
add_test(NAME my_policy-test COMMAND my_policy_test)
add_test(NAME my_policy-replay COMMAND natgpu::natgpu replay ${CMAKE_CURRENT_SOURCE_DIR}/log.swf
         --policy $<TARGET_FILE:my_policy> --backfill easy)
natgpu_check_policy(my_policy --backfill easy)
