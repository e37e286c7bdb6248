// SPDX-License-Identifier: Apache-2.0
// Markov chains in continuous time, solved as linear systems.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include <Eigen/Dense>

namespace natgpu::testing {

/// A chain by its rates: rates(i, j) from state i to state j, the diagonal unused.
using Rates = Eigen::MatrixXd;

inline Eigen::MatrixXd generator(Rates rates) {
  rates.diagonal().setZero();
  rates.diagonal() = -rates.rowwise().sum();
  return rates;
}

/// The law p with p Q = 0 and sum 1. @pre every state reaches every other
inline Eigen::VectorXd stationary(const Rates& rates) {
  Eigen::MatrixXd equations = generator(rates).transpose();
  equations.bottomRows(1).setOnes();  // one balance equation follows from the others
  Eigen::VectorXd right = Eigen::VectorXd::Zero(rates.rows());
  right(rates.rows() - 1) = 1;
  return equations.partialPivLu().solve(right);
}

/// A chain on 0, 1, ... that moves by single steps.
/// @param up    up[i] = rate from i to i + 1
/// @param down  down[i] = rate from i + 1 to i; as many as `up`
inline Rates birth_and_death(const std::vector<double>& up, const std::vector<double>& down) {
  const auto last = static_cast<Eigen::Index>(up.size());
  Rates rates = Rates::Zero(last + 1, last + 1);
  for (Eigen::Index i = 0; i < last; ++i) {
    rates(i, i + 1) = up[static_cast<std::size_t>(i)];
    rates(i + 1, i) = down[static_cast<std::size_t>(i)];
  }
  return rates;
}

/// The law at time t by uniformisation: jumps of a discrete chain, as many as a Poisson process makes.
inline Eigen::VectorXd law_at(const Rates& rates, const Eigen::VectorXd& start, double t) {
  const Eigen::MatrixXd q = generator(rates);
  const double fastest = -q.diagonal().minCoeff();
  const Eigen::MatrixXd jumps_back =
      (Eigen::MatrixXd::Identity(q.rows(), q.cols()) + q / fastest).transpose();
  Eigen::VectorXd now = start, law = Eigen::VectorXd::Zero(start.size());
  double weight = std::exp(-fastest * t), total = 0;
  for (int k = 1; total < 1 - 1e-13 && k < 100000; ++k) {
    law += weight * now;
    total += weight;
    now = jumps_back * now;
    weight *= fastest * t / k;
  }
  return law;
}

/// Mean of f over a law on 0, 1, ...
template <class F>
double mean_of(const Eigen::VectorXd& law, F&& f) {
  double sum = 0;
  for (Eigen::Index i = 0; i < law.size(); ++i) sum += law(i) * f(static_cast<double>(i));
  return sum;
}

}  // namespace natgpu::testing
