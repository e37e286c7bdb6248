// SPDX-License-Identifier: Apache-2.0
#include "lever.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include <natgpu/core/calendar.hpp>
#include <natgpu/core/units.hpp>
#include <natgpu/core/utf8.hpp>

#include "command.hpp"

namespace natgpu::cli {
namespace {

constexpr double most_points = 100'000;

struct Written {
  double number = 0;
  std::string unit;
  bool is_date = false;
};

Written read(const std::string& option, const std::string& text) {
  Written w;
  Date date;
  if (parse_date(text, date) && !date.is_never) {
    w.is_date = true;
    w.number = static_cast<double>(date.day.time_since_epoch().count());
    return w;
  }
  const std::size_t end = std::min(text.find(' '), text.size());
  if (parse_number(text.substr(0, end), w.number) != QuantityError::none)
    throw UsageError(fmt::format("{}: `{}` is neither a number nor a date", option, printable(text)),
                     "write it as in the scenario: `8 GPU`, `0.2`, `2027-03-01`");
  if (end < text.size()) w.unit = text.substr(end + 1);
  return w;
}

bool is_whole(double v) {
  return v == std::floor(v);
}

}  // namespace

Lever::Lever(std::string path, const std::string& from, const std::string& to, const std::string& step)
    : path_(std::move(path)) {
  const Written a = read("--from", from), b = read("--to", to);
  if (a.is_date != b.is_date || a.unit != b.unit)
    throw UsageError(fmt::format("--to: `{}` is not of the kind of --from", printable(to)),
                     "write both in the same unit");
  is_date_ = a.is_date;
  unit_ = a.unit;
  from_ = a.number;
  step_ = is_date_ || (is_whole(a.number) && is_whole(b.number)) ? 1 : (b.number - a.number) / 100;
  if (!step.empty()) {
    const Written s = read("--step", step);
    if (s.is_date || s.unit != (is_date_ ? "d" : unit_))
      throw UsageError(fmt::format("--step: `{}` is not in the unit of --from", printable(step)),
                       is_date_ ? "write days: `30 d`" : "");
    step_ = s.number;
  }
  const double count = std::floor((b.number - a.number) / step_ * (1 + 1e-12)) + 1;
  if (!(step_ > 0) || !(count >= 2) || count > most_points || (is_date_ && !is_whole(step_)))
    throw UsageError("--from, --to and --step make no row of values",
                     fmt::format("--from below --to, and 2 to {} values", most_points));
  points_ = static_cast<std::size_t>(count);
}

std::string Lever::value(std::size_t point) const {
  const double number = from_ + step_ * static_cast<double>(point);
  if (is_date_)
    return to_string(Date{std::chrono::sys_days{std::chrono::days{static_cast<int>(number)}}, false});
  // Twelve digits hide the last bits of steps like 0.1, which binary cannot hold.
  const std::string text = is_whole(number) && std::abs(number) < 1e15 ? fmt::format("{:.0f}", number)
                                                                       : fmt::format("{:.12g}", number);
  return unit_.empty() ? text : text + " " + unit_;
}

}  // namespace natgpu::cli
