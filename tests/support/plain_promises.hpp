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
  virtual std::vector<std::uint32_t> queue() const = 0;
  /// Of all its places the one of earliest end, with a start no later than `latest`.
  virtual std::optional<Place> best_place(std::uint32_t job, std::int64_t latest) const = 0;
  /// Where it may start at once, in the first pool that it tries.
  virtual std::optional<Place> place_now(std::uint32_t job) const = 0;
  virtual bool overflows(const Place& place) const = 0;
  virtual void begin(std::uint32_t job, const Place& place) = 0;

  void pass_at(std::int64_t now) {
    at_ = now;
    const bool restored = restore();
    const bool search = freed || search_again_ || restored;
    if (freed) sweep();
    freed = false;
    for (const std::uint32_t job : queue())
      if (reserved.count(job) > 0 && reserved[job].start <= now) launch(job, reserved[job]);
    const bool displaced = take_in(again_);
    for (const std::uint32_t job : queue())
      if (is_behind(job) && reserved.size() < holders) settle(job);
    if (search || displaced)
      for (const std::uint32_t job : queue())
        if (is_behind(job)) start_now(job);
    search_again_ = take_in(fresh);
  }
  ~PlainPromises() = default;

 private:
  bool restore() {
    const std::map<std::uint32_t, std::int64_t> off = off_;
    off_.clear();
    for (const std::uint32_t job : queue()) {
      if (off.count(job) == 0) continue;
      const std::optional<Place> place = best_place(job, no_time);
      broken += !place || place->start > off.at(job) ? 1 : 0;
      if (place)
        reserved[job] = *place;
      else
        shelf_.insert(job);
    }
    return !off.empty();
  }
  void sweep() {
    for (const std::uint32_t job : queue()) {
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
  /// @returns whether a reservation had to give way
  bool take_in(std::set<std::uint32_t>& jobs) {
    bool displaced = false;
    for (const std::uint32_t job : queue()) {
      if (jobs.erase(job) == 0) continue;
      std::optional<std::uint32_t> last;  // in queue order, of those that hold one
      for (const std::uint32_t other : queue())
        if (reserved.count(other) > 0) last = other;
      const bool before_last = last && position(job) < position(*last);
      if (reserved.size() >= holders && !before_last) {
        start_now(job);
        continue;
      }
      settle(job);
      if (reserved.size() <= holders) continue;
      reserved.erase(*last);
      displaced = true;
    }
    return displaced;
  }
  std::size_t position(std::uint32_t job) const {
    const std::vector<std::uint32_t> all = queue();
    return static_cast<std::size_t>(std::find(all.begin(), all.end(), job) - all.begin());
  }

  std::int64_t at_ = 0;
  std::map<std::uint32_t, std::int64_t> off_;  ///< to be placed anew: what they were promised
  std::set<std::uint32_t> shelf_, again_;
  bool search_again_ = false;
};

}  // namespace natgpu::testing
