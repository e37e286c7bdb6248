// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <natgpu/report/build_info.hpp>

#include "command.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

int version(const Arguments& arguments) {
  const report::BuildInfo& build = report::build_info();
  if (arguments.has("--json")) {
    const nlohmann::ordered_json json{{"tool", "natgpu"},       {"version", build.version},
                                      {"commit", build.commit}, {"compiler", build.compiler},
                                      {"flags", build.flags},   {"type", build.type}};
    put_out(json.dump(2) + "\n");
  } else {
    put_out(fmt::format("natgpu {} ({}, {}, {})\n", build.version, build.commit, build.compiler, build.type));
  }
  return Exit::done;
}

}  // namespace

const Command& version_command() {
  static const Command command{
      "version", "Say what this program was built from.", "", 0, 0, {{"--json", "", "as JSON"}}, {}, version};
  return command;
}

}  // namespace natgpu::cli
