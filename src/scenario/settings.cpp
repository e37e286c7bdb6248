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

}  // namespace

const std::vector<std::string>& file_keys() {
  static const std::vector<std::string> keys = {"schema", "policies"};
  return keys;
}

std::optional<Change> read_set(const std::string& text, Mistakes& mistakes) {
  const auto source = scan_bytes("--set", text, mistakes);
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

std::vector<PolicyChanges> read_policies(const Node& root, Mistakes& mistakes) {
  std::vector<PolicyChanges> all;
  const Node* policies = root.find("policies");
  if (policies == nullptr || policies->kind == Node::Kind::broken) return all;
  const auto expect_map = [&](const Node& node, const std::string& what) {
    if (node.is_map() || node.kind == Node::Kind::broken) return;
    mistakes.add(Fault::wrong_kind, node.mark, caret_width(node),
                 fmt::format("{} is a map, found {}", what, kind_name(node)),
                 "write `name: {path: value}`, or `{}`");
  };
  expect_map(*policies, "`policies`");
  for (const Entry& block : policies->entries) {
    expect_map(block.value, fmt::format("policy `{}`", block.key));
    if (block.key == "base" || !is_name(block.key))
      mistakes.add(Fault::bad_name, block.mark, caret_width(block),
                   fmt::format("`{}` cannot be the name of a policy", block.key),
                   block.key == "base" ? "`base` is the scenario without a policy" : "use A-Z a-z 0-9 . _ -");
    for (const scheduling::NamedPolicy& named : scheduling::named_policies())
      if (named.name == block.key)
        mistakes.add(Fault::unknown_policy, block.mark, caret_width(block),
                     fmt::format("`{}` is already a scheduling policy of natgpu", block.key),
                     "choose another name");
    PolicyChanges& made = all.emplace_back();
    made.name = block.key;
    for (const Entry& e : block.value.entries) {
      Mark mark = e.mark;
      mark.byte += e.quoted ? 1 : 0;
      made.changes.push_back({e.key, mark, e.value});
    }
  }
  return all;
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
