// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace natgpu {

/// Natural logarithm and exponential that give the same bits on every processor and compiler:
/// plain +, -, *, / in a fixed order, no tables, no fused multiply-add. Within 1 ulp of the true value.
/// The C library's own differ in the last digit between processors (with and without FMA).
double portable_log(double x);  ///< @pre x > 0 and finite
double portable_exp(double x);  ///< 0 below -745.2, infinity above 709.8
double portable_pow(double base, double exponent);  ///< @pre base > 0; error about |exponent ln base| + 1 ulp
/// Gamma function by Stirling's series, relative error below 1e-12 up to 100. @pre x > 0
double portable_gamma(double x);

/// Quantile of the standard normal law. Source: Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37, 1988;
/// relative error below 1e-16 x 10. @pre 0 < p < 1
double normal_quantile(double p);

}  // namespace natgpu
