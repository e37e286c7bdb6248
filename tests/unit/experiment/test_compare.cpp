// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <natgpu/core/math.hpp>
#include <natgpu/core/random.hpp>
#include <natgpu/experiment/compare.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "../../../src/experiment/replicate_with.hpp"
#include "../../../src/experiment/statistics.hpp"
#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::experiment;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Replications of one policy, with measures by name and labels as they are in a run.
struct Toy {
  std::string policy;
  std::vector<simulation::RunRecord> records;
  Summary summary;

  explicit Toy(std::string name, std::uint32_t replications = 20) : policy(std::move(name)) {
    for (std::uint32_t r = 0; r < replications; ++r) {
      records.emplace_back();
      records.back().replication = r;
    }
  }
  template <class Value>
  Toy& with(const std::string& metric, const measures::Labels& labels, Value value) {
    for (simulation::RunRecord& r : records) {
      const double v = value(r.replication);
      if (std::isfinite(v)) r.measurements.push_back({metric, labels, v});
    }
    return *this;
  }
  PolicyRuns runs() {
    summary = summarise({}, records, simulation::metric_rows());
    return {policy, &records, &summary};
  }
};

const measures::Labels in_2030{{"period", "2030"}};

double noise(const char* name, std::uint32_t r) {
  return normal_quantile(Streams(1, 0).open("test", name).unit(0, r));
}

Comparison compare_two(Toy& base, Toy& other, const std::string& metric, CompareOptions options = {}) {
  return compare({base.runs(), other.runs()}, 0, {{metric, {}}}, options);
}

}  // namespace

TEST_CASE("a shorter wait is better, a lower use is worse, and more energy is merely higher") {
  const auto common = [](std::uint32_t r) { return 100 + 30 * noise("common", r); };
  const auto more = [&](std::uint32_t r) { return common(r) + 5 + noise("own", r); };
  for (const auto& [metric, verdict] :
       std::vector<std::pair<std::string, PairVerdict>>{{"jobs.wait.mean", PairVerdict::worse},
                                                        {"gpu.useful.share", PairVerdict::better},
                                                        {"energy.mwh", PairVerdict::higher}}) {
    INFO(metric);
    Toy a("a"), b("b");
    a.with(metric, in_2030, common);
    b.with(metric, in_2030, more);
    const Comparison c = compare_two(a, b, metric);
    REQUIRE(c.rows.size() == 1);
    const Compared& row = c.rows[0];
    CHECK(row.verdict == verdict);
    CHECK(row.policy == "b");
    CHECK(row.difference.mean == Approx(5).margin(1));
    CHECK(row.p_holm < 1e-6);
    CHECK(row.effect == Approx(5).margin(2));
    // Pairing takes the common 30 out of the spread: 2 x 30^2 + 1 against 1.
    CHECK(row.correlation > 0.99);
    CHECK(row.variance_ratio > 500);
    CHECK(row.improved == (verdict == PairVerdict::worse ? 0 : 20));
    // Backwards the verdict turns round.
    const Comparison back = compare_two(b, a, metric);
    CHECK(back.rows[0].difference.mean == Approx(-row.difference.mean));
    CHECK((back.rows[0].verdict == PairVerdict::worse) == (verdict == PairVerdict::better));
  }
}

TEST_CASE("noise is undecided and says how many replications would tell") {
  Toy a("a"), b("b");
  a.with("gpu.useful.share", in_2030, [](std::uint32_t r) { return 0.5 + 0.1 * noise("a", r); });
  b.with("gpu.useful.share", in_2030, [](std::uint32_t r) { return 0.52 + 0.1 * noise("b", r); });
  const Compared row = compare_two(a, b, "gpu.useful.share").rows.at(0);
  CHECK(row.verdict == PairVerdict::undecided);
  CHECK(row.reason == "chance explains it");
  REQUIRE(row.replications_to_decide);
  CHECK(*row.replications_to_decide > 20);
  CHECK(row.detectable > std::abs(row.difference.mean));
}

TEST_CASE("a difference within the margin is undecided whatever its p") {
  const auto common = [](std::uint32_t r) { return 100 + 30 * noise("common", r); };
  Toy a("a"), b("b");
  a.with("jobs.finished.count", in_2030, common);
  b.with("jobs.finished.count", in_2030, [&](std::uint32_t r) { return common(r) + 5 + noise("own", r); });
  CompareOptions options;
  options.margin = 0.02;
  CHECK(compare_two(a, b, "jobs.finished.count", options).rows.at(0).verdict == PairVerdict::better);
  options.margin = 0.2;
  const Compared row = compare_two(a, b, "jobs.finished.count", options).rows.at(0);
  CHECK(row.verdict == PairVerdict::undecided);
  CHECK(row.reason == "within the margin");
  CHECK(row.margin == Approx(0.2 * row.from.mean));
}

TEST_CASE("equal numbers are called equal, and few replications get no verdict") {
  const auto value = [](std::uint32_t r) { return 0.5 + 0.1 * noise("a", r); };
  Toy a("a"), b("b");
  a.with("gpu.useful.share", in_2030, value);
  b.with("gpu.useful.share", in_2030, value);
  CHECK(compare_two(a, b, "gpu.useful.share").rows.at(0).verdict == PairVerdict::equal);
  Toy few("few", 9), other("other", 9);
  few.with("gpu.useful.share", in_2030, value);
  other.with("gpu.useful.share", in_2030,
             [&](std::uint32_t r) { return value(r) + 1 + 1e-3 * noise("b", r); });
  const Comparison c = compare_two(few, other, "gpu.useful.share");
  CHECK(c.rows.at(0).verdict == PairVerdict::undecided);
  CHECK(c.rows.at(0).reason == "9 replications, verdicts need 10");
  CHECK(c.rows.at(0).difference.half_width > 0);
  CHECK(c.tests == 0);
  CompareOptions scaled;
  scaled.judged = false;
  CHECK(compare_two(a, b, "gpu.useful.share", scaled).rows.at(0).verdict == PairVerdict::undecided);
}

TEST_CASE("the range of outcomes is given from 59 replications on, with its own interval") {
  const auto value = [](std::uint32_t) { return 1.0; };
  for (const std::uint32_t n : {58U, 59U, 200U}) {
    Toy a("a", n), b("b", n);
    a.with("gpu.useful.share", in_2030, value);
    b.with("gpu.useful.share", in_2030, [](std::uint32_t r) { return 2.0 + r; });  // differences 1 .. n
    const OutcomeRange o = compare_two(a, b, "gpu.useful.share").rows.at(0).outcomes;
    CHECK(std::isnan(o.p95) == (n < 59));
    if (n != 200) continue;
    CHECK(o.p5 == 10);
    CHECK(o.p95 == 190);
    CHECK(o.p95_ci.low == 184);
    CHECK(o.p95_ci.high == 197);
    CHECK(o.p5_ci.low == 4);
    CHECK(o.p5_ci.high == 17);
  }
}

TEST_CASE("what one policy could not measure gets no verdict") {
  Toy a("a"), b("b");
  a.with("jobs.wait.p95", in_2030, [](std::uint32_t r) { return 100 + noise("a", r); });
  b.with("jobs.wait.p95", in_2030,
         [](std::uint32_t r) { return r == 3 || r == 5 ? not_a_number : 1 + noise("b", r); });
  const Compared row = compare_two(a, b, "jobs.wait.p95").rows.at(0);
  CHECK(row.verdict == PairVerdict::undecided);
  CHECK(row.reason == "no value in 2 of 20 replications");
  CHECK(row.difference.n == 18);
  Toy nothing("nothing");
  CHECK(compare_two(a, nothing, "jobs.wait.p95").rows.at(0).reason == "no value in 20 of 20 replications");
}

TEST_CASE("a shorter wait of started jobs is not better where fewer start") {
  const auto wait = [](std::uint32_t r) { return 3600 + 60 * noise("a", r); };
  const auto shorter = [&](std::uint32_t r) { return wait(r) / 2; };
  Toy base("base"), hasty("hasty"), good("good");
  for (Toy* t : {&base, &hasty, &good})
    t->with("jobs.wait.mean", in_2030, t == &base ? wait : std::function<double(std::uint32_t)>(shorter));
  base.with("jobs.censored.count", in_2030, [](std::uint32_t r) { return 100.0 + r; });
  hasty.with("jobs.censored.count", in_2030, [](std::uint32_t r) { return 300.0 + 2 * r; });
  good.with("jobs.censored.count", in_2030, [](std::uint32_t r) { return 50.0 + r; });
  Comparison c = compare_two(base, hasty, "jobs.wait.mean");
  CHECK(c.rows.at(0).verdict == PairVerdict::undecided);
  CHECK(c.rows.at(0).reason == "of started jobs only, and fewer start");
  CHECK(c.rows.at(0).lower_bound_of);
  c = compare_two(base, good, "jobs.wait.mean");
  CHECK(c.rows.at(0).verdict == PairVerdict::better);
}

TEST_CASE("without a time a question means the last year, and a day where there are days") {
  Toy a("a"), b("b");
  for (Toy* t : {&a, &b}) {
    for (const char* period : {"2029", "2030", "2030Q4", "all"})
      t->with("gpu.useful.share", {{"period", period}}, [&](std::uint32_t r) { return r + period[3] * 1.0; });
    for (const char* at : {"2029-12-31", "2030-12-31"})
      t->with("capacity.units", {{"at", at}, {"state", "up"}}, [](std::uint32_t r) { return r; });
    t->with("fairness.jain", {{"period", "all"}}, [](std::uint32_t r) { return r; });
  }
  const PolicyRuns runs = a.runs();
  const auto labels = [&](const Question& q) {
    return measures::to_string(answer(*runs.summary, q)->labels);
  };
  CHECK(labels({"gpu.useful.share", {}}) == "period=2030");
  CHECK(labels({"gpu.useful.share", {{"period", "2030Q4"}}}) == "period=2030Q4");
  CHECK(labels({"capacity.units", {{"state", "up"}}}) == "at=2030-12-31;state=up");
  CHECK(labels({"fairness.jain", {}}) == "period=all");
  CHECK(answer(*runs.summary, {"capacity.units", {{"state", "down"}}}) == nullptr);
  const Comparison c = compare({runs, b.runs()}, 0, {{"capacity.units", {{"state", "down"}}}}, {});
  CHECK(c.rows.empty());
  REQUIRE(c.mistakes.size() == 1);
  CHECK(c.mistakes[0].code == "E0504");
}

TEST_CASE("questions are read with their labels, and unknown metrics and labels are refused") {
  Question q;
  CHECK(read_question("jobs.wait.mean:period=2026;sector=labs", q).empty());
  CHECK(q.metric == "jobs.wait.mean");
  CHECK(q.labels == measures::Labels{{"period", "2026"}, {"sector", "labs"}});
  CHECK(read_question("jobs.wait.mean", q).empty());
  CHECK(q.labels.empty());
  REQUIRE(read_question("jobs.wiat.mean", q).size() == 1);
  CHECK(read_question("jobs.wiat.mean", q)[0].code == "E0502");
  CHECK(read_question("jobs.wiat.mean", q)[0].help == "did you mean `jobs.wait.mean`?");
  REQUIRE(read_question("jobs.wait.mean:sectr=labs", q).size() == 1);
  CHECK(read_question("jobs.wait.mean:sectr=labs", q)[0].code == "E0504");
  CHECK(read_question("jobs.wait.mean:labs", q)[0].code == "E0504");
}

TEST_CASE(
    "what two policies have in common is counted by their hashes, and a comparison with itself not made") {
  Toy a("a", 10), b("b", 10), c("c", 10);
  for (std::uint32_t r = 0; r < 10; ++r) {
    a.records[r].demand_hash = b.records[r].demand_hash = c.records[r].demand_hash = r;
    c.records[r].failure_hash = r < 4 ? 1 : 0;
  }
  a.records[7].demand_hash = 99;
  const auto value = [](std::uint32_t r) { return r; };
  for (Toy* t : {&a, &b, &c}) t->with("gpu.useful.share", in_2030, value);
  const Comparison made = compare({a.runs(), b.runs(), c.runs()}, 1, {{"gpu.useful.share", {}}}, {});
  CHECK(made.base == "b");
  REQUIRE(made.pairings.size() == 2);
  CHECK(made.pairings[0].policy == "a");
  CHECK(made.pairings[0].same_demand == 9);
  CHECK(made.pairings[0].same_failures == 10);
  CHECK(made.pairings[1].same_demand == 10);
  CHECK(made.pairings[1].same_failures == 6);
  CHECK(made.rows.size() == 2);
}

TEST_CASE("every metric with a side is a metric of the program, and headlines are few") {
  std::set<std::string> known, listed;
  for (const measures::MetricRow& row : simulation::metric_rows()) known.insert(std::string(row.name));
  std::size_t headlines = 0;
  for (const measures::Direction& d : measures::directions()) {
    INFO(d.metric);
    CHECK(known.count(std::string(d.metric)) == 1);
    CHECK(listed.insert(std::string(d.metric)).second);
    CHECK(d.better != measures::Better::neither);
    headlines += d.headline;
  }
  CHECK(headlines >= 5);
  CHECK(headlines <= 8);
  CHECK(measures::better_of("capacity.units", {{"at", "2030-12-31"}, {"state", "up"}}) ==
        measures::Better::higher);
  CHECK(measures::better_of("capacity.units", {{"at", "2030-12-31"}, {"state", "down"}}) ==
        measures::Better::neither);
  CHECK(measures::better_of("energy.mwh", {}) == measures::Better::neither);
}

TEST_CASE("several scenarios are run in pairs, and an interrupt keeps whole pairs only") {
  std::atomic<bool> stop{false};
  ReplicateOptions options;
  options.seed = 3;
  options.replications = 10;
  options.stop = &stop;
  const auto run = [&](std::size_t i, const simulation::SimulateOptions& one) {
    simulation::RunRecord record;
    record.seed = one.seed;
    record.replication = one.replication;
    record.jobs = i;
    if (one.replication == 6 && i == 1) stop = true;  // the third scenario misses this one
    return record;
  };
  std::vector<Replications> all = replicate_all_with(run, 3, options);
  REQUIRE(all.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(all[i].interrupted);
    REQUIRE(all[i].records.size() == 6);
    for (std::uint32_t r = 0; r < 6; ++r) {
      CHECK(all[i].records[r].replication == r);
      CHECK(all[i].records[r].jobs == i);
      CHECK(all[i].records[r].seed == 3);
    }
  }
  stop = false;
  options.threads = 3;
  options.replications = 5;
  all = replicate_all_with(run, 3, options);
  for (const Replications& one : all) {
    CHECK(one.records.size() == 5);
    CHECK_FALSE(one.interrupted);
  }
}
