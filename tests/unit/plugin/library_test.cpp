// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/hash.hpp>
#include <natgpu/plugin/library.hpp>
#include <natgpu/scheduling/spec.hpp>

#include <optional>

#include "build_policy.hpp"
#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using plugin::Library;

namespace {

const std::string header = "// SPDX-License-Identifier: Apache-2.0\n#include <natgpu/policy.h>\n";
const std::string smallest_first =
    "static int64_t key(const natgpu_job *job) { return job->gpus * 10 + job->account; "
    "}\nNATGPU_ORDER(key)\n";

/// What the loader says of it.
Diagnostic refusal(const std::string& path) {
  try {
    const Library library(path);
  } catch (const ScenarioError& e) {
    REQUIRE(e.diagnostics().size() == 1);
    return e.diagnostics()[0];
  }
  return {};
}

}  // namespace

TEST_CASE("natgpu/policy.h is C11 and C++, and an order in either is called with the job") {
  const Folder folder;
  for (const char* language : {"c", "cpp"}) {
    const std::string path =
        build_text(folder, std::string("order_") + language, header + smallest_first, language);
    const Library library(path);
    REQUIRE(library.policy());
    CHECK_FALSE(library.policy().decides());
    const natgpu_job job{0, 5, 60, 8, 3, -1, -1};
    CHECK(library.policy().table->key(&job) == 83);
    CHECK(library.policy().name == std::string("order_") + language + ".so");
    CHECK(library.policy().sha256 == sha256_file_hex(path));
  }
}

TEST_CASE("a copy of a library keeps it loaded") {
  const Folder folder;
  std::optional<Library> first(build_text(folder, "order", header + smallest_first));
  const Library copy = *first;
  first.reset();
  const natgpu_job job{0, 5, 60, 2, 0, -1, -1};
  CHECK(copy.policy().table->key(&job) == 20);
}

TEST_CASE("what is no policy is refused with what is wrong, where, and what to do") {
  const Folder folder;
  const auto expect = [&](const std::string& path, const char* code, const char* part) {
    const Diagnostic d = refusal(path);
    INFO(d.message);
    CHECK(d.code == code);
    CHECK(d.place.file == path);
    CHECK(has(d.message, part));
    CHECK_FALSE(d.help.empty());
  };
  expect(folder.path("none.so"), "E0601", "no such file");
  expect(folder.path(""), "E0601", "no file");
  expect(write_bytes(folder.path("text.so"), "hello"), "E0602", "no shared library");
  expect(
      build_text(folder, "needs", header + "int64_t beyond(void);\nint64_t f(void) { return beyond(); }\n"),
      "E0602", "beyond");
  expect(build_text(folder, "empty", header + "int64_t key(const natgpu_job *j) { return j->gpus; }\n"),
         "E0603", "natgpu_policy_entry");
  expect(build_text(folder, "null",
                    header + "NATGPU_EXPORT const natgpu_policy *natgpu_policy_entry(void) { return 0; }\n"),
         "E0603", "returned null");
  const auto table = [&](const std::string& name, const std::string& fields) {
    return build_text(folder, name,
                      header + "static const natgpu_policy p = {" + fields + "};\nNATGPU_POLICY(p)\n");
  };
  expect(table("abi", "NATGPU_POLICY_ABI + 1, sizeof(natgpu_policy), 0,0,0,0,0,0,0,0,0,0"), "E0604",
         "version 2");
  expect(table("size", "NATGPU_POLICY_ABI, 16, 0,0,0,0,0,0,0,0,0,0"), "E0604", "16 bytes");
  expect(table("idle", "NATGPU_POLICY_ABI, sizeof(natgpu_policy), 0,0,0,0,0,0,0,0,0,0"), "E0605", "neither");
}

TEST_CASE("a library made with an earlier header of the same version has null for what is new") {
  const Folder folder;
  // Behind `pass` lies what is none of the table's.
  const plugin::Library old(build_text(
      folder, "old",
      header +
          "static int64_t key(const natgpu_job *j) { return j->gpus; }\n"
          "static natgpu_policy p = {NATGPU_POLICY_ABI, sizeof(natgpu_policy) - sizeof p.on_withdraw, key,\n"
          "  0, 0, 0, 0, 0, 0, 0, 0, (void (*)(void *, const natgpu_host *, const natgpu_job *))(void "
          "(*)(void))key};\n"
          "NATGPU_POLICY(p)\n"));
  CHECK(old.policy().table->key != nullptr);
  CHECK(old.policy().table->on_withdraw == nullptr);
}

TEST_CASE("a word with a slash or the ending of a library names one, and no policy of natgpu does") {
  CHECK(plugin::names_library("./mine.so"));
  CHECK(plugin::names_library("mine.so"));
  CHECK(plugin::names_library("folder/mine"));
  CHECK_FALSE(plugin::names_library(".so"));
  CHECK_FALSE(plugin::names_library(""));
  for (const scheduling::NamedPolicy& p : scheduling::named_policies())
    CHECK_FALSE(plugin::names_library(p.name));
}
