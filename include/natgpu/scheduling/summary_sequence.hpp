// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace natgpu::scheduling {

/// A sorted sequence kept in small leaves of entries, with a segment tree of summaries over the leaves:
/// the one structure behind the waiting queue and the capacity profile.
///
/// Traits:
///   leaf_size, Entry, Key (ordered by <), Summary (default = summary of nothing, compared by ==)
///   static Key key(const Entry&)
///   static void absorb(Summary&, const Entry&)                  summary of a stretch with an entry put at
///   its end static Summary combine(const Summary& left, const Summary& right) static bool
///   absorb_anywhere(Summary&, const Entry&)         false: order matters, scan the leaf again static bool
///   forget(Summary&, const Entry&)                  false: scan the leaf again
///
/// Insert at the end and erase at the front, the ways of a queue, cost O(1) amortised plus O(log n) for the
/// summary; insert in the middle splits a leaf once in 32 and then shifts the order of leaves (one word a
/// leaf).
template <class Traits>
class SummarySequence {
 public:
  using Entry = typename Traits::Entry;
  using Key = typename Traits::Key;
  using Summary = typename Traits::Summary;
  static constexpr std::size_t leaf_size = Traits::leaf_size;

  /// A place in the sequence: leaf by rank, entry within it. Void after any change.
  struct Cursor {
    std::size_t rank = 0;
    std::size_t index = 0;
  };

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  const Summary& total() const { return order_.empty() ? nothing_ : tree_[1]; }

  /// @pre no entry has this key
  void insert(const Entry& entry) {
    const Key key = Traits::key(entry);
    if (order_.empty()) append_leaf(key);
    std::size_t rank = rank_for(key);
    if (full(rank)) {
      if (rank + 1 == order_.size() && Traits::key(leaf_at(rank).entries[leaf_size - 1]) < key) {
        append_leaf(key);
        ++rank;
      } else if (leaf_at(rank).begin == 0) {
        split(rank);
        if (!(key < low_[rank + 1])) ++rank;
      }
    }
    Leaf& leaf = leaf_at(rank);
    if (leaf.begin == leaf.end) --empty_leaves_;
    const bool last = leaf.begin == leaf.end || Traits::key(leaf.entries[leaf.end - 1]) < key;
    place(leaf, entry, key);
    ++size_;
    if (key < low_[rank]) low_[rank] = key;
    if (rank < begin_) begin_ = rank;
    Summary fresh = tree_[capacity_ + rank];
    if (last)
      Traits::absorb(fresh, entry);
    else if (!Traits::absorb_anywhere(fresh, entry))
      fresh = summary_of(rank);
    publish(rank, fresh);
  }

  /// The entry of this key, or null.
  Entry* find(const Key& key) {
    if (size_ == 0) return nullptr;
    Leaf& leaf = leaf_at(rank_for(key));
    const std::size_t i = index_in(leaf, key);
    return i < leaf.end ? &leaf.entries[i] : nullptr;
  }
  /// Call after an entry found by `find` has been changed in place (not its key).
  void changed(const Key& key) {
    const std::size_t rank = rank_for(key);
    publish(rank, summary_of(rank));
  }

  bool erase(const Key& key) {
    if (size_ == 0) return false;
    const std::size_t rank = rank_for(key);
    Leaf& leaf = leaf_at(rank);
    const std::size_t i = index_in(leaf, key);
    if (i == leaf.end) return false;
    const Entry gone = leaf.entries[i];
    if (i == leaf.begin)
      ++leaf.begin;
    else
      std::copy(leaf.entries.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                leaf.entries.begin() + static_cast<std::ptrdiff_t>(leaf.end--),
                leaf.entries.begin() + static_cast<std::ptrdiff_t>(i));
    --size_;
    Summary fresh = tree_[capacity_ + rank];
    if (leaf.begin == leaf.end) {
      leaf.begin = leaf.end = 0;
      ++empty_leaves_;
      fresh = nothing_;
    } else if (!Traits::forget(fresh, gone)) {
      fresh = summary_of(rank);
    }
    publish(rank, fresh);
    if (order_.size() > 8 && empty_leaves_ * 2 > order_.size()) compact();
    return true;
  }

  void clear() {
    for (const std::uint32_t id : order_) spare_.push_back(id);
    order_.clear();
    low_.clear();
    std::fill(tree_.begin(), tree_.end(), nothing_);
    size_ = 0;
    empty_leaves_ = 0;
    begin_ = 0;
  }

  /// The first entry, or null.
  const Entry* front() const {
    if (size_ == 0) return nullptr;
    while (leaf_at(begin_).begin == leaf_at(begin_).end) ++begin_;
    return &leaf_at(begin_).entries[leaf_at(begin_).begin];
  }
  Cursor begin() const { return {begin_, 0}; }
  /// The first place whose key is above `key`.
  Cursor after(const Key& key) const {
    if (order_.empty()) return {};
    const std::size_t rank = rank_for(key);
    const Leaf& leaf = leaf_at(rank);
    const auto first = leaf.entries.begin() + static_cast<std::ptrdiff_t>(leaf.begin);
    const auto last = leaf.entries.begin() + static_cast<std::ptrdiff_t>(leaf.end);
    const auto it =
        std::upper_bound(first, last, key, [](const Key& k, const Entry& e) { return k < Traits::key(e); });
    return {rank, static_cast<std::size_t>(it - leaf.entries.begin())};
  }

  /// The first entry whose key is above `key`, or null.
  const Entry* first_after(const Key& key) const {
    if (size_ == 0) return nullptr;
    const Cursor at = after(key);
    for (std::size_t rank = at.rank, index = at.index; rank < order_.size(); ++rank, index = 0) {
      const Leaf& leaf = leaf_at(rank);
      index = std::max(index, leaf.begin);
      if (index < leaf.end) return &leaf.entries[index];
    }
    return nullptr;
  }
  /// As `walk` from the beginning, but leaps over the first leaf too. @pre skip and stop keep no account
  template <class Skip, class Stop>
  const Entry* find_after(const Key& key, Skip&& skip, Stop&& stop) const {
    if (size_ == 0) return nullptr;
    Cursor from = after(key);
    return walk(from, skip, stop);
  }
  template <class Skip, class Stop>
  const Entry* find_first(Skip&& skip, Stop&& stop) const {
    if (size_ == 0 || skip(tree_[1])) return nullptr;
    std::size_t node = 1;
    while (node < capacity_) {
      node *= 2;
      if (skip(tree_[node])) ++node;
    }
    Cursor from{node - capacity_, 0};
    return walk(from, skip, stop);
  }

  /// Walks on from `from`, leaping over whole stretches.
  /// @param skip   skip(summary): true = nothing here, leap (and take account of it)
  /// @param stop   stop(entry): true = this is it; false = go on (and take account of it)
  /// @returns the entry it stopped at, or null; `from` is moved there
  template <class Skip, class Stop>
  const Entry* walk(Cursor& from, Skip&& skip, Stop&& stop) const {
    const std::size_t ranks = order_.size();
    if (from.rank >= ranks || size_ == 0) return nullptr;
    std::size_t rank = from.rank;
    std::size_t index = from.index;
    for (;;) {
      const Leaf& leaf = leaf_at(rank);
      for (index = std::max(index, leaf.begin); index < leaf.end; ++index)
        if (stop(leaf.entries[index])) {
          from = {rank, index};
          return &leaf.entries[index];
        }
      index = 0;
      // Leap to the next leaf that may hold something (as a segment tree's max_right does).
      std::size_t node = capacity_ + rank + 1;
      if ((node & (node - 1)) == 0) break;  // past the last leaf
      for (;;) {
        while ((node & 1) == 0) node >>= 1;
        if (!skip(tree_[node])) {
          while (node < capacity_) {
            node *= 2;
            if (skip(tree_[node])) ++node;
          }
          rank = node - capacity_;
          break;
        }
        ++node;
        if ((node & (node - 1)) == 0) {
          from = {ranks, 0};
          return nullptr;
        }
      }
      if (rank >= ranks) break;
    }
    from = {ranks, 0};
    return nullptr;
  }

 private:
  /// Entries [begin, end): erasing the first costs nothing.
  struct Leaf {
    std::array<Entry, leaf_size> entries;
    std::size_t begin = 0, end = 0;
  };

  Leaf& leaf_at(std::size_t rank) { return leaves_[order_[rank]]; }
  const Leaf& leaf_at(std::size_t rank) const { return leaves_[order_[rank]]; }
  bool full(std::size_t rank) const { return leaf_at(rank).end == leaf_size; }

  /// The leaf in which `key` is or belongs: the last whose lower bound is not above it.
  std::size_t rank_for(const Key& key) const {
    const auto it = std::upper_bound(low_.begin(), low_.end(), key);
    return it == low_.begin() ? 0 : static_cast<std::size_t>(it - low_.begin()) - 1;
  }
  static std::size_t index_in(const Leaf& leaf, const Key& key) {
    const auto first = leaf.entries.begin() + static_cast<std::ptrdiff_t>(leaf.begin);
    const auto last = leaf.entries.begin() + static_cast<std::ptrdiff_t>(leaf.end);
    const auto it =
        std::lower_bound(first, last, key, [](const Entry& e, const Key& k) { return Traits::key(e) < k; });
    return it == last || key < Traits::key(*it) ? leaf.end
                                                : static_cast<std::size_t>(it - leaf.entries.begin());
  }
  /// Puts the entry in its place. @pre the leaf has room at one end
  static void place(Leaf& leaf, const Entry& entry, const Key& key) {
    if (leaf.end < leaf_size) {
      std::size_t i = leaf.end++;
      for (; i > leaf.begin && key < Traits::key(leaf.entries[i - 1]); --i)
        leaf.entries[i] = leaf.entries[i - 1];
      leaf.entries[i] = entry;
    } else {
      std::size_t i = --leaf.begin;
      for (; i + 1 < leaf.end && Traits::key(leaf.entries[i + 1]) < key; ++i)
        leaf.entries[i] = leaf.entries[i + 1];
      leaf.entries[i] = entry;
    }
  }
  std::uint32_t take_leaf() {
    std::uint32_t id;
    if (!spare_.empty()) {
      id = spare_.back();
      spare_.pop_back();
      leaves_[id].begin = leaves_[id].end = 0;
    } else {
      id = static_cast<std::uint32_t>(leaves_.size());
      leaves_.emplace_back();
    }
    return id;
  }
  void append_leaf(const Key& key) {
    order_.push_back(take_leaf());
    low_.push_back(key);
    ++empty_leaves_;
    grow_tree();
  }
  void split(std::size_t rank) {
    const std::uint32_t right = take_leaf();
    Leaf& l = leaf_at(rank);
    Leaf& r = leaves_[right];
    constexpr std::size_t half = leaf_size / 2;
    std::copy(l.entries.begin() + half, l.entries.end(), r.entries.begin());
    r.end = leaf_size - half;
    l.end = half;
    order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(rank) + 1, right);
    low_.insert(low_.begin() + static_cast<std::ptrdiff_t>(rank) + 1, Traits::key(r.entries[0]));
    if (!grow_tree()) rebuild_from(rank);
  }
  bool grow_tree() {
    if (order_.size() <= capacity_) return false;
    capacity_ = capacity_ == 0 ? 1 : capacity_ * 2;
    tree_.assign(2 * capacity_, nothing_);
    rebuild_from(0);
    return true;
  }
  void rebuild_from(std::size_t rank) {
    for (std::size_t i = rank; i < order_.size(); ++i) tree_[capacity_ + i] = summary_of(i);
    for (std::size_t lo = (capacity_ + rank) / 2, hi = (capacity_ + order_.size() - 1) / 2; lo >= 1;
         lo /= 2, hi /= 2)
      for (std::size_t node = lo; node <= hi; ++node)
        tree_[node] = Traits::combine(tree_[2 * node], tree_[2 * node + 1]);
  }
  Summary summary_of(std::size_t rank) const {
    const Leaf& leaf = leaf_at(rank);
    Summary s = nothing_;
    for (std::size_t i = leaf.begin; i < leaf.end; ++i) Traits::absorb(s, leaf.entries[i]);
    return s;
  }
  void publish(std::size_t rank, const Summary& fresh) {
    std::size_t node = capacity_ + rank;
    if (fresh == tree_[node]) return;
    tree_[node] = fresh;
    for (node /= 2; node >= 1; node /= 2) {
      const Summary joined = Traits::combine(tree_[2 * node], tree_[2 * node + 1]);
      if (joined == tree_[node]) return;
      tree_[node] = joined;
    }
  }
  void compact() {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < order_.size(); ++i) {
      if (leaf_at(i).begin == leaf_at(i).end) {
        spare_.push_back(order_[i]);
        continue;
      }
      order_[kept] = order_[i];
      low_[kept++] = low_[i];
    }
    order_.resize(kept);
    low_.resize(kept);
    empty_leaves_ = 0;
    begin_ = 0;
    std::fill(tree_.begin(), tree_.end(), nothing_);
    if (kept > 0) rebuild_from(0);
  }

  std::vector<Leaf> leaves_;
  std::vector<std::uint32_t> spare_;  ///< unused leaves
  std::vector<std::uint32_t> order_;  ///< leaf ids in key order
  std::vector<Key> low_;              ///< lower bound of each leaf's keys, beside order_
  std::vector<Summary> tree_;         ///< 1-based; leaf summaries start at capacity_
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::size_t empty_leaves_ = 0;
  mutable std::size_t begin_ = 0;  ///< no entry stands in a leaf of lower rank
  Summary nothing_{};
};

}  // namespace natgpu::scheduling
