// SPDX-License-Identifier: Apache-2.0
// The report's pages about supply: the national target under its readings, and the way from paper to use.
#pragma once

#include <string>
#include <vector>

#include <natgpu/report/files.hpp>

#include "catalogue.hpp"

namespace natgpu::report {

/// The readings side by side; empty for a cluster too small to be read against the nation's target.
std::string readings_page(const RunResult& result, const Catalogue& say);

/// By year: the gap between what is on paper and what is allocated, where it arises, and all states.
std::string waterfall_page(const RunResult& result, const Catalogue& say);

/// Sentences for the first page, of the last year; those without figures are left out.
std::vector<std::string> supply_findings(const RunResult& result, const Catalogue& say);

}  // namespace natgpu::report
