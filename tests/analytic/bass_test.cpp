// SPDX-License-Identifier: Apache-2.0
// Adoption as events against Bass's formula (1969) and, for few organisations, against the chain that it is.
#include <cmath>

#include "chain.hpp"
#include "queue.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

constexpr double p = 0.003, q = 0.038;  // a day

/// Sectors that adopt independently of each other. Nobody asks for anything.
std::string yaml(int sectors, int organisations, int days) {
  const Date end{Date::of(2026, 1, 1).day + std::chrono::days(days), false};
  std::string text = fmt::format(
      "schema: natgpu/1\nname: bass\nhorizon: {{start: 2026-01-01, end: {}}}\ndemand:\n  sectors:\n",
      to_string(end));
  for (int s = 0; s < sectors; ++s)
    text += fmt::format(
        "    - {{name: s{}, organisations: {}, adoption: {{innovation: {} /d, imitation: {} /d}}}}\n", s,
        organisations, p, q);
  return text;
}

/// Share of a large market that has adopted after t days.
double curve(double t) {
  const double e = std::exp(-(p + q) * t);
  return (1 - e) / (1 + q / p * e);
}

Sample any_ai(const Runs& runs) {
  return runs.of([](const simulation::RunRecord& r) {
    double sum = 0;
    int sectors = 0;
    for (const measures::Measurement& m : r.measurements)
      if (m.metric == "adoption.any_ai.share") {
        sum += m.value;
        ++sectors;
      }
    return sum / sectors;
  });
}

}  // namespace

TEST_CASE("eight hundred organisations adopt along Bass's curve") {
  for (const int days : {50, 100}) {
    INFO("after " << days << " days");
    check_exact("share of adopters", any_ai(Runs(yaml(1, 800, days))),
                [days](double k) { return curve(k * days); });
  }
}

TEST_CASE("thirty organisations adopt as the pure birth chain says, not as the curve of a large market") {
  constexpr int market = 30, days = 50;
  const auto exact = [](double k) {
    std::vector<double> up, down(market, 0.0);
    for (int n = 0; n < market; ++n) up.push_back((market - n) * (p + q * n / market));
    Eigen::VectorXd start = Eigen::VectorXd::Zero(market + 1);
    start(0) = 1;
    const Eigen::VectorXd law = law_at(birth_and_death(up, down), start, k * days);
    return mean_of(law, [](double n) { return n / market; });
  };
  const Sample adopters = any_ai(Runs(yaml(40, market, days)));
  check_exact("share of adopters", adopters, exact);
  CHECK_FALSE(agrees(adopters, curve(days)));
}
