// SPDX-License-Identifier: Apache-2.0
// What a command of the program is: a table row from which parsing and help come.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace natgpu::cli {

/// Exit codes (DESIGN section 11).
enum Exit : int {
  done = 0,
  failed = 1,
  usage = 2,
  invalid = 3,
  run_failed = 4,
  inconclusive = 5,
  our_fault = 70,
  interrupted = 130
};

/// A command line that cannot be followed (exit code 2): what is wrong, and what to do.
class UsageError : public std::runtime_error {
 public:
  explicit UsageError(const std::string& what, std::string help_text = {})
      : std::runtime_error(what), help(std::move(help_text)) {}
  std::string help;
};

struct Option {
  std::string name;   ///< "--seed"
  std::string value;  ///< what it takes, "N"; empty: a flag
  std::string doc;
  bool repeated = false;
};

/// What stood on the command line, as text; numbers are read on request.
class Arguments {
 public:
  std::vector<std::string> positional;
  std::map<std::string, std::vector<std::string>> options;

  bool has(const std::string& option) const { return options.count(option) > 0; }
  /// The value, or `otherwise` where the option was not given.
  std::string text(const std::string& option, const std::string& otherwise = {}) const;
  std::vector<std::string> list(const std::string& option) const;
  /// A whole number within bounds. @throws UsageError
  std::int64_t whole(const std::string& option, std::int64_t otherwise, std::int64_t least,
                     std::int64_t most) const;
  /// The position of the value among `names`. @throws UsageError with the nearest name
  std::size_t choice(const std::string& option, const std::vector<std::string>& names,
                     std::size_t otherwise) const;
};

struct Command {
  std::string name, summary;
  std::string positional;  ///< "SCENARIO...", for the usage line; empty: none
  std::size_t least = 0, most = 0;
  std::vector<Option> options;
  std::vector<std::string> examples;
  int (*run)(const Arguments&) = nullptr;
};

/// The first word of a command that does several things: `trace convert`.
struct Action {
  const char* name;
  int (*run)(const Arguments&);
  const char* needs = nullptr;  ///< what must follow, if anything
};
/// Runs the action that the first positional names. @throws UsageError with the nearest name
int run_action(const std::string& command, std::span<const Action> actions, const Arguments& arguments);

/// Each in its own file.
const Command& run_command();
const Command& compare_command();
const Command& check_command();
const Command& solve_command();
const Command& repro_command();
const Command& scenario_command();
const Command& sweep_command();
const Command& sensitivity_command();
const Command& replay_command();
const Command& trace_command();
const Command& pack_command();
const Command& policy_command();
const Command& validate_command();
const Command& explain_command();
const Command& version_command();

/// Reads what follows the command's name. @throws UsageError, with a suggestion for a misspelt option
Arguments parse(const Command& command, const std::vector<std::string>& words);

/// Usage, examples and options of one command.
std::string help(const Command& command);
/// Of the whole program.
std::string help(const std::vector<const Command*>& commands);

/// ", did you mean `x`?" or nothing.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& names);

}  // namespace natgpu::cli
