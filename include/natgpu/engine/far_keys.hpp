// SPDX-License-Identifier: Apache-2.0
// Events that are not due for a while, in buckets that are split as their time comes near.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/core/time.hpp>

namespace natgpu::engine {

/// An event as the future event list moves it about.
struct EventKey {
  Instant at;
  std::uint32_t slot;
  std::uint32_t sequence;
};

/// Keys at or after a base instant, in no order within a bucket. A bucket holds the keys that agree with the
/// base in all base-64 digits of their time above one, and with each other in that one: near ones share a
/// tick, far ones a stretch of 64, 4096, ... ticks. Taking the first bucket moves the base to its begin; one
/// that holds many is split by its next digit instead, so that a key is moved as often as its bucket was too
/// full, and never more than eleven times. After the hierarchical timing wheel (Varghese & Lauck, SOSP 1987),
/// the radix heap (Ahuja et al., JACM 37(2), 1990) and the ladder queue (Tang, Goh & Thng, TOMACS 15(3),
/// 2005).
class FarKeys {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  /// No key is before it.
  Instant base() const { return instant_of(base_); }
  /// Sorts all keys into buckets anew, from another base. @pre no key is before it
  template <class Keep>
  void begin_at(Instant base, Keep&& keep) {
    buckets_.swap(emptied_);
    const Occupied before = std::exchange(occupied_, {});
    const std::uint32_t levels = std::exchange(levels_, 0);
    size_ = 0;
    base_ = bits_of(base);
    each_bucket(before, levels, [&](std::size_t level, std::uint64_t slot) {
      drain(std::exchange(emptied_[level * slots + slot], {}), [&](const EventKey& k) {
        if (keep(k)) put(k);
      });
    });
  }

  /// @pre k.at >= base()
  void put(const EventKey& k) {
    const std::uint64_t t = bits_of(k.at);
    const std::uint64_t differs = t ^ base_;
    const int level = differs == 0 ? 0 : (63 - std::countl_zero(differs)) / digit_bits;
    append(static_cast<std::size_t>(level), digit(t, level), k);
  }

  /// Takes out the keys of the first bucket, splitting it until there are at most `most` or all are of one
  /// tick, and moves the base there.
  /// @param keep  keep(key): whether to go on with a key; one that it refuses is dropped
  /// @param take  take(key), for each that is left; there may be none
  /// @returns the bucket's last instant: every key that is left is after it. @pre not empty
  template <class Keep, class Take>
  Instant take_first(std::size_t most, Keep&& keep, Take&& take) {
    for (;;) {
      const int level = std::countr_zero(levels_);
      const int first = std::countr_zero(occupied_[static_cast<std::size_t>(level)]);
      const Bucket bucket = detach(static_cast<std::size_t>(level), static_cast<std::uint64_t>(first));
      const int shift = level * digit_bits;
      base_ = clear_below(base_, shift + digit_bits) | static_cast<std::uint64_t>(first) << shift;
      const bool small = level == 0 || bucket.count <= most;
      drain(bucket, [&](const EventKey& k) {
        if (!keep(k)) return;
        if (small)
          take(k);
        else
          put(k);
      });
      if (small || empty()) return instant_of(base_ | ((std::uint64_t{1} << shift) - 1));
    }
  }

  /// Drops the keys that `keep` refuses.
  template <class Keep>
  void sweep(Keep&& keep) {
    each_bucket(occupied_, levels_, [&](std::size_t level, std::uint64_t slot) {
      drain(detach(level, slot), [&](const EventKey& k) {
        if (keep(k)) append(level, slot, k);
      });
    });
  }

 private:
  static constexpr int digit_bits = 6;
  static constexpr std::size_t digits = 11;  ///< of 64 bits
  static constexpr std::size_t slots = std::size_t{1} << digit_bits;
  static constexpr std::uint32_t chunk_size = 64;
  static constexpr std::uint32_t none = 0xffffffff;
  static constexpr std::uint64_t sign = std::uint64_t{1} << 63;

  struct Bucket {
    std::uint32_t head = none;  ///< the one chunk that may have room
    std::uint32_t count = 0;
  };
  struct Chunk {
    std::array<EventKey, chunk_size> keys;
    std::uint32_t next = none;
  };

  /// A bit for each bucket that holds a key, by level.
  using Occupied = std::array<std::uint64_t, digits>;

  /// Calls each(level, slot) for the buckets that were occupied at the call.
  template <class Each>
  static void each_bucket(const Occupied occupied, std::uint32_t levels, Each&& each) {
    for (; levels != 0; levels &= levels - 1) {
      const auto level = static_cast<std::size_t>(std::countr_zero(levels));
      for (std::uint64_t rest = occupied[level]; rest != 0; rest &= rest - 1)
        each(level, static_cast<std::uint64_t>(std::countr_zero(rest)));
    }
  }

  /// Unsigned, in the order of instants.
  static std::uint64_t bits_of(Instant at) {
    return static_cast<std::uint64_t>(at.time_since_epoch().count()) ^ sign;
  }
  static Instant instant_of(std::uint64_t bits) {
    return Instant{Duration{static_cast<std::int64_t>(bits ^ sign)}};
  }
  static std::uint64_t digit(std::uint64_t t, int level) { return t >> (level * digit_bits) & (slots - 1); }
  static std::uint64_t clear_below(std::uint64_t t, int bit) { return bit >= 64 ? 0 : t >> bit << bit; }
  Bucket& bucket(std::size_t level, std::uint64_t slot) { return buckets_[level * slots + slot]; }

  void append(std::size_t level, std::uint64_t slot, const EventKey& k) {
    Bucket& b = bucket(level, slot);
    const std::uint32_t at = b.count++ % chunk_size;
    if (at == 0) {
      const std::uint32_t fresh = take_chunk();
      chunks_[fresh].next = b.head;
      b.head = fresh;
    }
    chunks_[b.head].keys[at] = k;
    occupied_[level] |= std::uint64_t{1} << slot;
    levels_ |= std::uint32_t{1} << level;
    ++size_;
  }
  /// Leaves the bucket empty; its chunks are the caller's.
  Bucket detach(std::size_t level, std::uint64_t slot) {
    occupied_[level] &= ~(std::uint64_t{1} << slot);
    if (occupied_[level] == 0) levels_ &= ~(std::uint32_t{1} << level);
    size_ -= bucket(level, slot).count;
    return std::exchange(bucket(level, slot), {});
  }
  /// Hands out a detached bucket's keys, which may be put elsewhere meanwhile.
  template <class Each>
  void drain(Bucket b, Each&& each) {
    std::uint32_t in_chunk = b.count == 0 ? 0 : (b.count - 1) % chunk_size + 1;
    for (std::uint32_t c = b.head; c != none; in_chunk = chunk_size) {
      for (std::uint32_t i = 0; i < in_chunk; ++i) each(EventKey(chunks_[c].keys[i]));
      c = std::exchange(chunks_[c].next, std::exchange(free_, c));
    }
  }
  std::uint32_t take_chunk() {
    if (free_ != none) {
      const std::uint32_t c = free_;
      free_ = chunks_[c].next;
      return c;
    }
    chunks_.emplace_back();
    return static_cast<std::uint32_t>(chunks_.size() - 1);
  }

  std::vector<Bucket> buckets_ = std::vector<Bucket>(digits * slots);
  std::vector<Bucket> emptied_ = std::vector<Bucket>(digits * slots);  ///< takes turns with it
  Occupied occupied_{};
  std::uint32_t levels_ = 0;  ///< a bit for each that has an occupied bucket
  std::vector<Chunk> chunks_;
  std::uint32_t free_ = none;
  std::uint64_t base_ = 0;
  std::size_t size_ = 0;
};

}  // namespace natgpu::engine
