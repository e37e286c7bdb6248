// SPDX-License-Identifier: Apache-2.0
// A linear program by the dense tableau of the textbooks: slow, short, and nobody's library.
#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

/// Maximises costs . x over x >= 0 with rows . x <= limits, which may be negative. Bland's rule, two phases
/// (Chvatal, Linear Programming, 1983).
class PlainSimplex {
 public:
  explicit PlainSimplex(std::size_t variables) : n_(variables) {}
  void at_most(std::vector<double> row, double limit) {
    rows_.push_back(std::move(row));
    limits_.push_back(limit);
  }
  void at_least(std::vector<double> row, double limit) {
    for (double& a : row) a = -a;
    at_most(std::move(row), -limit);
  }
  /// @returns nothing where no x will do. @pre the optimum is finite
  std::optional<double> maximum(const std::vector<double>& costs) {
    // Columns: the variables, a slack for each row, the artificial one, the right side.
    const std::size_t m = rows_.size(), artificial = n_ + m, width = artificial + 2;
    table_.assign(m, std::vector<double>(width, 0.0));
    basis_.clear();
    std::size_t worst = 0;
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t v = 0; v < n_; ++v) table_[i][v] = rows_[i][v];
      table_[i][n_ + i] = 1;
      table_[i][artificial] = -1;
      table_[i].back() = limits_[i];
      basis_.push_back(n_ + i);
      if (limits_[i] < limits_[worst]) worst = i;
    }
    if (limits_[worst] < 0) {
      std::vector<double> first(width, 0.0);
      first[artificial] = 1;  // to be as small as can be
      pivot(worst, artificial, first);
      run(first, width - 1);
      if (first.back() < -1e-9) return {};
      for (std::size_t i = 0; i < m; ++i)
        if (basis_[i] == artificial)
          for (std::size_t v = 0; v < artificial; ++v)
            if (std::abs(table_[i][v]) > tiny) {
              pivot(i, v, first);
              break;
            }
    }
    std::vector<double> objective(width, 0.0);
    for (std::size_t v = 0; v < n_; ++v) objective[v] = -costs[v];
    for (std::size_t i = 0; i < m; ++i)
      if (const double c = objective[basis_[i]]; c != 0) subtract(objective, table_[i], c);
    run(objective, artificial);
    return objective.back();
  }

 private:
  static constexpr double tiny = 1e-11;
  static void subtract(std::vector<double>& from, const std::vector<double>& row, double times) {
    for (std::size_t v = 0; v < row.size(); ++v) from[v] -= times * row[v];
  }
  void pivot(std::size_t row, std::size_t column, std::vector<double>& objective) {
    const double at = table_[row][column];
    for (double& a : table_[row]) a /= at;
    for (std::size_t i = 0; i < table_.size(); ++i)
      if (i != row && table_[i][column] != 0) subtract(table_[i], table_[row], table_[i][column]);
    if (objective[column] != 0) subtract(objective, table_[row], objective[column]);
    basis_[row] = column;
  }
  void run(std::vector<double>& objective, std::size_t columns) {
    while (true) {
      std::size_t enter = 0;
      while (enter < columns && objective[enter] > -tiny) ++enter;
      if (enter == columns) return;
      std::size_t leave = table_.size();
      double least = 0;
      for (std::size_t i = 0; i < table_.size(); ++i) {
        if (table_[i][enter] <= tiny) continue;
        const double ratio = table_[i].back() / table_[i][enter];
        if (leave == table_.size() || ratio < least || (ratio == least && basis_[i] < basis_[leave])) {
          leave = i;
          least = ratio;
        }
      }
      if (leave == table_.size()) return;
      pivot(leave, enter, objective);
    }
  }

  std::size_t n_;
  std::vector<std::vector<double>> rows_, table_;
  std::vector<double> limits_;
  std::vector<std::size_t> basis_;
};
