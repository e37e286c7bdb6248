// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "command.hpp"

namespace natgpu::cli {

std::string help(const Command& command) {
  std::string out = command.summary + "\n\n";
  if (!command.examples.empty()) out += "Examples\n";
  for (const std::string& example : command.examples) out += "  " + example + "\n";
  out += fmt::format("{}Usage: natgpu {}{}{}\n", command.examples.empty() ? "" : "\n", command.name,
                     command.positional.empty() ? "" : " " + command.positional,
                     command.options.empty() ? "" : " [options]");
  std::size_t widest = 0;
  const auto left = [](const Option& o) { return o.value.empty() ? o.name : o.name + " " + o.value; };
  for (const Option& o : command.options) widest = std::max(widest, left(o).size());
  for (const Option& o : command.options)
    out += fmt::format("  {:<{}}  {}{}\n", left(o), widest, o.doc, o.repeated ? " (may be repeated)" : "");
  return out;
}

std::string help(const std::vector<const Command*>& commands) {
  std::string out =
      "natgpu simulates a nation's GPU capacity: a buildout, those who ask for it, and who runs when.\n\n"
      "Examples\n"
      "  natgpu run scenarios/korea-2030.yaml --quick   a first look, in seconds\n"
      "  natgpu validate my-scenario.yaml               all mistakes of a file at once\n"
      "  natgpu replay log.swf.gz --policy easy         replay a real job log\n\n"
      "Usage: natgpu COMMAND ...\n";
  for (const Command* c : commands) out += fmt::format("  {:<10}  {}\n", c->name, c->summary);
  return out +
         "\n`natgpu COMMAND --help` tells more. Results go to stdout, all else to stderr.\n"
         "Exit codes: 0 done, 1 a check failed, 2 usage, 3 scenario or data invalid, 4 run failed, 5 "
         "inconclusive, 70 our "
         "fault, "
         "130 interrupted.\n";
}

}  // namespace natgpu::cli
