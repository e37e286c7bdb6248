// SPDX-License-Identifier: Apache-2.0
// Which figures the report shows, in the order in which an analyst asks.
#pragma once

#include <vector>

#include "catalogue.hpp"
#include "figures.hpp"

namespace natgpu::report {

/// Tables of one selection: one for each metric where rows are labels, else one for all metrics.
struct Block {
  Selection selection;
  Say caption = Say::count;  ///< stands before the tables; none
};
struct Section {
  Say heading, text;
  std::vector<Block> blocks;
};

const std::vector<Section>& sections();

}  // namespace natgpu::report
