// SPDX-License-Identifier: Apache-2.0
// A YAML text as a tree of our own. yaml-cpp's nodes are not used: they accept duplicate keys, aliases, octal
// numbers and unfinished files (docs/decisions/0002-strict-reader.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mistakes.hpp"

namespace natgpu::scenario {

struct Entry;

struct Node {
  enum class Kind : unsigned char {
    scalar,
    map,
    list,
    empty,   ///< nothing, `~` or `null`
    broken,  ///< already reported: alias, tag
  };
  Kind kind = Kind::empty;
  bool quoted = false;  ///< scalars: in quotes, or a block text
  Mark mark;            ///< empty values: the key's or the list's
  std::string text;
  std::vector<Entry> entries;
  std::vector<Node> items;

  bool is_map() const { return kind == Kind::map; }
  bool is_list() const { return kind == Kind::list; }
  bool is_scalar() const { return kind == Kind::scalar; }
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
};

struct Entry {
  std::string key;
  bool quoted = false;
  Mark mark;
  Node value;
};

/// Cells to underline.
int caret_width(const Node& node);
int caret_width(const Entry& key);
/// "a list", for messages.
std::string kind_name(const Node& node);
/// The value in one line of YAML, as a report shows it.
std::string flow_text(const Node& node);

/// Checks the bytes of a file before any parser sees them and gives the text to parse: no byte order mark,
/// lines ended by \n. Mistakes are reported against the source `name`, which is added to `mistakes`.
/// @return the source's number, or nothing if the bytes cannot be parsed
std::optional<int> scan_bytes(const std::string& name, std::string_view bytes, Mistakes& mistakes);

/// Parses one source (from `start` on). @return nothing if the text is no YAML document at all
std::optional<Node> read_document(const Mark& start, Mistakes& mistakes);

/// Where the text's first quote without an end stands, or line 0.
Mark find_open_quote(const Mark& start, const Mistakes& mistakes);

}  // namespace natgpu::scenario
