// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/mig.hpp>

#include <algorithm>
#include <vector>

namespace natgpu::scheduling {
namespace {

/// Of seven slices of compute and eight of memory: `{0,1,2,3,4,5,6}:1`, `{0,2,4,6}:2`, `{0,2,4}:2`,
/// `{0,4}:4`, `{0}:4`, `{0}:8` in the words of nvidia-smi.
constexpr std::uint32_t starts_1g = 0b1111111, starts_1g_double = 0b1010101, starts_2g = 0b10101,
                        starts_3g = 0b10001, start_0 = 0b1;

constexpr std::array<MigProfile, 6> sevenths(std::array<std::string_view, 6> names) {
  return {{{names[0], 1, 1, starts_1g},
           {names[1], 1, 2, starts_1g_double},
           {names[2], 2, 2, starts_2g},
           {names[3], 3, 4, starts_3g},
           {names[4], 4, 4, start_0},
           {names[5], 7, 8, start_0}}};
}
/// Of four slices of each: `{0,1,2,3}:1`, `{0,2}:2`, `{0}:4`.
constexpr std::array<MigProfile, 3> quarters(std::array<std::string_view, 3> names) {
  return {{{names[0], 1, 1, 0b1111}, {names[1], 2, 2, 0b101}, {names[2], 4, 4, start_0}}};
}

constexpr auto a30 = quarters({"1g.6gb", "2g.12gb", "4g.24gb"});
constexpr auto a100_40 = sevenths({"1g.5gb", "1g.10gb", "2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb"});
constexpr auto of_80 = sevenths({"1g.10gb", "1g.20gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb"});
constexpr auto h100_96 = sevenths({"1g.12gb", "1g.24gb", "2g.24gb", "3g.48gb", "4g.48gb", "7g.96gb"});
constexpr auto h200 = sevenths({"1g.18gb", "1g.35gb", "2g.35gb", "3g.71gb", "4g.71gb", "7g.141gb"});
constexpr auto b200 = sevenths({"1g.23gb", "1g.45gb", "2g.45gb", "3g.90gb", "4g.90gb", "7g.180gb"});

constexpr std::array<MigTable, 7> tables{{
    {"A30-24GB", 4, 4, a30},
    {"A100-40GB", 7, 8, a100_40},
    {"A100-80GB", 7, 8, of_80},
    {"H100-80GB", 7, 8, of_80},
    {"H100-96GB", 7, 8, h100_96},
    {"H200-141GB", 7, 8, h200},
    {"B200-180GB", 7, 8, b200},
}};

constexpr std::array<MigPositionRule, 2> positions{{
    {MigPosition::most_left, "most-left",
     "the free position after which most placements (a profile at a start) are left, of equals the lowest",
     "in the manner of Zambianco et al., arXiv 2511.18906: positions by the fragmentation they leave"},
    {MigPosition::first, "first", "the free position of lowest number", "first fit"},
}};

/// The slices of memory of an instance that starts there.
std::uint32_t slices_at(const MigProfile& p, int start) {
  return ((1U << p.memory) - 1) << start;
}
bool may_start(const MigProfile& p, int start, std::uint32_t taken) {
  return (p.starts >> start & 1) != 0 && (slices_at(p, start) & taken) == 0;
}
int positions_of(const MigTable& table, const MigProfile& p, std::uint32_t taken) {
  int n = 0;
  for (int start = 0; start < table.memory; ++start) n += may_start(p, start, taken);
  return n;
}
/// Placements that are left: of all profiles, each at each of its starts.
int placements_left(const MigTable& table, std::uint32_t taken) {
  int n = 0;
  for (const MigProfile& p : table.profiles) n += positions_of(table, p, taken);
  return n;
}
/// 0: there is no position.
std::uint32_t chosen(const MigTable& table, const MigProfile& p, std::uint32_t taken, MigPosition rule) {
  std::uint32_t best = 0;
  int most = -1;
  for (int start = 0; start < table.memory; ++start) {
    if (!may_start(p, start, taken)) continue;
    const std::uint32_t slices = slices_at(p, start);
    if (rule == MigPosition::first) return slices;
    const int left = placements_left(table, taken | slices);
    if (left <= most) continue;
    most = left;
    best = slices;
  }
  return best;
}

/// Profiles stand in rising order of memory, then of compute, and the last is the whole GPU.
std::size_t smallest_covering(const MigTable& table, std::int32_t gpu_milli) {
  std::size_t k = 0;
  const auto covers = [&](const MigProfile& p) {
    return p.memory * 1000 >= gpu_milli * table.memory && p.compute * 1000 >= gpu_milli * table.compute;
  };
  while (!covers(table.profiles[k])) ++k;
  return k;
}

}  // namespace

std::span<const MigTable> mig_tables() {
  return tables;
}
std::optional<std::size_t> mig_table_named(std::string_view gpu) {
  const auto found =
      std::find_if(tables.begin(), tables.end(), [gpu](const MigTable& t) { return t.gpu == gpu; });
  if (found == tables.end()) return std::nullopt;
  return static_cast<std::size_t>(found - tables.begin());
}

std::span<const MigPositionRule> mig_positions() {
  return positions;
}

MigLayout::MigLayout(const MigTable& table, MigPosition position)
    : table_(&table), position_(position), milli_a_slice_(1000 / table.memory) {
  for (std::size_t milli = 0; milli < profile_for_.size(); ++milli)
    profile_for_[milli] =
        static_cast<std::uint8_t>(smallest_covering(table, static_cast<std::int32_t>(milli)));
  for (std::size_t k = 0; k < table.profiles.size(); ++k)
    for (std::uint32_t taken = 0; taken <= whole(); ++taken) {
      const std::uint32_t slices = chosen(table, table.profiles[k], taken, position);
      slices_for_[k][taken] = static_cast<std::uint8_t>(slices);
      // Positions of one profile never overlap, so that each that is free holds one.
      room_for_[k][taken] = static_cast<std::uint8_t>(positions_of(table, table.profiles[k], taken));
      if (slices != 0) placeable_[taken] = static_cast<std::uint8_t>(placeable_[taken] | 1U << k);
    }
}

const MigLayout& mig_layout(int number) {
  static const std::vector<MigLayout> layouts = [] {
    std::vector<MigLayout> all;
    for (const MigTable& t : tables)
      for (const MigPositionRule& p : positions) all.emplace_back(t, p.position);
    return all;
  }();
  return layouts[static_cast<std::size_t>(number)];
}

}  // namespace natgpu::scheduling
