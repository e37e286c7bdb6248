// SPDX-License-Identifier: Apache-2.0
// A job that writes checkpoints on a machine that fails: ORACLES F3 and F4.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/hash.hpp>
#include <natgpu/simulation/node_replay.hpp>

#include "acceptance.hpp"
#include "node_cases.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

/// Seconds of one hour of the formulas: a replay's times are whole seconds.
constexpr double hour_s = 36'000;
constexpr int jobs = 60;  // of a replication

/// Hours. A machine fails at the rate while it is up, and is away for `repair`.
struct Fate {
  double rate, repair, reload, stretch, write;
  int stretches;
};

/// Daly, FGCS 22(3), 2006; Bouguerra: until so many hours in a row come without a failure.
double until_through(const Fate& f, double hours) {
  return (1 / f.rate + f.repair) * std::exp(f.rate * f.reload) * std::expm1(f.rate * hours);
}
/// Behind the last stretch nothing is written.
double expected(const Fate& f) {
  return (f.stretches - 1) * until_through(f, f.stretch + f.write) + until_through(f, f.stretch);
}

std::int64_t in_s(double hours) {
  return std::llround(hours * hour_s);
}

/// Hours until one job ends.
double length_of(const Fate& f, std::uint64_t& state) {
  const auto exponential = [&state](double mean) {
    state += 0x9e3779b97f4a7c15;
    return -mean * std::log((static_cast<double>(mix64(state) >> 11) + 0.5) * 0x1p-53);
  };
  simulation::NodeView view = view_of("1x1");
  view.checkpoint_s = in_s(f.stretch);
  view.checkpoint_cost_s = in_s(f.write);
  view.restart_s = in_s(f.reload);
  const double long_enough = 100 * f.stretches * (f.stretch + f.write);
  for (double at = exponential(1 / f.rate); at < long_enough; at += exponential(1 / f.rate)) {
    const std::int64_t from = in_s(at), until = std::max(in_s(at + f.repair), from + 1);
    view.outages.push_back({0, from, until});
    at += f.repair;
  }
  const workload::JobLog log = log_of({job(0, 1, f.stretches * view.checkpoint_s)});
  const auto r = simulation::replay_on_nodes(log, options_of(scheduling::Backfill::fit), view).replay;
  return static_cast<double>(r.end_s[0]) / hour_s;
}

Sample length_under(const Fate& f) {
  std::vector<double> means;
  for (std::uint64_t r = 0; r < replications; ++r) {
    std::uint64_t state = mix64(r + 1);
    double sum = 0;
    for (int i = 0; i < jobs; ++i) sum += length_of(f, state);
    means.push_back(sum / jobs);
  }
  return sample_of(means);
}

}  // namespace

TEST_CASE(
    "a checkpointed job takes as long as Daly's formula says, what it writes included (ORACLES F3, F4)") {
  const Fate scratch{0.1, 0, 0, 10, 0, 1}, often{1 / 24.0, 0, 0.1, 2, 0.05, 12},
      seldom{0.01, 0.5, 0.25, 5, 0.1, 20};
  CHECK(expected(scratch) == Approx(17.182818285).epsilon(1e-9));
  CHECK(12 * until_through(often, 2.05) == Approx(25.788416668).epsilon(1e-9));
  CHECK(20 * until_through(seldom, 5.1) == Approx(105.432266965).epsilon(1e-9));
  for (const Fate& f : {scratch, often, seldom})
    check_exact("length", length_under(f), [&f](double k) {
      Fate other = f;
      other.stretch *= k;
      return expected(other);
    });
}
