// SPDX-License-Identifier: Apache-2.0
// The future event list: a small binary heap of what comes next, buckets of what comes later, over ranks and
// payloads in slots. docs/decisions/0004-future-event-list.md has the measurements that chose it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/engine/far_keys.hpp>

namespace natgpu::engine {

/// What happens first at one instant. To change this order is to change the model.
enum class Phase : std::uint8_t {
  release,   ///< completions, then failures, hand units back,
  capacity,  ///< repairs, commissioning, losses, power,
  settle,    ///< accounts are charged and refilled,
  arrive,    ///< organisations, then jobs, join,
  decide,    ///< one scheduling pass sees all of the above,
  observe,   ///< and only then do we sample.
};

/// Second word of an event's key: (phase, kind, entity) packed so that integer order is event order.
using Rank = std::uint64_t;
inline constexpr int entity_bits = 52;
inline constexpr std::uint64_t entity_limit = std::uint64_t{1} << entity_bits;

/// @pre kind < 256 and entity < 2^52
constexpr Rank rank_of(Phase phase, std::uint8_t kind, std::uint64_t entity) {
  return static_cast<Rank>(phase) << 60 | static_cast<Rank>(kind) << entity_bits | entity;
}
constexpr Phase phase_of(Rank rank) {
  return static_cast<Phase>(rank >> 60);
}
constexpr std::uint8_t kind_of(Rank rank) {
  return static_cast<std::uint8_t>(rank >> entity_bits & 0xff);
}
constexpr std::uint64_t entity_of(Rank rank) {
  return rank & (entity_limit - 1);
}

/// Names a scheduled event, for cancelling it. Stale after the event has run; a default one names no event.
struct EventHandle {
  std::uint32_t slot = 0;
  std::uint32_t sequence = 0;
};

template <class Payload>
struct Event {
  Instant at{};
  Rank rank = 0;
  Payload payload{};
  Phase phase() const { return phase_of(rank); }
  std::uint8_t kind() const { return kind_of(rank); }
  std::uint64_t entity() const { return entity_of(rank); }
};

/// Events in the order of (time, phase, kind, entity, sequence of scheduling).
///
/// A list of up to `spilt` events is a binary heap. A longer one keeps only the next few in the heap, so that
/// the heap stays in cache, and the rest unsorted in buckets by time (FarKeys), from which the heap is filled
/// when it runs empty: schedule and pop cost the same on average for 10^3 and for 10^6 events, but for what
/// memory costs. cancel: O(1); the key stays until its turn comes, and all cancelled keys are swept out when
/// they are more than half, so memory grows with live events only. Nothing is allocated once the vectors
/// have grown.
template <class Payload>
class EventList {
 public:
  EventHandle schedule(Instant at, Rank rank, const Payload& payload) {
    std::uint32_t slot;
    if (free_ != none) {
      slot = free_;
      free_ = slots_[slot].next_free;
    } else {
      slot = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    }
    if (++sequence_ == no_event) ++sequence_;
    Slot& s = slots_[slot];
    s.rank = rank;
    s.payload = payload;
    s.sequence = sequence_;
    ++live_;
    const Key k{at, slot, sequence_};
    if (at > heap_until_) {
      far_.put(k);
    } else {
      heap_.push_back(k);
      sift_up(heap_.size() - 1, k);
      if (heap_.size() > most_in_heap_) spill();
    }
    return {slot, sequence_};
  }

  /// Whether the event is still to come.
  bool pending(EventHandle h) const {
    return h.sequence != no_event && h.slot < slots_.size() && slots_[h.slot].sequence == h.sequence;
  }

  /// Takes an event back. A handle whose event has run or was cancelled is ignored.
  void cancel(EventHandle h) {
    if (!pending(h)) return;
    slots_[h.slot].sequence = no_event;
    --live_;
    if (keys() > 64 && keys() > 2 * live_) sweep();
    surface();
  }

  bool empty() const { return live_ == 0; }
  std::size_t size() const { return live_; }
  /// Instant of the next event, or natgpu::never.
  Instant next_time() const { return heap_.empty() ? never : heap_.front().at; }
  Rank next_rank() const { return slots_[heap_.front().slot].rank; }  ///< @pre !empty()

  /// Removes the next event. @pre !empty()
  Event<Payload> pop() {
    const Key top = heap_.front();
    const Slot& s = slots_[top.slot];
    const Event<Payload> event{top.at, s.rank, s.payload};
    --live_;
    remove_top();
    surface();
    return event;
  }

  void reserve(std::size_t events) { slots_.reserve(events); }

 private:
  static constexpr std::uint32_t none = 0xffffffff;
  static constexpr std::uint32_t no_event = 0;  ///< no event has this sequence
  /// Keys in the heap: filled up to the first, spilt above the second (decisions/0004).
  static constexpr std::size_t filled = 24, spilt = 48;

  /// Two words, because memory is what a large list waits for; the rank, which only settles ties of time,
  /// stays in the slot. The sequence settles ties of rank and tells a cancelled event. It counts modulo 2^32:
  /// a tie is settled rightly as long as fewer than 2^31 events were scheduled between the two.
  using Key = EventKey;
  /// A slot is used anew only once its key has left heap and buckets: until then a cancelled key needs its
  /// rank, or comparisons with it would change under the heap.
  struct Slot {
    Rank rank = 0;
    Payload payload{};
    std::uint32_t sequence = no_event;
    std::uint32_t next_free = none;
  };

  bool before(const Key& a, const Key& b) const {
    if (a.at != b.at) return a.at < b.at;
    const Rank rank_a = slots_[a.slot].rank;
    const Rank rank_b = slots_[b.slot].rank;
    if (rank_a != rank_b) return rank_a < rank_b;
    return static_cast<std::int32_t>(a.sequence - b.sequence) < 0;
  }
  void release(std::uint32_t slot) {
    Slot& s = slots_[slot];
    s.sequence = no_event;
    s.next_free = free_;
    free_ = slot;
  }
  bool dead(const Key& k) const { return slots_[k.slot].sequence == no_event; }
  /// Whether a key is worth keeping; the slot of one that is not is given back.
  bool keep(const Key& k) {
    if (!dead(k)) return true;
    release(k.slot);
    return false;
  }
  std::size_t keys() const { return heap_.size() + far_.size(); }

  // --- between heap and buckets

  /// Makes the next live event the top of the heap.
  void surface() {
    while (!heap_.empty() && dead(heap_.front())) remove_top();
    if (heap_.empty()) fill();
  }
  /// @pre the heap is empty
  void fill() {
    while (heap_.empty() && !far_.empty())
      heap_until_ = far_.take_first(filled, kept(), [this](const Key& k) { heap_.push_back(k); });
    if (far_.empty()) heap_until_ = never;
    order_heap();
    most_in_heap_ = std::max(spilt, 2 * heap_.size());
  }
  /// Moves what is late in the heap into the buckets. These begin anew where that takes no longer.
  void spill() {
    if (far_.size() <= heap_.size()) far_.begin_at(heap_.front().at, kept());
    const Instant base = far_.base();
    retain([this, base](const Key& k) {
      if (k.at < base) return true;
      far_.put(k);
      return false;
    });
    heap_until_ = base - one_tick;
    if (heap_.empty()) return fill();
    order_heap();
    most_in_heap_ = std::max(spilt, 2 * heap_.size());
  }
  void sweep() {
    far_.sweep(kept());
    retain([](const Key&) { return true; });
    order_heap();
  }
  auto kept() {
    return [this](const Key& k) { return keep(k); };
  }
  /// Leaves those live keys in the heap, out of order, that `stays` says.
  template <class Stays>
  void retain(Stays&& stays) {
    std::size_t n = 0;
    for (const Key& k : heap_)
      if (keep(k) && stays(k)) heap_[n++] = k;
    heap_.resize(n);
  }

  // --- the heap

  void remove_top() {
    release(heap_.front().slot);
    const Key last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sift_down(0, last);
  }
  void order_heap() {
    for (std::size_t i = heap_.size() / 2; i-- > 0;) sift_down(i, Key(heap_[i]));
  }
  void sift_up(std::size_t i, const Key k) {
    while (i > 0) {
      const std::size_t parent = (i - 1) / 2;
      if (!before(k, heap_[parent])) break;
      heap_[i] = heap_[parent];
      i = parent;
    }
    heap_[i] = k;
  }
  void sift_down(std::size_t i, const Key k) {
    const std::size_t n = heap_.size();
    for (std::size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
      if (child + 1 < n && before(heap_[child + 1], heap_[child])) ++child;
      if (!before(heap_[child], k)) break;
      heap_[i] = heap_[child];
      i = child;
    }
    heap_[i] = k;
  }

  std::vector<Key> heap_;  ///< everything up to `heap_until_`
  Instant heap_until_ = never;
  FarKeys far_;  ///< everything after it
  std::vector<Slot> slots_;
  std::size_t most_in_heap_ = spilt;
  std::uint32_t free_ = none;
  std::uint32_t sequence_ = 0;
  std::size_t live_ = 0;
};

}  // namespace natgpu::engine
