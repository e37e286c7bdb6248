// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include <natgpu/core/hash.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/report/build_info.hpp>
#include <natgpu/report/manifest.hpp>

#include "command.hpp"
#include "run_options.hpp"
#include "scenarios.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

namespace fs = std::filesystem;

/// "" where the file is as it was.
std::string change_of(const fs::path& file, const std::string& digest) {
  if (!fs::is_regular_file(file)) return "is not there";
  return sha256_file_hex(file.string()) == digest ? "" : "differs";
}

/// Notes on whatever may explain a difference.
void compare_circumstances(const report::Manifest& m) {
  const report::BuildInfo& build = report::build_info();
  if (m.version != build.version || m.commit != build.commit)
    put_err(fmt::format("note: made by natgpu {} ({}), this is {} ({})\n", printable(m.version),
                        printable(m.commit), build.version, build.commit));
  for (const auto& [name, digest] : m.inputs)
    if (const std::string change = change_of(name, digest); !change.empty())
      put_err(fmt::format("note: input {} {} from here\n", printable(name), change));
}

int verify(const report::Manifest& m, const fs::path& beside, const fs::path& again) {
  std::size_t different = 0;
  for (const auto& [name, digest] : m.outputs) {
    const fs::path file = fs::path(name).filename();
    const std::string now = change_of(again / file, digest);
    const std::string kept = change_of(beside / file, digest);
    put_out(fmt::format(
        "  {:<16}  {}{}\n", printable(name), now.empty() ? "equal" : now,
        kept.empty() || kept == "is not there" ? "" : "; the file beside the manifest was changed"));
    different += !now.empty() || kept == "differs";
  }
  put_out(different == 0
              ? fmt::format("REPRODUCED: {} of {} files equal to the last byte\n", m.outputs.size(),
                            m.outputs.size())
              : fmt::format("NOT REPRODUCED: {} of {} files differ\n", different, m.outputs.size()));
  return different == 0 ? Exit::done : Exit::failed;
}

int repro(const Arguments& arguments) {
  const fs::path path = arguments.positional[0];
  const report::Manifest m = report::read_manifest(path.string());
  if (m.interrupted)
    throw UsageError("the run of this manifest was interrupted",
                     "what it had finished when depends on the machine, so that there is nothing to repeat");
  compare_circumstances(m);
  const std::string out = arguments.text("--out", "results/" + slug(m.scenario + "-repro"));
  std::error_code ignored;
  if (fs::equivalent(out, path.parent_path().empty() ? "." : path.parent_path(), ignored))
    throw UsageError("--out is the folder of the manifest",
                     "choose another, so that there are two to compare");
  std::vector<std::string> words = m.arguments;
  words.insert(words.end(), {"--out", out, "--jobs", fmt::format("{}", threads(arguments))});
  const int code = run_command().run(parse(run_command(), words));
  if (code != Exit::done || !arguments.has("--verify")) return code;
  return verify(m, path.parent_path(), out);
}

}  // namespace

const Command& repro_command() {
  static const Command command{
      "repro",
      "Run again what a manifest.json describes, and compare every byte.",
      "MANIFEST",
      1,
      1,
      {{"--verify", "", "compare the results with the manifest's digests: 0 equal, 1 different"},
       jobs_option(),
       {"--out", "DIR", "for the results; by default results/<scenario>-repro"}},
      {"natgpu repro results/small-city/manifest.json --verify"},
      repro};
  return command;
}

}  // namespace natgpu::cli
