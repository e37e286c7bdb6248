// SPDX-License-Identifier: Apache-2.0
// What use of the past still counts for.
#pragma once

namespace natgpu::scheduling {

/// Use that loses half of its weight in each half-life. Times in seconds; 0: use never fades.
class Decay {
 public:
  explicit Decay(double half_life_s = 0);

  /// What remains after `elapsed` seconds, of one unit of use.
  double factor(double elapsed) const;
  /// What one GPU held all through the last `elapsed` seconds counts for at their end, GPU-seconds: the
  /// integral of the factor.
  double gain(double elapsed) const;
  double half_life_s() const { return half_life_s_; }

 private:
  double half_life_s_;
};

/// What Slurm itself leaves of one unit of use after so many seconds: (1 - 0.693 / half-life) each second,
/// 0.500073 after one half-life of seven days. Source: Slurm, plugins/priority/multifactor. To compare with;
/// `Decay` halves exactly.
double slurm_decay_factor(double elapsed, double half_life_s);

}  // namespace natgpu::scheduling
