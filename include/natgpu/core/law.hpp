// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <natgpu/core/random.hpp>

namespace natgpu {

/// A probability law of one non-negative real quantity, as a scenario states it. Plain data.
/// Values are in the base unit of the field that holds the law (seconds, GPUs, watts ...).
struct Law {
  enum class Kind : unsigned char {
    constant,          ///< a
    uniform,           ///< a = low, b = high
    loguniform,        ///< a = low, b = high; the logarithm is uniform
    triangular,        ///< a = low, b = mode, c = high
    exponential,       ///< a = mean
    lognormal,         ///< a = mu, b = sigma of the logarithm, whichever way they were stated
    weibull,           ///< a = shape, b = scale
    bounded_pareto,    ///< a = low, b = high, c = alpha
    erlang,            ///< a = stages (whole), b = mean of the sum
    hyperexponential,  ///< two phases: a = probability of the first, b, c = means
    discrete,          ///< values with weights
  };
  Kind kind = Kind::constant;
  double a = 0, b = 0, c = 0;
  double mass = 1;  ///< bounded_pareto: 1 - (low / high)^alpha, kept so that no draw computes it again
  std::vector<double> values;
  std::vector<double> cumulative;  ///< running sum of the weights over their total; ends in 1

  static Law constant(double value);
  static Law uniform(double low, double high);
  static Law loguniform(double low, double high);  ///< @pre low > 0
  static Law triangular(double low, double mode, double high);
  static Law exponential(double mean);
  static Law lognormal(double mu, double sigma);
  static Law lognormal_mean_cv(double mean, double cv);          ///< cv = standard deviation / mean
  static Law lognormal_median_sigma(double median, double sigma);
  static Law weibull(double shape, double scale);
  static Law bounded_pareto(double low, double high, double alpha);
  static Law erlang(int stages, double mean);
  static Law hyperexponential(double probability, double mean1, double mean2);
  static Law hyperexponential_mean_cv2(double mean, double cv2);  ///< balanced means; @pre cv2 >= 1
  static Law discrete(std::vector<double> values, const std::vector<double>& weights);

  double mean() const;
  double lowest() const;   ///< greatest lower bound of the support
  double highest() const;  ///< least upper bound; may be infinite

  /// Whether one uniform is enough (all but erlang).
  bool has_quantile() const { return kind != Kind::erlang; }
  /// Inversion: the value at cumulative probability u. @pre has_quantile(), 0 < u < 1
  double quantile(double u) const;
  /// One value; erlang takes one uniform a stage from the draw's further blocks.
  double sample(Draw& draw) const;

  friend bool operator==(const Law&, const Law&) = default;
};

/// "triangular(0, 3, 6)", for reports and messages.
std::string to_string(const Law& law);

}  // namespace natgpu
