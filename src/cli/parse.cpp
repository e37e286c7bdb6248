// SPDX-License-Identifier: Apache-2.0
// The one user of CLI11. Its messages, exit codes, number parsing and sub-commands are not used: 2.1 suggests
// nothing, exits with 100 to 127, prints bounds of 300 digits and takes a file named like a command for that
// command.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/units.hpp>
#include <natgpu/core/utf8.hpp>

#include "command.hpp"

namespace natgpu::cli {
namespace {

std::string see_help(const Command& command) {
  return fmt::format("`natgpu {} --help` lists what it takes", command.name);
}

/// What CLI11 did not know: a misspelt option, or one argument too many.
[[noreturn]] void refuse_extra(const Command& command, const std::string& word) {
  if (word.size() < 2 || word[0] != '-')
    throw UsageError(fmt::format("unexpected argument `{}`", printable(word)), see_help(command));
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> names{"--help"};
  for (const Option& o : command.options) names.push_back(o.name);
  throw UsageError(fmt::format("unknown option `{}`{}", printable(name), did_you_mean(name, names)),
                   see_help(command));
}

}  // namespace

Arguments parse(const Command& command, const std::vector<std::string>& words) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  Arguments result;
  app.add_option("words", result.positional)
      ->expected(0, 1 << 20);  // too many are refused below, in our words
  std::map<std::string, std::vector<std::string>> values;
  std::map<std::string, bool> flags;
  for (const Option& o : command.options) {
    if (o.value.empty())
      app.add_flag(o.name, flags[o.name]);
    else
      app.add_option(o.name, values[o.name])
          ->expected(1)
          ->allow_extra_args(false)  // else it swallows the positional arguments that follow
          ->multi_option_policy(o.repeated ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::Throw);
  }
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& e) {
    throw UsageError(printable(e.what()), see_help(command));
  }
  if (const std::vector<std::string> extra = app.remaining(); !extra.empty())
    refuse_extra(command, extra.front());
  for (const auto& [name, list] : values)
    if (!list.empty()) result.options[name] = list;
  for (const auto& [name, given] : flags)
    if (given) result.options[name] = {};
  if (result.positional.size() > command.most)
    throw UsageError(fmt::format("unexpected argument `{}`", printable(result.positional[command.most])),
                     see_help(command));
  if (result.positional.size() < command.least)
    throw UsageError(fmt::format("{} needs {}", command.name, command.positional), help(command));
  return result;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& names) {
  const std::string near = nearest_name(word, names);
  return near.empty() ? "" : fmt::format(", did you mean `{}`?", near);
}

std::string Arguments::text(const std::string& option, const std::string& otherwise) const {
  const auto found = options.find(option);
  return found == options.end() ? otherwise : found->second.front();
}

std::vector<std::string> Arguments::list(const std::string& option) const {
  const auto found = options.find(option);
  return found == options.end() ? std::vector<std::string>{} : found->second;
}

std::int64_t Arguments::whole(const std::string& option, std::int64_t otherwise, std::int64_t least,
                              std::int64_t most) const {
  if (!has(option)) return otherwise;
  const std::string written = text(option);
  long long value = 0;
  if (parse_integer(written, value) != QuantityError::none || value < least || value > most)
    throw UsageError(fmt::format("{}: expected a whole number from {} to {}, got `{}`", option, least, most,
                                 printable(written)));
  return value;
}

std::size_t Arguments::choice(const std::string& option, const std::vector<std::string>& names,
                              std::size_t otherwise) const {
  if (!has(option)) return otherwise;
  const std::string written = text(option);
  const auto found = std::find(names.begin(), names.end(), written);
  if (found == names.end())
    throw UsageError(
        fmt::format("{}: unknown value `{}`{}", option, printable(written), did_you_mean(written, names)),
        fmt::format("one of: {}", fmt::join(names, ", ")));
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace natgpu::cli
