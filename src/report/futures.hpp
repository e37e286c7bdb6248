// SPDX-License-Identifier: Apache-2.0
// What is told of uncertainties and futures: the draws, the range of outcomes, and in how many a bar is met.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/experiment/outcomes.hpp>
#include <natgpu/report/files.hpp>

#include "catalogue.hpp"

namespace natgpu::report {

/// Each uncertainty with what it came to in each replication, as JSON.
std::string uncertainties_json(const std::vector<const scenario::Uncertainty*>& all,
                               const std::vector<simulation::RunRecord>& records);
/// Heading of draws.csv, and one row a replication and value drawn, to be joined with metrics.csv.
/// @param policy  as in metrics.csv, a cell
std::string draws_head();
std::string draws_rows(const std::string& policy, const scenario::Scenario& scenario,
                       const std::vector<simulation::RunRecord>& records);

/// p5 and p95 with their intervals, or null where there are too few outcomes.
std::string outcomes_json(const experiment::OutcomeRange& range);
/// @param hits  what those are called
std::string share_json(const experiment::Share& share, const char* hits = "met");

/// "51 to 70"; a dash where there are too few outcomes.
std::string range_figure(const experiment::OutcomeRange& range, double factor, int decimals);
/// "57 of 60"
std::string count_text(const experiment::Share& share);
/// "95 %, Clopper-Pearson 95 %: 86 to 99 %"
std::string share_text(const experiment::Share& share);

/// "each a future of its own: pue, growth drawn; delay from --set"
std::string futures_line(const scenario::Scenario& scenario);

/// The page of report.md: what is uncertain and where the main figures lie. Empty without futures.
std::string futures_page(const RunResult& result, const Catalogue& say);

}  // namespace natgpu::report
