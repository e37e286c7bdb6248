// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <natgpu/core/time.hpp>

namespace natgpu::simulation {

/// Who submits next: one entry per organisation that computes, in the order of (instant, organisation).
/// A winner tree: the next request of an organisation may be anywhere in the order, so a heap would sift it
/// to the bottom past four unpredictable comparisons a level; here a level is one comparison without a
/// branch.
class ArrivalTree {
 public:
  struct Entry {
    Instant at = never;
    std::uint32_t organisation = 0xffffffff;
    std::uint32_t leaf = 0;
  };
  Instant next_time() const { return nodes_[1].at; }
  const Entry& top() const { return nodes_[1]; }

  void push(Instant at, std::uint32_t organisation) {
    if (spare_.empty()) grow();
    const std::uint32_t leaf = spare_.back();
    spare_.pop_back();
    set(leaf, at, organisation);
  }
  /// The top organisation's next request.
  void replace_top(Instant at) { set(top().leaf, at, top().organisation); }
  void pop() {
    const std::uint32_t leaf = top().leaf;
    spare_.push_back(leaf);
    set(leaf, never, 0xffffffff);
  }

 private:
  static bool before(const Entry& a, const Entry& b) {
    // Without branches: which of two arrivals comes first cannot be foreseen.
    return (int{a.at < b.at} | (int{a.at == b.at} & int{a.organisation < b.organisation})) != 0;
  }
  void set(std::uint32_t leaf, Instant at, std::uint32_t organisation) {
    std::size_t node = leaves_ + leaf;
    nodes_[node] = {at, organisation, leaf};
    for (node /= 2; node >= 1; node /= 2) play(node);
  }
  void play(std::size_t node) {
    nodes_[node] = nodes_[2 * node + before(nodes_[2 * node + 1], nodes_[2 * node])];
  }
  void grow() {
    std::vector<Entry> leaves(nodes_.begin() + static_cast<std::ptrdiff_t>(leaves_), nodes_.end());
    for (std::size_t leaf = 2 * leaves_; leaf-- > leaves_;)
      spare_.push_back(static_cast<std::uint32_t>(leaf));
    leaves_ *= 2;
    leaves.resize(leaves_);
    nodes_.assign(leaves_, {});
    nodes_.insert(nodes_.end(), leaves.begin(), leaves.end());
    for (std::size_t node = leaves_; node-- > 1;) play(node);
  }

  std::size_t leaves_ = 1;                            ///< a power of two
  std::vector<Entry> nodes_ = std::vector<Entry>(2);  ///< 1-based; leaves from `leaves_` on
  std::vector<std::uint32_t> spare_ = {0};            ///< leaves that nobody has
};

}  // namespace natgpu::simulation
