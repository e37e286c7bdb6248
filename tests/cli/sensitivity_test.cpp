// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "catch.hpp"
#include "folder.hpp"
#include "run_program.hpp"
#include "tiny_scenario.hpp"

using namespace natgpu::testing;

namespace {

/// Energy follows the site's PUE exactly, the number of GPUs nearly, and the other site's PUE not at all.
const std::string two_sites =
    tiny_scenario({.name = "sites",
                   .end = "2025-01-08",
                   .replications = 4,
                   .device = "bf16: 989.4 TFLOP/s, power: 700 W, idle_power: 350 W, per_node: 1",
                   .site = "{name: here, pue: 1.2}",
                   .other_site = "{name: empty, pue: 1.2}",
                   .gpus = 8});

const std::vector<std::string> three_ranges{"--range", "supply.sites[here].pue=1.0..1.4",
                                            "--range", "supply.sites[empty].pue=1.0..1.4",
                                            "--range", "supply.tranches[first].units=6 GPU..10 GPU"};

Outcome sensitivity(const Folder& folder, std::vector<std::string> words) {
  write_bytes(folder.path("s.yaml"), two_sites);
  words.insert(words.begin(), {"sensitivity", "s.yaml"});
  return natgpu_says(words, folder.path(""));
}

}  // namespace

TEST_CASE("each method ranks the factors that energy depends on and leaves out the one that it does not") {
  const Folder folder;
  for (const std::string method : {"tornado", "morris", "sobol"}) {
    std::vector<std::string> words{"--metric",  "energy.mwh", "--method", method,
                                   "--samples", "32",         "--json",   "s.json"};
    words.insert(words.end(), three_ranges.begin(), three_ranges.end());
    const Outcome outcome = sensitivity(folder, words);
    INFO(outcome.out << outcome.err);
    REQUIRE(outcome.code == 0);
    const auto json = nlohmann::json::parse(read_bytes(folder.path("s.json")));
    CHECK(json["method"] == method);
    CHECK(json["points"] == (method == "tornado" ? 7 : method == "morris" ? 40 : 160));
    REQUIRE(json["factors"].size() == 3);
    CHECK(json["factors"][0]["path"] == "supply.tranches[first].units");  // 6 to 10 is wider than 1.0 to 1.4
    CHECK(json["factors"][1]["path"] == "supply.sites[here].pue");
    CHECK(json["factors"][1]["ranked"] == true);
    CHECK(json["factors"][2]["path"] == "supply.sites[empty].pue");
    CHECK(json["factors"][2]["ranked"] == false);
    CHECK(json["factors"][2]["strength"].get<double>() == Approx(0).margin(1e-9));
    CHECK(has(outcome.out,
              "not told from the noise of replications, and not ranked:\n   -  supply.sites[empty].pue"));
  }
}

TEST_CASE("sensitivity needs a metric and ranges that the scenario can take") {
  const Folder folder;
  const auto refused = [&](const std::vector<std::string>& words, int code, const std::string& says) {
    const Outcome outcome = sensitivity(folder, words);
    INFO(outcome.err);
    CHECK(outcome.code == code);
    CHECK(has(outcome.err, says));
  };
  refused({"--range", "supply.sites[here].pue=1.0..1.4"}, 2, "needs --metric");
  refused({"--metric", "energy.mwh"}, 2, "needs --range");
  refused({"--metric", "energy.mhw", "--range", "supply.sites[here].pue=1.0..1.4"}, 3,
          "did you mean `energy.mwh`?");
  refused({"--metric", "energy.mwh", "--range", "supply.sites[here].pue=0.5..1.4"}, 3, "E0108");
  refused({"--metric", "energy.mwh", "--range", "supply.sites[there].pue=1.0..1.4"}, 3, "E0231");
  refused({"--metric", "energy.mwh", "--range", "supply.sites[here].pue=1.0..1.4", "--method", "sobel"}, 2,
          "did you mean `sobol`?");
}
