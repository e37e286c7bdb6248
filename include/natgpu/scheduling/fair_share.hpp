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
/// first; fairtree by the place of their user in the tree. A new ranking is O(a log a) for the `a` accounts
/// that ever held GPUs and those above them; all others stand together, and are placed as they ask.
class FairShare {
 public:
  static constexpr bool by_account = true;

  /// @param order  multifactor or fairtree
  /// @param gpus   of the machine, of which the size factor is a part
  FairShare(Order order, AccountTree tree, const FairShareRule& rule, std::int64_t gpus);

  /// An account's running jobs hold so many thousandths of GPUs more from `now` on (ticks).
  void note_held(std::uint32_t account, std::int64_t gpu_milli, std::int64_t now) {
    advance(account, now);
    books_[account].held_milli += gpu_milli;
    if (!is_counted_[account]) count(account);
  }
  /// Works the factors out anew, as of that instant. @pre it precedes no change of what is held
  void rank_at(std::int64_t at);

  /// @param wait  ticks
  std::int64_t key(std::int64_t wait, const WaitingJob& job, const Claimant& who) const;
  /// From 1 (nothing used) to 0.
  double factor(std::uint32_t account) const;

 private:
  struct Book {
    double use = 0;  ///< GPU-seconds, faded
    std::int64_t held_milli = 0, as_of = 0;
  };
  /// The children of an account, as the last ranking has them.
  struct Family {
    std::vector<std::uint32_t> used;          ///< those with use, in the order of the tree
    std::vector<std::int64_t> users_of_used;  ///< below the first so many of these; one more than they are
    double shares = 0;                        ///< of all children
  };
  void count(std::uint32_t account);
  bool is_inner(std::uint32_t node) const { return family_of_[node] != no_family; }
  bool ranks_by_tree() const {
    return order_ == Order::fairtree || rule_.factor == FairShareRule::Factor::tree;
  }
  void advance(std::uint32_t account, std::int64_t to);
  void work_out();
  void sum_use();
  void rank_families();
  void work_out_effective_use();
  double effective_use_of(std::uint32_t node) const;
  std::int64_t users_before(std::uint32_t node) const;
  std::int64_t place(std::uint32_t user) const;

  static constexpr std::uint32_t no_family = 0xffffffff;
  Order order_;
  AccountTree tree_;
  FairShareRule rule_;
  double gpus_;
  Decay decay_;
  std::vector<double> shares_;  ///< normalised
  std::vector<Book> books_;     ///< by node
  std::vector<std::uint32_t>
      counted_;  ///< inner nodes, and users that ever held GPUs, in the order of the tree
  std::vector<std::uint8_t> is_counted_;  ///< by node
  std::vector<double> use_;               ///< by node, as of the last ranking; of others than counted nodes 0
  std::vector<double> effective_;         ///< by node, of inner ones: Slurm's effective use
  std::vector<std::uint32_t> family_of_;  ///< by node
  std::vector<Family> families_;
  std::vector<std::int64_t> users_below_;     ///< by node; of a user 1
  std::vector<std::int64_t> users_ahead_;     ///< by node: users below the siblings before it in the tree
  std::vector<std::int64_t> before_;          ///< by node with use: users of siblings that rank before it
  mutable std::vector<double> factors_;       ///< by node, where
  mutable std::vector<std::uint64_t> known_;  ///< this is the present ranking
  std::uint64_t ranking_ = 0;
};

}  // namespace natgpu::scheduling
