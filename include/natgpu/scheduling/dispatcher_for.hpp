// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include <natgpu/scheduling/conservative.hpp>
#include <natgpu/scheduling/dispatcher.hpp>

namespace natgpu::scheduling {

/// The dispatcher of a backfill. @pre not Backfill::reservations: that is conservative with a limit
template <Backfill B>
using DispatcherFor = std::conditional_t<B == Backfill::conservative, ConservativeDispatcher, Dispatcher<B>>;

/// @param reservations  with Backfill::conservative: jobs that hold one; 0: all
template <Backfill B>
DispatcherFor<B> make_dispatcher(std::size_t pools, std::vector<GroupSpec> groups, bool arrivals_first,
                                 std::int64_t reservations) {
  if constexpr (B == Backfill::conservative)
    return {pools, std::move(groups), arrivals_first,
            reservations > 0 ? static_cast<std::size_t>(reservations) : ConservativeDispatcher::everyone};
  else
    return {pools, std::move(groups), arrivals_first};
}

}  // namespace natgpu::scheduling
