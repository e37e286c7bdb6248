// SPDX-License-Identifier: Apache-2.0
#include "uncertainty.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "settings.hpp"

namespace natgpu::scenario {
namespace {

constexpr double day_of_never = 1e9;

/// Parts of a scenario that shape a run and whose values are not its terms.
constexpr std::array<std::string_view, 5> uncertain_parts{"hardware", "supply", "demand", "access",
                                                          "scheduling"};

bool is_law_of_dates(std::string_view law) {
  return law == "uniform" || law == "triangular" || law == "discrete";
}

bool may_be_uncertain(const Field& field) {
  constexpr std::array<FieldKind, 5> kinds{FieldKind::integer, FieldKind::quantity, FieldKind::duration,
                                           FieldKind::date, FieldKind::law};
  return !field.list && std::find(kinds.begin(), kinds.end(), field.kind) != kinds.end();
}

struct NumberOf {
  double operator()(std::int64_t v) const { return static_cast<double>(v); }
  double operator()(double v) const { return v; }
  double operator()(Duration v) const { return in_seconds(v); }
  double operator()(const Date& v) const { return days_of(v); }
  double operator()(bool) const { return 0; }
  double operator()(const std::string&) const { return 0; }
  double operator()(const Law& v) const { return v.a; }
};

/// Checks one uncertainty and gives it its distribution.
class Reader {
 public:
  Reader(const Node& root, const std::map<std::string, std::string>& known, Walker& walker,
         Mistakes& mistakes)
      : root_(root), known_(known), walker_(walker), mistakes_(mistakes) {}

  void read(Uncertainty& u, const Node& value, const std::string& at) {
    const auto steps = locate_path(u, at);
    if (!steps) return;
    if (const auto stated = known_.find(u.path); stated != known_.end()) u.known_from = stated->second;
    const Field& target = *steps->back().field;
    u.kind = target.kind;
    u.dimension = target.dimension;
    u.stated = flow_text(value_part(value));
    const auto law = walker_.read_uncertain(target, value, child_path(at, "value"));
    if (!law) return;
    u.value = *law;
    if (u.known_from.empty()) check_central(u, *steps, value);
  }

 private:
  std::optional<std::vector<Step>> locate_path(const Uncertainty& u, const std::string& at) {
    if (u.path.empty()) return {};  // reported as missing
    Mark mark = walker_.mark_of(child_path(at, "path"));
    const std::string_view written = mistakes_.from(mark);
    if (!written.empty() && (written.front() == '"' || written.front() == '\'')) ++mark.byte;
    auto steps = locate({u.path, mark, {}}, root_, mistakes_);
    if (!steps) return {};
    const auto refuse = [&](const std::string& message, const std::string& help) {
      mistakes_.add(Fault::bad_uncertainty, mark, display_width(u.path), message, help);
    };
    if (std::find(uncertain_parts.begin(), uncertain_parts.end(), steps->front().field->name) ==
        uncertain_parts.end()) {
      refuse(fmt::format("`{}` is a term of the experiment and not uncertain", u.path),
             fmt::format("name a value of {}", fmt::join(uncertain_parts, ", ")));
      return {};
    }
    if (!may_be_uncertain(*steps->back().field)) {
      refuse(fmt::format("`{}` is no single number, time or date", u.path),
             "state the alternatives as `policies` and compare them");
      return {};
    }
    if (!seen_.emplace(u.path, u.name).second) {
      refuse(fmt::format("`{}` is the path of `{}` as well", u.path, seen_.at(u.path)), "keep one of them");
      return {};
    }
    return steps;
  }

  /// The file's own value has to be one that can be drawn: it stands for all of them where nothing is drawn.
  void check_central(const Uncertainty& u, const std::vector<Step>& steps, const Node& value) {
    const Node* written = node_at(steps, root_);
    if (written == nullptr) return;
    Walker scratch(mistakes_);
    const auto read = scratch.read_leaf(*steps.back().field, *written, u.path);
    if (!read || read->size() != 1) return;
    const auto refuse = [&](const std::string& message, const std::string& help) {
      mistakes_.add(Fault::bad_uncertainty, value.mark, caret_width(value), message, help);
    };
    const auto* law = std::get_if<Law>(&read->front());
    if (law != nullptr && law->kind != Law::Kind::constant) {
      refuse(fmt::format("`{}` is a distribution already, which a drawn value would replace", u.path),
             "state a plain value there, or leave the uncertainty out");
      return;
    }
    const double central = std::visit(NumberOf{}, read->front());
    const double slack = 1e-9 * std::max(1.0, std::abs(central));
    if (central < u.value.lowest() - slack || central > u.value.highest() + slack)
      refuse(fmt::format("`{}` is {} in the file, which is never drawn", u.path, flow_text(*written)),
             "widen the distribution, or correct the value");
  }

  const Node& root_;
  const std::map<std::string, std::string>& known_;
  Walker& walker_;
  Mistakes& mistakes_;
  std::map<std::string, std::string> seen_;  // path -> name
};

}  // namespace

double days_of(const Date& date) {
  return date.is_never ? day_of_never : static_cast<double>(date.day.time_since_epoch().count());
}

Date date_of(double days) {
  if (days >= day_of_never) return Date::never();
  Date date;
  date.day = std::chrono::sys_days{std::chrono::days{static_cast<int>(std::floor(days))}};
  return date;
}

std::vector<Node> take_uncertain_values(Node& root) {
  std::vector<Node> values;
  Node* list = root.find("uncertainties");
  if (list == nullptr || !list->is_list()) return values;
  for (Node& item : list->items) {
    if (item.kind == Node::Kind::empty || item.kind == Node::Kind::broken) continue;  // the walker drops them
    Node& value = values.emplace_back();
    value.mark = item.mark;
    const auto at = std::find_if(item.entries.begin(), item.entries.end(),
                                 [](const Entry& e) { return e.key == "value"; });
    if (at == item.entries.end()) continue;
    value = std::move(at->value);
    item.entries.erase(at);
  }
  return values;
}

void read_uncertainties(std::vector<Uncertainty>& all, const std::vector<Node>& values, const Node& root,
                        const std::map<std::string, std::string>& known, Walker& walker, Mistakes& mistakes) {
  Reader reader(root, known, walker, mistakes);
  for (std::size_t i = 0; i < std::min(all.size(), values.size()); ++i) {
    if (values[i].kind == Node::Kind::broken) continue;
    const std::string name = all[i].name.empty() ? std::to_string(i + 1) : all[i].name;
    if (values[i].kind == Node::Kind::empty)
      mistakes.add(Fault::missing_key, values[i].mark, 1,
                   fmt::format("uncertainty `{}` needs the key `value`", name),
                   "write its distribution: `value: {dist: triangular, low: ..., mode: ..., high: ...}`");
    else
      reader.read(all[i], values[i], item_path("uncertainties", name));
  }
}

std::optional<Law> Walker::read_uncertain(const Field& target, const Node& value, const std::string& path) {
  Field field = target;
  field.kind = FieldKind::law;
  field.required = false;
  const auto flaw = [&](const std::string& message) {
    wrong(Fault::bad_uncertainty, path, value, message,
          "write `{dist: triangular, low: ..., mode: ..., high: ...}`, or another of docs/scenarios.md");
    return std::optional<Law>{};
  };
  Node node = value;
  if (target.kind == FieldKind::date) {
    field.dimension = Dimension::count;
    if (!dates_to_days(target, node, path)) return {};
  }
  if (!node.is_map()) return flaw("an uncertainty is a distribution");
  const auto read = read_leaf(field, node, path);
  if (!read || read->size() != 1) return {};
  const Law law = std::get<Law>(read->front());
  if (law.kind == Law::Kind::constant) return flaw("one value is no uncertainty");
  if (!law.has_quantile()) return flaw("this distribution is not drawn by one number");
  return law;
}

/// Turns the dates of a distribution into days, so that it reads as one of plain numbers.
bool Walker::dates_to_days(const Field& target, Node& node, const std::string& path) {
  if (!node.is_map()) return true;  // refused later
  bool is_good = true;
  const auto convert = [&](Node& text, bool may_be_never) {
    if (!text.is_scalar()) return;
    const auto date = read_date(target, text, path);
    is_good = is_good && date;
    if (!date) return;
    if (std::get<Date>(*date).is_never && !may_be_never) {
      wrong(Fault::bad_uncertainty, path, text, "`never` has no place in a range of days",
            "state it among the values of `{dist: discrete, values: [...], weights: [...]}`");
      is_good = false;
      return;
    }
    text.text = fmt::format("{}", days_of(std::get<Date>(*date)));
  };
  for (Entry& entry : node.entries) {
    if (entry.key == "value") is_good = dates_to_days(target, entry.value, path) && is_good;
    if (entry.key == "dist" && !is_law_of_dates(entry.value.text)) {
      wrong(Fault::bad_uncertainty, path, entry.value,
            fmt::format("`{}` is no law of dates", entry.value.text),
            "dates are uniform, triangular or discrete");
      return false;
    }
    for (const char* key : {"low", "mode", "high"})
      if (entry.key == key) convert(entry.value, false);
    if (entry.key == "values")
      for (Node& item : entry.value.items) convert(item, true);
  }
  return is_good;
}

}  // namespace natgpu::scenario
