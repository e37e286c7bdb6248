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
///   static Summary combine(const Summary& left, const Summary& right)
///   static void absorb(Summary&, const Entry&)            of a stretch, with an entry put at its end
///   static bool absorb_anywhere(Summary&, const Entry&)   the same within it; false: order matters, nothing
///   done static bool forget(Summary&, const Entry&)            with an entry taken out; false: not to be
///   told from it static constexpr bool counts_all                      whether no entry leaves a summary as
///   it is
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

  /// Where the entry of a key is, or would be. Void after any change.
  struct Place {
    std::size_t rank = 0, index = 0;
    bool found = false;
  };
  Place locate(const Key& key) const {
    if (order_.empty()) return {};
    const std::size_t rank = rank_for(key);
    const Leaf& leaf = leaf_at(rank);
    const std::size_t index = lower_bound(leaf, key);
    return {rank, index, index < leaf.end && !(key < Traits::key(leaf.entries[index]))};
  }

  /// @pre no entry has this key
  void insert(const Entry& entry) { insert(locate(Traits::key(entry)), entry); }
  /// @pre `at` is where it would be
  void insert(Place at, const Entry& entry) {
    const Key key = Traits::key(entry);
    if (order_.empty()) append_leaf(key);
    make_room(at, key);
    Leaf& leaf = leaf_at(at.rank);
    if (leaf.begin == leaf.end) --empty_leaves_;
    const bool last = at.index == leaf.end;
    place(leaf, at.index, entry);
    ++size_;
    if (key < low_[at.rank]) low_[at.rank] = key;
    if (at.rank < begin_) begin_ = at.rank;
    std::size_t node = capacity_ + at.rank;
    if (last)
      Traits::absorb(tree_[node], entry);
    else if (!Traits::absorb_anywhere(tree_[node], entry))
      tree_[node] = summary_of(at.rank);
    // What was put at the end of a leaf stands somewhere within the stretches above it.
    for (node /= 2; node >= 1; node /= 2)
      if (!Traits::absorb_anywhere(tree_[node], entry))
        tree_[node] = Traits::combine(tree_[2 * node], tree_[2 * node + 1]);
  }

  /// The entry at a place. @pre found there
  Entry& operator[](const Place& at) { return leaf_at(at.rank).entries[at.index]; }
  /// Call after an entry has been changed in place (not its key).
  void changed(const Place& at) { publish(at.rank, summary_of(at.rank)); }

  bool erase(const Key& key) {
    const Place at = locate(key);
    if (at.found) erase(at);
    return at.found;
  }
  /// @pre found there
  void erase(const Place& at) {
    Leaf& leaf = leaf_at(at.rank);
    const Entry gone = leaf.entries[at.index];
    if (at.index == leaf.begin)
      ++leaf.begin;
    else
      std::copy(leaf.entries.begin() + static_cast<std::ptrdiff_t>(at.index) + 1,
                leaf.entries.begin() + static_cast<std::ptrdiff_t>(leaf.end--),
                leaf.entries.begin() + static_cast<std::ptrdiff_t>(at.index));
    --size_;
    std::size_t node = capacity_ + at.rank;
    if (leaf.begin == leaf.end) {
      leaf.begin = leaf.end = 0;
      ++empty_leaves_;
      tree_[node] = nothing_;
    } else if (!Traits::forget(tree_[node], gone)) {
      tree_[node] = summary_of(at.rank);
    } else if (!Traits::counts_all) {
      return;
    }
    for (node /= 2; node >= 1; node /= 2) {
      if (!Traits::forget(tree_[node], gone))
        tree_[node] = Traits::combine(tree_[2 * node], tree_[2 * node + 1]);
      else if (!Traits::counts_all)
        break;
    }
    if (order_.size() > 8 && empty_leaves_ * 2 > order_.size()) compact();
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
    const std::size_t behind = count_before(leaf.entries.data() + leaf.begin, leaf.end - leaf.begin,
                                            [&key](const Entry& e) { return !(key < Traits::key(e)); });
    return {rank, leaf.begin + behind};
  }

  /// Of all entries up to and with a key. O(log n).
  Summary up_to(const Key& key) const { return order_.empty() ? nothing_ : before(after(key)); }
  /// Of the entries above one key, up to and with another. O(log n).
  Summary between(const Key& above, const Key& up_to) const {
    if (order_.empty()) return nothing_;
    const Cursor from = after(above), to = after(up_to);
    if (from.rank == to.rank) return of_leaf(from.rank, from.index, to.index);
    Summary all = of_leaf(from.rank, from.index, leaf_size);
    Summary behind = of_leaf(to.rank, 0, to.index);
    std::size_t left = capacity_ + from.rank + 1, right = capacity_ + to.rank;
    for (; left < right; left /= 2, right /= 2) {
      if ((left & 1) != 0) all = Traits::combine(all, tree_[left++]);
      if ((right & 1) != 0) behind = Traits::combine(tree_[--right], behind);
    }
    return Traits::combine(all, behind);
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

  /// As `walk`, backwards: the entries before `from`, the last first.
  template <class Skip, class Stop>
  const Entry* walk_back(Cursor from, Skip&& skip, Stop&& stop) const {
    if (size_ == 0) return nullptr;
    std::size_t rank = std::min(from.rank, order_.size() - 1);
    std::size_t index = from.rank < order_.size() ? from.index : leaf_size;
    for (;;) {
      const Leaf& leaf = leaf_at(rank);
      for (index = std::min(index, leaf.end); index > leaf.begin; --index)
        if (stop(leaf.entries[index - 1])) return &leaf.entries[index - 1];
      index = leaf_size;
      std::size_t node = capacity_ + rank;
      for (;; --node) {
        while ((node & 1) == 0) node >>= 1;  // a left child: what lies before it is left of its parent
        if (node == 1) return nullptr;
        if (!skip(tree_[node - 1])) break;
      }
      for (--node; node < capacity_;) {
        node = 2 * node + 1;
        if (skip(tree_[node])) --node;
      }
      rank = node - capacity_;
    }
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
    const std::size_t n =
        count_before(low_.data(), low_.size(), [&key](const Key& low) { return !(key < low); });
    return n == 0 ? 0 : n - 1;
  }
  /// The first index whose key is not below `key`.
  static std::size_t lower_bound(const Leaf& leaf, const Key& key) {
    return leaf.begin + count_before(leaf.entries.data() + leaf.begin, leaf.end - leaf.begin,
                                     [&key](const Entry& e) { return Traits::key(e) < key; });
  }
  /// How many of n things in order are `below`.
  template <class T, class Below>
  static std::size_t count_before(const T* things, std::size_t n, Below&& below) {
    return static_cast<std::size_t>(std::partition_point(things, things + n, below) - things);
  }
  /// Finds another leaf for what belongs at a place where there is no room.
  void make_room(Place& at, const Key& key) {
    if (!full(at.rank)) return;
    Leaf& leaf = leaf_at(at.rank);
    if (at.rank + 1 == order_.size() && at.index == leaf_size) {
      append_leaf(key);
      at = {at.rank + 1, 0, false};
    } else if (leaf.begin == 0) {
      split(at.rank);
      if (at.index > leaf_size / 2) at = {at.rank + 1, at.index - leaf_size / 2, false};
    }
  }
  /// Puts an entry before the index-th. @pre the leaf has room at one end
  static void place(Leaf& leaf, std::size_t index, const Entry& entry) {
    const auto at = leaf.entries.begin() + static_cast<std::ptrdiff_t>(index);
    if (leaf.end < leaf_size) {
      const auto end = leaf.entries.begin() + static_cast<std::ptrdiff_t>(leaf.end++);
      std::copy_backward(at, end, end + 1);
      *at = entry;
    } else {
      const auto begin = leaf.entries.begin() + static_cast<std::ptrdiff_t>(leaf.begin--);
      std::copy(begin, at, begin - 1);
      *(at - 1) = entry;
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
  Summary summary_of(std::size_t rank) const { return of_leaf(rank, 0, leaf_size); }
  /// Of the entries of a leaf at places [from, to), as far as there are any.
  Summary of_leaf(std::size_t rank, std::size_t from, std::size_t to) const {
    const Leaf& leaf = leaf_at(rank);
    Summary s = nothing_;
    for (std::size_t i = std::max(from, leaf.begin), end = std::min(to, leaf.end); i < end; ++i)
      Traits::absorb(s, leaf.entries[i]);
    return s;
  }
  /// Of all entries before a place.
  Summary before(const Cursor& at) const {
    Summary all = of_leaf(at.rank, 0, at.index);
    for (std::size_t node = capacity_ + at.rank; node > 1; node /= 2)
      if ((node & 1) != 0) all = Traits::combine(tree_[node - 1], all);
    return all;
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
