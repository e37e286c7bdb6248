// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <natgpu/core/hash.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/engine/event_list.hpp>

namespace natgpu::engine {

/// A digest of executed events in their order: two runs with one fingerprint did the same things at the same
/// times.
class Fingerprint {
 public:
  void add(Instant at, Rank rank) {
    state_ = mix64(state_ +
                   static_cast<std::uint64_t>(at.time_since_epoch().count()) * 0x9e3779b97f4a7c15ULL + rank);
    ++events_;
  }
  std::uint64_t value() const { return mix64(state_ ^ events_); }
  std::uint64_t events() const { return events_; }

 private:
  std::uint64_t state_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace natgpu::engine
