// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace natgpu {

/// A place in a text file. Lines and columns count from one; columns count characters, not bytes.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
};

/// One mistake of a user's, in a form that can be acted on.
struct Diagnostic {
  std::string code;     ///< stable, "E0213"; `natgpu explain E0213` tells more
  std::string message;  ///< what is wrong, one line, no full stop
  Place place;
  std::string source_line;  ///< the line as it stands in the file; empty where there is none
  int caret_width = 1;      ///< display cells to underline
  std::string help;         ///< what to do; may be empty
};

/// Mistakes found by a room in its own spec, before they are tied to a line of the file.
struct Finding {
  std::string path;  ///< "supply.sites[haenam].pue"
  std::string message;
  std::string help;
  std::string code = "E0301";
};

/// The scenario or data cannot be used (exit code 3). Carries every mistake found, not only the first.
class ScenarioError : public std::runtime_error {
 public:
  explicit ScenarioError(std::vector<Diagnostic> diagnostics);
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }

 private:
  std::vector<Diagnostic> diagnostics_;
};

/// A mistake of a whole file, or of what a command line says in place of one.
Diagnostic file_mistake(std::string file, std::string code, std::string message, std::string help = {});
/// @throws ScenarioError with that one mistake
[[noreturn]] void refuse_file(std::string file, std::string code, std::string message, std::string help = {});

/// The run could not be carried out: disk, memory, a runaway (exit code 4).
class RunError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// `file:12:3: error[E0213]: ...`, the source line and a caret, as compilers print it.
std::string format_diagnostic(const Diagnostic& d);

/// The first 20 of them, how many more there are, and the closing line "N errors, nothing was run. ...".
std::string format_diagnostics(const std::vector<Diagnostic>& diagnostics);

/// Cells a terminal gives to UTF-8 text: Hangul and other wide characters take two.
int display_width(std::string_view utf8);

/// The candidate nearest to `word`, or empty where none is within a third of its length (edit distance).
std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace natgpu
