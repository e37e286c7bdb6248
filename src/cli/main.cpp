// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <new>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/report/build_info.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "scenarios.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

std::vector<const Command*> commands() {
  return {&run_command(),      &compare_command(),     &check_command(),  &solve_command(),
          &sweep_command(),    &sensitivity_command(), &repro_command(),  &scenario_command(),
          &replay_command(),   &pack_command(),        &trace_command(),  &policy_command(),
          &validate_command(), &explain_command(),     &version_command()};
}

const Command& find_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command* c : commands()) {
    if (c->name == name) return *c;
    names.push_back(c->name);
  }
  throw UsageError(fmt::format("unknown command `{}`{}", printable(name), did_you_mean(name, names)),
                   "`natgpu --help` lists the commands");
}

bool asks_for_help(const std::string& word) {
  return word == "--help" || word == "-h";
}

int dispatch(const std::vector<std::string>& words) {
  if (words.empty()) {
    put_err(help(commands()));
    return Exit::usage;
  }
  if (asks_for_help(words[0]) || words[0] == "help") {
    put_out(words.size() > 1 ? help(find_command(words[1])) : help(commands()));
    return Exit::done;
  }
  if (words[0] == "--version") return version_command().run({});
  const Command& command = find_command(words[0]);
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  for (const std::string& word : rest) {
    if (word == "--") break;
    if (!asks_for_help(word)) continue;
    put_out(help(command));
    return Exit::done;
  }
  return command.run(parse(command, rest));
}

int guarded(const std::vector<std::string>& words) {
  try {
    return dispatch(words);
  } catch (const UsageError& e) {
    put_err(fmt::format("error: {}\n{}{}", e.what(), e.help,
                        e.help.empty() || e.help.back() == '\n' ? "" : "\n"));
    return Exit::usage;
  } catch (const ScenarioError& e) {
    put_err(format_diagnostics(e.diagnostics()));
    return Exit::invalid;
  } catch (const RunError& e) {
    put_err(fmt::format("error: {}\n", e.what()));
    return Exit::run_failed;
  } catch (const simulation::Interrupted&) {
    put_err("interrupted; nothing was finished\n");
    return Exit::interrupted;
  } catch (const std::bad_alloc&) {
    put_err(
        "error: out of memory\nrun fewer replications at once (--jobs), or a smaller scenario (--quick)\n");
    return Exit::run_failed;
  } catch (const std::exception& e) {
    put_err(fmt::format(
        "internal error: {}\nThis is our fault, natgpu {} ({}). Please report it with the command line "
        "and the scenario.\n",
        e.what(), report::build_info().version, report::build_info().commit));
    return Exit::our_fault;
  }
}

}  // namespace
}  // namespace natgpu::cli

int main(int argc, char** argv) {
  natgpu::cli::watch_signals();
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  natgpu::cli::keep_command_line(words);
  return natgpu::cli::guarded(words);
}
