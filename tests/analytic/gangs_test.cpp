// SPDX-License-Identifier: Apache-2.0
// Jobs of one and of two GPUs on two GPUs, first come, first served: a large head blocks a free GPU.
#include <array>

#include "chain.hpp"
#include "queue.hpp"

using namespace natgpu::testing;

namespace {

/// Whom the chain sees: what runs, whether the head is known to be large, and how many wait behind that.
/// Sizes of jobs not yet looked at are independent of all else (Rumyantsev & Morozov 2017).
enum Setting { one_small, small_and_large_head, two_small, one_large, settings };

/// Mean number in the system. Jobs come at `arrivals`, half of them large; all run for 1 in the mean.
double mean_number(double arrivals) {
  constexpr int most = 70;  // waiting; beyond lie fewer than 1e-7 of all instants
  constexpr Eigen::Index empty = settings * (most + 1);
  const auto state = [](Setting s, int waiting) {
    return static_cast<Eigen::Index>(s * (most + 1) + waiting);
  };
  Rates rates = Rates::Zero(empty + 1, empty + 1);
  const auto add = [&](Eigen::Index from, Eigen::Index to, double rate) { rates(from, to) += rate; };

  add(empty, state(one_small, 0), arrivals / 2);
  add(empty, state(one_large, 0), arrivals / 2);
  add(state(one_small, 0), state(two_small, 0), arrivals / 2);
  add(state(one_small, 0), state(small_and_large_head, 0), arrivals / 2);
  add(state(one_small, 0), empty, 1);
  for (int w = 0; w <= most; ++w) {
    if (w < most)
      for (const Setting s : {small_and_large_head, two_small, one_large})
        add(state(s, w), state(s, w + 1), arrivals);
    // The small one ends: the large head starts.
    add(state(small_and_large_head, w), state(one_large, w), 1);
    // One of two small ones ends: whoever is next is looked at.
    if (w == 0) {
      add(state(two_small, 0), state(one_small, 0), 2);
    } else {
      add(state(two_small, w), state(two_small, w - 1), 1);
      add(state(two_small, w), state(small_and_large_head, w - 1), 1);
    }
    // The large one ends: the next starts, and if it is small the one behind it is looked at too.
    if (w == 0) {
      add(state(one_large, 0), empty, 1);
    } else {
      add(state(one_large, w), state(one_large, w - 1), 0.5);
      if (w == 1) {
        add(state(one_large, 1), state(one_small, 0), 0.5);
      } else {
        add(state(one_large, w), state(two_small, w - 2), 0.25);
        add(state(one_large, w), state(small_and_large_head, w - 2), 0.25);
      }
    }
  }
  // One small job never runs alone with others waiting: those states are cut off by a way out.
  for (int w = 1; w <= most; ++w) add(state(one_small, w), empty, 1);

  const Eigen::VectorXd law = stationary(rates);
  constexpr std::array<int, settings> present = {1, 2, 2, 1};
  double number = 0;
  for (int s = 0; s < settings; ++s)
    for (int w = 0; w <= most; ++w)
      number += law(state(static_cast<Setting>(s), w)) * (present[static_cast<std::size_t>(s)] + w);
  return number;
}

}  // namespace

TEST_CASE("a large head that waits for both GPUs delays all as its Markov chain says") {
  constexpr double arrivals = 0.6;
  REQUIRE(mean_number(0.8) / 0.8 == Approx(3.153377322).epsilon(1e-6));

  const Runs runs(yaml_of(
      {2,
       {{"users", arrivals, exponential(1), "{dist: discrete, values: [1 GPU, 2 GPU], weights: [1, 1]}"}},
       50}));
  const Sample time_in_system = runs.of([](const natgpu::simulation::RunRecord& r) {
    return value_of(r, "jobs.turnaround.mean", measured) / unit_s;
  });
  check_exact("mean time in the system", time_in_system,
              [](double k) { return mean_number(k * arrivals) / (k * arrivals); });
}
