// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "overload_program.hpp"

namespace natgpu::scheduling {

/// Jobs that are alike, and the pace that they need to come to a level. The level is one over the worst that
/// may become of them: rho of gavel-ftf. Times in any one unit.
struct LevelledJob {
  ProgramJob program;
  double elapsed = 0;
  double fastest = 1;   ///< what is left takes so long at the best pace; positive
  double isolated = 1;  ///< positive

  /// The least pace with which elapsed + fastest / pace is no more than isolated / level; 1 where none is
  /// enough.
  double pace_at(double level) const {
    const double left = isolated / level - elapsed;
    return left > fastest ? fastest / left : 1.0;
  }
  /// From here on the job has its best pace.
  double full_level() const { return isolated / (elapsed + fastest); }
};

/// Raises the level of all jobs until some can rise no further, settles these, and goes on with the others.
///
/// Whether a level can be had is a linear program, and where it cannot, prices of the types say why: at these
/// prices no job can have its pace for less, and together they would cost more than there is. The level at
/// which they cost just what there is bounds the answer from above and is tried next: Newton's method on the
/// overload as a function of the level (Dinkelbach, Manage. Sci. 13(7), 1967), which ends after few programs.
/// @param prices  of the types to begin with, of sum 1: any will do, good ones spare a program
/// @returns shares of time, [job x types + type]
std::vector<double> levelled_shares(const std::vector<LevelledJob>& jobs, const std::vector<double>& prices);

}  // namespace natgpu::scheduling
