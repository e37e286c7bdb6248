// SPDX-License-Identifier: Apache-2.0
// What orders share that take machines back: who must go for whom, and where (docs/decisions/0021).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <natgpu/scheduling/node_books.hpp>
#include <natgpu/scheduling/node_progress.hpp>
#include <natgpu/scheduling/preemptive_rule.hpp>

namespace natgpu::scheduling {

/// Machines in a pass in which jobs have their turns in rank order. A job that is to start finds a place, by
/// the rule of placement, beside the running jobs that stay and those that were chosen before: with the
/// running jobs that have not had their turn where they are, or else as if they were gone. A running job
/// stays on its machines, or it loses them: it stays unless chosen jobs stand there, which then are placed
/// anew, in rank order, beside it and those that stay; if one of them finds no place it loses. In a pool
/// where somebody lost or was passed over in this way, all chosen jobs are placed anew in the end, on what
/// those that stay leave.
class PreemptiveNodeBooks : public NodeBooks {
 public:
  static constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();

 protected:
  explicit PreemptiveNodeBooks(NodeBooks&& books) : NodeBooks(std::move(books)), benches_(pools()) {}

  /// A running job that may lose its machines.
  struct Tenant {
    QueueKey place;
    std::uint32_t slot, pool;
    bool settled = false;  ///< it has had its turn
  };
  struct Chosen {
    WaitingJob job;
    std::uint32_t kind;
    NodeChoice choice;
    Attempt place;
  };
  /// Where a pass stands with the machines of one pool.
  struct Bench {
    bool lifted = false;     ///< running jobs that have not had their turn are off the machines
    bool displaced = false;  ///< chosen jobs may stand where such jobs were
    bool lost = false;       ///< some running job has lost its machines
  };

  /// Work that a running job has done in so much time on machines of that speed.
  std::int64_t done_in(std::uint32_t slot, std::int64_t ran, double speed) const {
    return work_in(spread(slot) ? ran * 1000 / rules_.slowdown_milli : ran, speed);
  }

  /// @pre tenants_ are those of the coming pass, in the order of their turns
  void begin_turns();
  /// A place on the pool's machines, which it takes.
  bool find_place(const NodeChoice& choice, const WaitingJob& job, std::int64_t now, Attempt& found);
  /// The same, but only with those behind it on their machines.
  bool find_free_place(const NodeChoice& choice, const WaitingJob& job, std::int64_t now, Attempt& found);
  /// A tenant's turn. @param others_moved  set if chosen jobs were placed anew for it
  /// @returns false if it loses its machines
  bool stays(Tenant& t, std::int64_t now, bool& others_moved);
  /// A tenant whose turn is over loses its machines.
  /// @param stands  it is on them: it has not been lifted
  void lose(Tenant& t, bool stands);
  /// Chosen jobs get the places that they start in. Sets `chosen_` and `lost_` for good.
  void place_chosen(std::int64_t now);

  std::vector<Tenant> tenants_;
  std::size_t turn_ = 0;  ///< those before it are settled
  std::vector<Bench> benches_;
  std::vector<Chosen> chosen_;       ///< whose places are taken
  std::vector<std::uint32_t> lost_;  ///< slots whose machines are free, in rank order

 private:
  bool lift(std::uint32_t pool);
  void lower(std::uint32_t pool);
  bool place_anew(std::uint32_t pool, const std::vector<Hold>* beside, std::int64_t now);
};

}  // namespace natgpu::scheduling
