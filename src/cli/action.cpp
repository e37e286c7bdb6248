// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <natgpu/core/utf8.hpp>

#include "command.hpp"

namespace natgpu::cli {

int run_action(const std::string& command, std::span<const Action> actions, const Arguments& arguments) {
  const std::string& written = arguments.positional[0];
  std::vector<std::string> names;
  for (const Action& action : actions) {
    names.emplace_back(action.name);
    if (written != action.name) continue;
    if (action.needs != nullptr && arguments.positional.size() < 2)
      throw UsageError(fmt::format("{} {} needs {}", command, action.name, action.needs),
                       fmt::format("`natgpu {} --help` shows examples", command));
    return action.run(arguments);
  }
  throw UsageError(
      fmt::format("{}: unknown action `{}`{}", command, printable(written), did_you_mean(written, names)),
      fmt::format("one of: {}", fmt::join(names, ", ")));
}

}  // namespace natgpu::cli
