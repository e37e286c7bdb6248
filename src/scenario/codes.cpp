// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/ensure.hpp>
#include <natgpu/scenario/scenario.hpp>

#include "mistakes.hpp"

namespace natgpu::scenario {
namespace {

struct Row {
  Fault fault;
  const char *code, *title, *text;
};

// Codes are stable: a code is never given another meaning, a retired one is not used again.
constexpr Row rows[] = {
    {Fault::not_a_number, "E0101", "not a number",
     "A number was expected here. Numbers are written in plain decimals: digits, an optional minus, an "
     "optional "
     "fraction after a point, an optional exponent, and then the unit: `96 GPU`, `1.79 kW`, `1.5e3`."},
    {Fault::number_out_of_range, "E0102", "number too large or too small for the machine",
     "The number cannot be held: it is larger than the largest value (about 1e308; for whole numbers about "
     "9.2e18), or so close to zero that it would be rounded to zero. Rounding it in silence would change the "
     "meaning. Write a value of realistic size, or 0."},
    {Fault::ambiguous_number, "E0103", "ambiguous number",
     "Readers disagree on such numbers: `010` is 8 to some and 10 to others, `0x10` and `+1` are read by "
     "some "
     "only, `1,500` may be one and a half, `.nan` and `.inf` are no quantities. Write plain decimals without "
     "leading zeros or group marks: `10`, `1500`, `0.5`."},
    {Fault::not_whole, "E0104", "a whole number is required",
     "This value counts things and must be whole: digits without fraction or exponent, with its unit where "
     "it has "
     "one (`8 GPU`)."},
    {Fault::unknown_unit, "E0105", "unknown unit",
     "The text after the number is not a unit that natgpu knows. Units are exact and case-sensitive: `kW`, "
     "not "
     "`KW`; `h`, not `hrs`. The message lists units that fit."},
    {Fault::wrong_dimension, "E0106", "unit of another dimension",
     "The unit is known but measures something else than this field: a time was given where a power is "
     "wanted, or "
     "a unit where a plain number is wanted. Use one of the units in the message."},
    {Fault::unit_required, "E0107", "a unit is required",
     "Every physical number carries its unit, zero included, so that `30` cannot be read as days by one and "
     "as "
     "hours by another. Write it behind the number: `30 d` or `30 h`."},
    {Fault::value_out_of_range, "E0108", "value out of range",
     "The value is outside the range in which this field makes sense, a share above one for instance. The "
     "message "
     "gives the range."},
    {Fault::bad_date, "E0109", "not a date",
     "Dates are written year-month-day with all digits, `2030-12-31`, and must exist. Where the field's "
     "description says so, `never` may stand for a date."},
    {Fault::not_boolean, "E0110", "not true or false",
     "Only `true` and `false` are truth values, unquoted and in small letters. `yes`, `no`, `on` and `off` "
     "mean "
     "different things to different YAML readers."},
    {Fault::text_unquoted, "E0111", "text that must be quoted",
     "A bare `no`, `on`, `null`, `2030` or `1e3` is a truth value, nothing, or a number to some YAML readers "
     "and "
     "text to others (the country code of Norway is the known case). Put it in quotes where text is meant."},
    {Fault::file_unreadable, "E0200", "the file cannot be read",
     "The scenario is not there, is a folder or a device, or may not be read. Check the path and the "
     "rights."},
    {Fault::bad_yaml, "E0201", "not valid YAML",
     "The file's layout is broken at this place: often a missing blank after a colon, wrong indentation, or "
     "an "
     "unquoted text that holds a colon or begins with one of @ ` % & * ! | > [ { ] }. Reading stops here, so "
     "that "
     "mistakes further down show up only after this one is mended."},
    {Fault::not_utf8, "E0202", "not UTF-8",
     "The file holds bytes that are no UTF-8 text. Save it as UTF-8; files from older Korean editors are "
     "often "
     "CP949."},
    {Fault::control_character, "E0203", "control character",
     "Control characters (NUL, escape, a lone carriage return, marks that reverse the reading direction) "
     "have no "
     "place in a scenario: they hide text or end it early. Delete them."},
    {Fault::limit_exceeded, "E0204", "a limit of the file format is exceeded",
     "Files may have 8 MiB, lines and texts 64 KiB, nesting 64 levels, 4096 keys a map and a million values. "
     "The "
     "limits guard against files made to exhaust the machine. Long tables belong in a trace file."},
    {Fault::second_document, "E0205", "more than one document",
     "The file holds text behind the end of its first document: a second `---`, text at a smaller "
     "indentation "
     "than the first line, or a stray mark. Other readers would ignore it in silence. A scenario is one map; "
     "put "
     "each scenario into a file of its own."},
    {Fault::open_quote, "E0206", "quote without an end",
     "A text begins with a quote that is never closed. Inside single quotes a quote is doubled (`'it''s'`), "
     "inside "
     "double quotes it has a backslash before it."},
    {Fault::alias, "E0207", "anchors and aliases are not read",
     "`&name` and `*name` let a short file expand without bound and hide where a value comes from. Write the "
     "value "
     "out, or change several places with a policy block."},
    {Fault::tag, "E0208", "tags are not read",
     "`!tag` changes the type of a value behind the reader's back. The types are given by the fields; leave "
     "the "
     "tag out, or quote the text if it begins with an exclamation mark."},
    {Fault::merge_key, "E0209", "merge keys are not read",
     "`<<` is resolved by some YAML readers and is an ordinary key to others. Write the values out."},
    {Fault::tab_indent, "E0210", "tab in the indentation",
     "YAML indents with blanks; a tab becomes part of the next word in some readers. Replace it by blanks."},
    {Fault::duplicate_key, "E0211", "key given twice",
     "One of the two values would be ignored in silence. Delete one of them."},
    {Fault::bad_key, "E0212", "key that is not plain text",
     "Keys are names: a list, a map or nothing cannot be one. A bracket that is never closed looks like a "
     "key, too."},
    {Fault::unknown_key, "E0213", "unknown key",
     "The key is not a field of this part of the scenario, so its value would have no effect. Most often it "
     "is "
     "misspelt or at the wrong indentation. The message lists what is allowed."},
    {Fault::missing_key, "E0214", "required key is missing",
     "This field has no sensible default and must be given."},
    {Fault::empty_value, "E0215", "value is missing",
     "The key has no value. Leave the key out to get the default, or write the value behind the colon. "
     "`null` and "
     "`~` are no values."},
    {Fault::wrong_kind, "E0216", "wrong kind of value",
     "A list, a map or a single value was expected and another was found. Lists are written `[a, b]` or with "
     "a "
     "dash before each item, maps `{key: value}` or one `key: value` a line."},
    {Fault::unknown_choice, "E0217", "not one of the choices",
     "This field takes one of a few words. The message lists them."},
    {Fault::unknown_reference, "E0218", "reference to something that is not there",
     "The value names an item of another list of the scenario (a site, a device, a class) that does not "
     "exist "
     "there."},
    {Fault::duplicate_name, "E0219", "name given twice",
     "Items of a list are addressed by name, so that names must differ."},
    {Fault::bad_name, "E0220", "bad name",
     "Names are 1 to 80 of the characters A-Z a-z 0-9 . _ - so that they fit into paths, file names and "
     "tables. "
     "Use `title` for what readers see."},
    {Fault::unknown_law, "E0221", "unknown distribution",
     "`dist` names a distribution that natgpu does not have. The message lists those it has."},
    {Fault::bad_law, "E0222", "parameters that make no distribution",
     "The parameters are incomplete, mixed from two ways of stating the same law, or contradict each other, "
     "as a "
     "`low` above `high` does."},
    {Fault::bad_provenance, "E0223", "bad note on the origin of a value",
     "`status` is measured, published or assumed; `as_of` is a year, a month or a day; `low` and `high` are "
     "in the "
     "unit of the value and hold it between them."},
    {Fault::bad_uncertainty, "E0224", "not something that can be uncertain",
     "An uncertainty names one number, time or date of hardware, supply, demand, access or scheduling, and a "
     "distribution that can yield the value that the file states there. A value that is a distribution "
     "already, a word or a list cannot be uncertain; alternatives of those kinds are policies."},
    {Fault::bad_path, "E0230", "bad path",
     "A setting is written path=value. Paths are keys with points between them; items of lists are addressed "
     "by "
     "name: supply.sites[haenam].pue. Quote it in the shell and in YAML."},
    {Fault::unknown_path, "E0231", "path that leads nowhere",
     "A part of the path is not a field, or names an item that is not in the list, or the path ends before a "
     "single value. A setting that changes nothing would be worse than an error."},
    {Fault::unknown_policy, "E0232", "unknown or ambiguous policy",
     "A policy is a block of `policies` in the scenario or one of the scheduling policies of natgpu. Names "
     "must "
     "not mean both; `base` is the scenario without a policy."},
    {Fault::bad_schema, "E0233", "schema missing or of another version",
     "A scenario begins with `schema: natgpu/1`, which says how the rest is to be read."},
    {Fault::later_version, "E0234", "part that this version does not read yet",
     "The key belongs to the scenario format but is not read by this version of natgpu. It would have no "
     "effect, "
     "so that it is refused."},
    {Fault::contradiction, "E0301", "values that contradict each other",
     "Each value is fine by itself, but together they cannot hold: dates in the wrong order, weights that "
     "sum to "
     "zero, a tranche with neither units nor budget. The message says which."},
    {Fault::bad_horizon, "E0302", "impossible horizon",
     "The horizon ends before it starts, has no end, is longer than 1e15 microseconds (31.7 years) with its "
     "run-off, or is too short for what `report` asks of it."},
    {Fault::too_many_jobs, "E0303", "more jobs than can be simulated",
     "Rates, organisations and horizon give more than a thousand million jobs in one replication. Usually a "
     "unit "
     "is wrong (`/h` for `/year`). Otherwise let one simulated organisation stand for more (`represents`)."},
    {Fault::bad_trace, "E0304", "trace file cannot be used",
     "Trace files are given relative to the scenario's folder and must be regular files inside it: no "
     "absolute "
     "paths, no `..`, no links that lead out. A scenario from elsewhere must not read other files."},
    {Fault::law_out_of_range, "E0305", "distribution reaches outside the field's range",
     "The distribution can yield values that make no sense for this field, such as a share above one. Choose "
     "a "
     "distribution with bounds, or narrower ones."},
};
static_assert(std::size(rows) == static_cast<std::size_t>(Fault::count_));

}  // namespace

std::string code_of(Fault fault) {
  const Row& row = rows[static_cast<std::size_t>(fault)];
  NATGPU_ENSURE(row.fault == fault, "the table of error codes is in the order of the faults");
  return row.code;
}

const std::vector<CodeRow>& error_codes() {
  static const std::vector<CodeRow> all = [] {
    std::vector<CodeRow> made;
    for (const Row& row : rows) made.push_back({row.code, row.title, row.text});
    return made;
  }();
  return all;
}

}  // namespace natgpu::scenario
