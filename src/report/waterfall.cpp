// SPDX-License-Identifier: Apache-2.0
#include "waterfall.hpp"

#include <algorithm>
#include <string>

namespace natgpu::report {
namespace {

const YearLine* line_of(const std::vector<YearLine>& lines, std::string_view state) {
  const auto found =
      std::find_if(lines.begin(), lines.end(), [&](const YearLine& l) { return l.row.front() == state; });
  return found == lines.end() ? nullptr : &*found;
}

YearLine renamed(YearLine line, const char* row) {
  line.row = {row};
  return line;
}

}  // namespace

YearLine DerivedLines::combined(const YearLine& a, const YearLine& b, const char* row, Combine combine) {
  YearLine line = renamed(a, row);
  line.years.clear();
  line.total = nullptr;
  for (const auto& [year, estimate] : a.years) {
    const auto other = b.years.find(year);
    if (other == b.years.end()) continue;
    estimates_.push_back(combine(*estimate, *other->second));
    line.years[year] = &estimates_.back();
  }
  return line;
}

std::vector<YearLine> DerivedLines::gap(const std::vector<YearLine>& states) {
  const YearLine* ordered = line_of(states, "ordered");
  const YearLine* allocated = line_of(states, "allocated");
  if (ordered == nullptr || allocated == nullptr) return {};
  std::vector<YearLine> lines{renamed(*ordered, "on_paper"), *allocated,
                              combined(*ordered, *allocated, "gap", experiment::difference),
                              combined(*allocated, *ordered, "allocated_of_paper", experiment::ratio)};
  lines.back().unit = std::string("%");  // gcc 12 warns of an overlap in the assignment of a literal
  lines.back().factor = 100;
  return lines;
}

std::vector<YearLine> DerivedLines::losses(const std::vector<YearLine>& states) {
  std::vector<YearLine> lines;
  const YearLine* before = nullptr;
  for (const std::string_view state : steps_to_use()) {
    const YearLine* here = line_of(states, state);
    if (here == nullptr) return {};
    if (before != nullptr)
      lines.push_back(combined(*before, *here, before->row.front().c_str(), experiment::difference));
    before = here;
  }
  return lines;
}

}  // namespace natgpu::report
