// SPDX-License-Identifier: Apache-2.0
// Target shares of all jobs that wait or run, worked out round by round, and whose next round is due.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <natgpu/scheduling/type_shares.hpp>
#include <natgpu/scheduling/type_turns.hpp>

namespace natgpu::scheduling {

/// What jobs have done, what they are to have, and their marks: all of gavel-las and gavel-ftf that does not
/// depend on where GPUs are.
class TargetTurns {
 public:
  static constexpr std::uint32_t nowhere = 0xffffffff;

  /// A job that has a part in what is shared out, at the beginning of a round. Times are ticks.
  struct Present {
    std::uint64_t id;  ///< in the order of submission
    std::uint32_t slot;
    std::uint32_t job_class;  ///< row of the model's speeds
    std::int64_t gpus;        ///< of its gang, in the unit of the model's
    std::int64_t left;        ///< work still to do
    std::uint32_t type;       ///< on which it runs, or `nowhere`
    std::int64_t running;     ///< since its present run began; 0 if there is none
  };

  /// @param round  ticks
  TargetTurns(Order order, std::size_t types, std::int64_t round)
      : order_(order), types_(types), turns_(types, round) {}

  /// The slot is another job's from now on.
  /// @param left    work to do
  /// @param weight  of its share, positive
  void begin(std::uint32_t slot, std::int64_t now, std::int64_t left, double weight);
  /// Time that the job had GPUs of the type, in a run that is over.
  void receive(std::uint32_t slot, std::size_t type, std::int64_t ticks) {
    turns_.receive(slot, type, ticks);
  }
  /// The job takes no part until it has shares again.
  void drop(std::uint32_t slot) { turns_.drop(slot); }
  /// Work that the job had to do at the last round.
  std::int64_t left(std::uint32_t slot) const { return jobs_[slot].left; }

  /// Counts what was received and done since the last round.
  /// @param present  by id: which of several best solutions a program finds hangs on its rows
  void settle(const std::vector<Present>& present);
  /// Whether shares are to be worked out again. @param changed  jobs or GPUs have come or gone since
  bool moves(bool changed) const { return changed || order_ == Order::gavel_ftf; }
  /// The shares of the coming round, of those whom some type can hold.
  void share(const GpuTypes& model, const std::vector<Present>& present, std::int64_t now);
  /// Newcomers join, and nobody is too far ahead (TypeTurns::align).
  void align(const std::vector<Present>& present);

  bool has_share(std::uint32_t slot, std::size_t type) const { return turns_.has_share(slot, type); }
  /// When the middle of the job's next round on the type is due. @pre has_share()
  std::int64_t due(std::uint32_t slot, std::size_t type) const { return turns_.due(slot, type); }

 private:
  struct Job {
    double weight = 1;
    std::int64_t joined = 0;  ///< instant of its first submission
    std::int64_t left = 0;    ///< work still to do at the last round
    double isolated = 0;      ///< ticks that the work done would have taken with fair shares
    double fair_speed = 1;    ///< at the last round
  };
  TypedClaim claim_of(const GpuTypes& model, const Present& p, std::int64_t now, double weight_of_all);

  Order order_;
  std::size_t types_;
  TypeTurns turns_;
  std::vector<Job> jobs_;  ///< by slot
  std::vector<std::uint32_t> slots_;
  std::vector<std::size_t> claimants_;  ///< among those present
  std::vector<TypedClaim> claims_;
};

}  // namespace natgpu::scheduling
