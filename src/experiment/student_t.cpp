// SPDX-License-Identifier: Apache-2.0
// The one user of Boost.Math, whose headers cost seconds to compile.
#include <boost/math/distributions/students_t.hpp>

#include <natgpu/experiment/summary.hpp>

namespace natgpu::experiment {

double student_t_quantile(double p, double degrees_of_freedom) {
  return boost::math::quantile(boost::math::students_t(degrees_of_freedom), p);
}

}  // namespace natgpu::experiment
