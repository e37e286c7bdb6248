// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/decay.hpp>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/math.hpp>

namespace natgpu::scheduling {
namespace {

constexpr double ln_two = 0x1.62e42fefa39efp-1;

/// (1 - e^-x) / x without the loss of digits near 0. @pre x >= 0
double mean_of_decline(double x) {
  if (x > 0.05) return (1.0 - portable_exp(-x)) / x;
  // 1 - x/2! + x^2/3! - ..., by Horner; the first term left out is below 2^-53.
  double series = 1.0;
  for (int n = 9; n >= 2; --n) series = 1.0 - x * series / n;
  return series;
}

}  // namespace

Decay::Decay(double half_life_s) : half_life_s_(half_life_s) {
  NATGPU_ENSURE(half_life_s >= 0, "a half-life is not negative");
}

double Decay::factor(double elapsed) const {
  return half_life_s_ > 0 ? portable_exp(-ln_two * (elapsed / half_life_s_)) : 1.0;
}

double Decay::gain(double elapsed) const {
  return half_life_s_ > 0 ? elapsed * mean_of_decline(ln_two * (elapsed / half_life_s_)) : elapsed;
}

double slurm_decay_factor(double elapsed, double half_life_s) {
  return portable_exp(elapsed * portable_log(1.0 - 0.693 / half_life_s));
}

}  // namespace natgpu::scheduling
