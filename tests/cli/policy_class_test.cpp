// SPDX-License-Identifier: Apache-2.0
// Policies as classes (natgpu/policy.hpp): what is called, and what becomes of exceptions.
#include <stdexcept>
#include <string>
#include <vector>

#include "build_policy.hpp"
#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"

using namespace natgpu::testing;

namespace {

const std::string head = "#include <natgpu/policy.hpp>\n#include <stdexcept>\n";
const std::string replay_log = NATGPU_SOURCE_DIR "/scenarios/data/replay-log.swf";

/// A policy that starts what it can, with these members beside.
std::string class_with(const std::string& members) {
  return head +
         "class Mine : public natgpu::Policy {\n public:\n"
         "  void pass(natgpu::Host host, std::int64_t) override {\n"
         "    for (std::int64_t job = -1; (job = host.next_fit(job)) >= 0;) host.start(job);\n  }\n" +
         members + "\n};\nNATGPU_POLICY_CLASS(Mine)\n";
}
Outcome replayed(const Folder& folder, const std::string& source, const std::string& language = "cpp") {
  build_text(folder, "mine", source, language);
  return natgpu_says({"replay", replay_log, "--policy", "./mine.so", "--jobs-csv", "jobs.csv"},
                     folder.path(""));
}

}  // namespace

TEST_CASE("what a policy throws ends the replay with its message, wherever it throws") {
  struct Throws {
    const char *members, *message;
  };
  for (const Throws& t :
       {Throws{"Mine() { throw std::runtime_error(\"no table\"); }", "no table"},
        Throws{"void on_submit(natgpu::Host, const natgpu::Job& job) override {\n"
               "  if (job.id == 3) throw std::runtime_error(\"job 3 is odd\");\n}",
               "job 3 is odd"},
        Throws{"void on_start(natgpu::Host, const natgpu::Job&) override { throw 1; }", "no std::exception"},
        Throws{"void on_end(natgpu::Host, const natgpu::Job&) override { throw std::logic_error(\"\"); }",
               "does not say why"},
        Throws{"void on_capacity(natgpu::Host, std::int64_t, std::int64_t, std::int64_t) override {\n"
               "  throw std::logic_error(\"capacity\\x1b[31m\");\n}",
               "capacity"},
        Throws{"void on_submit(natgpu::Host host, const natgpu::Job&) override { host.fail(\"by word\"); }",
               "by word"}}) {
    const Folder folder;
    const Outcome outcome = replayed(folder, class_with(t.members));
    INFO(t.members << "\n" << outcome.err);
    CHECK(outcome.code == 4);
    CHECK(has(outcome.err, "error: mine.so: the policy gives up: "));
    CHECK(has(outcome.err, t.message));
    CHECK_FALSE(has(outcome.err, "\x1b"));
  }
}

TEST_CASE("a policy that gives up is called no more, and then destroyed") {
  const Folder folder;
  const Outcome outcome = replayed(
      folder, "#include <cstdio>\n" +
                  class_with("int calls = 0;\n"
                             "void on_submit(natgpu::Host host, const natgpu::Job&) override {\n"
                             "  host.fail(\"at once\");\n"
                             "  if (host.start(0) != NATGPU_NOT_NOW) std::fputs(\"acts\\n\", stderr);\n"
                             "  if (++calls > 1) std::fputs(\"told\\n\", stderr);\n}\n"
                             "~Mine() override { std::fputs(\"gone\\n\", stderr); }"));
  CHECK(outcome.code == 4);
  CHECK(has(outcome.err, "gone"));
  CHECK_FALSE(has(outcome.err, "acts"));
  CHECK_FALSE(has(outcome.err, "told"));
}

TEST_CASE("a policy in C gives up with a word, also where it begins") {
  const Folder folder;
  const std::string c =
      "#include <natgpu/policy.h>\nstatic void pass(void *s, const natgpu_host *h, int64_t n) { (void)s; "
      "(void)h; (void)n; }\nstatic void *create(const natgpu_host *host) { host->fail(host, \"no file "
      "weights.txt\"); return 0; }\nstatic const natgpu_policy p = {.abi = NATGPU_POLICY_ABI, .size = "
      "sizeof(natgpu_policy), .create = create, .pass = pass};\nNATGPU_POLICY(p)\n";
  const Outcome outcome = replayed(folder, c, "c");
  INFO(outcome.err);
  CHECK(outcome.code == 4);
  CHECK(has(outcome.err, "error: mine.so: the policy gives up: no file weights.txt"));
}

TEST_CASE("`natgpu policy check` tells what a policy that gives up says") {
  const Folder folder;
  build_text(folder, "mine",
             class_with("void on_end(natgpu::Host, const natgpu::Job&) override { throw "
                        "std::runtime_error(\"lost count\"); }"),
             "cpp");
  const Outcome outcome = natgpu_says({"policy", "check", "./mine.so", "--workloads", "5"}, folder.path(""));
  INFO(outcome.err);
  CHECK(outcome.code == 4);
  CHECK(has(outcome.err, "lost count"));
}

TEST_CASE("a static key orders the queue of a class, alone and beside a pass") {
  const std::string key =
      "static std::int64_t key(const natgpu::Job& job) noexcept { return job.requested; }\n";
  const auto jobs = [](const Outcome& outcome, const Folder& folder) {
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return read_bytes(folder.path("jobs.csv"));
  };
  const Folder a, b, c;
  build_text(a, "mine", head + "struct Mine {\n" + key + "};\nNATGPU_POLICY_CLASS(Mine)\n", "cpp");
  const std::string by_order = jobs(natgpu_says({"replay", replay_log, "--policy", "./mine.so", "--backfill",
                                                 "fit", "--jobs-csv", "jobs.csv"},
                                                a.path("")),
                                    a);
  const std::string by_pass = jobs(replayed(b, class_with(key)), b);
  const std::string sjf =
      jobs(natgpu_says({"replay", replay_log, "--policy", "fit", "--order", "sjf", "--jobs-csv", "jobs.csv"},
                       c.path("")),
           c);
  CHECK(by_order == sjf);
  CHECK(by_pass == sjf);
}

TEST_CASE("what is not overridden is null in the table, and natgpu does not call it") {
  const Folder folder;
  const std::string source =
      head +
      "class Some : public natgpu::Policy {\n public:\n"
      "  void on_end(natgpu::Host, const natgpu::Job&) override {}\n"
      "  void pass(natgpu::Host, std::int64_t) override {}\n};\n"
      "class More : public Some {};\n"
      "template <class F> constexpr bool set(F* f) { return f != nullptr; }\n"
      "constexpr natgpu_policy t = natgpu::policy_table<More>();\n"
      "static_assert(set(t.on_end) && set(t.pass) && set(t.create) && set(t.destroy));\n"
      "static_assert(!set(t.on_submit) && !set(t.on_start) && !set(t.on_capacity));\n"
      "static_assert(!set(t.on_timer) && !set(t.key) && t.abi == NATGPU_POLICY_ABI);\n"
      "NATGPU_POLICY_CLASS(More)\n";
  CHECK_NOTHROW(build_text(folder, "some", source, "cpp"));
}

TEST_CASE("a class that is no policy does not compile, and the compiler says why") {
  struct Wrong {
    const char *body, *reason;
  };
  for (const Wrong& w :
       {Wrong{"struct Mine {};", "a policy has a static `key`"},
        Wrong{"struct Mine { static std::int64_t key(const natgpu::Job&) { return 0; } };",
              "must be noexcept"},
        Wrong{"struct Mine { static double key(const natgpu::Job&) noexcept { return 0; } };",
              "a policy's key is `static std::int64_t key"},
        Wrong{"struct Mine : natgpu::Policy { void on_submit(const natgpu::Job&) override {} void "
              "pass(natgpu::Host, std::int64_t) override {} };",
              "override"}}) {
    const Folder folder;
    INFO(w.body);
    try {
      build_text(folder, "mine", head + w.body + "\nNATGPU_POLICY_CLASS(Mine)\n", "cpp");
      FAIL_CHECK("it compiled");
    } catch (const std::runtime_error& e) {
      INFO(e.what());
      CHECK(has(e.what(), w.reason));
    }
  }
}
