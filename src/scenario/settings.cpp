// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include <natgpu/core/utf8.hpp>

namespace natgpu::scenario {
namespace {

struct Segment {
  std::string key, item;
  bool has_item = false;
  std::size_t offset = 0;  // of the key, in bytes
};

/// "supply.sites[haenam].pue" in parts; nothing if it is no path.
std::optional<std::vector<Segment>> segments_of(const std::string& path) {
  std::vector<Segment> all;
  std::size_t at = 0;
  while (true) {
    Segment s;
    s.offset = at;
    const std::size_t end = std::min(path.find_first_of(".[]", at), path.size());
    s.key = path.substr(at, end - at);
    at = end;
    if (s.key.empty()) return {};
    if (at < path.size() && path[at] == '[') {
      const std::size_t close = path.find(']', at);
      if (close == std::string::npos || close == at + 1) return {};
      s.has_item = true;
      s.item = path.substr(at + 1, close - at - 1);
      at = close + 1;
    }
    all.push_back(std::move(s));
    if (at == path.size()) return all;
    if (path[at] != '.') return {};
    ++at;
  }
}

/// Items with names are found by name, others by position, counted from one.
template <class N>
N* item_of(N& list, const FieldTable& table, const std::string& item) {
  if (!list.is_list()) return nullptr;
  if (has_names(table)) {
    for (auto& node : list.items) {
      const Node* name = node.find("name");
      if (name != nullptr && name->is_scalar() && name->text == item) return &node;
    }
    return nullptr;
  }
  const long position = item.size() < 8 ? std::strtol(item.c_str(), nullptr, 10) : 0;
  if (position < 1 || static_cast<std::size_t>(position) > list.items.size() ||
      std::to_string(position) != item)
    return nullptr;
  return &list.items[static_cast<std::size_t>(position) - 1];
}

std::vector<std::string> items_written(const Node* list, const FieldTable& table) {
  std::vector<std::string> all;
  if (list == nullptr) return all;
  for (const Node& node : list->items) {
    const Node* name = node.find("name");
    if (!has_names(table))
      all.push_back(std::to_string(all.size() + 1));
    else if (name != nullptr && name->is_scalar())
      all.push_back(name->text);
  }
  return all;
}

bool is_group(const Field& field) {
  return field.kind == FieldKind::object || field.kind == FieldKind::items;
}

void report(const Change& change, const Segment& s, Mistakes& mistakes, std::string message,
            std::string help) {
  Mark mark = change.mark;
  mark.byte += static_cast<int>(s.offset);
  mistakes.add(Fault::unknown_path, mark, display_width(s.key), std::move(message), std::move(help));
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\n") - first + 1));
}

void expect_map(const Node& node, const std::string& what, Mistakes& mistakes) {
  if (node.is_map() || node.kind == Node::Kind::broken) return;
  mistakes.add(Fault::wrong_kind, node.mark, caret_width(node),
               fmt::format("{} is a map, found {}", what, kind_name(node)),
               "write `name: {path: value}`, or `{}`");
}

/// Changes of the blocks that `use: name` or `use: [name, name]` asks for, in that order.
std::vector<Change> used_changes(const Node& named, const std::vector<PolicyChanges>& overrides,
                                 Mistakes& mistakes) {
  std::vector<std::string> known;
  for (const PolicyChanges& o : overrides) known.push_back(o.name);
  const std::vector<Node> names = named.is_list() ? named.items : std::vector<Node>{named};
  std::vector<Change> all;
  for (const Node& name : names) {
    const auto block = std::find_if(overrides.begin(), overrides.end(), [&](const PolicyChanges& o) {
      return name.is_scalar() && o.name == name.text;
    });
    if (block == overrides.end()) {
      mistakes.add(Fault::unknown_reference, name.mark, caret_width(name),
                   fmt::format("there is no `{}` in overrides", flow_text(name)),
                   known.empty() ? "`overrides` is empty" : suggestion(flow_text(name), known));
      continue;
    }
    for (const Change& change : block->changes) {
      const bool twice =
          std::any_of(all.begin(), all.end(), [&](const Change& c) { return c.path == change.path; });
      if (twice)
        mistakes.add(
            Fault::duplicate_key, name.mark, caret_width(name),
            fmt::format("`{}` states {}, as another of the blocks used does", block->name, change.path),
            "state it in the policy itself, or use one of them");
      all.push_back(change);
    }
  }
  return all;
}

}  // namespace

const std::vector<std::string>& file_keys() {
  static const std::vector<std::string> keys = {"schema", "overrides", "policies"};
  return keys;
}

std::optional<Change> read_set(const std::string& text, Mistakes& mistakes, const std::string& called) {
  const auto source = scan_bytes(called, text, mistakes);
  if (!source) return {};
  const Mark start{*source, 1, 0};
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    mistakes.add(Fault::bad_path, start, display_width(text), "a setting is path=value",
                 "write `--set \"supply.sites[haenam].pue=1.2\"`");
    return {};
  }
  Change change{trimmed(std::string_view(text).substr(0, equals)), start, {}};
  const std::string value = trimmed(std::string_view(text).substr(equals + 1));
  const Mark value_mark{*source, 1,
                        static_cast<int>(std::min(text.find_first_not_of(" \t", equals + 1), text.size()))};
  if (!value.empty() && std::string_view("[{\"'").find(value.front()) != std::string_view::npos) {
    auto node = read_document(value_mark, mistakes);
    if (!node) return {};
    change.value = std::move(*node);
    return change;
  }
  change.value.mark = value.empty() ? start : value_mark;
  if (value.empty() || value == "~" || value == "null") return change;
  change.value.kind = Node::Kind::scalar;
  change.value.text = value;
  return change;
}

std::vector<PolicyChanges> read_blocks(const Node& root, const std::string& key, Mistakes& mistakes) {
  std::vector<PolicyChanges> all;
  const Node* blocks = root.find(key);
  if (blocks == nullptr || blocks->kind == Node::Kind::broken) return all;
  expect_map(*blocks, fmt::format("`{}`", key), mistakes);
  for (const Entry& block : blocks->entries) {
    expect_map(block.value, fmt::format("`{}` of `{}`", block.key, key), mistakes);
    if (!is_name(block.key))
      mistakes.add(Fault::bad_name, block.mark, caret_width(block),
                   fmt::format("`{}` cannot be a name", block.key), "use A-Z a-z 0-9 . _ -");
    PolicyChanges& made = all.emplace_back();
    made.name = block.key;
    made.mark = block.mark;
    for (const Entry& e : block.value.entries) {
      Mark mark = e.mark;
      mark.byte += e.quoted ? 1 : 0;
      made.changes.push_back({e.key, mark, e.value});
    }
  }
  return all;
}

void expand_uses(std::vector<PolicyChanges>& policies, const std::vector<PolicyChanges>& overrides,
                 Mistakes& mistakes) {
  for (PolicyChanges& policy : policies) {
    const auto use = std::find_if(policy.changes.begin(), policy.changes.end(),
                                  [](const Change& c) { return c.path == "use"; });
    if (use == policy.changes.end()) continue;
    const Node named = use->value;
    policy.changes.erase(use);
    std::vector<Change> used = used_changes(named, overrides, mistakes);
    for (Change& own : policy.changes) {  // what the policy says itself stands in place of what it uses
      used.erase(
          std::remove_if(used.begin(), used.end(), [&](const Change& c) { return c.path == own.path; }),
          used.end());
      used.push_back(std::move(own));
    }
    policy.changes = std::move(used);
  }
}

void check_policy_names(const std::vector<PolicyChanges>& policies, Mistakes& mistakes) {
  for (const PolicyChanges& policy : policies) {
    const int width = display_width(policy.name);
    if (policy.name == "base")
      mistakes.add(Fault::bad_name, policy.mark, width, "`base` cannot be the name of a policy",
                   "`base` is the scenario without a policy");
    for (const scheduling::NamedPolicy& named : scheduling::named_policies())
      if (named.name == policy.name)
        mistakes.add(Fault::unknown_policy, policy.mark, width,
                     fmt::format("`{}` is already a scheduling policy of natgpu", policy.name),
                     "choose another name");
  }
}

std::optional<std::vector<Step>> locate(const Change& change, const Node& root, Mistakes& mistakes) {
  const auto segments = segments_of(change.path);
  if (!segments) {
    mistakes.add(Fault::bad_path, change.mark, display_width(change.path),
                 fmt::format("`{}` is no path", change.path),
                 "write keys with points between, items in brackets");
    return {};
  }
  const FieldTable* table = &fields_of(static_cast<const Scenario*>(nullptr));
  const Node* node = &root;
  std::vector<Step> steps;
  for (const Segment& s : *segments) {
    const bool is_last = &s == &segments->back();
    const Field* field = table->find(s.key);
    if (field == nullptr) {
      report(change, s, mistakes, fmt::format("there is no `{}` in {}", s.key, table->title()),
             suggestion(s.key, table->names()));
      return {};
    }
    if (steps.empty() && s.key == "uncertainties") {
      report(change, s, mistakes, "what is uncertain is not set by a path",
             "change the file; a value that is set is known and no longer drawn");
      return {};
    }
    node = node == nullptr ? nullptr : node->find(s.key);
    steps.push_back({field, s.item});
    if (s.has_item != (field->kind == FieldKind::items)) {
      report(change, s, mistakes,
             s.has_item ? fmt::format("`{}` has no named items", s.key)
                        : fmt::format("`{}` is a list: say which item", s.key),
             s.has_item ? "leave out the brackets"
                        : fmt::format("items: {}", listed(items_written(node, field->item()))));
      return {};
    }
    if (s.has_item) {
      const Node* item = node == nullptr ? nullptr : item_of(*node, field->item(), s.item);
      if (item == nullptr) {
        report(change, s, mistakes, fmt::format("there is no item `{}` in `{}`", s.item, s.key),
               suggestion(s.item, items_written(node, field->item())));
        return {};
      }
      node = item;
    }
    if (is_last == is_group(*field)) {
      report(change, s, mistakes,
             is_last ? fmt::format("the path ends before a single value: `{}` is a group", s.key)
                     : fmt::format("the path goes on behind the single value `{}`", s.key),
             is_last ? "add one of: " + listed(field->item().names()) : "");
      return {};
    }
    if (is_group(*field)) table = &field->item();
  }
  return steps;
}

const Node* node_at(const std::vector<Step>& steps, const Node& root) {
  const Node* node = &root;
  for (const Step& step : steps) {
    node = node->find(step.field->name);
    if (node != nullptr && step.field->kind == FieldKind::items)
      node = item_of(*node, step.field->item(), step.item);
    if (node == nullptr) return nullptr;
  }
  return node;
}

void apply(const Change& change, const std::vector<Step>& steps, Node& root) {
  Node* node = &root;
  for (const Step& step : steps) {
    if (!node->is_map()) return;  // reported when the tree is read
    Node* next = node->find(step.field->name);
    if (next == nullptr) {
      Entry entry{step.field->name, false, change.mark, {}};
      entry.value.kind = Node::Kind::map;
      entry.value.mark = change.mark;
      node->entries.push_back(std::move(entry));
      next = &node->entries.back().value;
    }
    if (step.field->kind == FieldKind::items) next = item_of(*next, step.field->item(), step.item);
    if (next == nullptr) return;
    node = next;
  }
  *node = change.value;
}

}  // namespace natgpu::scenario
