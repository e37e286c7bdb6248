// SPDX-License-Identifier: Apache-2.0
// Where a scenario's text came from and what is wrong with it.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <natgpu/core/diagnostic.hpp>

namespace natgpu::scenario {

/// Every mistake the reader knows. Code, title and explanation stand in one table (codes.cpp).
enum class Fault : unsigned char {
  not_a_number,
  number_out_of_range,
  ambiguous_number,
  not_whole,
  unknown_unit,
  wrong_dimension,
  unit_required,
  value_out_of_range,
  bad_date,
  not_boolean,
  text_unquoted,
  file_unreadable,
  bad_yaml,
  not_utf8,
  control_character,
  limit_exceeded,
  second_document,
  open_quote,
  alias,
  tag,
  merge_key,
  tab_indent,
  duplicate_key,
  bad_key,
  unknown_key,
  missing_key,
  empty_value,
  wrong_kind,
  unknown_choice,
  unknown_reference,
  duplicate_name,
  bad_name,
  unknown_law,
  bad_law,
  bad_provenance,
  bad_uncertainty,
  bad_path,
  unknown_path,
  unknown_policy,
  bad_schema,
  later_version,
  contradiction,
  bad_horizon,
  too_many_jobs,
  bad_trace,
  law_out_of_range,
  count_,
};

/// "E0213"
std::string code_of(Fault fault);

/// A byte of a source. Turned into characters only where it is shown.
struct Mark {
  int source = 0;
  int line = 0;  ///< from one; 0: the source as a whole
  int byte = 0;  ///< from zero, within the line
};

/// The texts read (the file, and each `--set`), and the mistakes found in them.
class Mistakes {
 public:
  /// @return the number of the source, for Mark::source
  int add_source(std::string name, std::string text);
  std::string_view line(const Mark& mark) const;
  /// Bytes of the source from the mark on.
  std::string_view from(const Mark& mark) const;
  Place place(const Mark& mark) const;

  /// The same mistake at the same place is kept once: a policy's value is read when it is checked and when
  /// applied.
  void add(Fault fault, const Mark& mark, int width, std::string message, std::string help = {});
  void add(const std::string& code, const Mark& mark, int width, std::string message, std::string help = {});

  std::size_t count() const { return rows_.size(); }
  /// In the order of the text.
  std::vector<Diagnostic> diagnostics() const;
  /// @throws ScenarioError if there is any
  void raise_if_any() const;

 private:
  struct Source {
    std::string name, text;
    std::vector<std::size_t> line_starts;
  };
  struct Row {
    std::string code;
    Mark mark;
    int width;
    std::string message, help;
  };

  std::deque<Source> sources_;
  std::vector<Row> rows_;
  // Places are mostly asked for in the order of the text: go on counting where the last one stopped.
  mutable Mark counted_;
  mutable int counted_characters_ = 0;
};

}  // namespace natgpu::scenario
