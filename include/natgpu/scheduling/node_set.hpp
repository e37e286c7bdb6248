// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace natgpu::scheduling {

/// A set of node numbers that knows its k-th smallest without a walk over all: a sorted list while it is
/// short, then a bitmap with counts of its stretches.
class NodeSet {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  /// @pre it is not in the set
  void insert(std::uint32_t node) {
    if (!words_.empty() || size_ == most_listed) {
      if (words_.empty()) to_bitmap();
      set_bit(node);
    } else {
      list_.insert(std::lower_bound(list_.begin(), list_.end(), node), node);
    }
    ++size_;
  }
  /// @pre it is in the set
  void erase(std::uint32_t node) {
    --size_;
    if (words_.empty()) {
      list_.erase(std::lower_bound(list_.begin(), list_.end(), node));
      return;
    }
    words_[node / 64] &= ~(std::uint64_t{1} << node % 64);
    --counts_[node / stretch];
    if (size_ == most_listed / 2) to_list();
  }
  /// The k-th smallest, from 0. @pre k < size()
  std::uint32_t operator[](std::size_t k) const {
    if (words_.empty()) return list_[k];
    std::size_t block = 0;
    for (; k >= counts_[block]; ++block) k -= counts_[block];
    std::size_t w = block * words_a_stretch;
    for (;; ++w) {
      const auto here = static_cast<std::size_t>(std::popcount(words_[w]));
      if (k < here) break;
      k -= here;
    }
    std::uint64_t word = words_[w];
    for (; k > 0; --k) word &= word - 1;
    return static_cast<std::uint32_t>(64 * w) + static_cast<std::uint32_t>(std::countr_zero(word));
  }
  /// How many numbers are smaller.
  std::size_t below(std::uint32_t node) const {
    if (words_.empty())
      return static_cast<std::size_t>(std::lower_bound(list_.begin(), list_.end(), node) - list_.begin());
    const std::size_t word = std::min<std::size_t>(node / 64, words_.size());
    std::size_t n = 0, w = 0;
    for (std::size_t b = 0; w + words_a_stretch <= word; ++b, w += words_a_stretch) n += counts_[b];
    for (; w < word; ++w) n += static_cast<std::size_t>(std::popcount(words_[w]));
    if (word < words_.size())
      n += static_cast<std::size_t>(std::popcount(words_[word] & ((std::uint64_t{1} << node % 64) - 1)));
    return n;
  }

 private:
  static constexpr std::size_t most_listed = 128;
  static constexpr std::size_t words_a_stretch = 32;
  static constexpr std::size_t stretch = 64 * words_a_stretch;

  void set_bit(std::uint32_t node) {
    const std::size_t blocks = node / stretch + 1;
    if (counts_.size() < blocks) {
      counts_.resize(blocks);
      words_.resize(blocks * words_a_stretch);
    }
    words_[node / 64] |= std::uint64_t{1} << node % 64;
    ++counts_[node / stretch];
  }
  void to_bitmap() {
    for (const std::uint32_t node : list_) set_bit(node);
    list_.clear();
  }
  void to_list() {
    for (std::size_t w = 0; w < words_.size(); ++w)
      for (std::uint64_t rest = words_[w]; rest != 0; rest &= rest - 1)
        list_.push_back(static_cast<std::uint32_t>(64 * w) +
                        static_cast<std::uint32_t>(std::countr_zero(rest)));
    words_.clear();
    counts_.clear();
  }

  std::size_t size_ = 0;
  std::vector<std::uint32_t> list_;  ///< sorted; empty once there is a bitmap
  std::vector<std::uint64_t> words_;
  std::vector<std::uint32_t> counts_;  ///< of each stretch of the bitmap
};

}  // namespace natgpu::scheduling
