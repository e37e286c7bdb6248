// SPDX-License-Identifier: Apache-2.0
#include <natgpu/plugin/library.hpp>

#include <dlfcn.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/hash.hpp>

namespace natgpu::plugin {
namespace {

constexpr const char* entry_name = "natgpu_policy_entry";
/// Of natgpu_policy in the first programs with NATGPU_POLICY_ABI 1. Fields behind it are null where a library
/// does not have them.
constexpr std::size_t first_size = offsetof(natgpu_policy, on_withdraw);

/// The loader's reason, without the path that it begins with.
std::string reason(const std::string& path) {
  const char* said = ::dlerror();
  std::string text = said != nullptr ? said : "no reason given";
  if (text.rfind(path + ": ", 0) == 0) text.erase(0, path.size() + 2);
  return text;
}

std::string digest_of(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status))
    refuse_file(path, "E0601", "there is no such file", "build the policy, or check the path");
  if (!std::filesystem::is_regular_file(status))
    refuse_file(path, "E0601", "this is no file", "name the policy's shared library, `my_policy.so`");
  try {
    return sha256_file_hex(path);
  } catch (const RunError& e) {
    refuse_file(path, "E0601", e.what(), "check the rights of the file");
  }
}

std::shared_ptr<void> load(const std::string& path) {
  // Without a slash the loader would search the system's folders.
  const std::string place = std::filesystem::absolute(path).string();
  void* handle = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    refuse_file(path, "E0602", fmt::format("this is no shared library that can be loaded: {}", reason(place)),
                "build it with `cc -shared -fPIC`, and link what it needs");
  return {handle, [](void* h) { ::dlclose(h); }};
}

const natgpu_policy* table_of(void* handle, const std::string& path) {
  const auto entry = reinterpret_cast<natgpu_policy_entry_function>(::dlsym(handle, entry_name));
  const natgpu_policy* table = entry != nullptr ? entry() : nullptr;
  if (table == nullptr)
    refuse_file(
        path, "E0603",
        entry == nullptr ? fmt::format("the library exports no `{}`", entry_name)
                         : fmt::format("`{}` returned null", entry_name),
        "end the source with NATGPU_ORDER(key) or NATGPU_POLICY(policy) of natgpu/policy.h; in C++ outside "
        "of any namespace");
  return table;
}

void check_version(const natgpu_policy& table, const std::string& path) {
  if (table.abi != NATGPU_POLICY_ABI)
    refuse_file(
        path, "E0604",
        fmt::format("the policy was made for version {} of natgpu/policy.h, this program has version {}",
                    table.abi, NATGPU_POLICY_ABI),
        "build it with the natgpu/policy.h of this program; `natgpu policy new` writes it");
  if (table.size < first_size || table.size > sizeof(natgpu_policy))
    refuse_file(path, "E0604",
                fmt::format("its natgpu_policy has {} bytes, this program's has {}", table.size,
                            sizeof(natgpu_policy)),
                "set `size` to sizeof(natgpu_policy), and build with the natgpu/policy.h of this program");
  if (table.key == nullptr && table.pass == nullptr)
    refuse_file(path, "E0605", "the policy sets neither `key` nor `pass`",
                "set `key` for an order (level 1), or `pass` for a policy that decides who starts (level 2)");
}

}  // namespace

bool names_library(const std::string& word) {
  const std::size_t end = word.size();
  return word.find('/') != std::string::npos || (end > 3 && word.compare(end - 3, 3, ".so") == 0);
}

Library::Library(const std::string& path) {
  policy_.sha256 = digest_of(path);
  policy_.file = path;
  policy_.name = std::filesystem::path(path).filename().string();
  handle_ = load(path);
  const natgpu_policy* own = table_of(handle_.get(), path);
  check_version(*own, path);
  const auto table = std::make_shared<natgpu_policy>();
  std::memcpy(table.get(), own, own->size);
  table_ = table;
  policy_.table = table_.get();
}

}  // namespace natgpu::plugin
