// SPDX-License-Identifier: Apache-2.0
// A cluster of three machines and logs of tasks in OpenB's columns, as the program reads them.
#pragma once

#include <string>

#include "bytes.hpp"
#include "folder.hpp"

namespace natgpu::testing {

inline const std::string openb_header =
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,"
    "scheduled_time\n";

/// nodes.csv: two machines of two GPUs, and one without; and tasks.csv. @param tasks  rows
inline void write_small_cluster(const Folder& folder, const std::string& tasks) {
  write_bytes(
      folder.path("nodes.csv"),
      "sn,cpu_milli,memory_mib,gpu,model\nn0,32000,262144,2,A\nn1,32000,262144,2,A\nn2,8000,1024,0,\n");
  write_bytes(folder.path("tasks.csv"), openb_header + tasks);
}

}  // namespace natgpu::testing
