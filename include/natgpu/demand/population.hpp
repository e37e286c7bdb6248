// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/random.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/demand/spec.hpp>

namespace natgpu::demand {

/// One simulated organisation. Its ordinal inside its sector is the entity of all its draws.
struct Organisation {
  std::uint32_t sector = 0;
  std::uint32_t ordinal = 0;   ///< inside the sector
  std::uint32_t group = 0;     ///< owner group, numbered within the sector
  std::uint16_t region = 0;    ///< index into Population::regions
  std::uint16_t vertical = 0;  ///< index into Population::verticals
  std::uint32_t represents = 1;
  bool demander = true;  ///< may ever become a gpu_user
  bool any_ai_at_start = false;
  bool gpu_user_at_start = false;
  double activity = 1;   ///< mean one over the law
  double threshold = 0;  ///< Exp(1): adopts any_ai when the sector's cumulative hazard passes it
  double disposition =
      0;                 ///< uniform: the lowest are any_ai and gpu_user at the start, and make up the market
  bool onboards = true;  ///< a demander that becomes a gpu_user once any_ai
  Duration onboarding{};     ///< from any_ai to gpu_user
  Duration stays = endless;  ///< from gpu_user to lapse
};

struct Population {
  std::vector<Organisation> organisations;     ///< sector by sector, in file order
  std::vector<std::uint32_t> first_of_sector;  ///< one more than sectors
  std::vector<std::string> regions,
      verticals;  ///< names, in order of first mention; index 0 is "" (none stated)
};

/// Draws everybody. Adding a sector moves nobody in another. Shares at the start are met exactly, rounded to
/// whole organisations; who it is, is drawn. Addresses, stream ("organisations", sector name), entity =
/// ordinal:
///   index 0: words 0 demander, 1 onboards, 2 region, 3 vertical   index 1: wides 0 disposition, 1 threshold
///   index 2: activity   index 3: onboarding   index 4: wide 0 stays
Population draw_population(const Demand& demand, Streams& streams);

}  // namespace natgpu::demand
