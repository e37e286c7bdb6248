// SPDX-License-Identifier: Apache-2.0
#include "scheduling_words.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "escape.hpp"

namespace natgpu::report {
namespace {

using scheduling::Order;
using scheduling::PreemptionSettings;
using scheduling::Scheduling;

std::string in_brackets(const std::vector<std::string>& parts) {
  return parts.empty() ? std::string() : fmt::format(" ({})", fmt::join(parts, ", "));
}
std::string seconds_of(const char* what, Duration length) {
  return fmt::format("{} {} s", what, csv_number(in_seconds(length)));
}
std::string thresholds_of(const PreemptionSettings& p) {
  std::vector<double> hours = p.thresholds;
  if (hours.empty())
    hours.assign(std::begin(scheduling::usual_thresholds), std::end(scheduling::usual_thresholds));
  std::vector<std::string> numbers;
  for (const double h : hours) numbers.push_back(csv_number(h));
  return fmt::format("thresholds {} GPU.h", fmt::join(numbers, " and "));
}

}  // namespace

std::string chosen(const Scheduling& rules, const char* key) {
  const FieldTable& table = fields_of(static_cast<const Scheduling*>(nullptr));
  return std::get<std::string>(table.find(key)->read(&rules).front());
}

std::string view_in_words(const scenario::Scenario& scenario) {
  const Scheduling& rules = scenario.scheduling;
  if (rules.view == scheduling::View::pool) return chosen(rules, "view");
  std::vector<std::string> parts{"placement " + chosen(rules, "placement")};
  if (rules.locality > 0) parts.push_back("locality " + csv_number(rules.locality));
  bool cut = false;
  for (const supply::Device& device : scenario.hardware) {
    if (device.mig.empty()) continue;
    parts.push_back(fmt::format("{}{}={}", cut ? "" : "MIG ", markdown_text(device.name), device.mig));
    cut = true;
  }
  if (cut) parts.push_back("positions " + chosen(rules, "mig_positions"));
  return chosen(rules, "view") + in_brackets(parts);
}

std::string sharing_in_words(const Scheduling& rules) {
  std::vector<std::string> parts;
  if (rules.sharing == scheduling::Sharing::gang) parts.push_back(seconds_of("quantum", rules.quantum));
  for (const scheduling::SharingWeight& w : rules.weights)
    parts.push_back(
        fmt::format("{}{} {}", parts.empty() ? "weights " : "", markdown_text(w.name), csv_number(w.weight)));
  return chosen(rules, "sharing") + in_brackets(parts);
}

std::string preemption_in_words(const Scheduling& rules) {
  if (!preempts(rules)) return {};
  const PreemptionSettings& p = rules.preemption;
  const bool by_mode = p.mode != PreemptionSettings::Mode::none;
  std::vector<std::string> parts;
  if (by_mode) parts.push_back(seconds_of("shield", p.shield));
  if (rules.order == Order::las) parts.push_back(seconds_of("quantum", p.quantum));
  if (rules.order == Order::las2d) parts.push_back(thresholds_of(p));
  if (p.promote > 0) parts.push_back(fmt::format("promotion {}", p.promote));
  const bool in_rounds = p.rounds > Duration{0} || by_target(rules.order);
  if (in_rounds)
    parts.push_back(seconds_of("rounds", p.rounds > Duration{0} ? p.rounds : scheduling::usual_round));
  if (p.notice > Duration{0}) parts.push_back(seconds_of("notice", p.notice));
  const FieldTable& table = fields_of(static_cast<const PreemptionSettings*>(nullptr));
  const std::string mode = std::get<std::string>(table.find("mode")->read(&p).front());
  return (by_mode ? mode : "by order") + in_brackets(parts);
}

}  // namespace natgpu::report
