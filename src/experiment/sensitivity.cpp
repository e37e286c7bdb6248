// SPDX-License-Identifier: Apache-2.0
#include <natgpu/experiment/sensitivity.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/random.hpp>

#include "holm.hpp"
#include "paired.hpp"

namespace natgpu::experiment {
namespace {

constexpr std::size_t resamples = 1000;
constexpr double mean_size_of_noise = 0.79788456080286536;  // E|N(0, 1)| = sqrt(2 / pi)

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double variance_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return squares / static_cast<double>(values.size() - 1);
}

std::size_t gaps_of(const std::vector<Estimate>& all) {
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [](const Estimate& e) { return e.n == 0 || e.n < e.values.size(); }));
}

/// Standard error of the difference of two means on equal draws; 0 for one replication, whose noise is
/// unseen.
double noise_of(const Estimate& a, const Estimate& b) {
  const Estimate d = paired_difference(a, b);
  return d.n < 2 ? 0 : standard_deviation(d) / std::sqrt(static_cast<double>(d.n));
}

/// What resampling tells of a statistic.
struct Resampled {
  Interval ci;       ///< 95 %
  double least = 0;  ///< lower end of the interval for all factors at once (Bonferroni)
};

/// @param statistic  of the rows whose numbers it is given
template <class Statistic>
Resampled bootstrap(std::size_t factors, std::size_t rows, std::uint64_t seed, Statistic statistic) {
  const Stream dice = Streams(seed, 0).open("sensitivity", "bootstrap");
  std::vector<double> values;
  std::vector<std::size_t> drawn(rows);
  for (std::size_t b = 0; b < resamples; ++b) {
    for (std::size_t i = 0; i < rows; ++i) drawn[i] = pick(rows, dice.unit(b, static_cast<std::uint32_t>(i)));
    values.push_back(statistic(drawn));
  }
  std::sort(values.begin(), values.end());
  const std::size_t tail = resamples / 40;
  return {{values[tail], values[resamples - 1 - tail]}, values[tail / std::max<std::size_t>(factors, 1)]};
}

/// The levels of a trajectory: a start on the grid {0, 1/3, 2/3, 1} from which every factor can move by 2/3.
struct Trajectory {
  std::vector<UnitPoint> points;
  std::vector<std::size_t> moved;  ///< factor of each step
  std::vector<double> sign;        ///< of each step
};

constexpr double morris_step = 2.0 / 3.0;  // p / (2 (p - 1)) for p = 4 levels

Trajectory trajectory(std::size_t factors, const Stream& dice, std::uint64_t number) {
  Trajectory t;
  UnitPoint point(factors);
  std::vector<double> keys(factors);
  for (std::size_t f = 0; f < factors; ++f) {
    const Block block = dice.block(number, static_cast<std::uint32_t>(f));
    point[f] = std::floor(block.unit(0) * 4) / 3;
    keys[f] = block.unit(1);
  }
  t.moved.resize(factors);
  std::iota(t.moved.begin(), t.moved.end(), std::size_t{0});
  std::stable_sort(t.moved.begin(), t.moved.end(),
                   [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  t.points.push_back(point);
  for (const std::size_t f : t.moved) {
    const double sign = point[f] < 0.5 ? 1 : -1;
    point[f] += sign * morris_step;
    t.points.push_back(point);
    t.sign.push_back(sign);
  }
  return t;
}

}  // namespace

std::optional<Sensitivity> tornado(std::size_t factors, const Evaluate& evaluate) {
  const UnitPoint middle(factors, 0.5);
  std::vector<UnitPoint> points{middle};
  for (std::size_t f = 0; f < factors; ++f)
    for (const double end : {0.0, 1.0}) {
      points.push_back(middle);
      points.back()[f] = end;
    }
  const auto found = evaluate(points);
  if (!found) return {};
  Sensitivity s;
  s.runs = points.size();
  s.gaps = gaps_of(*found);
  if (s.gaps > 0) return s;
  s.mean = found->front().mean;
  std::vector<double> p;
  for (std::size_t f = 0; f < factors; ++f) {
    const Estimate &low = (*found)[1 + 2 * f], &high = (*found)[2 + 2 * f];
    const Estimate d = paired_difference(high, low);
    Factor factor;
    factor.low = low.mean;
    factor.high = high.mean;
    factor.effect = d.mean;
    factor.strength = std::abs(d.mean);
    factor.noise = noise_of(high, low) * mean_size_of_noise;
    const double half = std::isfinite(d.half_width) ? d.half_width : 0;
    factor.effect_ci = {d.mean - half, d.mean + half};
    factor.strength_ci = {std::max(0.0, factor.strength - half), factor.strength + half};
    p.push_back(p_outside(paired_sample(high, low, d), 0));
    s.factors.push_back(factor);
  }
  const std::vector<double> adjusted = holm(p);
  for (std::size_t f = 0; f < factors; ++f) s.factors[f].ranked = adjusted[f] <= 0.05;
  return s;
}

std::optional<Sensitivity> morris(std::size_t factors, std::size_t trajectories, std::uint64_t seed,
                                  const Evaluate& evaluate) {
  const Stream dice = Streams(seed, 0).open("sensitivity", "morris");
  std::vector<Trajectory> all;
  std::vector<UnitPoint> points;
  for (std::size_t t = 0; t < trajectories; ++t) {
    all.push_back(trajectory(factors, dice, t));
    points.insert(points.end(), all.back().points.begin(), all.back().points.end());
  }
  const auto found = evaluate(points);
  if (!found) return {};
  Sensitivity s;
  s.runs = points.size();
  s.gaps = gaps_of(*found);
  if (s.gaps > 0) return s;
  std::vector<double> means;
  for (const Estimate& e : *found) means.push_back(e.mean);
  s.mean = mean_of(means);
  s.variance = variance_of(means);
  std::vector<std::vector<double>> effects(factors), noise(factors);  // by factor, a value a trajectory
  for (std::size_t t = 0; t < trajectories; ++t)
    for (std::size_t step = 0; step < factors; ++step) {
      const std::size_t at = t * (factors + 1) + step;
      const Estimate &before = (*found)[at], &after = (*found)[at + 1];
      const std::size_t f = all[t].moved[step];
      effects[f].push_back((after.mean - before.mean) * all[t].sign[step] / morris_step);
      noise[f].push_back(noise_of(after, before) / morris_step * mean_size_of_noise);
    }
  for (std::size_t f = 0; f < factors; ++f) {
    Factor factor;
    std::vector<double> sizes;
    for (const double e : effects[f]) sizes.push_back(std::abs(e));
    const auto mean_over = [](const std::vector<double>& values) {
      return [&values](const std::vector<std::size_t>& rows) {
        double sum = 0;
        for (const std::size_t r : rows) sum += values[r];
        return sum / static_cast<double>(rows.size());
      };
    };
    factor.effect = mean_of(effects[f]);
    factor.strength = mean_of(sizes);
    factor.spread = trajectories > 1 ? std::sqrt(variance_of(effects[f])) : 0;
    factor.effect_ci = bootstrap(factors, trajectories, seed, mean_over(effects[f])).ci;
    const Resampled strength = bootstrap(factors, trajectories, seed, mean_over(sizes));
    factor.strength_ci = strength.ci;
    factor.noise = mean_of(noise[f]);
    factor.ranked = strength.least > factor.noise;
    s.factors.push_back(factor);
  }
  return s;
}

std::optional<Sensitivity> sobol_indices(std::size_t factors, std::size_t samples, std::uint64_t seed,
                                         const Evaluate& evaluate) {
  NATGPU_ENSURE(samples >= 2, "a variance needs two rows");
  // The origin is left out: there all factors of both halves agree.
  std::vector<UnitPoint> rows = sobol_points(samples + 1, 2 * factors);
  rows.erase(rows.begin());
  std::vector<UnitPoint> points;  // of each row: A, B, then A with each factor from B
  for (const UnitPoint& row : rows) {
    const auto half = row.begin() + static_cast<std::ptrdiff_t>(factors);
    const UnitPoint a(row.begin(), half), b(half, row.end());
    points.push_back(a);
    points.push_back(b);
    for (std::size_t f = 0; f < factors; ++f) {
      points.push_back(a);
      points.back()[f] = b[f];
    }
  }
  const auto found = evaluate(points);
  if (!found) return {};
  Sensitivity s;
  s.runs = points.size();
  s.gaps = gaps_of(*found);
  if (s.gaps > 0) return s;
  const std::size_t width = factors + 2;
  const auto y = [&](std::size_t row, std::size_t column) -> const Estimate& {
    return (*found)[row * width + column];
  };
  std::vector<double> both;
  for (std::size_t r = 0; r < samples; ++r) {
    both.push_back(y(r, 0).mean);
    both.push_back(y(r, 1).mean);
  }
  s.mean = mean_of(both);
  s.variance = variance_of(both);
  const auto variance_over = [&](const std::vector<std::size_t>& drawn) {
    std::vector<double> values;
    for (const std::size_t r : drawn) {
      values.push_back(y(r, 0).mean);
      values.push_back(y(r, 1).mean);
    }
    return variance_of(values);
  };
  std::vector<std::size_t> every(samples);
  std::iota(every.begin(), every.end(), std::size_t{0});
  for (std::size_t f = 0; f < factors; ++f) {
    const auto first = [&](const std::vector<std::size_t>& drawn) {
      double sum = 0;  // centred, so that a large mean does not drown the products
      for (const std::size_t r : drawn) sum += (y(r, 1).mean - s.mean) * (y(r, 2 + f).mean - y(r, 0).mean);
      const double v = variance_over(drawn);
      return v > 0 ? sum / static_cast<double>(drawn.size()) / v : 0;
    };
    const auto total = [&](const std::vector<std::size_t>& drawn) {
      double sum = 0;
      for (const std::size_t r : drawn) {
        const double d = y(r, 0).mean - y(r, 2 + f).mean;
        sum += d * d;
      }
      const double v = variance_over(drawn);
      return v > 0 ? sum / 2 / static_cast<double>(drawn.size()) / v : 0;
    };
    Factor factor;
    factor.effect = first(every);
    factor.strength = total(every);
    factor.effect_ci = bootstrap(factors, samples, seed, first).ci;
    const Resampled strength = bootstrap(factors, samples, seed, total);
    factor.strength_ci = strength.ci;
    double noise = 0;
    for (std::size_t r = 0; r < samples; ++r) {
      const double e = noise_of(y(r, 0), y(r, 2 + f));
      noise += e * e;
    }
    factor.noise = s.variance > 0 ? noise / 2 / static_cast<double>(samples) / s.variance : 0;
    factor.ranked = strength.least > factor.noise;
    s.factors.push_back(factor);
  }
  return s;
}

}  // namespace natgpu::experiment
