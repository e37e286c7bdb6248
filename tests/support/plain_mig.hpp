// SPDX-License-Identifier: Apache-2.0
// MIG by plain search: tables written out by hand, positions tried one after another, nothing worked out
// ahead.
#pragma once

#include <cstdint>
#include <vector>

namespace natgpu::testing {

struct PlainProfile {
  int compute, memory;
  std::vector<int> starts;
};

class PlainMig {
 public:
  /// @param number  as natgpu's: two to a table, the second with the lowest position
  explicit PlainMig(int number) : first_(number % 2 == 1) {
    if (number / 2 == 0) {
      compute_ = memory_ = 4;
      profiles_ = {{1, 1, {0, 1, 2, 3}}, {2, 2, {0, 2}}, {4, 4, {0}}};
    } else {
      compute_ = 7;
      memory_ = 8;
      profiles_ = {{1, 1, {0, 1, 2, 3, 4, 5, 6}},
                   {1, 2, {0, 2, 4, 6}},
                   {2, 2, {0, 2, 4}},
                   {3, 4, {0, 4}},
                   {4, 4, {0}},
                   {7, 8, {0}}};
    }
  }

  const std::vector<PlainProfile>& profiles() const { return profiles_; }
  int whole() const { return (1 << memory_) - 1; }
  /// Thousandths.
  int milli(int slices) const {
    int n = 0;
    for (int s = 0; s < memory_; ++s) n += slices >> s & 1;
    return 1000 * n / memory_;
  }
  /// Of those that cover the request in compute and in memory, the one with least memory, then compute.
  const PlainProfile& profile_for(int gpu_milli) const {
    const PlainProfile* best = nullptr;
    for (const PlainProfile& p : profiles_) {
      if (p.compute * 1000 < gpu_milli * compute_ || p.memory * 1000 < gpu_milli * memory_) continue;
      if (best == nullptr || p.memory < best->memory ||
          (p.memory == best->memory && p.compute < best->compute))
        best = &p;
    }
    return *best;
  }
  /// The slices of the next instance; 0: there is no position.
  int place(const PlainProfile& p, int taken) const {
    int best = 0, most = -1;
    for (const int start : p.starts) {
      const int slices = ((1 << p.memory) - 1) << start;
      if ((slices & taken) != 0) continue;
      if (first_) return slices;
      const int left = placements(taken | slices);
      if (left > most) {
        most = left;
        best = slices;
      }
    }
    return best;
  }

 private:
  int placements(int taken) const {
    int n = 0;
    for (const PlainProfile& p : profiles_)
      for (const int start : p.starts) n += ((((1 << p.memory) - 1) << start) & taken) == 0;
    return n;
  }

  bool first_;
  int compute_ = 0, memory_ = 0;
  std::vector<PlainProfile> profiles_;
};

}  // namespace natgpu::testing
