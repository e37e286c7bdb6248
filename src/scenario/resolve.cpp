// SPDX-License-Identifier: Apache-2.0
#include "resolve.hpp"

#include <fmt/format.h>

#include <natgpu/core/hash.hpp>

#include "walker.hpp"

namespace natgpu::scenario {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out + "\"";
}

/// Seconds, exact to the tick.
std::string seconds_text(Duration d) {
  if (d == endless) return "endless";
  const bool is_negative = d.count() < 0;
  const std::uint64_t ticks =
      is_negative ? 0 - static_cast<std::uint64_t>(d.count()) : static_cast<std::uint64_t>(d.count());
  const auto per_second = static_cast<std::uint64_t>(ticks_per_second);
  std::string out = fmt::format("{}{}", is_negative ? "-" : "", ticks / per_second);
  if (ticks % per_second == 0) return out;
  out += fmt::format(".{:06}", ticks % per_second);
  out.resize(out.find_last_not_of('0') + 1);
  return out;
}

struct TextOf {
  std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }
  std::string operator()(double v) const { return fmt::format("{}", v); }
  std::string operator()(Duration v) const { return seconds_text(v); }
  std::string operator()(const Date& v) const { return to_string(v); }
  std::string operator()(bool v) const { return v ? "true" : "false"; }
  std::string operator()(const std::string& v) const { return quoted(v); }
  std::string operator()(const Law& v) const { return canonical_text(v); }
};

void write_leaf(std::string& out, const Field& field, const void* object, const std::string& path) {
  std::string text;
  for (const FieldValue& v : field.read(object)) text += (text.empty() ? "" : ", ") + std::visit(TextOf{}, v);
  out += path + " = " + (field.list ? "[" + text + "]" : text) + "\n";
}

std::string name_of(const FieldTable& table, const void* object, std::size_t position) {
  if (!has_names(table)) return std::to_string(position);
  const std::vector<FieldValue> name = table.find("name")->read(object);
  const auto* text = name.empty() ? nullptr : std::get_if<std::string>(&name.front());
  return text == nullptr || text->empty() ? std::to_string(position) : *text;
}

/// Lists of which scenarios without them tell nothing, so that their hash is that of scenarios before there
/// were such lists.
bool is_silent(const std::string& path) {
  return path == "uncertainties" || path == "reality_checks";
}

void write(std::string& out, const FieldTable& table, const void* object, const std::string& path);

/// Whether an object belongs to the canonical text: a part of the format that came later does where it says
/// anything, so that scenarios without it keep their hash.
bool is_worth_writing(const std::string& path, const FieldTable& table, const void* object) {
  if (path != "report") return true;
  std::string own, by_default;
  write(own, table, object, path);
  write(by_default, table, table.make_default().get(), path);
  return own != by_default;
}

void write(std::string& out, const FieldTable& table, const void* object, const std::string& path) {
  for (const Field& field : table.fields()) {
    const std::string at = child_path(path, field.name);
    if (field.kind != FieldKind::object && field.kind != FieldKind::items) {
      write_leaf(out, field, object, at);
      continue;
    }
    const std::vector<const void*> elements = field.elements(object);
    if (field.kind == FieldKind::object) {
      for (const void* e : elements)
        if (is_worth_writing(at, field.item(), e)) write(out, field.item(), e, at);
      continue;
    }
    if (elements.empty() && !is_silent(at)) out += at + " = []\n";
    std::size_t position = 0;
    for (const void* e : elements)
      write(out, field.item(), e, item_path(at, name_of(field.item(), e, ++position)));
  }
}

}  // namespace

std::string resolved_text(const Scenario& scenario) {
  std::string out = "schema = \"natgpu/1\"\n";
  write(out, fields_of(static_cast<const Scenario*>(nullptr)), &scenario, "");
  if (scenario.quick) out += fmt::format("quick_scale = {}\n", scenario.quick_scale);
  return out;
}

}  // namespace natgpu::scenario
