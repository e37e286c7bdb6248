// SPDX-License-Identifier: Apache-2.0
// Tables of report.md.
#pragma once

#include <string>
#include <vector>

#include <natgpu/report/files.hpp>

#include "catalogue.hpp"
#include "figures.hpp"

namespace natgpu::report {

/// "| a | b |\n"
std::string table_row(const std::vector<std::string>& cells);
/// A heading row with its rule. @param text_columns  so many from the left are text, the rest numbers
std::string table_head(const std::vector<std::string>& cells, std::size_t text_columns);

/// An estimate for a cell; one replication is marked as having no interval.
std::string cell(const Catalogue& say, const experiment::Estimate& estimate, double factor = 1,
                 int decimals = most_decimals);

/// Lines by year. Rows that are labels stand under a title that names their one measure and its unit; rows
/// that are measures name it themselves.
/// @param row_key  the label that tells the rows apart, for its words; empty: rows are metrics
/// @param detail  goes into the title, behind the measure; may be empty
std::string year_table(const RunResult& result, const Catalogue& say, const std::vector<YearLine>& lines,
                       std::string_view row_key, std::string_view detail = {});

}  // namespace natgpu::report
