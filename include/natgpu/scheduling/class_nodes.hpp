// SPDX-License-Identifier: Apache-2.0
// Waiting jobs take machines from running ones of lower class.
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/scheduling/claiming_nodes.hpp>

namespace natgpu::scheduling {

/// ClassPreemption on machines: jobs start in queue order, and one that finds no place claims the machines of
/// running jobs of lower class (ClaimingNodes): first of the lowest class, there of the latest start, then of
/// the highest id. A job's class is the key of its place in the queue; the smallest is the highest. One that
/// the machines that are there could not hold, were they empty, blocks nobody.
///
/// On machines of one GPU, and where all ask for one, this is ClassPreemption's choice. A pass is
/// O((s + k)(R log R + places)) for s starts, R running jobs and k kinds of waiting jobs.
class ClassNodes : public ClaimingNodes {
 public:
  using ClaimingNodes::ClaimingNodes;

  /// Decisions go to the sink at once: `preempt(job)`, which submits the job anew, and `start(job, pool,
  /// requested there)`.
  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (!begin_claims(now)) return;
    Candidates candidates;
    for (const auto& [key, kind] : fronts_) consider(candidates, kind, nullptr);
    while (!candidates.empty()) {
      const Candidate c = candidates.top();
      candidates.pop();
      if (!has_open_pool(c.kind)) continue;
      serve(
          c, now, [&](std::uint32_t pool) { return victims_for(c.job, pool, now); }, sink);
      consider(candidates, c.kind, &c.job.order);
    }
    end_claims(now);
  }

 private:
  std::vector<std::uint32_t> victims_for(const WaitingJob& job, std::uint32_t pool, std::int64_t now) const;
};

}  // namespace natgpu::scheduling
