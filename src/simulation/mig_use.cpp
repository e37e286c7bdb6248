// SPDX-License-Identifier: Apache-2.0
#include <natgpu/simulation/mig_use.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace natgpu::simulation {

using scheduling::mig_layout;

std::string in_words(const MigUse& use, const workload::NodeList& cluster) {
  std::string words;
  scheduling::MigPosition position{};
  for (std::size_t type = 0; type < use.layouts.size(); ++type) {
    if (use.layouts[type] < 0) continue;
    const scheduling::MigLayout& layout = mig_layout(use.layouts[type]);
    position = layout.position();
    const std::string of =
        cluster.gpu_types.size() > 1 ? fmt::format("{}=", cluster.gpu_types[type]) : std::string();
    words += fmt::format("{}{}{}", words.empty() ? "MIG " : " ", of, layout.table().gpu);
  }
  if (words.empty()) return words;
  return words +
         fmt::format(", positions {}", scheduling::mig_positions()[static_cast<std::size_t>(position)].name);
}

void MigCount::add(int layout, std::int32_t gpu_milli) {
  const auto at = static_cast<std::size_t>(layout);
  starts_.resize(std::max(starts_.size(), at + 1));
  ++starts_[at][mig_layout(layout).profile_for(gpu_milli)];
}

std::vector<MigStarts> MigCount::starts() const {
  std::vector<MigStarts> all;
  for (std::size_t layout = 0; layout < starts_.size(); ++layout)
    for (std::size_t profile = 0; profile < starts_[layout].size(); ++profile)
      if (starts_[layout][profile] > 0)
        all.push_back({static_cast<int>(layout), profile, starts_[layout][profile]});
  return all;
}

}  // namespace natgpu::simulation
