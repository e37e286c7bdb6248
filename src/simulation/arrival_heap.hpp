// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <natgpu/core/time.hpp>

namespace natgpu::simulation {

/// Who submits next: one entry per organisation that computes, in the order of (instant, organisation).
/// Taking a request replaces the top in one sift.
class ArrivalHeap {
 public:
  struct Entry {
    Instant at;
    std::uint32_t organisation;
    bool operator<(const Entry& o) const { return at != o.at ? at < o.at : organisation < o.organisation; }
  };
  bool empty() const { return heap_.empty(); }
  Instant next_time() const { return heap_.empty() ? never : heap_.front().at; }
  const Entry& top() const { return heap_.front(); }

  void push(const Entry& e) {
    heap_.push_back(e);
    std::size_t i = heap_.size() - 1;
    for (; i > 0 && e < heap_[(i - 1) / 4]; i = (i - 1) / 4) heap_[i] = heap_[(i - 1) / 4];
    heap_[i] = e;
  }
  void replace_top(const Entry& e) { sift_down(e); }
  void pop() {
    const Entry last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sift_down(last);
  }

 private:
  void sift_down(const Entry e) {
    const std::size_t n = heap_.size();
    std::size_t i = 0;
    for (;;) {
      const std::size_t first = 4 * i + 1;
      if (first >= n) break;
      const std::size_t end = std::min(first + 4, n);
      std::size_t least = first;
      for (std::size_t c = first + 1; c < end; ++c)
        if (heap_[c] < heap_[least]) least = c;
      if (!(heap_[least] < e)) break;
      heap_[i] = heap_[least];
      i = least;
    }
    heap_[i] = e;
  }
  std::vector<Entry> heap_;
};

}  // namespace natgpu::simulation
