// SPDX-License-Identifier: Apache-2.0
// What natgpu's future event list is measured against. All order events by (time, rank, sequence) and carry 8
// bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <queue>
#include <set>
#include <tuple>
#include <type_traits>
#include <vector>

#include <boost/heap/d_ary_heap.hpp>
#include <boost/heap/pairing_heap.hpp>

#include <natgpu/engine/event_list.hpp>

namespace natgpu::bench {

using engine::Rank;

struct Popped {
  std::int64_t at;
  std::uint64_t payload;
};

class NatgpuList {
 public:
  using Handle = engine::EventHandle;
  Handle schedule(std::int64_t at, Rank rank, std::uint64_t payload) {
    return list_.schedule(Instant{Duration{at}}, rank, payload);
  }
  Popped pop() {
    const auto e = list_.pop();
    return {e.at.time_since_epoch().count(), e.payload};
  }
  void cancel(Handle h) { list_.cancel(h); }

 private:
  engine::EventList<std::uint64_t> list_;
};

/// An event as the textbook structures store it: whole.
struct Entry {
  std::int64_t at;
  Rank rank;
  std::uint64_t sequence;
  std::uint64_t payload;
  friend bool operator<(const Entry& a, const Entry& b) {
    return std::tie(a.at, a.rank, a.sequence) < std::tie(b.at, b.rank, b.sequence);
  }
  friend bool operator>(const Entry& a, const Entry& b) { return b < a; }
};

/// Cancelled events stay in the heap until they surface; a bit per sequence number, reused in a ring, tells.
class StdPriorityQueue {
 public:
  using Handle = std::uint64_t;
  Handle schedule(std::int64_t at, Rank rank, std::uint64_t payload) {
    heap_.push({at, rank, sequence_, payload});
    if (sequence_ >= gone_.size()) gone_.resize(std::max<std::size_t>(1024, 2 * gone_.size()));
    return sequence_++;
  }
  Popped pop() {
    while (gone_[heap_.top().sequence]) heap_.pop();
    const Entry e = heap_.top();
    heap_.pop();
    return {e.at, e.payload};
  }
  void cancel(Handle h) { gone_[h] = true; }

 private:
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap_;
  std::vector<bool> gone_;
  std::uint64_t sequence_ = 0;
};

class StdSet {
 public:
  using Handle = std::set<Entry>::const_iterator;
  Handle schedule(std::int64_t at, Rank rank, std::uint64_t payload) {
    return tree_.insert({at, rank, sequence_++, payload}).first;
  }
  Popped pop() {
    const Entry e = *tree_.begin();
    tree_.erase(tree_.begin());
    return {e.at, e.payload};
  }
  void cancel(Handle h) { tree_.erase(h); }

 private:
  std::set<Entry> tree_;
  std::uint64_t sequence_ = 0;
};

template <class Heap>
class Boost {
 public:
  using Handle = typename Heap::handle_type;
  Handle schedule(std::int64_t at, Rank rank, std::uint64_t payload) {
    return heap_.push({at, rank, sequence_++, payload});
  }
  Popped pop() {
    const Entry e = heap_.top();
    heap_.pop();
    return {e.at, e.payload};
  }
  void cancel(Handle h) { heap_.erase(h); }

 private:
  Heap heap_;
  std::uint64_t sequence_ = 0;
};
using BoostFourAry = Boost<boost::heap::d_ary_heap<Entry, boost::heap::arity<4>, boost::heap::mutable_<true>,
                                                   boost::heap::compare<std::greater<>>>>;
using BoostPairing = Boost<boost::heap::pairing_heap<Entry, boost::heap::compare<std::greater<>>>>;

/// The plain textbook heap of two children, whole events in the array, no way to cancel: a lower bound for
/// arrays of whole events.
class BinaryHeap {
 public:
  void schedule(std::int64_t at, Rank rank, std::uint64_t payload) {
    const Entry e{at, rank, sequence_++, payload};
    std::size_t i = heap_.size();
    heap_.push_back(e);
    for (; i > 0 && e < heap_[(i - 1) / 2]; i = (i - 1) / 2) heap_[i] = heap_[(i - 1) / 2];
    heap_[i] = e;
  }
  Popped pop() {
    const Entry top = heap_.front();
    const Entry last = heap_.back();
    heap_.pop_back();
    const std::size_t n = heap_.size();
    std::size_t i = 0;
    for (std::size_t c = 1; c < n; c = 2 * i + 1) {
      if (c + 1 < n && heap_[c + 1] < heap_[c]) ++c;
      if (!(heap_[c] < last)) break;
      heap_[i] = heap_[c];
      i = c;
    }
    if (n > 0) heap_[i] = last;
    return {top.at, top.payload};
  }

 private:
  std::vector<Entry> heap_;
  std::uint64_t sequence_ = 0;
};

/// natgpu's layout with another number of children, and with the rank in the key (24 bytes) or in the slot
/// (16): what the choice was made among. No way to cancel.
template <std::size_t Arity, bool RankInKey>
class SlottedHeap {
 public:
  void schedule(std::int64_t at, Rank rank, std::uint64_t payload) {
    std::uint32_t slot = free_;
    if (slot == none) {
      slot = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      free_ = slots_[slot].next_free;
    }
    slots_[slot] = {rank, payload, none};
    Key k;
    k.at = at;
    k.slot = slot;
    k.sequence = sequence_++;
    if constexpr (RankInKey) k.rank = rank;
    heap_.emplace_back();
    std::size_t i = heap_.size() - 1;
    for (; i > 0 && before(k, heap_[(i - 1) / Arity]); i = (i - 1) / Arity) heap_[i] = heap_[(i - 1) / Arity];
    heap_[i] = k;
  }
  Popped pop() {
    const Key top = heap_.front();
    const Popped popped{top.at, slots_[top.slot].payload};
    slots_[top.slot].next_free = free_;
    free_ = top.slot;
    const Key last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sift_down(last);
    return popped;
  }

 private:
  static constexpr std::uint32_t none = 0xffffffff;
  struct ShortKey {
    std::int64_t at;
    std::uint32_t slot, sequence;
  };
  struct LongKey {
    std::int64_t at;
    Rank rank;
    std::uint32_t slot, sequence;
  };
  using Key = std::conditional_t<RankInKey, LongKey, ShortKey>;
  struct Slot {
    Rank rank;
    std::uint64_t payload;
    std::uint32_t next_free;
  };
  Rank rank_of(const Key& k) const {
    if constexpr (RankInKey)
      return k.rank;
    else
      return slots_[k.slot].rank;
  }
  bool before(const Key& a, const Key& b) const {
    if (a.at != b.at) return a.at < b.at;
    if (rank_of(a) != rank_of(b)) return rank_of(a) < rank_of(b);
    return a.sequence < b.sequence;
  }
  void sift_down(const Key& k) {
    const std::size_t n = heap_.size();
    std::size_t i = 0;
    for (std::size_t first = 1; first < n; first = Arity * i + 1) {
      const std::size_t end = std::min(first + Arity, n);
      std::size_t least = first;
      for (std::size_t c = first + 1; c < end; ++c)
        if (before(heap_[c], heap_[least])) least = c;
      if (!before(heap_[least], k)) break;
      heap_[i] = heap_[least];
      i = least;
    }
    heap_[i] = k;
  }

  std::vector<Key> heap_;
  std::vector<Slot> slots_;
  std::uint32_t free_ = none, sequence_ = 0;
};

/// Brown's calendar queue (CACM 31(10), 1988): buckets of one width go round like the days of a year; each is
/// a sorted list. Bucket count follows the number of events; the width follows the gaps near the front.
class CalendarQueue {
 public:
  struct Handle {
    std::int64_t at;
    std::uint64_t sequence;
  };
  CalendarQueue() { buckets_.resize(2); }
  Handle schedule(std::int64_t at, Rank rank, std::uint64_t payload) {
    put({at, rank, sequence_, payload});
    if (++size_ > 2 * buckets_.size()) resize(2 * buckets_.size());
    return {at, sequence_++};
  }
  Popped pop() {
    const Entry e = take();
    --size_;
    if (2 * size_ < buckets_.size() && buckets_.size() > 2) resize(buckets_.size() / 2);
    return {e.at, e.payload};
  }
  void cancel(Handle h) {
    auto& bucket = buckets_[index(h.at)];
    const auto it =
        std::find_if(bucket.begin(), bucket.end(), [&](const Entry& e) { return e.sequence == h.sequence; });
    bucket.erase(it);
    --size_;
  }

 private:
  std::size_t index(std::int64_t at) const {
    return static_cast<std::size_t>(at / width_) & (buckets_.size() - 1);
  }
  /// Latest first, so that the next event of a bucket is popped off its end.
  void put(const Entry& e) {
    auto& bucket = buckets_[index(e.at)];
    bucket.insert(std::upper_bound(bucket.begin(), bucket.end(), e, std::greater<>()), e);
    day_ = std::min(day_, e.at / width_);
  }
  Entry take() {
    for (std::size_t tried = 0; tried < buckets_.size(); ++tried, ++day_) {
      auto& bucket = buckets_[static_cast<std::size_t>(day_) & (buckets_.size() - 1)];
      if (bucket.empty() || bucket.back().at / width_ != day_) continue;
      const Entry e = bucket.back();
      bucket.pop_back();
      return e;
    }
    // A whole year without an event: look at the front of every day.
    std::vector<Entry>* best = nullptr;
    for (auto& bucket : buckets_)
      if (!bucket.empty() && (best == nullptr || bucket.back() < best->back())) best = &bucket;
    const Entry e = best->back();
    best->pop_back();
    day_ = e.at / width_;
    return e;
  }
  void resize(std::size_t buckets) {
    std::vector<Entry> all;
    all.reserve(size_);
    for (auto& bucket : buckets_) all.insert(all.end(), bucket.begin(), bucket.end());
    // Three times the mean gap among the first events, as Brown has it.
    const std::size_t sample = std::min<std::size_t>(all.size(), 5 + all.size() / 10);
    std::partial_sort(all.begin(),
                      all.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(sample, 200)),
                      all.end());
    const std::size_t looked_at = std::min<std::size_t>(sample, 200);
    if (looked_at > 1)
      width_ = std::max<std::int64_t>(
          1, 3 * (all[looked_at - 1].at - all[0].at) / static_cast<std::int64_t>(looked_at - 1));
    buckets_.assign(buckets, {});
    day_ = all.empty() ? 0 : all[0].at / width_;
    for (const Entry& e : all) put(e);
  }

  std::vector<std::vector<Entry>> buckets_;
  std::int64_t width_ = 1;
  std::int64_t day_ = 0;
  std::size_t size_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace natgpu::bench
