// SPDX-License-Identifier: Apache-2.0
// Accounts under accounts, what each is entitled to, and how fair-share rules see what they used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace natgpu::scheduling {

/// Accounts and, under them, users (or further accounts). Nodes are numbered as they are added, a child
/// behind its parent; 0 is the root, which stands for the whole machine. Ties between siblings go to the one
/// that was added first: whoever builds the tree adds them in name order.
class AccountTree {
 public:
  static constexpr std::uint32_t root = 0;

  AccountTree() { nodes_.emplace_back(); }
  /// @param share  against its siblings; positive  @returns its number
  /// @throws InvariantError on a share out of range, or a parent that is not there
  std::uint32_t add(std::uint32_t parent, double share = 1.0);

  struct Node {
    std::uint32_t parent = root;
    double share = 1.0;
    std::vector<std::uint32_t> children;  ///< in name order; none: a user
  };
  const Node& operator[](std::uint32_t node) const { return nodes_[node]; }
  std::size_t size() const { return nodes_.size(); }
  std::size_t users() const { return nodes_.size() - inner_; }

 private:
  std::vector<Node> nodes_;
  std::size_t inner_ = 1;  ///< nodes with children, the root among them
};

/// Own use, by node: of users as given, of accounts that of all below them.
/// @param own  by node, any unit, not negative; those of inner nodes are replaced
std::vector<double> use_with_children(const AccountTree& tree, std::vector<double> own);

/// What each node is entitled to of the whole: its share among its siblings' times its parent's.
std::vector<double> normalised_shares(const AccountTree& tree);

/// Slurm's effective use: U_E = U + (U_E of the parent - U) x share / siblings' shares, of the root's
/// children their own use. Source: SchedMD, Classic Fairshare Algorithm.
/// @param use  by node, accounts included, as parts of all use
std::vector<double> effective_use(const AccountTree& tree, const std::vector<double>& use);

/// Slurm's classic fair-share factor 2^(-(U_E / S) / damping), from 1 (nothing used) to 0.
/// @param effective_use, normalised_share  parts of the whole  @pre normalised_share > 0, damping > 0
double classic_factor(double effective_use, double normalised_share, double damping = 1.0);

/// Slurm's Fair Tree: siblings rank by level value (share / siblings' shares) / (use / siblings' use),
/// infinite where nothing was used; the users of the first rank before those of the next, depth first. Ties
/// go by name order. Source: SchedMD, Fair Tree Fairshare Algorithm.
/// @param use  by node, accounts included, any unit
/// @returns the users' nodes, the first to run first
std::vector<std::uint32_t> fair_tree(const AccountTree& tree, const std::vector<double>& use);

/// The factor that Fair Tree gives to the user of that place, from 1 for the first to 1 / users for the last.
double fair_tree_factor(std::size_t place, std::size_t users);

}  // namespace natgpu::scheduling
