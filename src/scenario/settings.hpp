// SPDX-License-Identifier: Apache-2.0
// `path: value` of policies and of `--set`, applied to the tree before it is read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "walker.hpp"

namespace natgpu::scenario {

/// A path with the value to put there.
struct Change {
  std::string path;
  Mark mark;  ///< of the path's first character
  Node value;
};

/// Keys of the file that are no fields of a Scenario.
const std::vector<std::string>& file_keys();

/// `path=value` of a command line; each is a source of its own, called `--set`.
std::optional<Change> read_set(const std::string& text, Mistakes& mistakes);

/// The blocks of `policies`, in the order of the file.
struct PolicyChanges {
  std::string name;
  std::vector<Change> changes;
};
std::vector<PolicyChanges> read_policies(const Node& root, Mistakes& mistakes);

/// Where a path leads: the fields on the way, with the names of items.
struct Step {
  const Field* field = nullptr;
  std::string item;
};

/// Finds the leaf field of a path. @return nothing if it leads nowhere, which has been reported
std::optional<std::vector<Step>> locate(const Change& change, const Node& root, Mistakes& mistakes);

/// Puts the value into the tree. @pre `steps` were located in this tree
void apply(const Change& change, const std::vector<Step>& steps, Node& root);

}  // namespace natgpu::scenario
