// SPDX-License-Identifier: Apache-2.0
// Which inputs a figure depends on, with the noise of replications told apart from effects.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <natgpu/experiment/design.hpp>
#include <natgpu/experiment/interval.hpp>
#include <natgpu/experiment/summary.hpp>

namespace natgpu::experiment {

/// The figure at each point, all with the same replications of the same seed; null after an interrupt.
using Evaluate = std::function<std::optional<std::vector<Estimate>>(const std::vector<UnitPoint>&)>;

/// What one factor does. Effects are over its whole range, in the figure's unit; indices are shares of
/// variance.
struct Factor {
  double effect = 0;  ///< tornado: high end less low end; Morris: mu; Sobol: first-order index
  double strength =
      0;  ///< tornado: |effect|; Morris: mu*, the mean size of elementary effects; Sobol: total index
  double spread = 0;  ///< Morris: sigma, large where the effect depends on other factors; else 0
  Interval effect_ci, strength_ci;  ///< 95 %: Student-t (tornado), bootstrap over trajectories or rows
  double noise = 0;                 ///< what `strength` would be on average if replications alone made it
  bool ranked = false;       ///< beyond the noise at 5 % over all factors (tornado: Holm; else Bonferroni)
  double low = 0, high = 0;  ///< tornado: the figure's means at both ends
};

struct Sensitivity {
  std::vector<Factor> factors;
  std::size_t runs = 0;  ///< points evaluated, each with all replications
  std::size_t gaps = 0;  ///< points at which a replication measured nothing; with any there is no result
  double mean = 0, variance = 0;  ///< of the figure: tornado at the middle; else over the design
};

/// One factor at a time from the middle of all ranges to both ends. 2k + 1 points.
std::optional<Sensitivity> tornado(std::size_t factors, const Evaluate& evaluate);

/// Morris's screening: `trajectories` paths through a grid of four levels, one factor a step; r (k + 1)
/// points. Source: Morris, Technometrics 33, 1991; mu*: Campolongo, Cariboni & Saltelli, Env. Modelling &
/// Software 22, 2007.
std::optional<Sensitivity> morris(std::size_t factors, std::size_t trajectories, std::uint64_t seed,
                                  const Evaluate& evaluate);

/// Sobol's first-order and total indices on `samples` rows of Sobol's sequence; N (k + 2) points.
/// Source: Saltelli et al., Computer Physics Communications 181, 2010 (first); Jansen, ibid. 117, 1999
/// (total).
std::optional<Sensitivity> sobol_indices(std::size_t factors, std::size_t samples, std::uint64_t seed,
                                         const Evaluate& evaluate);

}  // namespace natgpu::experiment
