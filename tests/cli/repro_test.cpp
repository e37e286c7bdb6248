// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <string>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"
#include "tiny_scenario.hpp"

using namespace natgpu::testing;

namespace {

const std::string tiny =
    tiny_scenario(
        {.end = "2025-02-01",
         .device = "bf16: 989.4 TFLOP/s, power: {value: 700 W, status: published, source: a data sheet}",
         .site = "{name: here, pue: 1.3}",
         .gpus = 8,
         .request_rate = "1 /d"}) +
    R"(policies:
  more: {"supply.tranches[first].units": 16 GPU}
)";

struct Place {
  Folder folder;
  Place() { write_bytes(folder.path("tiny.yaml"), tiny); }
  Outcome says(const std::vector<std::string>& words) const { return natgpu_says(words, folder.path("")); }
};

void replace(const std::string& path, const std::string& from, const std::string& to) {
  std::string bytes = read_bytes(path);
  REQUIRE(has(bytes, from));
  bytes.replace(bytes.find(from), from.size(), to);
  write_bytes(path, bytes);
}

}  // namespace

TEST_CASE("a run is reproduced from its manifest to the last byte, with its settings, policy and language") {
  const Place place;
  REQUIRE(place
              .says({"run", "tiny.yaml", "--set", "supply.sites[here].pue=1.2", "--policy", "more", "--seed",
                     "5", "--lang", "both", "--out", "a"})
              .code == 0);
  const Outcome outcome = place.says({"repro", "a/manifest.json", "--verify", "--out", "b", "--jobs", "2"});
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "REPRODUCED: 4 of 4 files equal to the last byte\n"));
  CHECK(read_bytes(place.folder.path("a/report.md")) == read_bytes(place.folder.path("b/report.md")));
  CHECK_FALSE(has(outcome.err, "note: "));
}

TEST_CASE("a changed input is named and its results are not called reproduced") {
  const Place place;
  REQUIRE(place.says({"run", "tiny.yaml", "--out", "a"}).code == 0);
  replace(place.folder.path("tiny.yaml"), "mean: 2 h", "mean: 3 h");
  const Outcome outcome = place.says({"repro", "a/manifest.json", "--verify"});
  CHECK(outcome.code == 1);
  CHECK(has(outcome.err, "note: input tiny.yaml differs from here"));
  CHECK(has(outcome.out, "NOT REPRODUCED: "));
  CHECK(has(outcome.out, "metrics.csv       differs"));
}

TEST_CASE("a result edited afterwards is found, and so is another fingerprint") {
  const Place place;
  REQUIRE(place.says({"run", "tiny.yaml", "--out", "a"}).code == 0);
  write_bytes(place.folder.path("a/metrics.csv"), "policy,replication\n");
  const Outcome outcome = place.says({"repro", "a/manifest.json", "--verify"});
  CHECK(outcome.code == 1);
  CHECK(has(outcome.out, "metrics.csv       equal; the file beside the manifest was changed"));
}

TEST_CASE("what is no manifest is refused with E0509") {
  const Place place;
  write_bytes(place.folder.path("m.json"), "{\"schema\": \"natgpu-manifest/1\"}");
  for (const char* file : {"m.json", "none.json", "tiny.yaml"}) {
    const Outcome outcome = place.says({"repro", file});
    CHECK(outcome.code == 3);
    CHECK(has(outcome.err, "E0509"));
  }
  REQUIRE(place.says({"run", "tiny.yaml", "--out", "a"}).code == 0);
  CHECK(place.says({"repro", "a/manifest.json", "--out", "a"}).code == 2);
  replace(place.folder.path("a/manifest.json"), "\"interrupted\": false", "\"interrupted\": true");
  CHECK(place.says({"repro", "a/manifest.json"}).code == 2);
}

TEST_CASE("scenario show gives every value with the place where it was written") {
  const Place place;
  const Outcome outcome =
      place.says({"scenario", "show", "tiny.yaml", "--origins", "--policy", "more", "--set", "seed=9"});
  INFO(outcome.out);
  REQUIRE(outcome.code == 0);
  CHECK(has(outcome.out, "name = \"tiny\"  # tiny.yaml:2\n"));
  CHECK(has(outcome.out, "seed = 9  # --set\n"));
  CHECK(has(outcome.out, "hardware[h100].power = 700  # tiny.yaml:6, published, a data sheet\n"));
  CHECK(has(outcome.out, "supply.tranches[first].units = 16  # tiny.yaml:23, policy more\n"));
  CHECK(has(outcome.out, "supply.sites[here].pue = 1.3  # tiny.yaml:9\n"));
  CHECK(has(outcome.out, "scheduling.backfill = \"easy\"  # default\n"));
  const Outcome named = place.says({"scenario", "show", "tiny.yaml", "--origins", "--policy", "fcfs"});
  CHECK(has(named.out, "scheduling.backfill = \"none\"  # policy fcfs\n"));
  const Outcome plain = place.says({"scenario", "show", "tiny.yaml"});
  CHECK(has(plain.out, "\nseed = 1\n"));
}

TEST_CASE("scenario diff names what differs between files and between policies, and nothing else") {
  const Place place;
  Outcome outcome = place.says({"scenario", "diff", "tiny.yaml", "--policy", "base,more"});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "~ supply.tranches[first].units = 8 -> 16\n1 of "));
  write_bytes(place.folder.path("b.yaml"), tiny);
  replace(place.folder.path("b.yaml"), "    - {name: here, pue: 1.3}",
          "    - {name: here, pue: 1.3}\n    - {name: there}");
  outcome = place.says({"scenario", "diff", "tiny.yaml", "b.yaml"});
  CHECK(has(outcome.out, "+ supply.sites[there].name = \"there\"\n"));
  CHECK_FALSE(has(outcome.out, "~ "));
  CHECK_FALSE(has(outcome.out, "- "));
  CHECK(has(place.says({"scenario", "diff", "tiny.yaml", "tiny.yaml"}).out, "0 of "));
  CHECK(place.says({"scenario", "diff", "tiny.yaml"}).code == 2);
  CHECK(place.says({"scenario", "shwo", "tiny.yaml"}).code == 2);
}

TEST_CASE("scenario list names the scenarios of a folder, broken ones as such") {
  const Place place;
  write_bytes(place.folder.path("bad.yaml"), "schema: natgpu/1\ncolour: blue\n");
  const Outcome outcome = place.says({"scenario", "list", "."});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "tiny.yaml: tiny (policies: more)\n"));
  CHECK(has(outcome.out, "bad.yaml: "));
  CHECK(place.says({"scenario", "list", "nowhere"}).code == 2);
}
