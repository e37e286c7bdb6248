// SPDX-License-Identifier: Apache-2.0
#include "walker.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>

#include <fmt/format.h>

namespace natgpu::scenario {
namespace {

constexpr std::size_t longest_name = 80;

bool holds(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Notes on the origin of all values of an item, where the item has no field of that name.
const std::vector<std::string>& item_notes() {
  static const std::vector<std::string> keys = {"source", "as_of", "status", "note"};
  return keys;
}

/// Keys that a reader of the docs may look for in a scenario: parts of replays that a scenario does not have.
struct Elsewhere {
  const char *path, *reason, *help;
};
constexpr Elsewhere elsewhere[] = {
    {"scheduling.dialect", "dialects are for replays: they are defined for the one pool of a log",
     "leave it out; `natgpu replay LOG --dialect D` has them"},
};
const Elsewhere* find_elsewhere(std::string_view path) {
  const auto* const at = std::find_if(std::begin(elsewhere), std::end(elsewhere),
                                      [path](const Elsewhere& e) { return path == e.path; });
  return at != std::end(elsewhere) ? at : nullptr;
}

std::string name_written(const Node& item) {
  const Node* name = item.find("name");
  return name != nullptr && name->is_scalar() ? name->text : std::string{};
}

}  // namespace

std::string without_items(const std::string& path) {
  std::string out;
  int depth = 0;
  for (const char c : path) {
    if (c == '[') ++depth;
    if (depth == 0) out += c;
    if (c == ']') --depth;
  }
  return out;
}

std::string item_path(const std::string& list, const std::string& name) {
  return list + "[" + name + "]";
}

std::string child_path(const std::string& parent, const std::string& key) {
  return parent.empty() ? key : parent + "." + key;
}

bool is_name(std::string_view text) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !text.empty() && text.size() <= longest_name &&
         text.find_first_not_of(allowed) == std::string_view::npos;
}

bool has_names(const FieldTable& table) {
  return table.find("name") != nullptr;
}

std::string listed(const std::vector<std::string>& words) {
  constexpr std::size_t most = 30;
  std::string out;
  for (std::size_t i = 0; i < std::min(words.size(), most); ++i) out += (i == 0 ? "" : ", ") + words[i];
  if (words.size() > most) out += fmt::format(" and {} more", words.size() - most);
  return out;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& allowed) {
  const std::string nearest = nearest_name(word, allowed);
  const std::string all = allowed.empty() ? "" : "allowed: " + listed(allowed);
  return nearest.empty() ? all : fmt::format("did you mean `{}`?  {}", nearest, all);
}

void Walker::wrong(Fault fault, const std::string& path, const Mark& mark, int width, std::string message,
                   std::string help) {
  mistakes_.add(fault, mark, width, std::move(message), std::move(help));
  dirty_.insert(path.substr(0, path.find_first_of(".[")));
}

void Walker::unknown_key(const std::string& path, const Entry& entry, const std::vector<std::string>& allowed,
                         const std::string& where) {
  if (const Elsewhere* known = find_elsewhere(path))
    return wrong(Fault::unknown_key, path, entry.mark, caret_width(entry), known->reason, known->help);
  wrong(Fault::unknown_key, path, entry.mark, caret_width(entry),
        fmt::format("unknown key `{}` in {}", entry.key, where), suggestion(entry.key, allowed));
}

Mark Walker::mark_of(std::string path) const {
  while (true) {
    const auto at = marks_.find(path);
    if (at != marks_.end()) return at->second;
    const std::size_t cut = path.find_last_of(".[");
    if (cut == std::string::npos) return {};
    path.resize(cut);
  }
}

/// Whether there is something to read; nothing at all and what has been reported already is not.
bool Walker::is_usable(const Node& node, const std::string& path, const std::string& what) {
  if (node.kind == Node::Kind::broken) {
    dirty_.insert(path.substr(0, path.find_first_of(".[")));
    return false;
  }
  if (node.kind != Node::Kind::empty) return true;
  wrong(Fault::empty_value, path, node.mark, static_cast<int>(what.size()),
        fmt::format("`{}` has no value", what), "write a value, or leave the key out to get its default");
  return false;
}

void Walker::fill(void* object, const FieldTable& table, const Node& node, const std::string& path,
                  const std::vector<std::string>& also) {
  if (!node.is_map()) {
    wrong(Fault::wrong_kind, path, node,
          fmt::format("a {} is a map of `key: value`, found {}", table.title(), kind_name(node)));
    return;
  }
  const bool is_root = path.empty();
  std::vector<std::string> allowed = table.names();
  allowed.insert(allowed.end(), also.begin(), also.end());
  Provenance notes;
  for (const Entry& entry : node.entries) {
    if (holds(also, entry.key)) continue;
    if (const Field* field = table.find(entry.key))
      fill_field(object, *field, entry, child_path(path, entry.key));
    else if (!is_root && holds(item_notes(), entry.key))
      read_provenance_key(entry, path, notes);
    else
      unknown_key(child_path(path, entry.key), entry, allowed, table.title());
  }
  if (notes.is_stated) record(notes, path, Node{});
  missing_keys(table, node, path);
}

void Walker::missing_keys(const FieldTable& table, const Node& node, const std::string& path) {
  for (const Field& field : table.fields()) {
    if (!field.required || node.find(field.name) != nullptr) continue;
    const std::string name = name_written(node);
    wrong(Fault::missing_key, path, node.mark, 1,
          fmt::format("{}{} needs the key `{}`", table.title(), name.empty() ? "" : " `" + name + "`",
                      field.name),
          field.doc);
  }
}

void Walker::fill_field(void* object, const Field& field, const Entry& entry, const std::string& path) {
  const Node& node = entry.value;
  marks_[path] = node.mark;
  if (!is_usable(node, path, entry.key)) return;
  if (field.kind == FieldKind::object) {
    fill(field.open(object), field.item(), node, path);
    return;
  }
  if (field.kind == FieldKind::items) {
    fill_items(object, field, node, path);
    return;
  }
  const auto values = read_leaf(field, node, path);
  if (!values) return;
  if (field.list) field.clear(object);
  for (const FieldValue& value : *values) field.assign(object, value);
}

/// The item's name if it can address the item, else nothing.
std::string Walker::read_name(const FieldTable& table, const Node& item, const std::string& path) {
  const Node* name = item.find("name");
  if (!has_names(table) || name == nullptr || !name->is_scalar()) return {};
  if (is_name(name->text)) return name->text;
  wrong(Fault::bad_name, path, *name, fmt::format("`{}` cannot be a name", name->text),
        "use 1 to 80 of A-Z a-z 0-9 . _ -, and `title` for what readers see");
  return {};
}

void Walker::fill_items(void* object, const Field& field, const Node& node, const std::string& path) {
  if (!node.is_list()) {
    wrong(Fault::wrong_kind, path, node, fmt::format("`{}` is a list, found {}", field.name, kind_name(node)),
          "begin each item with a dash");
    return;
  }
  field.clear(object);
  const FieldTable& table = field.item();
  std::vector<std::string>& known = names_[without_items(path)];
  std::unordered_set<std::string> seen;
  std::size_t position = 0;
  for (const Node& item : node.items) {
    ++position;
    if (!is_usable(item, path, field.name)) continue;
    std::string name = read_name(table, item, path);
    if (!name.empty() && !seen.insert(name).second)
      wrong(Fault::duplicate_name, path, *item.find("name"),
            fmt::format("two items of `{}` have the name `{}`", field.name, name));
    if (!name.empty()) known.push_back(name);
    if (name.empty()) name = std::to_string(position);
    const std::string at = item_path(path, name);
    marks_[at] = item.mark;
    fill(field.open(object), table, item, at);
  }
}

std::optional<std::vector<FieldValue>> Walker::read_leaf(const Field& field, const Node& node,
                                                         const std::string& path) {
  if (!is_usable(node, path, field.name)) return {};
  if (node.is_map()) return read_with_provenance(field, node, path);
  if (!field.list) {
    std::optional<FieldValue> value = read_value(field, node, path);
    if (!value) return {};
    return std::vector<FieldValue>{std::move(*value)};
  }
  if (!node.is_list()) {
    wrong(Fault::wrong_kind, path, node, fmt::format("`{}` is a list, found {}", field.name, kind_name(node)),
          fmt::format("write `[{}]`", flow_text(node)));
    return {};
  }
  std::vector<FieldValue> all;
  bool is_good = true;
  for (const Node& item : node.items) {
    std::optional<FieldValue> value;
    if (is_usable(item, path, field.name)) value = read_value(field, item, path);
    if (value)
      all.push_back(std::move(*value));
    else
      is_good = false;
  }
  if (!is_good) return {};
  return all;
}

void Walker::resolve_references(const Names& names) {
  static const std::vector<std::string> nothing;
  for (const Reference& r : references_) {
    const auto at = names.find(r.target);
    const std::vector<std::string>& known = at == names.end() ? nothing : at->second;
    if (holds(known, r.word)) continue;
    wrong(Fault::unknown_reference, r.path, r.mark, r.width,
          fmt::format("there is no `{}` in {}", r.word, r.target),
          known.empty() ? fmt::format("{} is empty", r.target) : suggestion(r.word, known));
  }
  references_.clear();
}

}  // namespace natgpu::scenario
