// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include <natgpu/core/file.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/plugin/skeleton.hpp>

#include "policy_actions.hpp"
#include "shell_words.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_name = 64;

/// A name that is a file name everywhere, and in a Makefile.
bool is_plain(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= longest_name && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(), fits);
}

/// A name in quotes goes through the shell once more in a recipe.
std::string for_make(const std::string& program) {
  return program.front() == '\'' ? quoted(program) : program;
}

}  // namespace

int new_policy(const Arguments& arguments) {
  const std::string& name = arguments.positional[1];
  if (arguments.positional.size() > 2)
    throw UsageError("policy new takes one name", "natgpu policy new my_policy");
  if (!is_plain(name))
    throw UsageError(fmt::format("`{}` is no name for a policy", printable(name)),
                     "take small letters, digits, _ and -, a letter first: `natgpu policy new my_policy`");
  if (fs::exists(fs::symlink_status(name)))
    throw UsageError(fmt::format("{} is there already", name),
                     "choose another name, or another folder to work in");
  const auto level = static_cast<plugin::Level>(arguments.whole("--level", 1, 1, 2));
  const auto language = static_cast<plugin::Language>(arguments.choice("--lang", {"c", "c++"}, 0));
  std::string out;
  for (const plugin::SkeletonFile& file : plugin::skeleton(name, level, language)) {
    const fs::path path = fs::path(name) / file.path;
    prepare_folder(path.parent_path().string());
    write_file_whole(path.string(), file.text);
    out += path.string() + "\n";
  }
  const std::string natgpu = own_name();
  put_out(fmt::format(
      "{}\nbuild it and run its test:\n  make -C {} test{}\nreplay a log under it:\n"
      "  {} replay {}/log.swf --policy {}/{}.so\n"
      "CMakeLists.txt builds and tests the same against an installed natgpu (docs/policies.md)\n",
      out, name, natgpu == "natgpu" ? "" : " NATGPU=" + for_make(natgpu), natgpu, name, name, name));
  return Exit::done;
}

}  // namespace natgpu::cli
