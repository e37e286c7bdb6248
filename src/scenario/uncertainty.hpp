// SPDX-License-Identifier: Apache-2.0
// The distributions of `uncertainties`, whose units are those of the values at their paths.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <natgpu/scenario/scenario.hpp>

#include "document.hpp"
#include "mistakes.hpp"
#include "walker.hpp"

namespace natgpu::scenario {

/// Takes the key `value` out of each item of `uncertainties`, for read_uncertainties(): which unit it is in
/// can only be told when the paths have been read. Empty nodes stand for items without one.
std::vector<Node> take_uncertain_values(Node& root);

/// Completes the uncertainties that the walker has read from the rest of their items.
/// @param values  of each, as taken
/// @param root  with policy and settings applied
/// @param known  where paths are stated by a policy or a setting: "--set", "policy late"
void read_uncertainties(std::vector<Uncertainty>& all, const std::vector<Node>& values, const Node& root,
                        const std::map<std::string, std::string>& known, Walker& walker, Mistakes& mistakes);

/// Days since 1970-01-01 in which dates are drawn; `never` is a day that no calendar reaches.
double days_of(const Date& date);
Date date_of(double days);

}  // namespace natgpu::scenario
