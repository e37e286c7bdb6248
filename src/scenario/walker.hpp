// SPDX-License-Identifier: Apache-2.0
// Fills spec structs from a tree by their field tables.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <natgpu/core/field.hpp>
#include <natgpu/scenario/scenario.hpp>

#include "document.hpp"
#include "mistakes.hpp"

namespace natgpu::scenario {

/// "supply.tranches[a].tender" -> "supply.tranches.tender"
std::string without_items(const std::string& path);
/// "supply.tranches" + "a" -> "supply.tranches[a]"
std::string item_path(const std::string& list, const std::string& name);
/// "supply" + "sites" -> "supply.sites"
std::string child_path(const std::string& parent, const std::string& key);
/// 1 to 80 of A-Z a-z 0-9 . _ -: fits into paths, file names and tables.
bool is_name(std::string_view text);
/// Items of this table have names that address them.
bool has_names(const FieldTable& table);

/// Names of the items of each list, by the list's path without items: "supply.sites".
using Names = std::map<std::string, std::vector<std::string>>;

class Walker {
 public:
  explicit Walker(Mistakes& mistakes) : mistakes_(mistakes) {}

  /// Reads a map into an object. Every mistake in it is reported.
  /// @param also  keys that are read elsewhere
  void fill(void* object, const FieldTable& table, const Node& node, const std::string& path,
            const std::vector<std::string>& also = {});

  /// Reads the value(s) of one leaf field, as a setting states them.
  /// @return nothing if there was a mistake
  std::optional<std::vector<FieldValue>> read_leaf(const Field& field, const Node& node,
                                                   const std::string& path);

  /// Reads the distribution of a value that the target field holds. (uncertainty.cpp)
  /// @return nothing if there was a mistake
  std::optional<Law> read_uncertain(const Field& target, const Node& value, const std::string& path);

  /// Checks the references met so far. To be called after all `fill`.
  void resolve_references(const Names& names);

  const Names& names() const { return names_; }
  std::vector<Assumption> take_assumptions() { return std::move(assumptions_); }
  /// Where the value of the path, or of the nearest part of it that was written, stands.
  Mark mark_of(std::string path) const;
  /// Where each path that was written stands, by path.
  const std::map<std::string, Mark>& marks() const { return marks_; }
  /// No mistake was met at or below this top-level key.
  bool is_clean(const std::string& top_level_key) const { return dirty_.count(top_level_key) == 0; }

 private:
  struct Reference {
    std::string path, target, word;
    Mark mark;
    int width;
  };
  struct Provenance {
    const Node *value = nullptr, *low = nullptr, *high = nullptr;
    Assumption assumption;
    bool is_stated = false;
  };

  void wrong(Fault fault, const std::string& path, const Mark& mark, int width, std::string message,
             std::string help = {});
  void wrong(Fault fault, const std::string& path, const Node& node, std::string message,
             std::string help = {}) {
    wrong(fault, path, node.mark, caret_width(node), std::move(message), std::move(help));
  }
  void unknown_key(const std::string& path, const Entry& entry, const std::vector<std::string>& allowed,
                   const std::string& where);
  void missing_keys(const FieldTable& table, const Node& node, const std::string& path);
  void fill_field(void* object, const Field& field, const Entry& entry, const std::string& path);
  void fill_items(void* object, const Field& field, const Node& node, const std::string& path);
  std::string read_name(const FieldTable& table, const Node& item, const std::string& path);
  bool is_usable(const Node& node, const std::string& path, const std::string& what);

  // One value of a leaf (leaf.cpp).
  std::optional<FieldValue> read_value(const Field& field, const Node& node, const std::string& path);
  std::optional<FieldValue> read_scalar(const Field& field, const Node& node, const std::string& path);
  std::optional<FieldValue> read_integer(const Field& field, const Node& node, const std::string& path);
  std::optional<FieldValue> read_date(const Field& field, const Node& node, const std::string& path);
  std::optional<FieldValue> read_boolean(const Node& node, const std::string& path);
  std::optional<FieldValue> read_text(const Node& node, const std::string& path);
  std::optional<FieldValue> read_choice(const Field& field, const Node& node, const std::string& path);
  std::optional<FieldValue> read_duration(const Field& field, const Node& node, const std::string& path);
  std::optional<double> read_number(const Node& node, Dimension dimension, const std::string& path);
  std::optional<double> read_in_range(const Field& field, const Node& node, const std::string& path);

  // Laws (law.cpp).
  std::optional<FieldValue> read_constant(const Field& field, const Node& node, const std::string& path);
  std::optional<FieldValue> read_law(const Field& field, const Node& node, const std::string& path);
  bool is_in_range(const Field& field, const Law& law, const Node& node, const std::string& path);

  bool dates_to_days(const Field& target, Node& node, const std::string& path);

  // Where a value comes from (provenance.cpp).
  bool read_provenance_key(const Entry& entry, const std::string& path, Provenance& out);
  void check_stated_range(const Field& field, const Provenance& p, const FieldValue* value,
                          const std::string& path);
  void record(Provenance& p, const std::string& path, const Node& value);
  std::optional<std::vector<FieldValue>> read_with_provenance(const Field& field, const Node& node,
                                                              const std::string& path);

  Mistakes& mistakes_;
  Names names_;
  std::vector<Reference> references_;
  std::vector<Assumption> assumptions_;
  std::map<std::string, Mark> marks_;
  std::set<std::string> dirty_;
};

/// "above 0", "at least 1 GPU", "between 1 and 5"
std::string range_text(const Range& range, Dimension dimension);
/// "a, b, c", shortened where there are many.
std::string listed(const std::vector<std::string>& words);
/// "did you mean `x`? allowed: x, y" as far as known.
std::string suggestion(const std::string& word, const std::vector<std::string>& allowed);

/// The parts of a map that describe a value, without those that say where it comes from.
Node value_part(const Node& node);

/// "triangular(0, 3, 6)" with numbers that read back exactly, in base units.
std::string canonical_text(const Law& law);

}  // namespace natgpu::scenario
