// SPDX-License-Identifier: Apache-2.0
// Slurm's orders by what accounts have used: multifactor and fairtree.
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/scheduling/account_tree.hpp>
#include <natgpu/scheduling/claimant.hpp>
#include <natgpu/scheduling/decay.hpp>
#include <natgpu/scheduling/multifactor.hpp>
#include <natgpu/scheduling/spec.hpp>

namespace natgpu::scheduling {

/// What the two rules leave open. The usual values are slurm.conf's (PriorityDecayHalfLife, PriorityMaxAge).
struct FairShareRule {
  enum class Factor : std::uint8_t { classic, tree };
  PriorityWeights weights;                  ///< of multifactor
  Factor factor = Factor::classic;          ///< its fair-share factor; classic as with Slurm's NO_FAIR_TREE
  std::int64_t half_life_s = 7 * 86'400;    ///< of use; 0: it never fades
  std::int64_t longest_age_s = 7 * 86'400;  ///< a wait from which on the age factor is 1; positive
  friend bool operator==(const FairShareRule&, const FairShareRule&) = default;
};

/// The rule of MovingOrder for multifactor and fairtree. Use are GPU-seconds held, of the past with the
/// weight that the half-life leaves it. multifactor ranks jobs by their priority, a whole number, the highest
/// first; fairtree by the place of their user in the tree. O(accounts) for each new ranking.
class FairShare {
 public:
  static constexpr bool by_account = true;

  /// @param order  multifactor or fairtree
  /// @param gpus   of the machine, of which the size factor is a part
  FairShare(Order order, AccountTree tree, const FairShareRule& rule, std::int64_t gpus);

  /// An account's running jobs hold so many GPUs more from `now` on (ticks).
  void note_held(std::uint32_t account, std::int64_t gpus, std::int64_t now) {
    advance(account, now);
    books_[account].held += gpus;
  }
  /// Works the factors out anew, as of that instant. @pre it precedes no change of what is held
  void rank_at(std::int64_t at);

  /// @param wait  ticks
  std::int64_t key(std::int64_t wait, const WaitingJob& job, const Claimant& who) const;
  double factor(std::uint32_t account) const { return factors_[account]; }

 private:
  struct Book {
    double use = 0;  ///< GPU-seconds, faded
    std::int64_t held = 0, as_of = 0;
  };
  void advance(std::uint32_t account, std::int64_t to);
  void work_out();

  Order order_;
  AccountTree tree_;
  FairShareRule rule_;
  double gpus_;
  Decay decay_;
  std::vector<double> shares_;          ///< normalised
  std::vector<Book> books_;             ///< by node
  std::vector<double> factors_;         ///< by node; those of users count
  std::vector<std::int64_t> place_of_;  ///< by node, of users in the tree
};

}  // namespace natgpu::scheduling
