// SPDX-License-Identifier: Apache-2.0
#include "overload_program.hpp"

#include <algorithm>
#include <limits>

#include <Clp_C_Interface.h>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/type_shares.hpp>

namespace natgpu::scheduling {
namespace {

constexpr double none = std::numeric_limits<double>::max();
constexpr double tolerance = 1e-10;  // of constraints and prices; Clp's own is 10^-7
constexpr int no_perturbation = 100;
constexpr int no_scaling = 0;  // the coefficients are made to be near 1

}  // namespace

/// Rows: the types' capacities, then of each job its demand and its time. Columns: each job on each type
/// where it can run, then theta.
struct OverloadProgram::Model {
  Clp_Simplex* clp = Clp_newModel();
  std::vector<std::size_t> place;  ///< of each column but the last: job x types + type
  std::vector<CoinBigIndex> starts{0};
  std::vector<int> rows;
  std::vector<double> values;
  std::vector<double> row_lower, row_upper;

  Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  ~Model() { Clp_deleteModel(clp); }

  void entry(std::size_t row, double value) {
    rows.push_back(static_cast<int>(row));
    values.push_back(value);
  }
  void end_column() { starts.push_back(static_cast<CoinBigIndex>(rows.size())); }
  void load() {
    const std::size_t columns = starts.size() - 1;
    const std::vector<double> lower(columns, 0.0);
    std::vector<double> upper(columns, 1.0), cost(columns, 0.0);
    upper.back() = none;
    cost.back() = 1;
    Clp_setLogLevel(clp, 0);
    Clp_loadProblem(clp, static_cast<int>(columns), static_cast<int>(row_lower.size()), starts.data(),
                    rows.data(), values.data(), lower.data(), upper.data(), cost.data(), row_lower.data(),
                    row_upper.data());
    Clp_setPerturbation(clp, no_perturbation);
    Clp_scaling(clp, no_scaling);
    Clp_setPrimalTolerance(clp, tolerance);
    Clp_setDualTolerance(clp, tolerance);
  }
};

OverloadProgram::OverloadProgram(std::size_t types, const std::vector<ProgramJob>& jobs)
    : types_(types), jobs_(jobs.size()), model_(std::make_unique<Model>()) {
  Model& m = *model_;
  m.row_lower.assign(types_ + 2 * jobs_, -none);
  m.row_upper.assign(types_ + 2 * jobs_, none);
  for (std::size_t j = 0; j < types_; ++j) m.row_upper[j] = 0;
  for (std::size_t i = 0; i < jobs_; ++i) {
    const std::size_t demand = types_ + 2 * i, time = demand + 1;
    m.row_upper[time] = 1;
    for (std::size_t j = 0; j < types_; ++j) {
      if (jobs[i].pace[j] == 0) continue;
      m.place.push_back(i * types_ + j);
      m.entry(j, jobs[i].load[j]);
      m.entry(demand, jobs[i].pace[j]);
      m.entry(time, 1);
      m.end_column();
    }
  }
  for (std::size_t j = 0; j < types_; ++j) m.entry(j, -1);
  m.end_column();
  m.load();
}

OverloadProgram::~OverloadProgram() = default;

std::string program_solver() {
  return std::string("Clp ") + Clp_Version();
}

double OverloadProgram::solve(const std::vector<double>& demands) {
  Model& m = *model_;
  for (std::size_t i = 0; i < jobs_; ++i) m.row_lower[types_ + 2 * i] = demands[i];
  Clp_chgRowLower(m.clp, m.row_lower.data());
  Clp_dual(m.clp, 0);
  if (Clp_status(m.clp) != 0) Clp_primal(m.clp, 0);
  NATGPU_ENSURE(Clp_status(m.clp) == 0, "there is always an overload that is enough");
  return Clp_objectiveValue(m.clp);
}

std::vector<double> OverloadProgram::prices() const {
  const double* duals = Clp_dualRowSolution(model_->clp);
  std::vector<double> prices(types_);
  double sum = 0;
  for (std::size_t j = 0; j < types_; ++j) {
    prices[j] = std::max(-duals[j], 0.0);
    sum += prices[j];
  }
  NATGPU_ENSURE(sum > 0, "where anything is demanded a type is loaded most");
  for (double& p : prices) p /= sum;
  return prices;
}

std::vector<double> OverloadProgram::shares() const {
  const double* x = Clp_primalColumnSolution(model_->clp);
  std::vector<double> shares(jobs_ * types_, 0.0);
  for (std::size_t c = 0; c < model_->place.size(); ++c)
    shares[model_->place[c]] = std::clamp(x[c], 0.0, 1.0);
  return shares;
}

}  // namespace natgpu::scheduling
