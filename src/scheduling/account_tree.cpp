// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/account_tree.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/math.hpp>

namespace natgpu::scheduling {
namespace {

double sum_of_shares(const AccountTree& tree, std::uint32_t parent) {
  double sum = 0;
  for (const std::uint32_t child : tree[parent].children) sum += tree[child].share;
  return sum;
}

/// Of siblings their parts of the common sums have the same denominators: share / use ranks as the level
/// value.
double level(const AccountTree& tree, const std::vector<double>& use, std::uint32_t node) {
  return use[node] > 0 ? tree[node].share / use[node] : std::numeric_limits<double>::infinity();
}

}  // namespace

std::uint32_t AccountTree::add(std::uint32_t parent, double share) {
  NATGPU_ENSURE(parent < nodes_.size(), "an account's parent is there before it");
  NATGPU_ENSURE(share > 0 && share < std::numeric_limits<double>::infinity(), "a share is positive");
  const auto node = static_cast<std::uint32_t>(nodes_.size());
  inner_ += parent != root && nodes_[parent].children.empty();
  nodes_[parent].children.push_back(node);
  Node& added = nodes_.emplace_back();
  added.parent = parent;
  added.share = share;
  return node;
}

std::vector<double> use_with_children(const AccountTree& tree, std::vector<double> own) {
  NATGPU_ENSURE(own.size() == tree.size(), "each node has a use");
  for (std::uint32_t n = 0; n < tree.size(); ++n)
    if (!tree[n].children.empty()) own[n] = 0;
  for (auto n = static_cast<std::uint32_t>(tree.size() - 1); n > 0; --n) own[tree[n].parent] += own[n];
  return own;
}

std::vector<double> normalised_shares(const AccountTree& tree) {
  std::vector<double> shares(tree.size(), 1.0);
  for (std::uint32_t n = 0; n < tree.size(); ++n) {
    const double all = sum_of_shares(tree, n);
    for (const std::uint32_t child : tree[n].children) shares[child] = shares[n] * (tree[child].share / all);
  }
  return shares;
}

std::vector<double> effective_use(const AccountTree& tree, const std::vector<double>& use) {
  std::vector<double> effective = use;
  for (std::uint32_t n = 1; n < tree.size(); ++n) {
    const double all = sum_of_shares(tree, n);
    for (const std::uint32_t child : tree[n].children)
      effective[child] = use[child] + (effective[n] - use[child]) * (tree[child].share / all);
  }
  return effective;
}

double classic_factor(double effective_use, double normalised_share, double damping) {
  NATGPU_ENSURE(normalised_share > 0 && damping > 0, "shares and damping are positive");
  return portable_pow(2.0, -(effective_use / normalised_share) / damping);
}

std::vector<std::uint32_t> fair_tree(const AccountTree& tree, const std::vector<double>& use) {
  std::vector<std::uint32_t> users, open{AccountTree::root};
  while (!open.empty()) {
    const std::uint32_t node = open.back();
    open.pop_back();
    std::vector<std::uint32_t> children = tree[node].children;
    if (children.empty() && node != AccountTree::root) users.push_back(node);
    std::stable_sort(children.begin(), children.end(), [&](std::uint32_t a, std::uint32_t b) {
      return level(tree, use, a) > level(tree, use, b);
    });
    open.insert(open.end(), children.rbegin(), children.rend());
  }
  return users;
}

double fair_tree_factor(std::size_t place, std::size_t users) {
  return static_cast<double>(users - place) / static_cast<double>(users);
}

}  // namespace natgpu::scheduling
