// SPDX-License-Identifier: Apache-2.0
#include "sweep_axes.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <natgpu/core/units.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/experiment/design.hpp>

#include "command.hpp"

namespace natgpu::cli {
namespace {

constexpr std::size_t most_points = 1'000'000;

[[noreturn]] void refuse(const std::string& text, const std::string& help) {
  throw UsageError(fmt::format("`{}` is no axis", printable(text)), help);
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

/// Parts between separators that stand outside brackets, braces and quotes.
std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts{""};
  int depth = 0;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0)
      quote = c == quote ? '\0' : quote;
    else if (c == '"' || c == '\'')
      quote = c;
    else if (c == '[' || c == '{')
      ++depth;
    else if (c == ']' || c == '}')
      --depth;
    if (c == separator && depth == 0 && quote == 0)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  for (std::string& part : parts) part = trimmed(part);
  return parts;
}

/// Path and what stands behind the first `=`.
std::pair<std::string, std::string> path_and_rest(const std::string& text, const std::string& help) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) refuse(text, help);
  return {trimmed(text.substr(0, equals)), trimmed(text.substr(equals + 1))};
}

}  // namespace

Range read_range(const std::string& text) {
  const std::string help = "write `--range 'supply.tranches[a].units=8 GPU..20 GPU'`";
  Range r;
  const auto [path, rest] = path_and_rest(text, help);
  r.path = path;
  const std::size_t dots = rest.find("..");
  if (dots == std::string::npos) refuse(text, help);
  const auto read = [&](const std::string& end, double& value, std::string& unit) {
    const std::size_t blank = std::min(end.find(' '), end.size());
    if (parse_number(end.substr(0, blank), value) != QuantityError::none) refuse(text, help);
    unit = trimmed(end.substr(blank));
    return end.substr(0, blank).find_first_of(".e") == std::string::npos;
  };
  std::string low_unit;
  const bool low_whole = read(trimmed(rest.substr(0, dots)), r.low, low_unit);
  const bool high_whole = read(trimmed(rest.substr(dots + 2)), r.high, r.unit);
  r.whole = low_whole && high_whole;
  if ((!low_unit.empty() && low_unit != r.unit) || !(r.low < r.high)) refuse(text, help);
  return r;
}

std::string value_at(const Range& r, double u) {
  const double v =
      r.whole ? std::min(r.high, std::floor(r.low + u * (r.high - r.low + 1))) : r.low + u * (r.high - r.low);
  const std::string text = r.whole ? fmt::format("{:.0f}", v) : fmt::format("{:.9g}", v);
  return r.unit.empty() ? text : text + " " + r.unit;
}

Axis list_axis(const std::string& text) {
  const auto [path, rest] = path_and_rest(text, "write `--axis 'supply.sites[a].pue=1.1,1.2'`");
  Axis axis{{path}, {}};
  for (const std::string& value : split(rest, ',')) {
    if (value.empty()) refuse(text, "a value is empty");
    axis.rows.push_back({value});
  }
  return axis;
}

Axis zipped_axis(const std::string& text) {
  Axis axis;
  for (const std::string& part : split(text, ';')) {
    const Axis one = list_axis(part);
    if (axis.paths.empty()) axis.rows.resize(one.rows.size());
    if (one.rows.size() != axis.rows.size()) refuse(text, "zipped paths have equally many values");
    axis.paths.push_back(one.paths.front());
    for (std::size_t i = 0; i < one.rows.size(); ++i) axis.rows[i].push_back(one.rows[i].front());
  }
  return axis;
}

Axis sampled_axis(const std::vector<std::string>& ranges, const std::string& sample, std::uint64_t seed) {
  std::vector<Range> read;
  for (const std::string& text : ranges) read.push_back(read_range(text));
  const std::size_t colon = std::min(sample.find(':'), sample.size());
  const std::string kind = sample.substr(0, colon);
  long long n = 0;
  if ((kind != "lhs" && kind != "sobol") || colon == sample.size() ||
      parse_integer(sample.substr(colon + 1), n) != QuantityError::none || n < 1 ||
      n > static_cast<long long>(most_points))
    throw UsageError(fmt::format("--sample: `{}` is no design", printable(sample)),
                     "write lhs:100 or sobol:128");
  const auto count = static_cast<std::size_t>(n);
  const auto points = kind == "lhs" ? experiment::latin_hypercube(count, read.size(), seed)
                                    : experiment::sobol_points(count, read.size());
  Axis axis;
  for (const Range& r : read) axis.paths.push_back(r.path);
  for (const experiment::UnitPoint& p : points) {
    axis.rows.emplace_back();
    for (std::size_t d = 0; d < read.size(); ++d) axis.rows.back().push_back(value_at(read[d], p[d]));
  }
  return axis;
}

Axis product(const std::vector<Axis>& axes) {
  Axis all{{}, {{}}};
  for (const Axis& axis : axes) {
    if (axis.rows.size() > most_points / all.rows.size())
      throw UsageError(fmt::format("more than {} points", most_points),
                       "sample the space: --sample lhs:1000");
    for (const std::string& path : axis.paths) {
      if (std::find(all.paths.begin(), all.paths.end(), path) != all.paths.end())
        throw UsageError(fmt::format("`{}` stands on two axes", printable(path)));
      all.paths.push_back(path);
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& before : all.rows)
      for (const auto& row : axis.rows) {
        rows.push_back(before);
        rows.back().insert(rows.back().end(), row.begin(), row.end());
      }
    all.rows = std::move(rows);
  }
  return all;
}

}  // namespace natgpu::cli
