// SPDX-License-Identifier: Apache-2.0
// A scenario that says only what differs from another one.
#pragma once

#include "document.hpp"

namespace natgpu::scenario {

/// The base with what the scenario states put over it. Maps are merged key by key, lists of named items item
/// by item: a name that is there is changed, a new one appended, one with `remove: true` taken out. Single
/// values, other lists, policies and overrides stand in place of the base's.
Node extended(Node base, Node over, Mistakes& mistakes);

}  // namespace natgpu::scenario
