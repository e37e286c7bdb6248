// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <string>
#include <vector>

#include <natgpu/experiment/flips.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "../../../src/experiment/statistics.hpp"
#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::experiment;

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

/// Policies with one metric of the year 2030.
class Toys {
 public:
  explicit Toys(const char* metric) : metric_(metric) {}
  Toys& add(const std::string& policy, const std::vector<double>& values) {
    names_.push_back(policy);
    records_.emplace_back();
    for (const double v : values) {
      simulation::RunRecord& r = records_.back().emplace_back();
      r.replication = static_cast<std::uint32_t>(records_.back().size() - 1);
      if (v == v) r.measurements.push_back({metric_, {{"period", "2030"}}, v});
    }
    return *this;
  }
  std::vector<PolicyRuns> runs() {
    summaries_.clear();
    for (const auto& r : records_) summaries_.push_back(summarise({}, r, simulation::metric_rows()));
    std::vector<PolicyRuns> all;
    for (std::size_t i = 0; i < names_.size(); ++i) all.push_back({names_[i], &records_[i], &summaries_[i]});
    return all;
  }

 private:
  std::string metric_;
  std::vector<std::string> names_;
  std::vector<std::vector<simulation::RunRecord>> records_;
  std::vector<Summary> summaries_;
};

Flips flips_of(const char* metric, Toys& stated, Toys& futures) {
  const auto all = ranking_flips(stated.runs(), futures.runs(), {{metric, {}}});
  REQUIRE(all.size() == 1);
  return all.front();
}

}  // namespace

TEST_CASE("a flip is a future in which two policies stand the other way round than as stated") {
  Toys stated("jobs.wait.mean"), futures("jobs.wait.mean");
  stated.add("slow", {10, 11, 12, 9, 10})
      .add("quick", {8, 9, 13, 8, 7});  // quick waits less, but not in the third
  futures.add("slow", {10, 10, 10, 10, 10}).add("quick", {8, 12, 10, 13, 9});
  const Flips f = flips_of("jobs.wait.mean", stated, futures);
  REQUIRE(f.pairs.size() == 1);
  CHECK(f.pairs[0].first == "quick");  // a shorter wait is better
  CHECK(f.pairs[0].second == "slow");
  CHECK(f.pairs[0].first_mean == Approx(9));
  CHECK(f.pairs[0].futures.hits == 2);  // a tie is no flip
  CHECK(f.pairs[0].futures.of == 5);
  CHECK(f.pairs[0].chance.hits == 1);
  CHECK(f.pairs[0].futures.ci.high > 0.8);
}

TEST_CASE("where more is better the higher mean stands first") {
  Toys stated("gpu.useful.share"), futures("gpu.useful.share");
  stated.add("a", {0.5, 0.6}).add("b", {0.7, 0.7});
  futures.add("a", {0.5, 0.9, 0.9}).add("b", {0.7, 0.7, 0.7});
  const Flips f = flips_of("gpu.useful.share", stated, futures);
  CHECK(f.pairs.at(0).first == "b");
  CHECK(f.pairs[0].futures.hits == 2);
  CHECK(f.pairs[0].chance.hits == 0);
}

TEST_CASE("of three policies every pair is counted, and the futures in which any flips once") {
  Toys stated("jobs.wait.mean"), futures("jobs.wait.mean");
  stated.add("a", {1, 1}).add("b", {2, 2}).add("c", {3, 3});
  futures.add("a", {1, 3, 3, 1}).add("b", {2, 2, 2, 2}).add("c", {3, 1, 3, none});
  const Flips f = flips_of("jobs.wait.mean", stated, futures);
  REQUIRE(f.pairs.size() == 3);
  CHECK(f.pairs[0].futures.hits == 2);  // a, b
  CHECK(f.pairs[1].futures.hits == 1);  // a, c: a tie in the third
  CHECK(f.pairs[1].futures.of == 3);
  CHECK(f.pairs[2].futures.hits == 1);  // b, c
  CHECK(f.any.hits == 2);
  CHECK(f.any.of == 4);
  CHECK(f.any_chance.hits == 0);
}

TEST_CASE("policies that are equal as stated have no order to flip") {
  Toys stated("jobs.wait.mean"), futures("jobs.wait.mean");
  stated.add("a", {1, 2}).add("b", {1, 2});
  futures.add("a", {1, 2}).add("b", {2, 1});
  CHECK(flips_of("jobs.wait.mean", stated, futures).pairs.empty());
}
