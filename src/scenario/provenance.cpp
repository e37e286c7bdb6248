// SPDX-License-Identifier: Apache-2.0
// Where a value comes from: `{value, source, as_of, status, low, high, note}`.
#include <algorithm>

#include <fmt/format.h>

#include "walker.hpp"

namespace natgpu::scenario {
namespace {

const std::vector<std::string>& statuses() {
  static const std::vector<std::string> words = {"measured", "published", "assumed"};
  return words;
}

/// A year, a month or a day: sources are seldom dated better.
bool is_as_of(const std::string& text) {
  static constexpr std::string_view missing[] = {"", "-01", "-01-01"};
  Date date;
  return std::any_of(std::begin(missing), std::end(missing), [&](std::string_view rest) {
    return parse_date(text + std::string(rest), date) && !date.is_never;
  });
}

}  // namespace

Node value_part(const Node& node) {
  static const std::vector<std::string> notes = {"source", "as_of", "status", "note"};
  Node part = node;
  part.entries.erase(std::remove_if(part.entries.begin(), part.entries.end(),
                                    [](const Entry& e) {
                                      return std::find(notes.begin(), notes.end(), e.key) != notes.end();
                                    }),
                     part.entries.end());
  return part;
}

/// @return whether the key is one of provenance; it is then taken or reported
bool Walker::read_provenance_key(const Entry& entry, const std::string& path, Provenance& out) {
  struct Row {
    const char* key;
    std::string Assumption::*text;
    const Node* Provenance::*number;
  };
  static const Row rows[] = {
      {"source", &Assumption::source, nullptr},    {"as_of", &Assumption::as_of, nullptr},
      {"status", &Assumption::status, nullptr},    {"note", &Assumption::note, nullptr},
      {"low", &Assumption::low, &Provenance::low}, {"high", &Assumption::high, &Provenance::high},
  };
  const auto* row =
      std::find_if(std::begin(rows), std::end(rows), [&](const Row& r) { return entry.key == r.key; });
  if (row == std::end(rows)) return false;
  if (!is_usable(entry.value, path, entry.key)) return true;
  if (!entry.value.is_scalar()) {
    wrong(Fault::wrong_kind, path, entry.value,
          fmt::format("`{}` is a single value, found {}", entry.key, kind_name(entry.value)));
    return true;
  }
  const std::string& text = entry.value.text;
  if (entry.key == "status" && std::find(statuses().begin(), statuses().end(), text) == statuses().end())
    wrong(Fault::bad_provenance, path, entry.value, fmt::format("`{}` is no status", text),
          suggestion(text, statuses()));
  if (entry.key == "as_of" && !is_as_of(text))
    wrong(Fault::bad_provenance, path, entry.value, fmt::format("`{}` is no date of a source", text),
          "write a year, a month or a day: `2026`, `2026-08`, `2026-08-31`");
  if ((entry.key == "source" || entry.key == "note") && !read_text(entry.value, path)) return true;
  if (row->number != nullptr) out.*(row->number) = &entry.value;
  out.assumption.*(row->text) = text;
  out.is_stated = true;
  return true;
}

/// `low` and `high` are in the field's unit, and the value lies between them.
void Walker::check_stated_range(const Field& field, const Provenance& p, const FieldValue* value,
                                const std::string& path) {
  const bool is_number = field.kind == FieldKind::integer || field.kind == FieldKind::quantity ||
                         field.kind == FieldKind::duration || field.kind == FieldKind::law;
  std::optional<double> low, high;
  for (const Node* bound : {p.low, p.high}) {
    if (bound == nullptr) continue;
    if (!is_number && field.kind != FieldKind::date) {
      wrong(Fault::bad_provenance, path, *bound,
            fmt::format("`{}` is no number and has no range", field.name));
      return;
    }
    if (field.kind == FieldKind::date) {
      read_date(field, *bound, path);
      continue;
    }
    (bound == p.low ? low : high) = read_number(*bound, field.dimension, path);
  }
  double stated = 0;
  if (value == nullptr) {
    if (low && high && *low > *high) wrong(Fault::bad_provenance, path, *p.low, "`low` is above `high`");
    return;
  }
  if (const auto* whole = std::get_if<std::int64_t>(value))
    stated = static_cast<double>(*whole);
  else if (const auto* number = std::get_if<double>(value))
    stated = *number;
  else if (const auto* time = std::get_if<Duration>(value))
    stated = in_seconds(*time);
  else if (const auto* law = std::get_if<Law>(value))
    stated = law->mean();
  else
    return;
  const double slack = 1e-9 * std::max(1.0, stated < 0 ? -stated : stated);  // ticks round times
  if (low && stated < *low - slack) wrong(Fault::bad_provenance, path, *p.low, "`low` is above the value");
  if (high && stated > *high + slack)
    wrong(Fault::bad_provenance, path, *p.high, "`high` is below the value");
}

void Walker::record(Provenance& p, const std::string& path, const Node& value) {
  p.assumption.path = path;
  p.assumption.value = value.is_map() ? flow_text(value_part(value)) : flow_text(value);
  p.assumption.place = mistakes_.place(mark_of(path));
  assumptions_.push_back(std::move(p.assumption));
}

std::optional<std::vector<FieldValue>> Walker::read_with_provenance(const Field& field, const Node& node,
                                                                    const std::string& path) {
  if (field.kind == FieldKind::law && node.find("dist") != nullptr) {
    const auto law = read_law(field, node, path);
    if (!law) return {};
    return std::vector<FieldValue>{*law};
  }
  Provenance p;
  std::vector<std::string> allowed = {"value", "source", "as_of", "status", "low", "high", "note"};
  if (field.kind == FieldKind::law) allowed.insert(allowed.begin(), "dist");
  bool is_good = true;
  for (const Entry& entry : node.entries) {
    if (entry.key == "value") {
      p.value = &entry.value;
    } else if (!read_provenance_key(entry, path, p)) {
      unknown_key(path, entry, allowed, fmt::format("the value of `{}`", field.name));
      is_good = false;
    }
  }
  if (p.value == nullptr) {
    if (is_good)
      wrong(Fault::missing_key, path, node, fmt::format("`{}` needs the key `value`", field.name),
            "write the value itself, or `{value: ..., source: ...}`");
    return {};
  }
  const bool is_nested =
      p.value->is_map() && !(field.kind == FieldKind::law && p.value->find("dist") != nullptr);
  if (is_nested) {
    wrong(Fault::wrong_kind, path, *p.value, fmt::format("`value` of `{}` is a map", field.name));
    return {};
  }
  const auto values = read_leaf(field, *p.value, path);
  const bool is_single = values && values->size() == 1 && !field.list;
  check_stated_range(field, p, is_single ? &values->front() : nullptr, path);
  if (p.is_stated) record(p, path, *p.value);
  return is_good ? values : std::nullopt;
}

}  // namespace natgpu::scenario
