// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/math.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include <natgpu/core/ensure.hpp>

namespace natgpu {
namespace {

// ln 2 in two parts: the first has 21 trailing zero bits, so that its product with any exponent is exact.
constexpr double ln2_high = 0x1.62e42feep-1;
constexpr double ln2_low = 0x1.a39ef35793c76p-33;
constexpr double inverse_ln2 = 0x1.71547652b82fep+0;
constexpr double half_ln_two_pi = 0x1.d67f1c864beb5p-1;

constexpr int mantissa_bits = 52;
constexpr int exponent_bias = 1023;

/// 2^k for -1022 <= k <= 1023.
double power_of_two(int k) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(k + exponent_bias) << mantissa_bits);
}

/// Pairs first (Estrin's order): half the latency of Horner's, and as fixed.
double polynomial7(const std::array<double, 8>& c, double x) {
  const double x2 = x * x;
  const double low = (c[0] + c[1] * x) + x2 * (c[2] + c[3] * x);
  const double high = (c[4] + c[5] * x) + x2 * (c[6] + c[7] * x);
  return low + x2 * x2 * high;
}

/// 2^k y, also where 2^k or the result is not a normal number.
double scale_by_power_of_two(double y, int k) {
  if (k > 1023) return y * 2.0 * power_of_two(k - 1);
  if (k < -1021) return y * power_of_two(k + 64) * power_of_two(-64);
  return y * power_of_two(k);
}

}  // namespace

double portable_log(double x) {
  constexpr std::uint64_t smallest_normal = std::uint64_t{1} << mantissa_bits;
  constexpr std::uint64_t infinity = std::uint64_t{0x7ff} << mantissa_bits;
  std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  int k = -exponent_bias;
  if (bits - smallest_normal >= infinity - smallest_normal) {  // not a positive normal number
    NATGPU_ENSURE(x > 0 && bits < infinity, "the logarithm's argument is positive");
    bits = std::bit_cast<std::uint64_t>(x * 0x1p54);
    k -= 54;
  }
  // x = 2^k m with m in [1/sqrt 2, sqrt 2): adding the gap below sqrt 2 carries into the exponent exactly
  // there.
  constexpr std::uint64_t root_half = std::bit_cast<std::uint64_t>(0x1.6a09e667f3bcdp-1);
  constexpr std::uint64_t gap = std::bit_cast<std::uint64_t>(1.0) - root_half;
  bits += gap;
  k += static_cast<int>(bits >> mantissa_bits);
  const double m = std::bit_cast<double>((bits & (smallest_normal - 1)) + root_half);
  // ln m = 2 atanh s with s = f / (2 + f), f = m - 1; |s| < 0.172, the first term left out is below 2^-61.
  const double f = m - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  const double w = z * z;
  const double w2 = w * w;
  const double odd =
      z * ((2.0 / 3 + w * (2.0 / 7)) + w2 * ((2.0 / 11 + w * (2.0 / 15)) + w2 * (2.0 / 19 + w * (2.0 / 23))));
  const double even = w * ((2.0 / 5 + w * (2.0 / 9)) + w2 * ((2.0 / 13 + w * (2.0 / 17)) + w2 * (2.0 / 21)));
  // 2 s = f - s f, and s f = f^2/2 - s f^2/2: the sum keeps f, which is exact, apart from the small rest.
  const double half_square = 0.5 * f * f;
  const double dk = static_cast<double>(k);
  return dk * ln2_high - ((half_square - (s * (half_square + (odd + even)) + dk * ln2_low)) - f);
}

double portable_exp(double x) {
  if (!(x <= 709.782712893384 && x > -745.1332191019412)) {
    NATGPU_ENSURE(x == x, "the exponential's argument is a number");
    return x > 0 ? std::numeric_limits<double>::infinity() : 0.0;
  }
  // Adding 1.5 x 2^52 rounds to a whole number and leaves it in the lowest bits.
  constexpr double shift = 0x1.8p52;
  const double shifted = x * inverse_ln2 + shift;
  const int k = static_cast<int>(static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(shifted)));
  const double dk = shifted - shift;
  const double high = x - dk * ln2_high;
  const double low = dk * ln2_low;
  const double r = high - low;  // |r| < 0.3467
  // e^r = 1 + r + r^2 (even + r odd), Taylor to r^13; the first term left out is below 2^-57.
  const double z = r * r;
  const double z2 = z * z;
  const double even = (1.0 / 2 + z * (1.0 / 24)) +
                      z2 * ((1.0 / 720 + z * (1.0 / 40320)) + z2 * (1.0 / 3628800 + z * (1.0 / 479001600)));
  const double odd = (1.0 / 6 + z * (1.0 / 120)) + z2 * ((1.0 / 5040 + z * (1.0 / 362880)) +
                                                         z2 * (1.0 / 39916800 + z * (1.0 / 6227020800)));
  const double y = 1.0 + (high + (z * (even + r * odd) - low));
  return scale_by_power_of_two(y, k);
}

double portable_pow(double base, double exponent) {
  return portable_exp(exponent * portable_log(base));
}

double portable_gamma(double x) {
  NATGPU_ENSURE(x > 0, "the gamma function's argument is positive");
  // Stirling's series from 16 on, where its sixth term is below 2^-53; the recurrence leads there.
  double product = 1.0;
  while (x < 16.0) product *= x++;
  const double inverse = 1.0 / x;
  const double z = inverse * inverse;
  const double series =
      inverse *
      (1.0 / 12 -
       z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680 - z * (1.0 / 1188 - z * (691.0 / 360360))))));
  return portable_exp((x - 0.5) * portable_log(x) - x + half_ln_two_pi + series) / product;
}

double normal_quantile(double p) {
  NATGPU_ENSURE(p > 0 && p < 1, "a probability lies between 0 and 1");
  // Coefficients of AS 241, routine PPND16: numerators and denominators for the centre and two tails.
  static constexpr std::array<double, 8> a{
      3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
      4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3};
  static constexpr std::array<double, 8> b{1.0,
                                           4.2313330701600911252e+1,
                                           6.8718700749205790830e+2,
                                           5.3941960214247511077e+3,
                                           2.1213794301586595867e+4,
                                           3.9307895800092710610e+4,
                                           2.8729085735721942674e+4,
                                           5.2264952788528545610e+3};
  static constexpr std::array<double, 8> c{1.42343711074968357734e0,  4.63033784615654529590e0,
                                           5.76949722146069140550e0,  3.64784832476320460504e0,
                                           1.27045825245236838258e0,  2.41780725177450611770e-1,
                                           2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr std::array<double, 8> d{1.0,
                                           2.05319162663775882187e0,
                                           1.67638483018380384940e0,
                                           6.89767334985100004550e-1,
                                           1.48103976427480074590e-1,
                                           1.51986665636164571966e-2,
                                           5.47593808499534494600e-4,
                                           1.05075007164441684324e-9};
  static constexpr std::array<double, 8> e{6.65790464350110377720e0,  5.46378491116411436990e0,
                                           1.78482653991729133580e0,  2.96560571828504891230e-1,
                                           2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                           2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr std::array<double, 8> f{1.0,
                                           5.99832206555887937690e-1,
                                           1.36929880922735805310e-1,
                                           1.48753612908506148525e-2,
                                           7.86869131145613259100e-4,
                                           1.84631831751005468180e-5,
                                           1.42151175831644588870e-7,
                                           2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (q <= 0.425 && q >= -0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial7(a, r) / polynomial7(b, r);
  }
  const double tail = q < 0 ? p : 1.0 - p;
  const double r = std::sqrt(-portable_log(tail));  // IEEE 754: correctly rounded everywhere
  const double value = r <= 5.0 ? polynomial7(c, r - 1.6) / polynomial7(d, r - 1.6)
                                : polynomial7(e, r - 5.0) / polynomial7(f, r - 5.0);
  return q < 0 ? -value : value;
}

}  // namespace natgpu
