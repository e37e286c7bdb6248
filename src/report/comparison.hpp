// SPDX-License-Identifier: Apache-2.0
// A comparison in words and cells, shared by what is printed and what is written.
#pragma once

#include <string>
#include <vector>

#include <natgpu/report/comparison.hpp>

#include "figures.hpp"

namespace natgpu::report {

/// Unit and digits for the figures of one comparison.
Style style_of(const experiment::Compared& row);

/// "+1.20 ± 0.30"
std::string signed_figure(const experiment::Estimate& difference, const Style& style);
/// "-89 %" of the base's mean; "-" where that is 0
std::string relative_text(const experiment::Compared& row);
/// "0.0123", "< 0.0001", "-" where nothing was tested
std::string p_text(double p);
/// "-6.1", "-" without spread
std::string effect_text(double effect);
/// Why there is no verdict and what would bring one; empty where there is a verdict.
std::string undecided_text(const experiment::Compared& row, const Style& style);
/// "higher is better"; empty for metrics that have no side
std::string direction_text(measures::Better better);
/// "easy, fit against fcfs"
std::string contest_text(const ComparisonResult& result);
/// What any of the policies draws, each once.
std::vector<const scenario::Uncertainty*> drawn_of(const ComparisonResult& result);
/// What is drawn, and what a policy knows; empty without futures.
std::vector<std::string> futures_lines(const ComparisonResult& result);
/// "better in 45 of 60 futures (75 %, ...); difference p5 to p95 -3 to 5 h"; empty without futures.
std::string futures_text(const ComparisonResult& result, const experiment::Compared& row, const Style& style);
/// "fcfs before easy as stated (3.1 h, 3.4 h): flipped in 12 of 60 futures (...), 2 of 60 by chance", one a
/// pair and, of more than one pair, one for any of them.
std::vector<std::string> flip_lines(const experiment::Flips& flips);
/// "jobs.wait.mean  period=2026"
std::string flips_title(const experiment::Flips& flips);
std::string flips_json(const std::vector<experiment::Flips>& flips);
/// How the figures came about, one sentence an item.
std::vector<std::string> method_lines(const ComparisonResult& result);
/// The command that gives this comparison again.
std::string reproduce_command(const ComparisonResult& result);

std::string comparison_json(const ComparisonResult& result);
std::string comparison_csv(const ComparisonResult& result);
std::string comparison_markdown(const ComparisonResult& result);

}  // namespace natgpu::report
