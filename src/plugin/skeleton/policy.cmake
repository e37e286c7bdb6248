# SPDX-License-Identifier: Apache-2.0
# Against an installed natgpu: cmake -B build -DCMAKE_PREFIX_PATH=where/it/is && cmake --build build
cmake_minimum_required(VERSION 3.25)
project(my_policy LANGUAGES MY_LANGUAGE)
enable_testing()
find_package(natgpu REQUIRED)
natgpu_add_policy(my_policy MY_SOURCE)

# ctest --test-dir build: a replay, and random workloads. The policy as written is fcfs, and every job has to
# start when it does there. Another rule, another --like, or none.
add_test(NAME my_policy-replay COMMAND natgpu::natgpu replay ${CMAKE_CURRENT_SOURCE_DIR}/log.swf
         --policy $<TARGET_FILE:my_policy>)
natgpu_check_policy(my_policy --like fcfs)
