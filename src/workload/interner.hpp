// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <natgpu/workload/job_log.hpp>

namespace natgpu::workload {

/// Numbers names in order of first appearance. A hash table with open addressing over the list itself: a name
/// that is known costs no allocation.
class Interner {
 public:
  explicit Interner(Texts& names) : names_(names), slots_(64, -1) {}

  std::int32_t number_of(std::string_view name) {
    std::size_t at = slot_of(name);
    if (slots_[at] >= 0) return slots_[at];
    const auto number = static_cast<std::int32_t>(names_.size());
    names_.add(name);
    slots_[at] = number;
    if (2 * names_.size() > slots_.size()) grow();
    return number;
  }

 private:
  /// Where the name stands, or the free slot where it belongs.
  std::size_t slot_of(std::string_view name) const {
    std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a: Fowler, Noll & Vo
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    std::size_t at = (hash ^ (hash >> 32)) & (slots_.size() - 1);
    while (slots_[at] >= 0 && names_[static_cast<std::size_t>(slots_[at])] != name)
      at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  void grow() {
    slots_.assign(2 * slots_.size(), -1);
    for (std::size_t i = 0; i < names_.size(); ++i) slots_[slot_of(names_[i])] = static_cast<std::int32_t>(i);
  }

  Texts& names_;
  std::vector<std::int32_t> slots_;  // a power of two
};

}  // namespace natgpu::workload
