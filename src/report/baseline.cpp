// SPDX-License-Identifier: Apache-2.0
// Baselines: the values that a check compares with, in and out.
#include <natgpu/report/baseline.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/hash.hpp>
#include <natgpu/core/utf8.hpp>

#include "escape.hpp"
#include "figures.hpp"
#include "json_parts.hpp"

namespace natgpu::report {
namespace {

using experiment::BaselineEntry;
using experiment::BaselineRow;
using experiment::Estimate;
using Json = nlohmann::ordered_json;

constexpr std::string_view baseline_schema = "natgpu-baseline/1";

/// What is wrong with the file, in words.
class Refusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

const Json& member(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) throw Refusal(fmt::format("`{}` is missing", key));
  return object[key];
}

const Json& list(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_array()) throw Refusal(fmt::format("`{}` is no list", key));
  return value;
}

std::string text(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_string()) throw Refusal(fmt::format("`{}` is no text", key));
  return value.get<std::string>();
}

std::uint64_t fingerprint(const Json& value) {
  const std::string digits = value.is_string() ? value.get<std::string>() : "";
  if (digits.size() != 16 || digits.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw Refusal("a fingerprint has 16 hexadecimal digits");
  return std::stoull(digits, nullptr, 16);
}

scenario::Side side(const std::string& word) {
  for (const scenario::Side s : {scenario::Side::higher, scenario::Side::lower, scenario::Side::same})
    if (experiment::name_of(s) == word) return s;
  throw Refusal(fmt::format("`better` is higher, lower or same, not `{}`", printable(word)));
}

BaselineRow row_of(const Json& json, std::size_t replications) {
  BaselineRow row;
  row.metric = text(json, "metric");
  row.unit = text(json, "unit");
  row.better = side(text(json, "better"));
  row.margin = text(json, "margin");
  const std::string flaw = experiment::margin_flaw(row.margin);
  if (!flaw.empty()) throw Refusal(flaw);
  const Json& labels = member(json, "labels");
  if (!labels.is_object()) throw Refusal("`labels` is no map");
  for (const auto& [key, value] : labels.items()) {
    if (!value.is_string()) throw Refusal("a label is no text");
    row.labels.emplace_back(key, value.get<std::string>());
  }
  for (const Json& value : list(json, "values")) {
    if (!value.is_number() && !value.is_null())
      throw Refusal(fmt::format("{}: a value is no number", row.metric));
    row.values.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>());
  }
  if (row.values.size() != replications)
    throw Refusal(fmt::format("{}: {} values for {} replications", printable(row.metric), row.values.size(),
                              replications));
  return row;
}

BaselineEntry entry_of(const Json& json) {
  BaselineEntry entry;
  entry.scenario = text(json, "scenario");
  entry.policy = text(json, "policy");
  entry.hash = text(json, "hash");
  const Json& seed = member(json, "seed");
  if (!seed.is_number_unsigned()) throw Refusal("`seed` is no whole number");
  entry.seed = seed.get<std::uint64_t>();
  for (const Json& value : list(json, "fingerprints")) entry.fingerprints.push_back(fingerprint(value));
  for (const Json& value : list(json, "checks"))
    entry.rows.push_back(row_of(value, entry.fingerprints.size()));
  return entry;
}

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  refuse_file(path, "E0506", why, "record a baseline with --update-baseline");
}

std::string row_json(const BaselineRow& row) {
  std::vector<std::string> values;
  for (const double v : row.values) values.push_back(json_number(v));
  return fmt::format(
      "{{\"metric\": {}, \"labels\": {}, \"unit\": {}, \"better\": \"{}\", \"margin\": {},\n"
      "     \"values\": [{}]}}",
      json_text(row.metric), labels_json(row.labels), json_text(row.unit), experiment::name_of(row.better),
      json_text(row.margin), fmt::join(values, ", "));
}

std::string entry_json(const BaselineEntry& e) {
  std::vector<std::string> fingerprints;
  for (const std::uint64_t f : e.fingerprints) fingerprints.push_back('"' + hex64(f) + '"');
  return fmt::format(
      "  {{\"scenario\": {}, \"policy\": {}, \"hash\": {}, \"seed\": {},\n   \"fingerprints\": [{}],\n"
      "   \"checks\": {}}}",
      json_text(e.scenario), json_text(e.policy), json_text(e.hash), e.seed, fmt::join(fingerprints, ", "),
      array_json(e.rows, row_json));
}

Estimate estimate_of(const BaselineRow& row) {
  Estimate e;
  e.unit = row.unit;
  e.values = row.values;
  experiment::estimate_from_values(e);
  return e;
}

std::string diff_line(const BaselineRow* old, const BaselineRow& row, bool paired) {
  const Estimate now = estimate_of(row);
  const std::string labels = measures::to_string(row.labels);
  const Style style = style_of(row.metric, row.unit, std::abs(now.mean));
  const auto shown = [&](const Estimate& e) { return figure(e, style.factor, style.decimals); };
  std::string line = fmt::format("  {}{}{}: ", row.metric, labels.empty() ? "" : " ", printable(labels));
  if (old == nullptr) return line + fmt::format("new, {} {}\n", shown(now), style.unit);
  const Estimate then = estimate_of(*old);
  line += fmt::format("{} -> {} {}", shown(then), shown(now), style.unit);
  if (paired && old->values.size() == row.values.size())
    line += fmt::format(", difference {}", shown(experiment::difference(now, then)));
  else
    line += ", not paired: other seed or replications";
  if (old->margin != row.margin || old->better != row.better)
    line += fmt::format("; {} by {} -> {} by {}", experiment::name_of(old->better), printable(old->margin),
                        experiment::name_of(row.better), printable(row.margin));
  return line + "\n";
}

}  // namespace

std::vector<BaselineEntry> read_baseline(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) refuse(path, "the baseline cannot be read");
  const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const Json json = Json::parse(bytes, nullptr, false);
  if (json.is_discarded()) refuse(path, "not valid JSON");
  try {
    if (text(json, "schema") != baseline_schema)
      throw Refusal(fmt::format("`schema` is not {}", baseline_schema));
    std::vector<BaselineEntry> entries;
    for (const Json& value : list(json, "scenarios")) entries.push_back(entry_of(value));
    return entries;
  } catch (const Refusal& refusal) {
    refuse(path, refusal.what());
  }
}

std::string baseline_json(const std::vector<BaselineEntry>& entries) {
  std::string out = fmt::format("{{\n  \"schema\": \"{}\",\n  \"scenarios\": [", baseline_schema);
  for (std::size_t i = 0; i < entries.size(); ++i)
    out += fmt::format("{}\n{}", i == 0 ? "" : ",", entry_json(entries[i]));
  return out + "\n  ]\n}\n";
}

std::string baseline_diff(const BaselineEntry* before, const BaselineEntry& after) {
  std::string out = fmt::format("{}, policy {}: {} replications, seed {}\n", printable(after.scenario),
                                printable(after.policy), after.fingerprints.size(), after.seed);
  const auto same = [](const BaselineRow& a, const BaselineRow& b) {
    return a.metric == b.metric && a.labels == b.labels;
  };
  for (const BaselineRow& row : after.rows) {
    const BaselineRow* old = nullptr;
    if (before != nullptr)
      for (const BaselineRow& b : before->rows)
        if (same(b, row)) old = &b;
    out += diff_line(old, row, before != nullptr && before->seed == after.seed);
  }
  if (before == nullptr) return out;
  for (const BaselineRow& b : before->rows)
    if (std::none_of(after.rows.begin(), after.rows.end(),
                     [&](const BaselineRow& row) { return same(b, row); }))
      out += fmt::format("  {} {}: no longer held\n", printable(b.metric),
                         printable(measures::to_string(b.labels)));
  return out;
}

}  // namespace natgpu::report
