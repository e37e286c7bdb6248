// SPDX-License-Identifier: Apache-2.0
// Reservations as plain loops over jobs: who holds one, what puts it off, and the order of a pass. Where and
// when a job finds a place is for whoever derives from it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace natgpu::testing {

/// @tparam Place  with a pool and a start
template <class Place>
class PlainPromises {
 public:
  static constexpr std::int64_t no_time = std::numeric_limits<std::int64_t>::max();

  std::size_t holders = std::numeric_limits<std::size_t>::max();
  bool freed = false;  ///< since the last pass
  std::uint64_t broken = 0;
  std::map<std::uint32_t, Place> reserved;
  std::set<std::uint32_t> fresh;  ///< since the last pass

  void gain() {
    freed = true;
    again_.insert(shelf_.begin(), shelf_.end());
    shelf_.clear();
  }
  void leave(std::uint32_t job) {
    freed |= reserved.erase(job) > 0 || off_.erase(job) > 0;
    for (auto* set : {&fresh, &again_, &shelf_}) set->erase(job);
  }
  /// Something has changed: where one reservation of a pool cannot be kept, none of the pool is.
  void look_for_overflows() {
    std::set<std::size_t> pools;
    for (const auto& [job, place] : reserved)
      if (overflows(place)) pools.insert(place.pool);
    for (auto it = reserved.begin(); it != reserved.end();) {
      if (pools.count(it->second.pool) == 0) {
        ++it;
        continue;
      }
      off_[it->first] = it->second.start;
      it = reserved.erase(it);
    }
  }
  std::int64_t promised(std::uint32_t job) const {
    const auto it = reserved.find(job);
    return it != reserved.end() ? it->second.start : no_time;
  }

 protected:
  virtual std::vector<std::uint32_t> in_order() const = 0;
  /// Of all its places the one of earliest end, with a start no later than `latest`.
  virtual std::optional<Place> best_place(std::uint32_t job, std::int64_t latest) const = 0;
  /// Where it may start at once, in the first pool that it tries.
  virtual std::optional<Place> place_now(std::uint32_t job) const = 0;
  virtual bool overflows(const Place& place) const = 0;
  virtual void begin(std::uint32_t job, const Place& place) = 0;

  void pass_at(std::int64_t now) {
    at_ = now;
    const bool limited = holders != std::numeric_limits<std::size_t>::max();
    if (limited) keep_first();  // where the queue has been ranked anew
    restore();
    if (limited) {
      fresh.clear();
      again_.clear();
      keep_first();
    }
    if (freed) sweep();
    freed = false;
    for (const std::uint32_t job : in_order())
      if (reserved.count(job) > 0 && reserved[job].start <= now) launch(job, reserved[job]);
    take_in(again_);
    if (limited) {
      for (const std::uint32_t job : in_order())
        if (is_behind(job) && reserved.size() < holders) settle(job);
      for (const std::uint32_t job : in_order())
        if (is_behind(job)) start_now(job);
    }
    take_in(fresh);
  }
  ~PlainPromises() = default;

 private:
  void restore() {
    const std::map<std::uint32_t, std::int64_t> off = off_;
    off_.clear();
    for (const std::uint32_t job : in_order()) {
      if (off.count(job) == 0) continue;
      const std::optional<Place> place = best_place(job, no_time);
      broken += !place || place->start > off.at(job) ? 1 : 0;
      if (place)
        reserved[job] = *place;
      else
        shelf_.insert(job);
    }
  }
  void sweep() {
    for (const std::uint32_t job : in_order()) {
      if (reserved.count(job) == 0) continue;
      const Place old = reserved[job];
      reserved.erase(job);
      reserved[job] = best_place(job, old.start).value_or(old);
    }
  }
  void launch(std::uint32_t job, Place place) {
    reserved.erase(job);
    begin(job, place);
  }
  void settle(std::uint32_t job) {
    const std::optional<Place> place = best_place(job, no_time);
    if (!place)
      shelf_.insert(job);
    else if (place->start == at_)
      launch(job, *place);
    else
      reserved[job] = *place;
  }
  bool start_now(std::uint32_t job) {
    const std::optional<Place> place = place_now(job);
    if (place) launch(job, *place);
    return place.has_value();
  }
  bool is_behind(std::uint32_t job) const {
    return reserved.count(job) + shelf_.count(job) + fresh.count(job) + again_.count(job) == 0;
  }
  void take_in(std::set<std::uint32_t>& jobs) {
    for (const std::uint32_t job : in_order())
      if (jobs.erase(job) > 0) settle(job);
  }
  /// Who does not stand among the first holders gives its reservation up.
  void keep_first() {
    std::size_t stand = 0;
    for (const std::uint32_t job : in_order())
      if ((reserved.count(job) > 0 || is_behind(job)) && ++stand > holders)
        freed |= reserved.erase(job) + off_.erase(job) > 0;
  }

  std::int64_t at_ = 0;
  std::map<std::uint32_t, std::int64_t> off_;  ///< to be placed anew: what they were promised
  std::set<std::uint32_t> shelf_, again_;
};

}  // namespace natgpu::testing
