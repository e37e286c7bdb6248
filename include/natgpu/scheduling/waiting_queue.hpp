// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <limits>

#include <natgpu/scheduling/summary_sequence.hpp>

namespace natgpu::scheduling {

/// Queue order: the order's own key, then the job's id. For fcfs the key is the instant of submission.
struct QueueKey {
  std::int64_t key = 0;
  std::uint64_t id = 0;
  friend constexpr auto operator<=>(const QueueKey&, const QueueKey&) = default;
};

/// What a policy may see of a waiting job. Times are ticks on the reference device.
struct WaitingJob {
  QueueKey order;
  std::int64_t requested = 0;  ///< never the true run time
  std::int32_t gpus = 1;
  std::uint32_t slot = 0;  ///< the owner's handle
};

/// Sizes fall into classes [2^c, 2^(c+1)); the last takes all that is larger.
inline constexpr std::size_t size_classes = 16;
constexpr std::size_t size_class(std::int32_t gpus) {
  const auto c = static_cast<std::size_t>(std::bit_width(static_cast<std::uint32_t>(gpus))) - 1;
  return c < size_classes ? c : size_classes - 1;
}

/// Per size class, the longest requested time worth looking at: a stretch of the queue whose least requested
/// time is above it in every class holds no candidate. Never excludes one; false alarms are settled entry by
/// entry.
struct Sieve {
  std::array<float, size_classes> longest;
  std::int64_t largest = 0;  ///< GPUs
  static constexpr float none = -1.0F;
  static constexpr float any = std::numeric_limits<float>::max();
  Sieve() { longest.fill(none); }
  void admit(std::size_t size, float requested) {
    if (requested > longest[size]) longest[size] = requested;
  }
  bool admits(std::int32_t gpus, std::int64_t requested) const;
};

inline bool Sieve::admits(std::int32_t gpus, std::int64_t requested) const {
  return gpus <= largest && static_cast<float>(requested) <= longest[size_class(gpus)];
}

/// Waiting jobs in queue order, indexed by size and requested time.
struct WaitingTraits {
  static constexpr std::size_t leaf_size = 32;  // a scan of one costs what four levels of the tree do
  using Entry = WaitingJob;
  using Key = QueueKey;
  /// Least requested time per size class. Rounding to float keeps the order, so comparisons stay safe.
  struct Summary {
    std::array<float, size_classes> least;
    Summary() { least.fill(std::numeric_limits<float>::infinity()); }
    friend bool operator==(const Summary&, const Summary&) = default;
    bool may_hold(const Sieve& sieve) const {
      int hits = 0;  // no early exit: sixteen comparisons in four vector operations
      for (std::size_t c = 0; c < size_classes; ++c) hits += least[c] <= sieve.longest[c];
      return hits != 0;
    }
  };
  static Key key(const Entry& e) { return e.order; }
  static void absorb(Summary& s, const Entry& e) {
    float& least = s.least[size_class(e.gpus)];
    const auto requested = static_cast<float>(e.requested);
    if (requested < least) least = requested;
  }
  static bool absorb_anywhere(Summary& s, const Entry& e) {
    absorb(s, e);
    return true;
  }
  static bool forget(Summary& s, const Entry& e) {
    return static_cast<float>(e.requested) > s.least[size_class(e.gpus)];
  }
  static Summary combine(const Summary& a, const Summary& b) {
    Summary s;
    for (std::size_t c = 0; c < size_classes; ++c)
      s.least[c] = a.least[c] < b.least[c] ? a.least[c] : b.least[c];
    return s;
  }
};

using WaitingQueue = SummarySequence<WaitingTraits>;

}  // namespace natgpu::scheduling
