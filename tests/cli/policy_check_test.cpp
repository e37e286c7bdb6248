// SPDX-License-Identifier: Apache-2.0
// `natgpu policy check`: every policy of natgpu passes, and every mistake planted in a plugged one is found.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <natgpu/scheduling/spec.hpp>

#include "build_policy.hpp"
#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"

using namespace natgpu::testing;

namespace {

const std::string sources = NATGPU_SOURCE_DIR "/tests/policies/";

/// tests/policies/FILE with the mistake of that number, 0 being none.
void build_mutant(const Folder& folder, const std::string& file, int mutant) {
  const std::string text = "#define MUTANT " + std::to_string(mutant) + "\n" + read_bytes(sources + file);
  build_text(folder, "policy", text, file.substr(file.rfind('.') + 1));
}

struct Mutant {
  const char *file, *rule;
  int number;
  const char* check;  ///< by which it is found
};
const std::vector<Mutant>& mutants() {
  static const std::vector<Mutant> all{
      {"easy.c", "easy", 1, "rule"},                    // < for <= at the shadow time
      {"easy.c", "easy", 2, "promises"},                // spare GPUs not used up
      {"easy.c", "easy", 3, "rule"},                    // shadow from running jobs sorted by length
      {"easy.c", "easy", 4, "rule"},                    // a lost requeue
      {"conservative.cpp", "conservative", 1, "rule"},  // a sweep in reservation order
      {"srtf.c", "srtf", 1, "rule"},                    // a preempted job that is not started again
      {"srtf.c", "srtf", 2, "rule"}                     // one job preempted that keeps its rank
  };
  return all;
}

}  // namespace

TEST_CASE("every policy of natgpu passes the kit") {
  const Folder folder;
  for (const auto& p : natgpu::scheduling::named_policies()) {
    const Outcome outcome = natgpu_says({"policy", "check", p.name, "--workloads", "120"}, folder.path(""));
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "\npassed\n"));
    CHECK(has(outcome.out, "as " + p.name + " in plain loops"));
  }
}

TEST_CASE("every backfill passes the kit in an order that is not that of submission") {
  const Folder folder;
  for (const char* backfill : {"none", "fit", "easy", "easy-sjbf", "conservative"}) {
    const Outcome outcome =
        natgpu_says({"policy", "check", "saf", "--backfill", backfill, "--workloads", "80"}, folder.path(""));
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 0);
  }
  const Outcome outcome = natgpu_says(
      {"policy", "check", "fcfs", "--backfill", "reservations", "--reservations", "3", "--workloads", "80"},
      folder.path(""));
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 0);
}

TEST_CASE("easy, conservative and srtf written as plug-ins pass the kit as what they are") {
  for (const auto& [file, rule] :
       {std::pair{"easy.c", "easy"}, {"conservative.cpp", "conservative"}, {"srtf.c", "srtf"}}) {
    const Folder folder;
    build_mutant(folder, file, 0);
    const Outcome outcome = natgpu_says(
        {"policy", "check", "./policy.so", "--like", rule, "--workloads", "150"}, folder.path(""));
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 0);
  }
}

TEST_CASE("every planted mistake is found, by the check that is there for it, on a small workload") {
  for (const Mutant& m : mutants()) {
    const Folder folder;
    build_mutant(folder, m.file, m.number);
    const Outcome outcome = natgpu_says(
        {"policy", "check", "./policy.so", "--like", m.rule, "--json", "report.json"}, folder.path(""));
    INFO(m.file << " " << m.number << "\n" << outcome.out << outcome.err);
    CHECK(outcome.code == 1);
    CHECK(has(outcome.out, "the smallest workload found"));
    const nlohmann::json report = nlohmann::json::parse(read_bytes(folder.path("report.json")));
    CHECK(report["passed"] == false);
    CHECK(report["failure"]["check"] == m.check);
    CHECK(report["failure"]["workload"]["jobs"].size() <= 9);
  }
}

TEST_CASE("a policy of level 2 that preempts is held to the shield, and to what it takes back") {
  const Folder folder;
  const std::string text = read_bytes(sources + "srtf.c");
  build_text(folder, "shielded", "#define SHIELD 3\n" + text);
  Outcome outcome = natgpu_says(
      {"policy", "check", "./shielded.so", "--like", "srtf", "--shield", "3s", "--workloads", "150"},
      folder.path(""));
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, " preempted"));
  build_text(folder, "hasty", "#define MUTANT 3\n#define SHIELD 3\n" + text);
  outcome =
      natgpu_says({"policy", "check", "./hasty.so", "--like", "srtf", "--shield", "3s"}, folder.path(""));
  CHECK(outcome.code == 1);
  outcome = natgpu_says({"policy", "check", "./shielded.so", "--like", "srtf", "--shield", "3s", "--notice",
                         "4s", "--workloads", "150"},
                        folder.path(""));
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "without announced outages"));
  for (const char* sleeps : {"4", "5"}) {  // a second longer than the shield, and until something happens
    INFO(sleeps);
    build_text(folder, "sleeps", std::string("#define SHIELD 3\n#define MUTANT ") + sleeps + "\n" + text);
    outcome =
        natgpu_says({"policy", "check", "./sleeps.so", "--like", "srtf", "--shield", "3s"}, folder.path(""));
    INFO(outcome.out);
    CHECK(outcome.code == 1);
    CHECK(has(outcome.out, "rule             failed"));
    CHECK(has(outcome.out, "asks for no pass before"));
  }
  build_text(folder, "forgets", "#define MUTANT 1\n" + text);
  outcome = natgpu_says({"policy", "check", "./forgets.so"}, folder.path(""));
  CHECK(outcome.code == 1);
  CHECK(has(outcome.out, "lost jobs        failed"));
  outcome = natgpu_says({"policy", "check", "easy", "--shield", "3s"}, folder.path(""));
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "leaves running jobs their GPUs"));
  outcome = natgpu_says({"policy", "check", "easy", "--notice", "3s"}, folder.path(""));
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "--notice has no meaning"));
}

TEST_CASE("whatever a policy starts and preempts, no GPU is given out twice and no shield is broken") {
  const Folder folder;
  build_text(folder, "haphazard", read_bytes(sources + "haphazard.c"));
  for (const auto& [option, length] : {std::pair{"--shield", "0s"}, {"--shield", "3s"}, {"--notice", "5s"}}) {
    const Outcome outcome = natgpu_says(
        {"policy", "check", "./haphazard.so", "--workloads", "150", option, length}, folder.path(""));
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, " preempted"));
  }
}

TEST_CASE("a lost requeue is found without a rule to compare with, and named for what it is") {
  const Folder folder;
  build_mutant(folder, "easy.c", 4);
  const Outcome outcome =
      natgpu_says({"policy", "check", "./policy.so", "--json", "report.json"}, folder.path(""));
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 1);
  const nlohmann::json report = nlohmann::json::parse(read_bytes(folder.path("report.json")));
  CHECK(report["failure"]["check"] == "lost jobs");
  CHECK(has(report["failure"]["what"].get<std::string>(), "rejoined the queue"));
  CHECK(report["failure"]["workload"]["jobs"].size() == 1);
  CHECK(report["failure"]["workload"]["outages"].size() == 1);
  CHECK(report["checks"]["rule"]["status"] == "not claimed");
}

TEST_CASE("a plugged policy that is not deterministic is found") {
  const Folder folder;
  build_text(folder, "policy",
             "#include <natgpu/policy.h>\n"
             "static int runs;\n"
             "static void *create(const natgpu_host *host) { (void)host; ++runs; return &runs; }\n"
             "static void pass(void *state, const natgpu_host *host, int64_t now) {\n"
             "  int64_t job = runs % 2 ? -1 : host->next_fit(host, -1, NATGPU_ANY, NATGPU_ANY, 0);\n"
             "  (void)state, (void)now;\n"
             "  while ((job = host->next_fit(host, job, NATGPU_ANY, NATGPU_ANY, 0)) >= 0)\n"
             "    host->start(host, job, 0);\n"
             "  while ((job = host->next_fit(host, job, NATGPU_ANY, NATGPU_ANY, 0)) >= 0)\n"
             "    host->start(host, job, 0);\n"
             "}\n"
             "static const natgpu_policy policy = {.abi = NATGPU_POLICY_ABI, .size = sizeof(natgpu_policy), "
             ".create = create, .pass = pass};\n"
             "NATGPU_POLICY(policy)\n");
  const Outcome outcome =
      natgpu_says({"policy", "check", "./policy.so", "--json", "report.json"}, folder.path(""));
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 1);
  CHECK(nlohmann::json::parse(read_bytes(folder.path("report.json")))["failure"]["check"] == "determinism");
}

TEST_CASE("reports are equal for equal seeds, and starvation is told where it is allowed") {
  const Folder folder;
  const auto report = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"policy", "check", "fit", "--workloads", "60", "--json", "out.json"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = natgpu_says(words, folder.path(""));
    CHECK(outcome.code == 0);
    return read_bytes(folder.path("out.json"));
  };
  const std::string once = report({});
  CHECK(report({}) == once);
  CHECK(report({"--seed", "2"}) != once);
  const nlohmann::json json = nlohmann::json::parse(once);
  CHECK(json["checks"]["starvation"]["status"] == "seen");
  CHECK(json["checks"]["promises"]["status"] == "not claimed");
  CHECK(json["workloads"] == 60);
  CHECK(json["requeued"] > 0);
  CHECK(json["starts"] > 1000);
}

TEST_CASE("preemption by class and quota reclaim are named beside the order, and held to their plain loops") {
  const Folder folder;
  build_text(
      folder, "order",
      "#include <natgpu/policy.h>\nstatic int64_t key(const natgpu_job *job) { return job->account; }\n"
      "NATGPU_ORDER(key)\n");
  using Words = std::vector<std::string>;
  for (const Words& words :
       {Words{"priority", "--preemption", "by-class"},
        {"priority", "--preemption", "by-class", "--backfill", "fit", "--shield", "3s", "--notice", "4s"},
        {"./order.so", "--preemption", "by-class", "--backfill", "fit"},
        {"fit", "--preemption", "quota-reclaim"},
        {"priority", "--preemption", "quota-reclaim", "--notice", "4s"}}) {
    Words all{"policy", "check"};
    all.insert(all.end(), words.begin(), words.end());
    for (const char* more : {"--workloads", "100", "--json", "report.json"}) all.emplace_back(more);
    const Outcome outcome = natgpu_says(all, folder.path(""));
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, words[0] == "./order.so" ? "in plain loops" : "with preemption " + words[2]));
    CHECK(nlohmann::json::parse(read_bytes(folder.path("report.json")))["preempted"] > 50);
  }
}

TEST_CASE("what cannot be checked is refused, with what to do") {
  const Folder folder;
  build_mutant(folder, "easy.c", 0);
  build_text(folder, "order",
             "#include <natgpu/policy.h>\nstatic int64_t key(const natgpu_job *job) { return -job->id; }\n"
             "NATGPU_ORDER(key)\n");
  CHECK(natgpu_says({"policy", "check", "./order.so", "--backfill", "easy"}, folder.path("")).code == 0);
  const auto refused = [&](std::vector<std::string> words, int code, const char* part) {
    words.insert(words.begin(), {"policy", "check"});
    const Outcome outcome = natgpu_says(words, folder.path(""));
    INFO(outcome.err);
    CHECK(outcome.code == code);
    CHECK(has(outcome.err, part));
  };
  refused({}, 2, "needs a policy");
  refused({"eazy"}, 2, "did you mean `easy`?");
  refused({"easy", "--like", "fcfs"}, 2, "leave --like out");
  refused({"./policy.so", "--like", "eazy"}, 2, "did you mean `easy`?");
  refused({"./order.so", "--like", "easy"}, 2, "leave --like out");
  refused({"./policy.so", "--backfill", "easy"}, 2, "leave --backfill out");
  refused({"fcfs", "--backfill", "reservations"}, 2, "--reservations N");
  refused({"fcfs", "--reservations", "2"}, 2, "add `--backfill reservations`");
  refused({"drf", "--backfill", "conservative"}, 2, "no order of reservations lasts");
  refused({"fcfs", "--preemption", "by-class"}, 2, "an order whose keys are classes");
  refused({"srtf", "--preemption", "quota-reclaim"}, 2, "settled at submission");
  refused({"easy", "--preemption", "quota-reclaim"}, 2, "choose --backfill fit or none");
  refused({"priority", "--preemption", "by-clas"}, 2, "did you mean `by-class`?");
  refused({"./policy.so", "--preemption", "by-class"}, 2, "decides by itself when it takes GPUs back");
  refused({"none.so"}, 3, "E0601");
}
