// SPDX-License-Identifier: Apache-2.0
// Field tables: each room says once what its spec structs hold - name, unit, range, default, meaning.
// The scenario reader, `--set`, the schema, the documentation and the defaults all come from these tables.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <natgpu/core/calendar.hpp>
#include <natgpu/core/law.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/core/units.hpp>

namespace natgpu {

/// Closed or open interval of allowed values, in base units.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;
  bool contains(double v) const { return (low_open ? v > low : v >= low) && v <= high; }
};
inline Range any_value() { return {}; }
inline Range at_least(double low) { return {low, std::numeric_limits<double>::infinity(), false}; }
inline Range positive() { return {0, std::numeric_limits<double>::infinity(), true}; }
inline Range between(double low, double high) { return {low, high, false}; }
inline Range unit_interval() { return {0, 1, false}; }

enum class FieldKind : unsigned char {
  integer,    ///< std::int64_t, no unit or GPUs
  quantity,   ///< double in base units
  duration,   ///< Duration
  date,       ///< Date; `never` where the doc says so
  boolean,    ///< true or false, nothing else
  text,       ///< std::string
  choice,     ///< an enumeration, by name
  reference,  ///< std::string: the name of an item in another list
  law,        ///< Law; a scalar is a constant
  object,     ///< a nested struct with a table of its own
  items,      ///< a list of such structs, each with a `name`
};

using FieldValue = std::variant<std::int64_t, double, Duration, Date, bool, std::string, Law>;

class FieldTable;

struct Field {
  std::string name;
  std::string doc;  ///< one sentence, with source where the default needs one
  FieldKind kind = FieldKind::text;
  Dimension dimension = Dimension::count;
  Range range;
  bool required = false;
  bool list = false;                  ///< a YAML sequence of such values (leaf kinds only)
  std::vector<std::string> choices;   ///< kind choice
  std::string target;                 ///< kind reference: the list it names, "supply.sites"
  std::function<const FieldTable&()> item;                    ///< kinds object and items
  std::function<void(void*, const FieldValue&)> assign;       ///< leaf kinds; appends where `list`
  std::function<void(void*)> clear;                           ///< lists and items: empties before reading
  std::function<void*(void*)> open;                           ///< object: the member; items: a new element
  std::function<std::vector<FieldValue>(const void*)> read;   ///< leaf kinds: present value(s)
  std::function<std::vector<const void*>(const void*)> elements;  ///< object and items
};

/// The fields of one struct, in the order in which they are documented.
class FieldTable {
 public:
  explicit FieldTable(std::string title, std::string about = {}) : title_(std::move(title)), about_(std::move(about)) {}
  const std::string& title() const { return title_; }
  const std::string& about() const { return about_; }
  const std::vector<Field>& fields() const { return fields_; }
  const Field* find(std::string_view name) const;
  std::vector<std::string> names() const;
  std::vector<Field>& edit() { return fields_; }

  /// Builds a default object of the struct, so that defaults are read from it and written nowhere else.
  std::function<std::shared_ptr<void>()> make_default;

 private:
  std::string title_, about_;
  std::vector<Field> fields_;
};

/// Builds the table of struct S. Defaults are S's own member initialisers.
///
///     const FieldTable& fields_of(const GridStep*) {
///       static const FieldTable table = Fields<GridStep>("grid step")
///           .date("from", &GridStep::from, "Day from which the power is there.").required()
///           .quantity("power", &GridStep::power_w, Dimension::power, positive(), "Power at the meter.").required();
///       return table;
///     }
template <class S>
class Fields {
 public:
  explicit Fields(std::string title, std::string about = {}) : table_(std::move(title), std::move(about)) {
    table_.make_default = [] { return std::static_pointer_cast<void>(std::make_shared<S>()); };
  }

  Fields& integer(std::string name, std::int64_t S::*m, Range range, std::string doc) {
    return leaf<std::int64_t>(FieldKind::integer, std::move(name), m, std::move(doc), Dimension::count, range);
  }
  Fields& gpus(std::string name, std::int64_t S::*m, Range range, std::string doc) {
    return leaf<std::int64_t>(FieldKind::integer, std::move(name), m, std::move(doc), Dimension::gpus, range);
  }
  Fields& quantity(std::string name, double S::*m, Dimension dimension, Range range, std::string doc) {
    return leaf<double>(FieldKind::quantity, std::move(name), m, std::move(doc), dimension, range);
  }
  Fields& duration(std::string name, Duration S::*m, Range range_in_seconds, std::string doc) {
    return leaf<Duration>(FieldKind::duration, std::move(name), m, std::move(doc), Dimension::time, range_in_seconds);
  }
  Fields& date(std::string name, Date S::*m, std::string doc) {
    return leaf<Date>(FieldKind::date, std::move(name), m, std::move(doc));
  }
  Fields& boolean(std::string name, bool S::*m, std::string doc) {
    return leaf<bool>(FieldKind::boolean, std::move(name), m, std::move(doc));
  }
  Fields& text(std::string name, std::string S::*m, std::string doc) {
    return leaf<std::string>(FieldKind::text, std::move(name), m, std::move(doc));
  }
  Fields& reference(std::string name, std::string S::*m, std::string target, std::string doc) {
    leaf<std::string>(FieldKind::reference, std::move(name), m, std::move(doc));
    last().target = std::move(target);
    return *this;
  }
  Fields& law(std::string name, Law S::*m, Dimension dimension, Range range, std::string doc) {
    return leaf<Law>(FieldKind::law, std::move(name), m, std::move(doc), dimension, range);
  }
  template <class E>
  Fields& choice(std::string name, E S::*m, std::vector<std::pair<std::string, E>> names, std::string doc) {
    Field& f = add(FieldKind::choice, std::move(name), std::move(doc));
    for (const auto& [word, value] : names) f.choices.push_back(word);
    f.assign = [m, names](void* s, const FieldValue& v) {
      for (const auto& [word, value] : names)
        if (word == std::get<std::string>(v)) static_cast<S*>(s)->*m = value;
    };
    f.read = [m, names](const void* s) -> std::vector<FieldValue> {
      for (const auto& [word, value] : names)
        if (value == static_cast<const S*>(s)->*m) return {FieldValue{word}};
      return {};
    };
    return *this;
  }
  /// Lists of plain values.
  Fields& texts(std::string name, std::vector<std::string> S::*m, std::string doc) {
    return leaves<std::string>(FieldKind::text, std::move(name), m, std::move(doc));
  }
  Fields& references(std::string name, std::vector<std::string> S::*m, std::string target, std::string doc) {
    leaves<std::string>(FieldKind::reference, std::move(name), m, std::move(doc));
    last().target = std::move(target);
    return *this;
  }
  Fields& dates(std::string name, std::vector<Date> S::*m, std::string doc) {
    return leaves<Date>(FieldKind::date, std::move(name), m, std::move(doc));
  }
  Fields& quantities(std::string name, std::vector<double> S::*m, Dimension dimension, Range range, std::string doc) {
    leaves<double>(FieldKind::quantity, std::move(name), m, std::move(doc));
    last().dimension = dimension;
    last().range = range;
    return *this;
  }
  /// A nested struct; its table is found by fields_of(const I*).
  template <class I>
  Fields& object(std::string name, I S::*m, std::string doc) {
    Field& f = add(FieldKind::object, std::move(name), std::move(doc));
    f.item = []() -> const FieldTable& { return fields_of(static_cast<const I*>(nullptr)); };
    f.open = [m](void* s) -> void* { return &(static_cast<S*>(s)->*m); };
    f.elements = [m](const void* s) { return std::vector<const void*>{&(static_cast<const S*>(s)->*m)}; };
    return *this;
  }
  /// A list of structs. Where the item's table has a `name` field, items are addressed by it and it must be unique.
  template <class I>
  Fields& items(std::string name, std::vector<I> S::*m, std::string doc) {
    Field& f = add(FieldKind::items, std::move(name), std::move(doc));
    f.item = []() -> const FieldTable& { return fields_of(static_cast<const I*>(nullptr)); };
    f.clear = [m](void* s) { (static_cast<S*>(s)->*m).clear(); };
    f.open = [m](void* s) -> void* { return &(static_cast<S*>(s)->*m).emplace_back(); };
    f.elements = [m](const void* s) {
      std::vector<const void*> all;
      for (const I& i : static_cast<const S*>(s)->*m) all.push_back(&i);
      return all;
    };
    return *this;
  }
  /// The field just added has no default: leaving it out is an error.
  Fields& required() {
    last().required = true;
    return *this;
  }

  operator FieldTable() const { return table_; }  // NOLINT: meant to be implicit

 private:
  Field& last() { return table_.edit().back(); }
  Field& add(FieldKind kind, std::string name, std::string doc) {
    Field f;
    f.kind = kind;
    f.name = std::move(name);
    f.doc = std::move(doc);
    table_.edit().push_back(std::move(f));
    return last();
  }
  template <class T>
  Fields& leaf(FieldKind kind, std::string name, T S::*m, std::string doc, Dimension dimension = Dimension::count,
               Range range = {}) {
    Field& f = add(kind, std::move(name), std::move(doc));
    f.dimension = dimension;
    f.range = range;
    f.assign = [m](void* s, const FieldValue& v) { static_cast<S*>(s)->*m = std::get<T>(v); };
    f.read = [m](const void* s) { return std::vector<FieldValue>{FieldValue{static_cast<const S*>(s)->*m}}; };
    return *this;
  }
  template <class T>
  Fields& leaves(FieldKind kind, std::string name, std::vector<T> S::*m, std::string doc) {
    Field& f = add(kind, std::move(name), std::move(doc));
    f.list = true;
    f.assign = [m](void* s, const FieldValue& v) { (static_cast<S*>(s)->*m).push_back(std::get<T>(v)); };
    f.clear = [m](void* s) { (static_cast<S*>(s)->*m).clear(); };
    f.read = [m](const void* s) {
      std::vector<FieldValue> all;
      for (const T& v : static_cast<const S*>(s)->*m) all.emplace_back(v);
      return all;
    };
    return *this;
  }

  FieldTable table_;
};

}  // namespace natgpu
