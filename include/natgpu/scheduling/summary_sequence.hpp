// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include <natgpu/scheduling/leaf_ranks.hpp>

namespace natgpu::scheduling {

/// A sorted sequence kept in small leaves of entries, with a segment tree of summaries over the leaves:
/// the one structure behind the waiting queue and the capacity profile.
///
/// Traits:
///   leaf_size, Entry, Key (ordered by <), Summary (default = summary of nothing, compared by ==)
///   static Key key(const Entry&)
///   static Summary combine(const Summary& left, const Summary& right)
///   static void absorb(Summary&, const Entry&)            of a stretch, with an entry put at its end
///   static bool absorb_anywhere(Summary&, const Entry&)   the same within it; false: order matters
///   static bool forget(Summary&, const Entry&)            with an entry taken out; false: not to be told
///   static constexpr bool counts_all                      whether no entry leaves a summary as it is
/// After a `false` the summary is worked out anew.
///
/// Insert at the end and erase at the front, the ways of a queue, cost O(1) amortised plus O(log n) for the
/// summary. Insert in the middle splits a leaf once in half a leaf of entries, which moves others of its
/// block (LeafRanks); a block that is full has all ranks given anew, once in some hundred inserts at the
/// least.
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
  const Summary& total() const { return ranks_.empty() ? nothing_ : tree_[1]; }

  /// Where the entry of a key is, or would be. Void after any change.
  struct Place {
    std::size_t rank = 0, index = 0;
    bool found = false;
  };
  Place locate(const Key& key) const {
    if (ranks_.empty()) return {};
    const std::size_t rank = ranks_.rank_for(key);
    const Leaf& leaf = leaf_at(rank);
    const std::size_t index = lower_bound(leaf, key);
    return {rank, index, index < leaf.end && !(key < Traits::key(leaf.entries[index]))};
  }

  /// @pre no entry has this key
  void insert(const Entry& entry) { insert(locate(Traits::key(entry)), entry); }
  /// @pre `at` is where it would be
  void insert(Place at, const Entry& entry) {
    const Key key = Traits::key(entry);
    if (ranks_.empty()) append_leaf(key);
    make_room(at, key);
    Leaf& leaf = leaf_at(at.rank);
    if (leaf.begin == leaf.end) --empty_leaves_;
    const bool last = at.index == leaf.end;
    place(leaf, at.index, entry);
    ++size_;
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
  const Entry& operator[](const Place& at) const { return leaf_at(at.rank).entries[at.index]; }
  /// Puts another entry of the same key in its place. @pre found there
  void replace(const Place& at, const Entry& entry) {
    Entry& here = leaf_at(at.rank).entries[at.index];
    const Entry gone = here;
    here = entry;
    for (std::size_t node = capacity_ + at.rank; node >= 1; node /= 2) {
      Summary s = tree_[node];
      if (!Traits::forget(s, gone) || !Traits::absorb_anywhere(s, entry)) return publish(node, at.rank);
      tree_[node] = s;
    }
  }

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
    if (ranks_.leaves() > 8 && empty_leaves_ * 2 > ranks_.leaves()) lay_out();
  }

  void clear() {
    for (std::size_t rank = 0; rank < ranks_.size(); rank = ranks_.behind(rank))
      spare_.push_back(ranks_[rank]);
    ranks_.clear();
    std::fill(tree_.begin(), tree_.end(), nothing_);
    begin_ = size_ = empty_leaves_ = 0;
  }

  /// The first entry, or null.
  const Entry* front() const {
    if (size_ == 0) return nullptr;
    while (leaf_at(begin_).begin == leaf_at(begin_).end) begin_ = ranks_.behind(begin_);
    return &leaf_at(begin_).entries[leaf_at(begin_).begin];
  }
  Cursor begin() const { return {begin_, 0}; }
  /// The first place whose key is above `key`.
  Cursor after(const Key& key) const {
    if (ranks_.empty()) return {};
    const std::size_t rank = ranks_.rank_for(key);
    const Leaf& leaf = leaf_at(rank);
    const std::size_t behind = count_before(leaf.entries.data() + leaf.begin, leaf.end - leaf.begin,
                                            [&key](const Entry& e) { return !(key < Traits::key(e)); });
    return {rank, leaf.begin + behind};
  }

  /// Of all entries up to and with a key. O(log n).
  Summary up_to(const Key& key) const { return ranks_.empty() ? nothing_ : before(after(key)); }
  /// Of the entries above one key, up to and with another. O(log n).
  Summary between(const Key& above, const Key& up_to) const {
    if (ranks_.empty()) return nothing_;
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
    for (std::size_t rank = at.rank, index = at.index; rank < ranks_.size();
         rank = ranks_.behind(rank), index = 0) {
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
    const std::size_t ranks = ranks_.size();
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
    std::size_t rank = std::min(from.rank, ranks_.size() - 1);
    std::size_t index = from.rank < ranks_.size() ? from.index : leaf_size;
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
    std::size_t begin = 0, end = 0;
    std::array<Entry, leaf_size> entries;
  };
  static constexpr std::uint32_t no_leaf = LeafRanks<Key>::no_leaf;
  static constexpr std::size_t laid_out = 48;  ///< leaves of a block when ranks are given anew

  Leaf& leaf_at(std::size_t rank) { return leaves_[ranks_[rank]]; }
  const Leaf& leaf_at(std::size_t rank) const { return leaves_[ranks_[rank]]; }
  bool full(std::size_t rank) const { return leaf_at(rank).end == leaf_size; }
  /// The first index whose key is not below `key`.
  static std::size_t lower_bound(const Leaf& leaf, const Key& key) {
    const auto below = [&key](const Entry& e) { return Traits::key(e) < key; };
    const Entry* entries = leaf.entries.data() + leaf.begin;
    if constexpr (std::is_integral_v<Key>)
      return leaf.begin + count_before_evenly(entries, leaf.end - leaf.begin, below);
    else
      return leaf.begin + count_before(entries, leaf.end - leaf.begin, below);
  }
  /// Finds another leaf for what belongs at a place where there is no room.
  void make_room(Place& at, const Key& key) {
    if (!full(at.rank)) return;
    if (at.rank + 1 == ranks_.size() && at.index == leaf_size) {
      append_leaf(key);
      at = {ranks_.size() - 1, 0, false};
    } else if (leaf_at(at.rank).begin == 0) {
      if (!ranks_.has_room_at(at.rank)) {
        lay_out();
        at.rank = ranks_.rank_for(key);
      }
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
      if (leaves_.empty()) leaves_.emplace_back();  // no_leaf
      id = static_cast<std::uint32_t>(leaves_.size());
      leaves_.emplace_back();
    }
    return id;
  }
  void append_leaf(const Key& key) {
    ranks_.append(take_leaf(), key);
    ++empty_leaves_;
    grow_tree();
  }
  /// Moves the greater half of a leaf to one of the next rank. @pre its block has room
  void split(std::size_t rank) {
    const std::uint32_t right = take_leaf();
    Leaf& l = leaf_at(rank);
    Leaf& r = leaves_[right];
    constexpr std::size_t half = leaf_size / 2;
    std::copy(l.entries.begin() + half, l.entries.end(), r.entries.begin());
    r.end = leaf_size - half;
    l.end = half;
    const std::size_t last = ranks_.insert(rank + 1, right, Traits::key(r.entries[0]));
    grow_tree();
    for (std::size_t i = last; i > rank + 1; --i) tree_[capacity_ + i] = tree_[capacity_ + i - 1];
    tree_[capacity_ + rank] = summary_of(rank);
    tree_[capacity_ + rank + 1] = summary_of(rank + 1);
    combine_above(rank, last);
  }
  void grow_tree() {
    if (ranks_.size() <= capacity_) return;
    const std::size_t before = std::exchange(capacity_, std::bit_ceil(ranks_.size()));
    tree_.resize(2 * capacity_, nothing_);
    const auto leaves = tree_.begin() + static_cast<std::ptrdiff_t>(before);
    std::copy(leaves, leaves + static_cast<std::ptrdiff_t>(before),
              tree_.begin() + static_cast<std::ptrdiff_t>(capacity_));
    combine_above(0, capacity_ - 1);  // behind the last leaf too: something else stood there
  }
  /// Brings all stretches up to date that hold leaves of these ranks.
  void combine_above(std::size_t first, std::size_t last) {
    for (std::size_t lo = (capacity_ + first) / 2, hi = (capacity_ + last) / 2; lo >= 1; lo /= 2, hi /= 2)
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
  /// Works out a node anew, and what lies above as far as it changes. @pre the node holds that rank
  void publish(std::size_t node, std::size_t rank) {
    for (; node >= 1; node /= 2) {
      const Summary fresh =
          node >= capacity_ ? summary_of(rank) : Traits::combine(tree_[2 * node], tree_[2 * node + 1]);
      if (fresh == tree_[node]) return;
      tree_[node] = fresh;
    }
  }
  /// Gives ranks anew: to leaves that hold something only, in blocks that all have room.
  void lay_out() {
    const LeafRanks<Key> before = std::exchange(ranks_, {});
    std::vector<Summary> sums;
    begin_ = empty_leaves_ = 0;
    for (std::size_t rank = 0; rank < before.size(); rank = before.behind(rank)) {
      const std::uint32_t id = before[rank];
      if (leaves_[id].begin == leaves_[id].end) {
        spare_.push_back(id);
        continue;
      }
      ranks_.append(id, before.low(rank), laid_out);
      sums.resize(ranks_.size(), nothing_);
      sums.back() = tree_[capacity_ + rank];
    }
    capacity_ = std::max<std::size_t>(capacity_, std::bit_ceil(ranks_.size()));
    tree_.assign(2 * capacity_, nothing_);
    std::copy(sums.begin(), sums.end(), tree_.begin() + static_cast<std::ptrdiff_t>(capacity_));
    if (!ranks_.empty()) combine_above(0, ranks_.size() - 1);
  }

  std::vector<Leaf> leaves_;          ///< the first is no_leaf
  std::vector<std::uint32_t> spare_;  ///< unused leaves
  LeafRanks<Key> ranks_;
  std::vector<Summary> tree_;  ///< 1-based; leaf summaries start at capacity_
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::size_t empty_leaves_ = 0;   ///< of those that have ranks
  mutable std::size_t begin_ = 0;  ///< no entry stands in a leaf of lower rank
  Summary nothing_{};
};

}  // namespace natgpu::scheduling
