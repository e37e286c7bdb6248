// SPDX-License-Identifier: Apache-2.0
// MIG: GPUs cut into instances, by the placement tables that NVIDIA publishes.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace natgpu::scheduling {

/// A kind of instance. It holds consecutive slices of memory, from one of the starts, to its end: it cannot
/// be moved.
struct MigProfile {
  std::string_view name;
  int compute;           ///< slices of compute
  int memory;            ///< slices of memory
  std::uint32_t starts;  ///< a bit for each slice of memory that may be its first
};

/// What a model of GPU can be cut into.
/// Source: NVIDIA, Multi-Instance GPU User Guide, Supported MIG Profiles (slices, instances of each);
/// `nvidia-smi mig -lgipp` (starts). Profiles that add media engines or graphics (+me, +gfx) are left out:
/// they are cut as those without.
struct MigTable {
  std::string_view gpu;  ///< as users write it
  int compute;           ///< slices of the whole GPU
  int memory;            ///< the same, at most 8
  std::span<const MigProfile> profiles;
};
std::span<const MigTable> mig_tables();
/// The place of the table of that GPU, or nothing.
std::optional<std::size_t> mig_table_named(std::string_view gpu);

/// Where an instance goes of all positions that its profile has free.
enum class MigPosition : std::uint8_t {
  most_left,  ///< after it, most placements (a profile at a start) are left; of equals the lowest
  first,      ///< the lowest
};
struct MigPositionRule {
  MigPosition position;
  std::string_view name;  ///< as users write it
  std::string_view rule;  ///< in one line
  std::string_view source;
};
/// All rules, in the order of their values.
std::span<const MigPositionRule> mig_positions();

/// A table under a rule of position, worked out for all occupancies: a bit for each slice of memory that is
/// taken. Every question is one look-up.
class MigLayout {
 public:
  static constexpr std::size_t most_profiles = 6;

  MigLayout(const MigTable& table, MigPosition position);

  const MigTable& table() const { return *table_; }
  MigPosition position() const { return position_; }
  std::uint8_t whole() const { return static_cast<std::uint8_t>((1U << table_->memory) - 1); }
  /// Thousandths of a GPU that so many slices of memory are.
  std::int32_t milli(std::uint8_t slices) const { return std::popcount(slices) * milli_a_slice_; }

  /// The profile for so many thousandths of a GPU, 0 to 1000: fewest slices of memory, then of compute, that
  /// are that share of the GPU's memory and of its compute.
  std::size_t profile_for(std::int32_t gpu_milli) const {
    return profile_for_[static_cast<std::size_t>(gpu_milli)];
  }
  /// Thousandths that such a request is given.
  std::int32_t given(std::int32_t gpu_milli) const {
    return table_->profiles[profile_for(gpu_milli)].memory * milli_a_slice_;
  }
  /// A bit for each profile that finds a position beside what is taken.
  std::uint8_t placeable(std::uint8_t taken) const { return placeable_[taken]; }
  bool fits(std::size_t profile, std::uint8_t taken) const { return (placeable_[taken] >> profile & 1) != 0; }
  /// The slices that the next instance of the profile gets. @pre it fits
  std::uint8_t slices_for(std::size_t profile, std::uint8_t taken) const {
    return slices_for_[profile][taken];
  }
  /// How many instances of the profile find a position, one beside the other.
  std::int32_t room_for(std::size_t profile, std::uint8_t taken) const { return room_for_[profile][taken]; }

 private:
  const MigTable* table_;
  MigPosition position_;
  std::int32_t milli_a_slice_;
  std::array<std::uint8_t, 1001> profile_for_{};
  std::array<std::uint8_t, 256> placeable_{};
  std::array<std::array<std::uint8_t, 256>, most_profiles> slices_for_{};
  std::array<std::array<std::uint8_t, 256>, most_profiles> room_for_{};
};

/// Layouts are told by numbers from 0; -1 stands for none. @param table  place in mig_tables()
constexpr std::int8_t mig_layout_number(std::size_t table, MigPosition position) {
  return static_cast<std::int8_t>(2 * table + static_cast<std::size_t>(position));
}
/// @pre number >= 0 and of a table
const MigLayout& mig_layout(int number);

}  // namespace natgpu::scheduling
