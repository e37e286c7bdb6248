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

/// `path=value`; each is a source of its own. @param called  its name in messages
std::optional<Change> read_set(const std::string& text, Mistakes& mistakes,
                               const std::string& called = "--set");

/// A named block of changes.
struct PolicyChanges {
  std::string name;
  Mark mark;
  std::vector<Change> changes;
};
/// The blocks of `policies` or `overrides`, in the order of the file.
std::vector<PolicyChanges> read_blocks(const Node& root, const std::string& key, Mistakes& mistakes);
/// Puts the blocks that policies `use:` into them; what a policy states itself wins over what it uses.
void expand_uses(std::vector<PolicyChanges>& policies, const std::vector<PolicyChanges>& overrides,
                 Mistakes& mistakes);
/// No policy has the name of one that is built in.
void check_policy_names(const std::vector<PolicyChanges>& policies, Mistakes& mistakes);

/// Where a path leads: the fields on the way, with the names of items.
struct Step {
  const Field* field = nullptr;
  std::string item;
};

/// Finds the leaf field of a path. @return nothing if it leads nowhere, which has been reported
std::optional<std::vector<Step>> locate(const Change& change, const Node& root, Mistakes& mistakes);

/// What is written there, or null. @pre `steps` were located in this tree
const Node* node_at(const std::vector<Step>& steps, const Node& root);

/// Puts the value into the tree. @pre `steps` were located in this tree
void apply(const Change& change, const std::vector<Step>& steps, Node& root);

}  // namespace natgpu::scenario
