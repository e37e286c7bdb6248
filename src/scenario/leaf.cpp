// SPDX-License-Identifier: Apache-2.0
// Single values: strict numbers with their units, dates, words.
#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "walker.hpp"

namespace natgpu::scenario {
namespace {

constexpr double longest_duration = 9e12;  // seconds: fits into 63 bits of ticks
constexpr double most_gpus = 1e9;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Words that YAML 1.1 readers take for truth values or for nothing.
bool is_loaded_word(std::string_view text) {
  return is_one_of(lower(text), {"yes", "no", "on", "off", "true", "false", "null", "~"});
}

/// Text that some YAML reader takes for a number or a date: 010, 1_000, 0x1F, 1e3, .inf, 12:30, 2030-12-31.
bool looks_like_number(std::string_view text) {
  const std::string word = lower(text);
  if (is_one_of(word, {".inf", "-.inf", "+.inf", ".nan", "inf", "nan", "-inf", "+inf"})) return true;
  if (word.find_first_of("0123456789") == std::string::npos) return false;
  if (word.find_first_not_of("0123456789abcdefox+-._,:") != std::string::npos) return false;
  const bool is_hex = word.substr(0, 2) == "0x";
  const char first =
      word[word.find_first_not_of("+-.") == std::string::npos ? 0 : word.find_first_not_of("+-.")];
  if (first < '0' || first > '9') return false;
  return is_hex || word.find_first_of("abcdfx") == std::string::npos;
}

/// `1 500 kW`
bool has_blank_group(std::string_view text) {
  const std::size_t blank = text.find(' ');
  return blank != std::string_view::npos && blank + 1 < text.size() && text[blank + 1] >= '0' &&
         text[blank + 1] <= '9';
}

/// What is ambiguous about a number, and how to write it.
std::string ambiguity_help(std::string_view text) {
  const std::string word = lower(text.substr(0, text.find(' ')));
  if (is_one_of(word, {".nan", ".inf", "-.inf", "nan", "inf", "-inf", "+.inf"}))
    return "only finite numbers are quantities";
  if (word.substr(0, 2) == "0x") return "write it in decimal digits";
  if (word.find_first_of(",_'") != std::string::npos || has_blank_group(text))
    return "write the digits without group marks: `1500`";
  if (word.front() == '+') return "leave out the plus sign";
  if (word.front() == '.' || word.back() == '.')
    return "write digits on both sides of the point: `0.5`, `5.0`";
  return "leave out leading zeros: `10`";
}

/// Two likely units for a number given without one.
struct Likely {
  Dimension dimension;
  std::string_view first, second;
};
constexpr Likely likely_units[] = {
    {Dimension::gpus, "GPU", ""},
    {Dimension::time, "d", "h"},
    {Dimension::rate, "/month", "/year"},
    {Dimension::power, "kW", "MW"},
    {Dimension::money, "m KRW", "bn KRW"},
    {Dimension::power_price, "KRW/kWh", ""},
    {Dimension::co2_factor, "g/kWh", "t/MWh"},
    {Dimension::compute, "TFLOP/s", "PFLOP/s"},
    {Dimension::memory, "GB", "TB"},
    {Dimension::work, "GPU.h", ""},
};

std::string unit_help(std::string_view number, Dimension dimension) {
  for (const Likely& row : likely_units) {
    if (row.dimension != dimension) continue;
    if (row.second.empty()) return fmt::format("write `{} {}`", number, row.first);
    return fmt::format("write `{0} {1}` or `{0} {2}`", number, row.first, row.second);
  }
  return fmt::format("for example {}", unit_examples(dimension));
}

std::string unknown_unit_help(std::string_view text, Dimension dimension) {
  const std::size_t end = text.find_last_of("0123456789");
  const std::string_view rest = end == std::string_view::npos ? text : text.substr(end + 1);
  const std::string symbol(rest.substr(std::min(rest.find_first_not_of(' '), rest.size())));
  std::vector<std::string> symbols;
  for (const UnitRow& row : unit_table())
    if (row.dimension == dimension) symbols.emplace_back(row.symbol);
  for (const std::string& s : symbols)
    if (lower(s) == lower(symbol)) return fmt::format("did you mean `{}`?  units: {}", s, listed(symbols));
  const std::string nearest = nearest_name(symbol, symbols);
  if (symbols.empty()) return "write the number alone";
  return nearest.empty() ? "units: " + listed(symbols)
                         : fmt::format("did you mean `{}`?  units: {}", nearest, listed(symbols));
}

struct Explained {
  Fault fault;
  std::string message, help;
};

Explained explain(QuantityError error, const std::string& text, Dimension dimension) {
  const std::string wanted(dimension_name(dimension));
  const std::string examples = "for example " + unit_examples(dimension);
  switch (error) {
    case QuantityError::out_of_double_range:
      return {Fault::number_out_of_range, fmt::format("`{}` is too large or too close to zero", text),
              examples};
    case QuantityError::unit_missing:
      return {Fault::unit_required, "a unit is required", unit_help(text, dimension)};
    case QuantityError::unit_unknown:
      return {Fault::unknown_unit, fmt::format("`{}` has no unit of {}", text, wanted),
              unknown_unit_help(text, dimension)};
    case QuantityError::wrong_dimension:
      return {Fault::wrong_dimension, fmt::format("`{}` is no {}", text, wanted), examples};
    case QuantityError::not_a_number:
    case QuantityError::none:
      break;
  }
  // A number with its unit cut off is judged by its digits alone: `010 GPU`.
  if (!text.empty() && looks_like_number(std::string_view(text).substr(0, text.find(' '))))
    return {Fault::ambiguous_number, fmt::format("`{}` is an ambiguous number", text), ambiguity_help(text)};
  return {Fault::not_a_number, fmt::format("`{}` is no {}", text, wanted), examples};
}

std::string bound_text(double bound, Dimension dimension) {
  return format_quantity(bound, dimension);
}

}  // namespace

std::string range_text(const Range& range, Dimension dimension) {
  const bool has_low = std::isfinite(range.low), has_high = std::isfinite(range.high);
  const std::string low = has_low ? bound_text(range.low, dimension) : "";
  const std::string high = has_high ? bound_text(range.high, dimension) : "";
  if (has_low && has_high)
    return range.low_open ? fmt::format("above {} and at most {}", low, high)
                          : fmt::format("between {} and {}", low, high);
  if (has_low) return fmt::format("{} {}", range.low_open ? "above" : "at least", low);
  return has_high ? fmt::format("at most {}", high) : "any number";
}

std::optional<FieldValue> Walker::read_value(const Field& field, const Node& node, const std::string& path) {
  if (field.kind == FieldKind::law)
    return node.is_map() ? read_law(field, node, path) : read_constant(field, node, path);
  if (node.is_scalar()) return read_scalar(field, node, path);
  wrong(Fault::wrong_kind, path, node,
        fmt::format("`{}` is a single value, found {}", field.name, kind_name(node)));
  return {};
}

std::optional<FieldValue> Walker::read_scalar(const Field& field, const Node& node, const std::string& path) {
  switch (field.kind) {
    case FieldKind::integer:
      return read_integer(field, node, path);
    case FieldKind::duration:
      return read_duration(field, node, path);
    case FieldKind::date:
      return read_date(field, node, path);
    case FieldKind::boolean:
      return read_boolean(node, path);
    case FieldKind::text:
      return read_text(node, path);
    case FieldKind::choice:
      return read_choice(field, node, path);
    case FieldKind::law:
      return read_constant(field, node, path);
    case FieldKind::quantity:
      if (const auto v = read_in_range(field, node, path)) return FieldValue{*v};
      return {};
    case FieldKind::reference: {
      const auto word = read_text(node, path);
      if (word) references_.push_back({path, field.target, node.text, node.mark, caret_width(node)});
      return word;
    }
    case FieldKind::object:
    case FieldKind::items:
      break;
  }
  return {};
}

std::optional<double> Walker::read_number(const Node& node, Dimension dimension, const std::string& path) {
  if (!node.is_scalar()) {
    wrong(Fault::wrong_kind, path, node, fmt::format("a number was expected, found {}", kind_name(node)));
    return {};
  }
  double value = 0;
  const QuantityError error = parse_quantity(node.text, dimension, value);
  const double largest = dimension == Dimension::time   ? longest_duration
                         : dimension == Dimension::gpus ? most_gpus
                                                        : std::numeric_limits<double>::infinity();
  if (error == QuantityError::none && std::abs(value) > largest) {
    wrong(Fault::value_out_of_range, path, node, fmt::format("`{}` is more than can be simulated", node.text),
          fmt::format("at most {}{}", format_quantity(largest, dimension),
                      dimension == Dimension::time ? "; write `endless` where the field takes it" : ""));
    return {};
  }
  if (error == QuantityError::none) return value;
  Explained e = explain(error, node.text, dimension);
  wrong(e.fault, path, node, std::move(e.message), std::move(e.help));
  return {};
}

std::optional<double> Walker::read_in_range(const Field& field, const Node& node, const std::string& path) {
  const auto value = read_number(node, field.dimension, path);
  if (!value || field.range.contains(*value)) return value;
  wrong(Fault::value_out_of_range, path, node,
        fmt::format("`{}` is out of range for `{}`", node.text, field.name),
        "allowed: " + range_text(field.range, field.dimension));
  return {};
}

std::optional<FieldValue> Walker::read_integer(const Field& field, const Node& node,
                                               const std::string& path) {
  constexpr double largest = 9007199254740992.0;  // 2^53: whole numbers are exact up to here
  if (field.dimension == Dimension::count) {
    long long whole = 0;
    const QuantityError error = parse_integer(node.text, whole);
    double ignored = 0;
    if (error == QuantityError::not_a_number && parse_number(node.text, ignored) == QuantityError::none) {
      wrong(Fault::not_whole, path, node, fmt::format("`{}` is not a whole number", node.text),
            "write digits without fraction or exponent");
      return {};
    }
    if (error == QuantityError::not_a_number) {
      read_number(node, field.dimension, path);
      return {};
    }
    if (error == QuantityError::none && field.range.contains(static_cast<double>(whole)))
      return FieldValue{static_cast<std::int64_t>(whole)};
    wrong(error == QuantityError::none ? Fault::value_out_of_range : Fault::number_out_of_range, path, node,
          fmt::format("`{}` is out of range for `{}`", node.text, field.name),
          "allowed: " + range_text(field.range, field.dimension));
    return {};
  }
  const auto value = read_in_range(field, node, path);
  if (!value) return {};
  if (*value == std::floor(*value) && std::abs(*value) <= largest)
    return FieldValue{static_cast<std::int64_t>(*value)};
  wrong(Fault::not_whole, path, node, fmt::format("`{}` is not a whole number", node.text),
        "write digits without fraction or exponent");
  return {};
}

std::optional<FieldValue> Walker::read_duration(const Field& field, const Node& node,
                                                const std::string& path) {
  if (node.text == "endless" && std::isinf(field.range.high)) return FieldValue{endless};
  const auto value = read_in_range(field, node, path);
  if (!value) return {};
  if (*value < 0) {
    wrong(Fault::value_out_of_range, path, node, fmt::format("`{}` is a negative time", node.text),
          "times are 0 or more");
    return {};
  }
  return FieldValue{*value == 0 ? Duration{0} : ticks_from_seconds(*value)};
}

std::optional<FieldValue> Walker::read_date(const Field& field, const Node& node, const std::string& path) {
  Date date;
  if (!parse_date(node.text, date)) {
    wrong(Fault::bad_date, path, node, fmt::format("`{}` is not a date", node.text),
          "write year-month-day, `2030-12-31`");
    return {};
  }
  // The field's description is where `never` is allowed; there is no second place to say so.
  if (date.is_never && field.doc.find("never") == std::string::npos) {
    wrong(Fault::bad_date, path, node, fmt::format("`{}` cannot be `never`", field.name),
          "write a day, `2030-12-31`");
    return {};
  }
  return FieldValue{date};
}

std::optional<FieldValue> Walker::read_boolean(const Node& node, const std::string& path) {
  if (!node.quoted && is_one_of(node.text, {"true", "false"})) return FieldValue{node.text == "true"};
  const bool means_true = is_one_of(lower(node.text), {"true", "yes", "on", "y"});
  const bool means_false = is_one_of(lower(node.text), {"false", "no", "off", "n"});
  wrong(Fault::not_boolean, path, node, fmt::format("`{}` is neither true nor false", node.text),
        means_true    ? "write `true`"
        : means_false ? "write `false`"
                      : "write `true` or `false`, unquoted");
  return {};
}

std::optional<FieldValue> Walker::read_text(const Node& node, const std::string& path) {
  if (node.quoted || (!is_loaded_word(node.text) && !looks_like_number(node.text)))
    return FieldValue{node.text};
  wrong(Fault::text_unquoted, path, node, fmt::format("`{}` is no text to every YAML reader", node.text),
        fmt::format("write `\"{}\"`", node.text));
  return {};
}

std::optional<FieldValue> Walker::read_choice(const Field& field, const Node& node, const std::string& path) {
  if (std::find(field.choices.begin(), field.choices.end(), node.text) != field.choices.end())
    return FieldValue{node.text};
  wrong(Fault::unknown_choice, path, node, fmt::format("`{}` is no `{}`", node.text, field.name),
        suggestion(node.text, field.choices));
  return {};
}

}  // namespace natgpu::scenario
