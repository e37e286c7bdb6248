// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace natgpu::simulation {

/// Running jobs of one pool in the order of their starts, so that a failure finds whom it hits: units are
/// numbered by running jobs in start order, then idle. Adding and removing are O(1); finding is O(blocks).
class StartOrder {
 public:
  static constexpr std::uint32_t none = 0xffffffff;

  /// @param position_of  position_of(slot) = where to note the job's place; places move when gaps are swept
  /// out
  template <class PositionOf>
  void add(std::uint32_t slot, std::int64_t gpus, PositionOf&& position_of) {
    if (entries_.size() > 2 * block && entries_.size() > 2 * live_) sweep(position_of);
    const std::size_t at = entries_.size();
    entries_.push_back({slot, gpus});
    if (at / block >= sums_.size()) sums_.push_back(0);
    sums_[at / block] += gpus;
    ++live_;
    position_of(slot) = static_cast<std::uint32_t>(at);
  }
  void remove(std::uint32_t position) {
    sums_[position / block] -= entries_[position].gpus;
    entries_[position] = {none, 0};
    --live_;
  }
  /// A job hands some of its GPUs back, and keeps the rest and its place.
  void shrink(std::uint32_t position, std::int64_t gpus) {
    sums_[position / block] -= gpus;
    entries_[position].gpus -= gpus;
  }
  /// Jobs that hold any of the units [first, first + count), in start order, appended to `hit`.
  void holders(std::int64_t first, std::int64_t count, std::vector<std::uint32_t>& hit) const {
    each_holder(first, count, [&](std::uint32_t slot, std::int64_t, std::int64_t) { hit.push_back(slot); });
  }
  /// The same, as what(slot, from, until): it is the units [from, until) of the job's own.
  template <class What>
  void each_holder(std::int64_t first, std::int64_t count, What&& what) const {
    std::int64_t unit = 0;
    std::size_t b = 0;
    while (b < sums_.size() && unit + sums_[b] <= first) unit += sums_[b++];
    for (std::size_t i = b * block; i < entries_.size() && unit < first + count; ++i) {
      if (entries_[i].slot == none) continue;
      const std::int64_t gpus = entries_[i].gpus, from = std::max<std::int64_t>(first - unit, 0);
      if (from < gpus) what(entries_[i].slot, from, std::min(first + count - unit, gpus));
      unit += gpus;
    }
  }
  /// Calls what(slot) for each job in start order.
  template <class What>
  void each(What&& what) const {
    for (const Entry& e : entries_)
      if (e.slot != none) what(e.slot);
  }
  /// The job that started last, or none.
  std::uint32_t last() const {
    for (std::size_t i = entries_.size(); i-- > 0;)
      if (entries_[i].slot != none) return entries_[i].slot;
    return none;
  }
  std::size_t size() const { return live_; }

 private:
  static constexpr std::size_t block = 256;
  struct Entry {
    std::uint32_t slot = none;
    std::int64_t gpus = 0;
  };
  template <class PositionOf>
  void sweep(PositionOf&& position_of) {
    std::size_t kept = 0;
    for (const Entry& e : entries_) {
      if (e.slot == none) continue;
      position_of(e.slot) = static_cast<std::uint32_t>(kept);
      entries_[kept++] = e;
    }
    entries_.resize(kept);
    sums_.assign(kept / block + 1, 0);
    for (std::size_t i = 0; i < kept; ++i) sums_[i / block] += entries_[i].gpus;
  }
  std::vector<Entry> entries_;
  std::vector<std::int64_t> sums_;  ///< GPUs per block of entries
  std::size_t live_ = 0;
};

}  // namespace natgpu::simulation
