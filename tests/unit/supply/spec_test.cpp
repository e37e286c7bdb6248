// SPDX-License-Identifier: Apache-2.0
#include <set>

#include <natgpu/supply/spec.hpp>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::supply;

namespace {

template <class S>
const FieldTable& table() {
  return fields_of(static_cast<const S*>(nullptr));
}

void tables_below(const FieldTable& table, std::set<const FieldTable*>& all) {
  if (!all.insert(&table).second) return;
  for (const Field& field : table.fields())
    if (field.item) tables_below(field.item(), all);
}

/// A default's lowest and highest number in base units; text, dates and choices have none.
bool within(const FieldValue& value, const Range& range) {
  if (const auto* i = std::get_if<std::int64_t>(&value)) return range.contains(static_cast<double>(*i));
  if (const auto* q = std::get_if<double>(&value)) return range.contains(*q);
  if (const auto* d = std::get_if<Duration>(&value)) return range.contains(in_seconds(*d));
  if (const auto* l = std::get_if<Law>(&value))
    return range.contains(l->lowest()) && range.contains(l->highest());
  return true;
}

}  // namespace

TEST_CASE("every supply field is documented, named once, and its default is within its range") {
  std::set<const FieldTable*> tables;
  tables_below(table<Device>(), tables);
  tables_below(table<Supply>(), tables);
  CHECK(tables.size() == 12);
  for (const FieldTable* t : tables) {
    const auto defaults = t->make_default();
    std::set<std::string> names;
    for (const Field& field : t->fields()) {
      INFO(t->title() << "." << field.name);
      CHECK(names.insert(field.name).second);
      REQUIRE(!field.doc.empty());
      CHECK(field.doc.back() == '.');
      if (!field.read || field.required) continue;
      for (const FieldValue& value : field.read(defaults.get())) CHECK(within(value, field.range));
    }
  }
}

TEST_CASE("names and places must be stated, and references say which list they name") {
  CHECK(table<Tranche>().find("name")->required);
  CHECK(table<Tranche>().find("site")->target == "supply.sites");
  CHECK(table<Tranche>().find("device")->target == "hardware");
  CHECK(table<Maintenance>().find("site")->target == "supply.sites");
  CHECK(table<ClassSpeed>().find("name")->target == "demand.batch");
}

TEST_CASE("a tranche is filled in through its table") {
  Tranche t;
  const FieldTable& fields = table<Tranche>();
  fields.find("units")->assign(&t, FieldValue{std::int64_t{96}});
  fields.find("origin")->assign(&t, FieldValue{std::string("lease")});
  fields.find("slip")->assign(&t, FieldValue{Law::uniform(0, 10)});
  void* tender = fields.find("tender")->open(&t);
  fields.find("tender")->item().find("failure")->assign(tender, FieldValue{0.25});
  CHECK(t.units == 96);
  CHECK(t.origin == TrancheOrigin::lease);
  CHECK(t.slip == Law::uniform(0, 10));
  CHECK(t.tender.failure == 0.25);
}
