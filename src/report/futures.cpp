// SPDX-License-Identifier: Apache-2.0
#include "futures.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <natgpu/scenario/futures.hpp>

#include "escape.hpp"
#include "figures.hpp"
#include "json_parts.hpp"
#include "markdown_table.hpp"

namespace natgpu::report {
namespace {

using scenario::Uncertainty;

std::string uncertainty_json(const Uncertainty& u, const std::vector<simulation::RunRecord>& records) {
  std::vector<std::string> values;
  std::string unit;
  if (u.known_from.empty())
    for (const simulation::RunRecord& r : records) {
      const scenario::DrawnValue drawn = scenario::drawn_value(u, r.seed, r.replication);
      unit = drawn.unit;
      values.push_back(unit == "date" ? json_text(drawn.number) : drawn.number);
    }
  return fmt::format(
      "{{\"name\": {}, \"path\": {}, \"distribution\": {}, \"known_from\": {}, \"unit\": {}, \"values\": "
      "[{}]}}",
      json_text(u.name), json_text(u.path), json_text(u.stated),
      u.known_from.empty() ? "null" : json_text(u.known_from), json_text(unit), fmt::join(values, ", "));
}

}  // namespace

std::string uncertainties_json(const std::vector<const Uncertainty*>& all,
                               const std::vector<simulation::RunRecord>& records) {
  return array_json(all, [&](const Uncertainty* u) { return uncertainty_json(*u, records); });
}

std::string draws_head() {
  return "policy,replication,uncertainty,path,unit,value\n";
}

std::string draws_rows(const std::string& policy, const scenario::Scenario& scenario,
                       const std::vector<simulation::RunRecord>& records) {
  std::string out;
  for (const simulation::RunRecord& r : records)
    for (const Uncertainty* u : scenario::drawn_uncertainties(scenario)) {
      const scenario::DrawnValue value = scenario::drawn_value(*u, r.seed, r.replication);
      out += fmt::format("{},{},{},{},{},{}\n", policy, r.replication, csv_text(u->name), csv_text(u->path),
                         csv_text(value.unit), value.number);
    }
  return out;
}

std::string outcomes_json(const experiment::OutcomeRange& o) {
  if (!std::isfinite(o.p5)) return "null";
  return fmt::format("{{\"p5\": {}, \"p5_ci95\": {}, \"p95\": {}, \"p95_ci95\": {}}}", json_number(o.p5),
                     interval_json(o.p5_ci), json_number(o.p95), interval_json(o.p95_ci));
}

std::string share_json(const experiment::Share& share, const char* hits) {
  return fmt::format("{{\"{}\": {}, \"of\": {}, \"ci95\": {}}}", hits, share.hits, share.of,
                     interval_json(share.ci));
}

std::string range_figure(const experiment::OutcomeRange& range, double factor, int decimals) {
  if (!std::isfinite(range.p5)) return "-";
  const auto shown = [&](double value) {
    experiment::Estimate e;
    e.mean = value;
    e.half_width = std::nan("");
    return figure(e, factor, std::min(decimals, 4));
  };
  return fmt::format("{} to {}", shown(range.p5), shown(range.p95));
}

std::string count_text(const experiment::Share& share) {
  return fmt::format("{} of {}", share.hits, share.of);
}

std::string share_text(const experiment::Share& share) {
  if (share.of == 0) return "-";
  return fmt::format("{:.0f} %, Clopper-Pearson 95 %: {:.0f} to {:.0f} %",
                     100 * static_cast<double>(share.hits) / static_cast<double>(share.of),
                     100 * share.ci.low, 100 * share.ci.high);
}

std::string futures_line(const scenario::Scenario& scenario) {
  std::vector<std::string> drawn, known;
  for (const Uncertainty& u : scenario.uncertainties)
    (u.known_from.empty() ? drawn : known)
        .push_back(u.known_from.empty() ? u.name : fmt::format("{} from {}", u.name, u.known_from));
  std::string out = fmt::format("each replication is a future: drawn {}", fmt::join(drawn, ", "));
  if (!known.empty()) out += fmt::format("; known {}", fmt::join(known, ", "));
  return out;
}

std::string futures_page(const RunResult& result, const Catalogue& say) {
  const scenario::Scenario& s = *result.scenario;
  if (!scenario::has_futures(s)) return {};
  const auto words = [&](Say sentence) { return std::string(say(sentence)); };
  std::string out = "## " + words(Say::futures) + "\n\n" +
                    fmt::format(fmt::runtime(say(Say::futures_text)), experiment::least_outcomes()) + "\n\n";
  out +=
      table_head({words(Say::uncertain), words(Say::path), words(Say::distribution), words(Say::known)}, 4);
  for (const Uncertainty& u : s.uncertainties) {
    const std::string& title = say.local(u.title);
    out += table_row({markdown_text(title.empty() ? u.name : title), markdown_text(u.path),
                      markdown_text(u.stated), markdown_text(u.known_from)});
  }
  out += "\n" + table_head({words(Say::measure), words(Say::period), words(Say::estimate),
                            words(Say::outcomes), words(Say::unit)},
                           2);
  for (const Selection& what : headlines())
    for (const YearLine& line : lines_by_year(result.summary, what)) {
      const experiment::Estimate& e = *latest(line);
      out += table_row(
          {fmt::format("{} (`{}`)", say.metric(line.metric), line.metric),
           line.years.empty() ? words(Say::total) : fmt::format("{}", line.years.rbegin()->first),
           figure(e, line), range_figure(experiment::outcome_range(e.values), line.factor, line.decimals),
           markdown_text(line.unit)});
    }
  return out + "\n";
}

}  // namespace natgpu::report
