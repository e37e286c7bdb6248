// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace natgpu::measures {

/// Counts of non-negative integers in log-linear buckets of relative width 2^-7. Adding is O(1), merging is
/// free of order, quantiles are right to 1 part in 128.
class Histogram {
 public:
  static constexpr int sub_bits = 7;

  void add(std::int64_t value) {
    const std::size_t b = bucket(value < 0 ? 0 : static_cast<std::uint64_t>(value));
    if (b >= counts_.size()) counts_.resize(b + 1);
    ++counts_[b];
    ++total_;
  }
  void merge(const Histogram& other) {
    if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
    for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
  }
  std::uint64_t total() const { return total_; }

  /// Nearest rank: the lowest value of the bucket that holds the ceil(p n)-th smallest. @pre total() > 0, 0 <
  /// p <= 1
  double quantile(double p) const {
    const double exact = p * static_cast<double>(total_);
    auto rank = static_cast<std::uint64_t>(exact);
    if (static_cast<double>(rank) < exact || rank == 0) ++rank;
    std::uint64_t seen = 0;
    for (std::size_t b = 0; b < counts_.size(); ++b)
      if ((seen += counts_[b]) >= rank) return static_cast<double>(lowest(b));
    return static_cast<double>(lowest(counts_.size() - 1));
  }

 private:
  static std::size_t bucket(std::uint64_t v) {
    if (v < (1U << sub_bits)) return static_cast<std::size_t>(v);
    const int shift = static_cast<int>(std::bit_width(v)) - 1 - sub_bits;
    return (static_cast<std::size_t>(shift) << sub_bits) + static_cast<std::size_t>(v >> shift);
  }
  static std::uint64_t lowest(std::size_t bucket) {
    if (bucket < (2U << sub_bits)) return bucket;
    const std::size_t shift = (bucket >> sub_bits) - 1;
    return static_cast<std::uint64_t>(bucket - (shift << sub_bits)) << shift;
  }
  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
};

}  // namespace natgpu::measures
