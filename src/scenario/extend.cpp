// SPDX-License-Identifier: Apache-2.0
#include "extend.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <natgpu/scenario/scenario.hpp>

#include "walker.hpp"

namespace natgpu::scenario {
namespace {

/// Lays one tree over another by the table of fields.
class Layers {
 public:
  explicit Layers(Mistakes& mistakes) : mistakes_(mistakes) {}

  /// @param table  of the map; null where its keys are names (policies)
  void lay_map(Node& base, Node over, const FieldTable* table) {
    for (Entry& entry : over.entries) {
      Node* below = base.find(entry.key);
      if (below == nullptr)
        base.entries.push_back(std::move(entry));
      else
        lay_value(*below, std::move(entry.value), table == nullptr ? nullptr : table->find(entry.key));
    }
  }

  void lay_blocks(Node& base, Node over) { lay_map(base, std::move(over), nullptr); }

 private:
  void lay_value(Node& below, Node value, const Field* field) {
    const bool is_object = field != nullptr && field->kind == FieldKind::object;
    const bool is_list = field != nullptr && field->kind == FieldKind::items && has_names(field->item());
    if (is_object && below.is_map() && value.is_map())
      lay_map(below, std::move(value), &field->item());
    else if (is_list && below.is_list() && value.is_list())
      lay_items(below, std::move(value), field->item());
    else
      below = std::move(value);
  }

  void lay_items(Node& base, Node over, const FieldTable& table) {
    for (Node& item : over.items) {
      const Node* name = item.find("name");
      const auto below = std::find_if(base.items.begin(), base.items.end(), [&](const Node& b) {
        const Node* other = b.find("name");
        return name != nullptr && other != nullptr && name->is_scalar() && other->text == name->text;
      });
      const bool removes = take_remove(item);
      if (below != base.items.end() && removes)
        base.items.erase(below);
      else if (below != base.items.end())
        lay_map(*below, std::move(item), &table);
      else if (removes)
        mistakes_.add(Fault::unknown_reference, item.mark, 1,
                      fmt::format("there is no `{}` to remove", name == nullptr ? "" : name->text),
                      suggestion(name == nullptr ? "" : name->text, names_of(base)));
      else
        base.items.push_back(std::move(item));
    }
  }

  /// Whether the item says `remove: true`; the key is taken out.
  bool take_remove(Node& item) {
    const auto at = std::find_if(item.entries.begin(), item.entries.end(),
                                 [](const Entry& e) { return e.key == "remove"; });
    if (at == item.entries.end()) return false;
    const bool removes = at->value.is_scalar() && at->value.text == "true";
    if (!removes)
      mistakes_.add(Fault::not_boolean, at->value.mark, caret_width(at->value),
                    "`remove` is `true` or left out", "write `remove: true`");
    item.entries.erase(at);
    return removes;
  }

  static std::vector<std::string> names_of(const Node& list) {
    std::vector<std::string> names;
    for (const Node& item : list.items)
      if (const Node* name = item.find("name"); name != nullptr) names.push_back(name->text);
    return names;
  }

  Mistakes& mistakes_;
};

}  // namespace

Node extended(Node base, Node over, Mistakes& mistakes) {
  Layers layers(mistakes);
  const Mark mark = over.mark;
  for (const char* key : {"policies", "overrides"}) {
    Node* below = base.find(key);
    const auto above =
        std::find_if(over.entries.begin(), over.entries.end(), [&](const Entry& e) { return e.key == key; });
    if (below == nullptr || above == over.entries.end() || !below->is_map() || !above->value.is_map())
      continue;
    layers.lay_blocks(*below, std::move(above->value));
    over.entries.erase(above);
  }
  layers.lay_map(base, std::move(over), &fields_of(static_cast<const Scenario*>(nullptr)));
  base.mark = mark;
  return base;
}

}  // namespace natgpu::scenario
