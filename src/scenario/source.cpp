// SPDX-License-Identifier: Apache-2.0
// From files to one tree: bytes, schema, and what the scenario extends.
#include "source.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "checks.hpp"
#include "extend.hpp"

namespace natgpu::scenario {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_chain = 8;  // of files that extend each other

constexpr std::string_view schema = "natgpu/1";
constexpr std::size_t most_bytes_read = (8u << 20) + 1;  // one more than scan_bytes accepts

/// Parts of the format that later versions will read. A key that is read and then ignored would be a lie.
const std::vector<std::string>& later_keys() {
  static const std::vector<std::string> keys = {"levers", "economy"};
  return keys;
}

std::string read_bytes(const std::string& file) {
  std::error_code failed;
  const fs::file_status status = fs::status(file, failed);
  if (!fs::exists(status))
    refuse_file(file, code_of(Fault::file_unreadable), "there is no such file",
                "check the path; it is relative to the current folder");
  if (!fs::is_regular_file(status))
    refuse_file(file, code_of(Fault::file_unreadable), "not a regular file",
                "name a scenario file, not a folder or a device");
  std::ifstream in(file, std::ios::binary);
  std::string bytes;
  std::array<char, 1 << 16> piece{};
  while (in && bytes.size() < most_bytes_read) {
    in.read(piece.data(),
            static_cast<std::streamsize>(std::min(piece.size(), most_bytes_read - bytes.size())));
    bytes.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad() || !(in || in.eof()))
    refuse_file(file, code_of(Fault::file_unreadable), "the file cannot be read", "check its permissions");
  return bytes;
}

void check_schema(const Node& root, Mistakes& mistakes) {
  const Node* stated = root.find("schema");
  if (stated == nullptr)
    mistakes.add(Fault::bad_schema, root.mark, 1, "the file does not say what schema it follows",
                 fmt::format("begin with `schema: {}`", schema));
  else if (stated->kind != Node::Kind::broken && (!stated->is_scalar() || stated->text != schema))
    mistakes.add(Fault::bad_schema, stated->mark, caret_width(*stated),
                 fmt::format("`{}` is not a schema that this version reads", flow_text(*stated)),
                 fmt::format("write `{}`", schema));
}

/// Reports the keys of later versions and takes them out, so that they are not called unknown as well.
void refuse_later_keys(Node& root, Mistakes& mistakes) {
  const auto is_later = [](const Entry& e) {
    return std::find(later_keys().begin(), later_keys().end(), e.key) != later_keys().end();
  };
  for (const Entry& e : root.entries)
    if (is_later(e))
      mistakes.add(Fault::later_version, e.mark, caret_width(e),
                   fmt::format("this version does not read `{}` yet", e.key), "leave it out");
  root.entries.erase(std::remove_if(root.entries.begin(), root.entries.end(), is_later), root.entries.end());
}

Node parse(const std::string& file, Mistakes& mistakes) {
  const std::string bytes = read_bytes(file);
  const auto source = scan_bytes(file, bytes, mistakes);
  mistakes.raise_if_any();
  auto root = read_document({*source, 1, 0}, mistakes);
  if (!root) mistakes.raise_if_any();
  if (!root->is_map()) {
    mistakes.add(Fault::wrong_kind, root->mark, caret_width(*root),
                 fmt::format("a scenario is a map of `key: value`, found {}", kind_name(*root)));
    mistakes.raise_if_any();
  }
  check_schema(*root, mistakes);
  refuse_later_keys(*root, mistakes);
  return std::move(*root);
}

/// What is wrong with the file that is extended; empty if nothing is.
std::string chain_flaw(const std::string& folder, const Node& named, const std::string& file,
                       const std::vector<std::string>& chain) {
  if (!named.is_scalar()) return "is no file name";
  if (const std::string flaw = path_flaw(folder, named.text); !flaw.empty()) return flaw;
  const std::string base = (fs::path(folder) / named.text).string();
  std::error_code failed;
  const bool turns_back = fs::equivalent(base, file, failed) ||
                          std::any_of(chain.begin(), chain.end(), [&](const std::string& other) {
                            return fs::equivalent(base, other, failed);
                          });
  if (turns_back) return "extends itself in the end";
  return chain.size() < longest_chain ? "" : "is one too many in a chain of files";
}

}  // namespace

Node read_tree(const std::string& file, Mistakes& mistakes, std::vector<std::string>& extended_files) {
  Node root = parse(file, mistakes);
  const auto extends = std::find_if(root.entries.begin(), root.entries.end(),
                                    [](const Entry& e) { return e.key == "extends"; });
  if (extends == root.entries.end()) return root;
  const Node named = extends->value;
  root.entries.erase(extends);
  const std::string folder = fs::path(file).parent_path().string();
  if (const std::string flaw = chain_flaw(folder, named, file, extended_files); !flaw.empty()) {
    mistakes.add(Fault::file_unreadable, named.mark, caret_width(named),
                 fmt::format("`{}` {}", flow_text(named), flaw),
                 "name a scenario file in the folder of this one or below it");
    mistakes.raise_if_any();
  }
  const std::string base = (fs::path(folder) / named.text).string();
  if (extended_files.empty()) extended_files.reserve(longest_chain);
  extended_files.push_back(base);
  return extended(read_tree(base, mistakes, extended_files), std::move(root), mistakes);
}

}  // namespace natgpu::scenario
