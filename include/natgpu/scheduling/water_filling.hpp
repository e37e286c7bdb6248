// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace natgpu::scheduling {

/// Max-min fair shares of one divisible resource: all rise together, each at the pace of its weight, until
/// its demand is met or nothing is left. Source: Bertsekas & Gallager, Data Networks, 2nd ed., section 6.5.2
/// (progressive filling). O(n log n); ties make no difference to the shares.
/// @param capacity  of the resource, any unit, not negative
/// @param demands   in the same unit, not negative; infinity for one that takes what it gets
/// @param weights   positive and finite, one for each demand; none: all equal
/// @returns the shares, in the order of the demands; their sum is the lesser of the capacity and all demands,
///          up to rounding
/// @throws InvariantError on weights of another number, or out of range
std::vector<double> water_filling(double capacity, const std::vector<double>& demands,
                                  const std::vector<double>& weights = {});

}  // namespace natgpu::scheduling
