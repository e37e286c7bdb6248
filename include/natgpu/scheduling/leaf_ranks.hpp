// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace natgpu::scheduling {

/// How many of n things in order are `below`.
template <class T, class Below>
std::size_t count_before(const T* things, std::size_t n, Below&& below) {
  return static_cast<std::size_t>(std::partition_point(things, things + n, below) - things);
}

/// The same without branches: for numbers that are looked up all over, where no branch can be foreseen.
template <class T, class Below>
std::size_t count_before_evenly(const T* things, std::size_t n, Below&& below) {
  const T* first = things;
  while (n > 1) {
    const std::size_t half = n / 2;
    first += static_cast<std::size_t>(below(first[half - 1])) * half;
    n -= half;
  }
  return static_cast<std::size_t>(first - things) + static_cast<std::size_t>(n == 1 && below(*first));
}

/// The leaves of a sorted sequence in the order of their keys. Each has a rank, in blocks of `block_size`
/// ranks that need not be full: the ranks behind a block's leaves are those of an empty leaf. So a leaf that
/// comes between others moves only the rest of its block.
template <class Key>
class LeafRanks {
 public:
  static constexpr std::size_t block_size = 64;
  static constexpr std::uint32_t no_leaf = 0;  ///< the empty one

  bool empty() const { return leaf_.empty(); }
  /// One behind the last leaf's rank.
  std::size_t size() const { return leaf_.size(); }
  /// Leaves of their own.
  std::size_t leaves() const { return leaves_; }
  std::uint32_t operator[](std::size_t rank) const { return leaf_[rank]; }
  const Key& low(std::size_t rank) const { return low_[rank]; }

  /// The next rank that has a leaf of its own, or the end.
  std::size_t behind(std::size_t rank) const {
    ++rank;
    return rank < leaf_.size() && leaf_[rank] == no_leaf ? (rank / block_size + 1) * block_size : rank;
  }
  /// The leaf in which `key` is or belongs: the last whose lower bound is not above it, or the first.
  /// @pre not empty
  std::size_t rank_for(const Key& key) const {
    const std::size_t b = count_before(blocks_.data() + 1, blocks_.size() - 1,
                                       [&key](const Block& block) { return !(key < block.low); });
    const std::size_t first = b * block_size;
    return first + count_before(low_.data() + first + 1, blocks_[b].leaves - 1,
                                [&key](const Key& low) { return !(key < low); });
  }

  void clear() {
    leaf_.clear();
    low_.clear();
    blocks_.clear();
    leaves_ = 0;
  }
  /// Puts a leaf behind all others. @param most  leaves of a block
  void append(std::uint32_t leaf, const Key& low, std::size_t most = block_size) {
    if (blocks_.empty() || blocks_.back().leaves >= most) {
      leaf_.resize(blocks_.size() * block_size, no_leaf);
      low_.resize(blocks_.size() * block_size);
      blocks_.push_back({low, 0});
    }
    leaf_.push_back(leaf);
    low_.push_back(low);
    ++blocks_.back().leaves;
    ++leaves_;
  }
  bool has_room_at(std::size_t rank) const { return blocks_[rank / block_size].leaves < block_size; }
  /// Gives a leaf its rank, and those that had it and the following ones the next.
  /// @returns the last rank of the block that has a leaf of its own. @pre the block of the rank before has
  /// room
  std::size_t insert(std::size_t rank, std::uint32_t leaf, const Key& low) {
    const std::size_t b = (rank - 1) / block_size, end = b * block_size + blocks_[b].leaves++;
    ++leaves_;
    if (end == leaf_.size()) {
      leaf_.push_back(no_leaf);
      low_.push_back(low);
    }
    for (std::size_t i = end; i > rank; --i) {
      leaf_[i] = leaf_[i - 1];
      low_[i] = low_[i - 1];
    }
    leaf_[rank] = leaf;
    low_[rank] = low;
    return end;
  }

 private:
  /// Ranks [b * block_size, b * block_size + leaves) of the b-th block have leaves of their own.
  struct Block {
    Key low;  ///< lower bound of its keys; of the first block it bounds nothing
    std::size_t leaves = 0;
  };
  std::vector<Block> blocks_;
  std::vector<std::uint32_t> leaf_;  ///< by rank
  std::vector<Key> low_;             ///< lower bound of each leaf's keys, by rank; the first bounds nothing
  std::size_t leaves_ = 0;
};

}  // namespace natgpu::scheduling
