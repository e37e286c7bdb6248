// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/law.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/math.hpp>

namespace natgpu {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double triangular_quantile(double low, double mode, double high, double u) {
  const double width = high - low;
  if (width <= 0) return low;
  const double rise = mode - low;
  if (u * width < rise) return low + std::sqrt(u * width * rise);
  return high - std::sqrt((1.0 - u) * width * (high - mode));
}

double bounded_pareto_mean(double low, double high, double alpha) {
  if (high <= low) return low;
  const double ratio = portable_log(high / low);
  const double tail = portable_exp(-alpha * ratio);  // (low / high)^alpha
  if (alpha == 1.0) return low * ratio / (1.0 - tail);
  return low * alpha / (alpha - 1.0) * (1.0 - portable_exp((1.0 - alpha) * ratio)) / (1.0 - tail);
}

/// @param mass  1 - (low / high)^alpha
double bounded_pareto_quantile(double low, double high, double alpha, double mass, double u) {
  return std::min(low * portable_exp(-portable_log(1.0 - u * mass) / alpha), high);
}

/// Solves p exp(-x/m1) + (1-p) exp(-x/m2) = v for x. The survival function's logarithm is convex, so that
/// Newton's steps from below rise towards the root and never pass it; they end when rounding stops them.
double hyperexponential_quantile(double p, double m1, double m2, double u) {
  const double v = 1.0 - u;
  const double q = 1.0 - p;
  const double target = portable_log(v);
  double x = 0.0;
  if (p > v) x = std::max(x, m1 * (portable_log(p) - target));
  if (q > v) x = std::max(x, m2 * (portable_log(q) - target));
  constexpr int enough_steps = 64;
  for (int i = 0; i < enough_steps; ++i) {
    const double s1 = p * portable_exp(-x / m1);
    const double s2 = q * portable_exp(-x / m2);
    const double next = x + (portable_log(s1 + s2) - target) * (s1 + s2) / (s1 / m1 + s2 / m2);
    if (!(next > x * (1.0 + 0x1p-50))) break;
    x = next;
  }
  return x;
}

std::size_t discrete_index(const std::vector<double>& cumulative, double u) {
  // Short tables are counted to the end, without a branch: where to stop could not be predicted.
  constexpr std::size_t short_table = 32;
  if (cumulative.size() > short_table)
    return static_cast<std::size_t>(std::upper_bound(cumulative.begin(), cumulative.end(), u) -
                                    cumulative.begin());
  std::size_t i = 0;
  for (const double c : cumulative) i += u >= c;
  return i;
}

double discrete_mean(const Law& law) {
  double sum = 0, before = 0;
  for (std::size_t i = 0; i < law.values.size(); ++i) {
    sum += law.values[i] * (law.cumulative[i] - before);
    before = law.cumulative[i];
  }
  return sum;
}

Law make(Law::Kind kind, double a, double b = 0, double c = 0) {
  Law law;
  law.kind = kind;
  law.a = a;
  law.b = b;
  law.c = c;
  return law;
}

}  // namespace

Law Law::constant(double value) {
  return make(Kind::constant, value);
}

Law Law::uniform(double low, double high) {
  NATGPU_ENSURE(low <= high, "a uniform law's bounds are in order");
  return make(Kind::uniform, low, high);
}

Law Law::loguniform(double low, double high) {
  NATGPU_ENSURE(low > 0 && low <= high, "a log-uniform law's bounds are positive and in order");
  return make(Kind::loguniform, low, high);
}

Law Law::triangular(double low, double mode, double high) {
  NATGPU_ENSURE(low <= mode && mode <= high, "a triangular law's points are in order");
  return make(Kind::triangular, low, mode, high);
}

Law Law::exponential(double mean) {
  NATGPU_ENSURE(mean > 0, "an exponential law's mean is positive");
  return make(Kind::exponential, mean);
}

Law Law::lognormal(double mu, double sigma) {
  NATGPU_ENSURE(sigma >= 0, "a lognormal law's sigma is not negative");
  return make(Kind::lognormal, mu, sigma);
}

Law Law::lognormal_mean_cv(double mean, double cv) {
  NATGPU_ENSURE(mean > 0 && cv >= 0, "a lognormal law's mean is positive");
  const double variance = portable_log(1.0 + cv * cv);
  return lognormal(portable_log(mean) - 0.5 * variance, std::sqrt(variance));
}

Law Law::lognormal_median_sigma(double median, double sigma) {
  NATGPU_ENSURE(median > 0, "a lognormal law's median is positive");
  return lognormal(portable_log(median), sigma);
}

Law Law::weibull(double shape, double scale) {
  NATGPU_ENSURE(shape > 0 && scale > 0, "a Weibull law's shape and scale are positive");
  return make(Kind::weibull, shape, scale);
}

Law Law::bounded_pareto(double low, double high, double alpha) {
  NATGPU_ENSURE(low > 0 && low <= high && alpha > 0,
                "a bounded Pareto law's bounds are in order, alpha positive");
  Law law = make(Kind::bounded_pareto, low, high, alpha);
  law.mass = 1.0 - portable_pow(low / high, alpha);
  return law;
}

Law Law::erlang(int stages, double mean) {
  NATGPU_ENSURE(stages >= 1 && mean > 0, "an Erlang law has a stage and a positive mean");
  return make(Kind::erlang, stages, mean);
}

Law Law::hyperexponential(double probability, double mean1, double mean2) {
  NATGPU_ENSURE(probability >= 0 && probability <= 1 && mean1 > 0 && mean2 > 0,
                "a hyperexponential law's means are positive");
  return make(Kind::hyperexponential, probability, mean1, mean2);
}

Law Law::hyperexponential_mean_cv2(double mean, double cv2) {
  NATGPU_ENSURE(mean > 0 && cv2 >= 1, "a hyperexponential law varies at least as an exponential one");
  const double p = 0.5 * (1.0 + std::sqrt((cv2 - 1.0) / (cv2 + 1.0)));
  return hyperexponential(p, mean / (2.0 * p), mean / (2.0 * (1.0 - p)));
}

Law Law::discrete(std::vector<double> values, const std::vector<double>& weights) {
  NATGPU_ENSURE(!values.empty() && values.size() == weights.size(),
                "a discrete law has a weight for each value");
  std::vector<std::pair<double, double>> rows;
  double total = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    NATGPU_ENSURE(weights[i] >= 0, "a discrete law's weights are not negative");
    if (weights[i] > 0) rows.emplace_back(values[i], weights[i]);
    total += weights[i];
  }
  NATGPU_ENSURE(total > 0, "a discrete law has a weight above zero");
  std::sort(rows.begin(), rows.end());  // ascending, so that more u never means less: that is inversion
  Law law;
  law.kind = Kind::discrete;
  double sum = 0;
  for (const auto& row : rows) {
    sum += row.second;
    law.values.push_back(row.first);
    law.cumulative.push_back(sum / total);
  }
  law.cumulative.back() = 1.0;
  return law;
}

double Law::mean() const {
  switch (kind) {
    case Kind::constant:
      return a;
    case Kind::uniform:
      return 0.5 * (a + b);
    case Kind::loguniform:
      return a == b ? a : (b - a) / portable_log(b / a);
    case Kind::triangular:
      return (a + b + c) / 3.0;
    case Kind::exponential:
      return a;
    case Kind::lognormal:
      return portable_exp(a + 0.5 * b * b);
    case Kind::weibull:
      return b * portable_gamma(1.0 + 1.0 / a);
    case Kind::bounded_pareto:
      return bounded_pareto_mean(a, b, c);
    case Kind::erlang:
      return b;
    case Kind::hyperexponential:
      return a * b + (1.0 - a) * c;
    case Kind::discrete:
      return discrete_mean(*this);
  }
  fail_invariant("a law has a kind", __FILE__, __LINE__);
}

double Law::lowest() const {
  switch (kind) {
    case Kind::constant:
    case Kind::uniform:
    case Kind::loguniform:
    case Kind::triangular:
    case Kind::bounded_pareto:
      return a;
    case Kind::lognormal:
      return b == 0 ? portable_exp(a) : 0.0;
    case Kind::discrete:
      return values.front();
    default:
      return 0.0;
  }
}

double Law::highest() const {
  switch (kind) {
    case Kind::constant:
      return a;
    case Kind::uniform:
    case Kind::loguniform:
    case Kind::bounded_pareto:
      return b;
    case Kind::triangular:
      return c;
    case Kind::lognormal:
      return b == 0 ? portable_exp(a) : infinity;
    case Kind::discrete:
      return values.back();
    default:
      return infinity;
  }
}

double Law::quantile(double u) const {
  switch (kind) {
    case Kind::constant:
      return a;
    case Kind::uniform:
      return a + (b - a) * u;
    case Kind::loguniform:
      return std::clamp(a * portable_exp(u * portable_log(b / a)), a, b);
    case Kind::triangular:
      return triangular_quantile(a, b, c, u);
    case Kind::exponential:
      return -a * portable_log(1.0 - u);
    case Kind::lognormal:
      return portable_exp(a + b * normal_quantile(u));
    case Kind::weibull:
      return b * portable_pow(-portable_log(1.0 - u), 1.0 / a);
    case Kind::bounded_pareto:
      return bounded_pareto_quantile(a, b, c, mass, u);
    case Kind::hyperexponential:
      return hyperexponential_quantile(a, b, c, u);
    case Kind::discrete:
      return values[discrete_index(cumulative, u)];
    case Kind::erlang:
      break;
  }
  fail_invariant("an Erlang law is sampled stage by stage", __FILE__, __LINE__);
}

double Law::sample(Draw& draw) const {
  if (has_quantile()) return quantile(draw.unit());
  const int stages = static_cast<int>(a);
  double sum = 0;
  for (int i = 0; i < stages; ++i) sum -= portable_log(draw.unit());
  return sum * b / stages;
}

std::string to_string(const Law& law) {
  struct Row {
    Law::Kind kind;
    std::string_view name;
    int parameters;
  };
  static constexpr Row rows[] = {
      {Law::Kind::constant, "constant", 1},       {Law::Kind::uniform, "uniform", 2},
      {Law::Kind::loguniform, "loguniform", 2},   {Law::Kind::triangular, "triangular", 3},
      {Law::Kind::exponential, "exponential", 1}, {Law::Kind::lognormal, "lognormal", 2},
      {Law::Kind::weibull, "weibull", 2},         {Law::Kind::bounded_pareto, "bounded_pareto", 3},
      {Law::Kind::erlang, "erlang", 2},           {Law::Kind::hyperexponential, "hyperexponential", 3},
      {Law::Kind::discrete, "discrete", 0},
  };
  const auto& row = rows[static_cast<std::size_t>(law.kind)];
  NATGPU_ENSURE(row.kind == law.kind, "the laws' names are in the order of their kinds");
  std::vector<std::string> parts;
  const double parameters[] = {law.a, law.b, law.c};
  for (int i = 0; i < row.parameters; ++i) parts.push_back(fmt::format("{}", parameters[i]));
  double before = 0;
  for (std::size_t i = 0; i < law.values.size(); ++i) {
    parts.push_back(fmt::format("{}: {:.6g}", law.values[i], law.cumulative[i] - before));
    before = law.cumulative[i];
  }
  return fmt::format("{}({})", row.name, fmt::join(parts, ", "));
}

}  // namespace natgpu
