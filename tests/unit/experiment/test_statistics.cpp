// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/ensure.hpp>
#include <natgpu/core/math.hpp>
#include <natgpu/core/random.hpp>

#include "../../../src/experiment/statistics.hpp"
#include "catch.hpp"
#include "estimates.hpp"

using namespace natgpu;
using namespace natgpu::experiment;
using experiment::testing::estimate;
using experiment::testing::not_a_number;

namespace {

const std::vector<measures::MetricRow>& rows() {
  static const std::vector<measures::MetricRow> table{
      {"capacity.h100e", "H100e", "at,state", "Sum over devices."},
      {"gpu.busy.share", "share", "period,of", "Busy over in service."},
      {"jobs.wait.mean", "s", "period,sector", "Mean of first start less eligible."},
      {"jobs.gave_up.count", "1", "period", "Jobs that left unserved."},
  };
  return table;
}

simulation::RunRecord record(std::uint32_t r, double h100e, double share) {
  simulation::RunRecord record;
  record.replication = r;
  record.measurements = {{"capacity.h100e", {{"at", "2030-12-31"}, {"state", "in-service"}}, h100e},
                         {"gpu.busy.share", {{"period", "2030"}}, share},
                         {"gpu.busy.share", {{"period", "all"}}, share / 2}};
  return record;
}

scenario::Target target(const std::string& metric, const std::string& where, const std::string& expect) {
  scenario::Target t;
  t.name = "goal";
  t.metric = metric;
  t.where = where;
  t.expect = expect;
  return t;
}

std::string code_of(const scenario::Target& t, std::string* help = nullptr) {
  const Summary s = summarise({t}, {record(0, 1, 1), record(1, 1, 1)}, rows());
  CHECK(s.targets.size() + std::min<std::size_t>(s.mistakes.size(), 1) == 1);
  if (s.mistakes.empty()) return "";
  if (help != nullptr) *help = s.mistakes[0].help;
  return s.mistakes[0].code;
}

}  // namespace

TEST_CASE("Student's t quantiles agree with the tables") {
  CHECK(student_t_quantile(0.975, 9) == Approx(2.262157).epsilon(5e-7));
  CHECK(student_t_quantile(0.975, 29) == Approx(2.045230).epsilon(5e-7));
  CHECK(student_t_quantile(0.9995, 29) == Approx(3.659405).epsilon(5e-7));
}

TEST_CASE("ORACLES C1: ten values give mean 12.25 and half-width .371327737") {
  const Estimate e = estimate({12.1, 11.4, 13.0, 12.7, 11.9, 12.3, 12.8, 11.6, 12.2, 12.5});
  CHECK(e.n == 10);
  CHECK(std::abs(e.mean - 12.25) < 1e-9);
  CHECK(std::abs(e.half_width - 0.371327737) < 1e-9);
  CHECK(e.low == 11.4);
  CHECK(e.high == 13.0);
}

TEST_CASE("ORACLES C2: the interval of paired differences") {
  const Estimate e = estimate({10.2 - 9.6, 11.5 - 10.7, 9.8 - 9.5, 12.0 - 11.0, 10.9 - 10.3});
  CHECK(std::abs(e.mean - 0.66) < 1e-9);
  CHECK(std::abs(e.mean - e.half_width - 0.336213643) < 1e-9);
  CHECK(std::abs(e.mean + e.half_width - 0.983786357) < 1e-9);
}

TEST_CASE("95 % intervals of a known mean cover it 926 to 971 times in 1,000 experiments") {
  // Rule R-COVER of the oracles: the 99.9 % band of a binomial with p = .95. Ten normal values an experiment.
  Streams streams(20301231, 0);
  const Stream stream = streams.open("toy experiments", "normal");
  int covered = 0;
  int covered_by_half = 0;
  for (std::uint64_t experiment = 0; experiment < 1000; ++experiment) {
    std::vector<double> values;
    for (std::uint32_t i = 0; i < 10; ++i)
      values.push_back(5 + 3 * normal_quantile(stream.unit(experiment, i)));
    const Estimate e = estimate(values);
    covered += std::abs(e.mean - 5) <= e.half_width ? 1 : 0;
    covered_by_half += std::abs(e.mean - 5) <= e.half_width / 2 ? 1 : 0;
  }
  CHECK(covered >= 926);
  CHECK(covered <= 971);
  CHECK(covered_by_half < 926);  // the band can tell a wrong interval
}

TEST_CASE("one value has no interval, none has no mean") {
  const Estimate one = estimate({7});
  CHECK(one.n == 1);
  CHECK(one.mean == 7);
  CHECK(std::isnan(one.half_width));
  const Estimate none = estimate({});
  CHECK(none.n == 0);
  CHECK(std::isnan(none.mean));
  CHECK(std::isnan(none.low));
}

TEST_CASE("values that are no numbers keep their place and count in no statistic") {
  const Estimate e = estimate({1, not_a_number, 3, std::numeric_limits<double>::infinity()});
  CHECK(e.values.size() == 4);
  CHECK(e.n == 2);
  CHECK(e.mean == 2);
  CHECK(e.low == 1);
  CHECK(e.high == 3);
}

TEST_CASE("equal values have exactly that mean and no spread") {
  const Estimate e = estimate(std::vector<double>(7, 0.1));
  CHECK(e.mean == 0.1);
  CHECK(e.half_width == 0);
}

TEST_CASE("estimates keep the order of the first record and the values that of the replications") {
  const Summary s = summarise({}, {record(0, 10, 0.4), record(1, 20, 0.6)}, rows());
  REQUIRE(s.estimates.size() == 3);
  CHECK(s.estimates[0].metric == "capacity.h100e");
  CHECK(s.estimates[0].unit == "H100e");
  CHECK(s.estimates[0].values == std::vector<double>{10, 20});
  CHECK(s.estimates[1].labels == measures::Labels{{"period", "2030"}});
  CHECK(s.estimates[2].labels == measures::Labels{{"period", "all"}});
  CHECK(s.estimates[2].mean == 0.25);
}

TEST_CASE("what one replication did not measure is a gap in its place") {
  simulation::RunRecord more = record(1, 20, 0.6);
  more.measurements.push_back({"jobs.wait.mean", {{"period", "2030"}}, 60});
  const Summary s = summarise({}, {record(0, 10, 0.4), more, record(2, 30, 0.5)}, rows());
  REQUIRE(s.estimates.size() == 4);
  const Estimate& wait = s.estimates[3];
  REQUIRE(wait.values.size() == 3);
  CHECK(std::isnan(wait.values[0]));
  CHECK(wait.values[1] == 60);
  CHECK(std::isnan(wait.values[2]));
  CHECK(wait.n == 1);
}

TEST_CASE("a metric in no table, or one measured twice, is our own fault and stops the run") {
  simulation::RunRecord unknown = record(0, 1, 1);
  unknown.measurements.push_back({"gpu.buzzy.share", {}, 1});
  CHECK_THROWS_AS(summarise({}, {unknown}, rows()), InvariantError);
  simulation::RunRecord twice = record(0, 1, 1);
  twice.measurements.push_back(twice.measurements[0]);
  CHECK_THROWS_AS(summarise({}, {twice}, rows()), InvariantError);
}

TEST_CASE("bars are read with sign, number and unit") {
  Bar bar;
  CHECK(parse_bar(">= 30000 H100e", bar).empty());
  CHECK(bar.comparison == Bar::Comparison::at_least);
  CHECK(bar.bound == 30000);
  CHECK(bar.unit == "H100e");
  CHECK(parse_bar("<0.5", bar).empty());
  CHECK(bar.comparison == Bar::Comparison::below);
  CHECK(bar.unit.empty());
  CHECK(parse_bar("  > -2   EFLOP/s fp64_tensor ", bar).empty());
  CHECK(bar.bound == -2);
  CHECK(bar.unit == "EFLOP/s fp64_tensor");
  for (const char* wrong : {"", "30000 H100e", "= 3 s", "== 3 s", "=> 3 s", ">=", ">= many s", ">= 1,000 s",
                            ">= 010 s", ">= nan s"})
    CHECK_FALSE(parse_bar(wrong, bar).empty());
}

TEST_CASE("a verdict needs the whole interval on one side of the bar") {
  const Estimate e = estimate({9, 10, 11});  // 10 +- 2.484
  const auto verdict = [&](const std::string& text) {
    Bar bar;
    REQUIRE(parse_bar(text, bar).empty());
    return judge(bar, e);
  };
  CHECK(verdict(">= 7.5") == Verdict::pass);
  CHECK(verdict(">= 7.6") == Verdict::inconclusive);
  CHECK(verdict(">= 12.4") == Verdict::inconclusive);
  CHECK(verdict(">= 12.5") == Verdict::fail);
  CHECK(verdict("<= 12.5") == Verdict::pass);
  CHECK(verdict("<= 12.4") == Verdict::inconclusive);
  CHECK(verdict("<= 7.5") == Verdict::fail);
  Bar bar;
  REQUIRE(parse_bar(">= 1", bar).empty());
  CHECK(judge(bar, estimate({10})) == Verdict::inconclusive);  // one replication proves nothing
  CHECK(judge(bar, estimate({not_a_number, not_a_number})) == Verdict::inconclusive);
  const Estimate exact = estimate({5, 5, 5});
  REQUIRE(parse_bar(">= 5", bar).empty());
  CHECK(judge(bar, exact) == Verdict::pass);
  REQUIRE(parse_bar("> 5", bar).empty());
  CHECK(judge(bar, exact) == Verdict::fail);
  REQUIRE(parse_bar("<= 5", bar).empty());
  CHECK(judge(bar, exact) == Verdict::pass);
  REQUIRE(parse_bar("< 5", bar).empty());
  CHECK(judge(bar, exact) == Verdict::fail);
}

TEST_CASE("a target is settled by the estimate with exactly its labels, in any order") {
  const Summary s = summarise({target("capacity.h100e", "state=in-service; at=2030-12-31", ">= 15 H100e"),
                               target("gpu.busy.share", "period=2030", ">= 0.9")},
                              {record(0, 30000, 0.4), record(1, 30002, 0.4)}, rows());
  REQUIRE(s.targets.size() == 2);
  CHECK(s.targets[0].verdict == Verdict::pass);
  CHECK(s.targets[0].estimate.mean == 30001);
  CHECK(s.targets[0].explanation.find("30001 H100e") != std::string::npos);
  CHECK(s.targets[1].verdict == Verdict::fail);
}

TEST_CASE("a target that names nothing is an error, never a silent pass") {
  std::string help;
  CHECK(code_of(target("capacity.h100e", "at=2030-12-31;state=in-service", ">= 1 H100e")).empty());
  CHECK(code_of(target("capacity.h100", "at=2030-12-31;state=in-service", ">= 1 H100e"), &help) == "E0502");
  CHECK(help == "did you mean `capacity.h100e`?");
  CHECK(code_of(target("capacity.h100e", "at=2030-12-31;state=in-service", ">= 1 GPU"), &help) == "E0503");
  CHECK(help == "state it in H100e");
  CHECK(code_of(target("capacity.h100e", "at=2030-12-31;state=in-service", ">= 1")) == "E0503");
  CHECK(code_of(target("gpu.busy.share", "period=2030", ">= 1 %")) == "E0503");
  CHECK(code_of(target("gpu.busy.share", "period=2030", ">= 0.5 share")).empty());
  CHECK(code_of(target("gpu.busy.share", "period=2030", "about 1")) == "E0501");
  CHECK(code_of(target("gpu.busy.share", "perid=2030", ">= 1"), &help) == "E0504");
  CHECK(help == "did you mean `period`?");
  CHECK(code_of(target("gpu.busy.share", "period=2031", ">= 1"), &help) == "E0504");
  CHECK(help == "did you mean `period=2030`?");
  CHECK(code_of(target("capacity.h100e", "at=2030-12-31", ">= 1 H100e"), &help) == "E0504");
  CHECK(help == "did you mean `at=2030-12-31;state=in-service`?");
  CHECK(code_of(target("gpu.busy.share", "", ">= 1")) == "E0504");
  CHECK(code_of(target("gpu.busy.share", "period", ">= 1")) == "E0504");
  CHECK(code_of(target("gpu.busy.share", "period=2030;period=2030", ">= 1")) == "E0504");
  CHECK(code_of(target("jobs.wait.mean", "period=2030", "<= 1 s")) == "E0504");
}

TEST_CASE("a target that cannot be judged leaves the figures and the other targets as they are") {
  const Summary s = summarise(
      {target("gpu.busy.share", "period=2031", ">= 0.9"), target("gpu.busy.share", "period=2030", ">= 0.9")},
      {record(0, 30000, 0.4), record(1, 30002, 0.4)}, rows());
  CHECK(s.mistakes.size() == 1);
  REQUIRE(s.targets.size() == 1);
  CHECK(s.targets[0].verdict == Verdict::fail);
  CHECK_FALSE(s.estimates.empty());
}

TEST_CASE("a difference and a ratio of measures have the interval of what happens in each replication") {
  const Estimate whole = estimate({10, 20, 30}), part = estimate({4, 14, 24});
  const Estimate gap = difference(whole, part);
  CHECK(gap.mean == 6);
  CHECK(gap.half_width == 0);
  CHECK(ratio(part, whole).values == std::vector<double>{0.4, 0.7, 0.8});
  CHECK(ratio(part, whole).unit == "share");
  const Estimate holes = ratio(estimate({1, 1, 1}), estimate({0, 2, not_a_number}));
  CHECK(holes.n == 1);
  CHECK(holes.mean == 0.5);
}

TEST_CASE("a scaled run has no verdicts, whatever its figures") {
  Summary s = summarise({target("gpu.busy.share", "period=2030", ">= 0.1")},
                        {record(0, 30000, 0.4), record(1, 30002, 0.4)}, rows());
  REQUIRE(s.targets[0].verdict == Verdict::pass);
  withhold_verdicts(s, 0.05);
  CHECK(s.targets[0].verdict == Verdict::inconclusive);
  CHECK(s.targets[0].explanation == "a quick run at 0.05 of the real size is not judged");
}

TEST_CASE("all mistakes of all targets come in one go") {
  std::vector<Finding> found;
  check_target(target("nothing.like.it", "", "what"), rows(), found);
  check_target(target("gpu.busy.share", "sector=sme", ">= 3 GPU"), rows(), found);
  REQUIRE(found.size() == 4);
  CHECK(found[0].path == "targets[goal].expect");
  CHECK(found[1].path == "targets[goal].metric");
  CHECK(found[2].path == "targets[goal].where");
  CHECK(found[3].path == "targets[goal].expect");
}

TEST_CASE("counts and shares need no unit in a bar, all else does") {
  std::vector<Finding> found;
  check_target(target("jobs.gave_up.count", "period=2030", "<= 100"), rows(), found);
  check_target(target("gpu.busy.share", "period=2030", ">= 0.5"), rows(), found);
  CHECK(found.empty());
  check_target(target("jobs.wait.mean", "period=2030", "<= 100"), rows(), found);
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "E0503");
}

TEST_CASE("without records there is nothing to judge") {
  const Summary s = summarise({target("gpu.busy.share", "period=2030", ">= 1")}, {}, rows());
  CHECK(s.estimates.empty());
  CHECK(s.targets.empty());
}
