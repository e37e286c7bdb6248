// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <natgpu/scheduling/nodes.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// Who asks for a job, and what orders by account weigh of it beside its GPUs.
struct Claimant {
  std::uint32_t account = 0;    ///< a node of the AccountTree
  double queue_factor = 0;      ///< of its class, from 0 to 1
  std::int64_t cpu_milli = 0;   ///< thousandths of a core, of the whole job
  std::int64_t memory_mib = 0;  ///< of the whole job
  std::int64_t gpu_milli = 0;   ///< thousandths of GPUs, of the whole job; 0: its GPUs, all of them whole
};

/// Thousandths of GPUs that the job asks for.
inline std::int64_t asked_milli(const Claimant& who, const WaitingJob& job) {
  return who.gpu_milli > 0 ? who.gpu_milli : std::int64_t{job.gpus} * whole_gpu_milli;
}

/// Dispatchers that rank accounts: they are told who asks at submission, and whose job it was when it ends.
template <class Dispatcher>
concept RanksAccounts = requires(Dispatcher& d, const Claimant& who, const WaitingJob& job) {
  d.submit(who, job);
  d.finish_of(job, std::int64_t{});
};

}  // namespace natgpu::scheduling
