// SPDX-License-Identifier: Apache-2.0
// The answer of `natgpu solve`.
#include <natgpu/report/solution.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/report/build_info.hpp>

#include "escape.hpp"
#include "figures.hpp"
#include "json_parts.hpp"

namespace natgpu::report {
namespace {

using experiment::Solution;
using experiment::Tried;
using Outcome = Solution::Outcome;

constexpr std::string_view solution_schema = "natgpu-solve/1";

const char* name_of(Outcome outcome) {
  static constexpr std::array<const char*, 5> names{"found", "met_everywhere", "met_nowhere", "not_monotone",
                                                    "interrupted"};
  return names[static_cast<std::size_t>(outcome)];
}

std::string percent(double share) {
  return fmt::format("{:g} %", 100 * share);
}

std::string verdict_of(const Tried& t, double confidence) {
  if (t.estimate.n < t.estimate.values.size())
    return fmt::format("no value in {} of {} replications", t.estimate.values.size() - t.estimate.n,
                       t.estimate.values.size());
  return t.p_met <= 1 - confidence ? "met" : t.p_missed <= 1 - confidence ? "missed" : "open";
}

std::string answer_text(const SolutionResult& r) {
  const Solution& s = r.solution;
  const auto at = [&](std::size_t point) { return r.value(point); };
  switch (s.outcome) {
    case Outcome::found: {
      std::string text =
          fmt::format("{}: the {} value of {} that meets {} with {} confidence\n", at(s.answer),
                      s.smallest ? "smallest" : "largest", r.path, r.target, percent(r.confidence));
      text += fmt::format("  by the mean alone: {}\n", at(s.estimate));
      if (s.excluded)
        text += fmt::format("  excluded with the same confidence: {} and {}\n", at(*s.excluded),
                            s.smallest ? "below" : "above");
      else
        text += "  no value of the range can be excluded with the same confidence\n";
      return text;
    }
    case Outcome::met_everywhere:
      return fmt::format("every value from {} to {} meets {} with {} confidence\n", at(0), at(r.last),
                         r.target, percent(r.confidence));
    case Outcome::met_nowhere:
      return fmt::format("no end of the range {} to {} meets {} with {} confidence\n", at(0), at(r.last),
                         r.target, percent(r.confidence));
    case Outcome::not_monotone: {
      const auto next =
          std::find_if(s.tried.begin(), s.tried.end(), [&](const Tried& t) { return t.point > s.against; });
      return fmt::format(
          "refused: the response is not monotone. It turns between {} and {} (5 %, Holm), so that there may "
          "be several "
          "answers or none; narrow the range\n",
          at(s.against), next == s.tried.end() ? at(r.last) : at(next->point));
    }
    case Outcome::interrupted:
      break;
  }
  return "interrupted; there is no answer\n";
}

std::string point_json(const SolutionResult& r, std::optional<std::size_t> point) {
  return point ? json_text(r.value(*point)) : "null";
}

}  // namespace

std::string solution_text(const SolutionResult& r) {
  std::string out =
      fmt::format("{}: policy {}, seed {}, {} replications at each value, the same draws for all\n",
                  printable(r.scenario), printable(r.policy), r.seed, r.replications);
  out += answer_text(r) + "\n";
  double largest = 0;
  int widest = 0;
  for (const Tried& t : r.solution.tried) {
    if (std::isfinite(t.estimate.mean)) largest = std::max(largest, std::abs(t.estimate.mean));
    widest = std::max(widest, display_width(r.value(t.point)));
  }
  for (const Tried& t : r.solution.tried) {
    const Style style = style_of(t.estimate.metric, t.estimate.unit, largest);
    const std::string value = r.value(t.point);
    out += fmt::format("  {}{}  {} {}  {}\n",
                       std::string(static_cast<std::size_t>(widest - display_width(value)), ' '),
                       printable(value), figure(t.estimate, style.factor, style.decimals), style.unit,
                       verdict_of(t, r.confidence));
  }
  return out +
         "\nValues are judged one-sided, as in a fixed sequence from the end that meets the target; "
         "intervals are "
         "Student-t 95 %.\n";
}

std::string solution_json(const SolutionResult& r) {
  const Solution& s = r.solution;
  const bool found = s.outcome == Outcome::found;
  const auto tried = [&](const Tried& t) {
    return fmt::format("{{\"value\": {}, \"verdict\": {}, \"p_met\": {}, \"p_missed\": {}, {}}}",
                       json_text(r.value(t.point)), json_text(verdict_of(t, r.confidence)),
                       json_number(t.p_met), json_number(t.p_missed), estimate_json(t.estimate));
  };
  return fmt::format(
      "{{\n  \"schema\": \"{}\",\n  \"version\": {},\n  \"scenario\": {},\n  \"policy\": {},\n  \"path\": "
      "{},\n"
      "  \"target\": {},\n  \"confidence\": {},\n  \"seed\": {},\n  \"replications\": {},\n  \"outcome\": "
      "\"{}\",\n"
      "  \"side\": \"{}\",\n  \"answer\": {},\n  \"by_mean\": {},\n  \"excluded\": {},\n  \"tried\": "
      "{}\n}}\n",
      solution_schema, json_text(build_info().version), json_text(r.scenario), json_text(r.policy),
      json_text(r.path), json_text(r.target), json_number(r.confidence), r.seed, r.replications,
      name_of(s.outcome), s.smallest ? "smallest" : "largest", found ? point_json(r, s.answer) : "null",
      found ? point_json(r, s.estimate) : "null", found ? point_json(r, s.excluded) : "null",
      array_json(s.tried, tried));
}

}  // namespace natgpu::report
