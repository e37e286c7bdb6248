// SPDX-License-Identifier: Apache-2.0
// The walker against small structs of the test's own, so that no room's table is needed to see it right.
#include "../../../src/scenario/walker.hpp"

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::scenario;

namespace {

enum class Colour { red, green };

struct Part {
  std::string name, like;
  std::int64_t gpus = 3;
};
struct Step {
  Date from = Date::of(2000, 1, 1);
  double power = 0;
};
struct Thing {
  std::string name;
  double pue = 1.3, power = 700, share = 0.5, rate = 0;
  std::int64_t count = 1;
  Duration every = seconds(60), life = endless;
  Date on = Date::of(2020, 1, 1), until = Date::never();
  bool flag = true;
  Colour colour = Colour::green;
  Law wait = Law::constant(0), patience = Law::constant(-1), part = Law::constant(0.5),
      size = Law::constant(1);
  std::vector<double> hours;
  std::vector<std::string> words;
  Part one;
  std::vector<Part> parts;
  std::vector<Step> steps;
};

const FieldTable& fields_of(const Part*) {
  static const FieldTable table = Fields<Part>("part")
                                      .text("name", &Part::name, "Name.")
                                      .required()
                                      .reference("like", &Part::like, "parts", "Another part.")
                                      .gpus("gpus", &Part::gpus, between(1, 64), "Size.");
  return table;
}
const FieldTable& fields_of(const Step*) {
  static const FieldTable table =
      Fields<Step>("step")
          .date("from", &Step::from, "Day.")
          .quantity("power", &Step::power, Dimension::power, at_least(0), "Power.")
          .required();
  return table;
}
const FieldTable& fields_of(const Thing*) {
  static const FieldTable table =
      Fields<Thing>("thing")
          .text("name", &Thing::name, "Name.")
          .quantity("pue", &Thing::pue, Dimension::count, between(1, 5), "PUE.")
          .quantity("power", &Thing::power, Dimension::power, positive(), "Power.")
          .quantity("share", &Thing::share, Dimension::share, unit_interval(), "Share.")
          .quantity("rate", &Thing::rate, Dimension::rate, at_least(0), "Rate.")
          .integer("count", &Thing::count, between(0, 1000), "Count.")
          .duration("every", &Thing::every, positive(), "Period.")
          .duration("life", &Thing::life, positive(), "Life.")
          .date("on", &Thing::on, "Day.")
          .date("until", &Thing::until, "Day, or `never`.")
          .boolean("flag", &Thing::flag, "Flag.")
          .choice("colour", &Thing::colour, {{"red", Colour::red}, {"green", Colour::green}}, "Colour.")
          .law("wait", &Thing::wait, Dimension::time, at_least(0), "Wait.")
          .law("patience", &Thing::patience, Dimension::time, at_least(-1), "Patience.")
          .law("part", &Thing::part, Dimension::share, unit_interval(), "Part.")
          .law("size", &Thing::size, Dimension::gpus, at_least(1), "Size.")
          .quantities("hours", &Thing::hours, Dimension::count, at_least(0), "Weights.")
          .texts("words", &Thing::words, "Words.")
          .object("one", &Thing::one, "One.")
          .items("parts", &Thing::parts, "Parts.")
          .items("steps", &Thing::steps, "Steps.");
  return table;
}

struct Result {
  Thing thing;
  std::vector<Diagnostic> diagnostics;
  std::vector<Assumption> assumptions;

  std::string codes() const {
    std::string all;
    for (const Diagnostic& d : diagnostics) all += (all.empty() ? "" : " ") + d.code;
    return all;
  }
  std::string help() const { return diagnostics.empty() ? "" : diagnostics.front().help; }
};

Result walk(const std::string& text) {
  Mistakes mistakes;
  Result r;
  const auto source = scan_bytes("a.yaml", text, mistakes);
  REQUIRE(source);
  const auto root = read_document({*source, 1, 0}, mistakes);
  if (root) {
    Walker walker(mistakes);
    walker.fill(&r.thing, fields_of(static_cast<const Thing*>(nullptr)), *root, "");
    walker.resolve_references(walker.names());
    r.assumptions = walker.take_assumptions();
  }
  r.diagnostics = mistakes.diagnostics();
  for (const Diagnostic& d : r.diagnostics) UNSCOPED_INFO(format_diagnostic(d));
  return r;
}

}  // namespace

TEST_CASE("values of every kind are read in base units") {
  const Result r = walk(
      "name: a-1\npue: 1.15\npower: 1.79 kW\nshare: 20 %\nrate: \"2 /h\"\ncount: 12\nevery: 1.5 h\nlife: "
      "endless\n"
      "on: 2026-11-30\nuntil: never\nflag: false\ncolour: red\nhours: [1, 2.5]\nwords: [a, \"no\"]\n"
      "one: {name: x, gpus: 8 GPU}\nparts: [{name: p, gpus: 64 GPU}, {name: q, like: p}]\n"
      "steps: [{from: 2030-01-01, power: 1 MW}]\n");
  REQUIRE(r.codes().empty());
  const Thing& t = r.thing;
  CHECK(t.name == "a-1");
  CHECK(t.power == 1790);
  CHECK(t.share == 0.2);
  CHECK(t.rate == Approx(2 / 3600.0));
  CHECK(t.count == 12);
  CHECK(t.every == seconds(5400));
  CHECK(t.life == endless);
  CHECK(t.on == Date::of(2026, 11, 30));
  CHECK(t.until.is_never);
  CHECK_FALSE(t.flag);
  CHECK(t.colour == Colour::red);
  CHECK(t.hours == std::vector<double>{1, 2.5});
  CHECK(t.words == std::vector<std::string>{"a", "no"});
  CHECK(t.one.gpus == 8);
  REQUIRE(t.parts.size() == 2);
  CHECK(t.parts[1].like == "p");
  CHECK(t.parts[1].gpus == 3);
  CHECK(t.steps[0].power == 1e6);
}

TEST_CASE("what is left out keeps its default") {
  const Result r = walk("count: 2\n");
  CHECK(r.codes().empty());
  CHECK(r.thing.pue == 1.3);
  CHECK(r.thing.colour == Colour::green);
}

TEST_CASE("single mistakes have their code, place and advice") {
  struct Case {
    std::string text, codes, help;
  };
  const Case cases[] = {
      {"every: 30", "E0107", "write `30 d` or `30 h`"},
      {"one: {name: x, gpus: 8}", "E0107", "write `8 GPU`"},
      {"every: 30 kw", "E0105", "units:"},
      {"power: 30 kw", "E0105", "did you mean `kW`?"},
      {"every: 30 kW", "E0106", "`30 min`, `2 h`"},
      {"every: 0 s", "E0108", "above 0 s"},
      {"every: never", "E0101", ""},
      {"every: -3 h", "E0108", ""},
      {"every: 1e13 s", "E0108", "endless"},
      {"pue: 9", "E0108", "between 1 and 5"},
      {"share: 120 %", "E0108", "between 0 % and 100 %"},
      {"pue: 010", "E0103", "leading zeros"},
      {"count: 010", "E0103", "leading zeros"},
      {"count: 0x10", "E0103", "decimal"},
      {"count: +1", "E0103", "plus"},
      {"pue: .5", "E0103", "both sides"},
      {"pue: .nan", "E0103", "finite"},
      {"pue: -.inf", "E0103", "finite"},
      {"pue: 1,500", "E0103", "group marks"},
      {"pue: 1_000", "E0103", "group marks"},
      {"power: 1 500 kW", "E0103", "group marks"},
      {"power: 010 kW", "E0103", "leading zeros"},
      {"pue: 1e-400", "E0102", ""},
      {"power: 1e400 kW", "E0102", ""},
      {"count: 99999999999999999999", "E0102", ""},
      {"pue: high", "E0101", ""},
      {"count: 1.5", "E0104", ""},
      {"one: {name: x, gpus: 1.5 GPU}", "E0104", ""},
      {"one: {name: x, gpus: 65 GPU}", "E0108", "between 1 GPU and 64 GPU"},
      {"on: 2026-02-30", "E0109", ""},
      {"on: 30.11.2026", "E0109", ""},
      {"on: never", "E0109", ""},
      {"flag: no", "E0110", "write `false`"},
      {"flag: \"true\"", "E0110", "write `true`"},
      {"flag: 1", "E0110", "unquoted"},
      {"flag: True", "E0110", "write `true`"},
      {"name: no", "E0111", "write `\"no\"`"},
      {"name: 2027", "E0111", "write `\"2027\"`"},
      {"name: 0x1F", "E0111", ""},
      {"name: 1e3", "E0111", ""},
      {"words: [on]", "E0111", ""},
      {"colour: gren", "E0217", "did you mean `green`?"},
      {"colour: blue", "E0217", "allowed: red, green"},
      {"cuont: 3", "E0213", "did you mean `count`?"},
      {"pue:", "E0215", ""},
      {"pue: ~", "E0215", ""},
      {"hours: [1, ]\nwords: [,]", "E0215", ""},
      {"hours: 3", "E0216", "write `[3]`"},
      {"pue: [1]", "E0216", ""},
      {"one: 3", "E0216", ""},
      {"parts: {a: 1}", "E0216", "dash"},
      {"parts: [3]", "E0216", ""},
      {"parts: [{gpus: 3 GPU}]", "E0214", "Name."},
      {"steps: [{from: 2030-01-01}]", "E0214", ""},
      {"parts: [{name: a}, {name: a}]", "E0219", ""},
      {"parts: [{name: a b}]", "E0220", ""},
      {"parts: [{name: ../x}]", "E0220", ""},
      {"parts: [{name: alpha}, {name: b, like: alhpa}]", "E0218", "did you mean `alpha`?"},
      {"pue: {value: 1.2, sorce: x}", "E0213", "did you mean `source`?"},
      {"pue: {source: x}", "E0214", ""},
      {"pue: {value: 1.2, status: guessed}", "E0223", "measured, published, assumed"},
      {"pue: {value: 1.2, as_of: soon}", "E0223", ""},
      {"pue: {value: 1.2, low: 1.3}", "E0223", ""},
      {"pue: {value: 1.2, high: 1.1}", "E0223", ""},
      {"wait: {dist: uniform, low: 1 h, high: 2 h, status: guess}", "E0223", ""},
      {"wait: {dist: exponential, mean: 1 h, low: 3 h, high: 2 h}", "E0223", ""},
      {"power: {value: 1 kW, high: 2}", "E0107", ""},
      {"flag: {value: true, low: 1}", "E0223", ""},
      {"one: {name: {value: [a]}}", "E0216", ""},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    const Result r = walk(c.text);
    CHECK(r.codes() == c.codes);
    CHECK(r.help().find(c.help) != std::string::npos);
  }
}

TEST_CASE("all mistakes of a file are found, each at its line and column") {
  const Result r = walk("count: 010\npower: 30\non: soon\nparts:\n  - name: a\n    gpsu: 8 GPU\nflag: yes\n");
  REQUIRE(r.codes() == "E0103 E0107 E0109 E0213 E0110");
  const int lines[] = {1, 2, 3, 6, 7}, columns[] = {8, 8, 5, 5, 7};
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(r.diagnostics[i].place.line == lines[i]);
    CHECK(r.diagnostics[i].place.column == columns[i]);
  }
  CHECK(r.diagnostics[3].source_line == "    gpsu: 8 GPU");
  CHECK(r.diagnostics[3].caret_width == 4);
}

TEST_CASE("laws are read by name and parameters, each value with its unit") {
  const auto wait = [](const std::string& law) {
    const Result r = walk("wait: " + law);
    INFO(law);
    REQUIRE(r.codes().empty());
    return r.thing.wait;
  };
  CHECK(wait("3 h") == Law::constant(10800));
  CHECK(wait("{dist: constant, value: 3 h}") == Law::constant(10800));
  CHECK(wait("{dist: uniform, low: 1 h, high: 2 h}") == Law::uniform(3600, 7200));
  CHECK(wait("{dist: triangular, low: 0 s, mode: 1 h, high: 1 d}") == Law::triangular(0, 3600, 86400));
  CHECK(wait("{dist: exponential, mean: 1 h}") == Law::exponential(3600));
  CHECK(wait("{dist: lognormal, mean: 1 h, cv: 2}") == Law::lognormal_mean_cv(3600, 2));
  CHECK(wait("{dist: lognormal, median: 1 h, sigma: 2}") == Law::lognormal_median_sigma(3600, 2));
  CHECK(wait("{dist: weibull, shape: 0.7, scale: 1 h}") == Law::weibull(0.7, 3600));
  CHECK(wait("{dist: bounded_pareto, low: 1 s, high: 1 h, alpha: 1.1}") == Law::bounded_pareto(1, 3600, 1.1));
  CHECK(wait("{dist: erlang, stages: 3, mean: 1 h}") == Law::erlang(3, 3600));
  CHECK(wait("{dist: hyperexponential, mean: 1 h, cv2: 4}") == Law::hyperexponential_mean_cv2(3600, 4));
  CHECK(wait("{dist: hyperexponential, p: 20 %, mean1: 1 h, mean2: 2 h}") ==
        Law::hyperexponential(0.2, 3600, 7200));
  CHECK(wait("{dist: discrete, values: [1 h, 2 h], weights: [3, 1]}") == Law::discrete({3600, 7200}, {3, 1}));
  CHECK(wait("{value: 3 h, source: x}") == Law::constant(10800));
  CHECK(wait("{value: {dist: exponential, mean: 1 h}, source: x}") == Law::exponential(3600));
  CHECK(walk("patience: endless").thing.patience == Law::constant(-1));
}

TEST_CASE("mistakes in laws are told apart") {
  struct Case {
    std::string text, codes, help;
  };
  const Case cases[] = {
      {"wait: endless", "E0101", ""},
      {"wait: {dist: trinagular, low: 0 s, mode: 1 h, high: 1 d}", "E0221", "did you mean `triangular`?"},
      {"wait: {dist: triangular, low: 0 s, high: 1 d}", "E0222", ""},
      {"wait: {dist: triangular, low: 0, mode: 1 h, high: 1 d}", "E0107", ""},
      {"wait: {dist: triangular, low: 2 d, mode: 1 h, high: 1 d}", "E0222", ""},
      {"wait: {dist: triangular, low: 0 s, mode: 1 h, high: 1 d, medium: 3}", "E0213", ""},
      {"wait: {dist: triangular, value: 3 h, low: 0 s, mode: 1 h, high: 1 d}", "E0213", ""},
      {"wait: {dist: lognormal, mean: 1 h, sigma: 2}", "E0222", ""},
      {"wait: {dist: lognormal, mean: 1 h, cv: 0}", "E0222", ""},
      {"wait: {dist: lognormal, mean: 1 h, cv: 1, sigma: 2}", "E0222", ""},
      {"wait: {dist: hyperexponential, mean: 1 h, cv2: 0.5}", "E0222", ""},
      {"wait: {dist: erlang, stages: 1.5, mean: 1 h}", "E0222", ""},
      {"wait: {dist: discrete, values: [1 h], weights: [1, 2]}", "E0222", ""},
      {"wait: {dist: discrete, values: [1 h], weights: [0]}", "E0222", ""},
      {"wait: {dist: discrete, values: 1 h, weights: [1]}", "E0216", ""},
      {"wait: {dist: discrete, values: [], weights: []}", "E0222", ""},
      {"wait: {dist: uniform, low: -1 h, high: 1 h}", "E0305", "at least 0 s"},
      {"part: {dist: lognormal, mean: 20 %, cv: 1}", "E0305", "between 0 % and 100 %"},
      {"size: {dist: discrete, values: [0 GPU, 8 GPU], weights: [1, 1]}", "E0305", "at least 1 GPU"},
      {"wait: {dist: [a], mean: 1 h}", "E0221", ""},
      {"wait: {dist: , mean: 1 h}", "E0215", ""},
      {"wait: {mean: 1 h}", "E0213", ""},
      {"pue: {dist: uniform, low: 1, high: 2}", "E0213", ""},
      {"wait: [1 h]", "E0216", ""},
      {"wait: 1e13 s", "E0108", "endless"},
      {"wait: {dist: exponential, mean: 1e13 s}", "E0108", ""},
      {"wait: {dist: lognormal, mean: 1 h, cv: 1e300}", "E0222", ""},
      {"wait: {dist: lognormal, median: 1 h, sigma: 1000}", "E0222", ""},
      {"wait: {dist: weibull, shape: 1e-5, scale: 1 h}", "E0222", ""},
      {"wait: {dist: bounded_pareto, low: 1 s, high: 1 h, alpha: 1e300}", "E0222", ""},
      {"size: 1e10 GPU", "E0108", "1000000000 GPU"},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    const Result r = walk(c.text);
    CHECK(r.codes() == c.codes);
    CHECK(r.help().find(c.help) != std::string::npos);
  }
}

TEST_CASE("where values come from is recorded with their paths") {
  const Result r = walk(
      "parts:\n  - name: p\n    gpus: {value: 8 GPU, source: \"press\", as_of: 2026-08, status: published, "
      "low: 4 GPU, "
      "high: 16 GPU, note: n}\n    source: catalogue\n"
      "wait: {dist: uniform, low: 1 h, high: 2 h, source: survey, status: assumed}\n");
  REQUIRE(r.codes().empty());
  REQUIRE(r.assumptions.size() == 3);
  const Assumption& a = r.assumptions[0];
  CHECK(a.path == "parts[p].gpus");
  CHECK(a.value == "8 GPU");
  CHECK(a.low == "4 GPU");
  CHECK(a.high == "16 GPU");
  CHECK(a.source == "press");
  CHECK(a.as_of == "2026-08");
  CHECK(a.status == "published");
  CHECK(a.note == "n");
  CHECK(a.place.line == 3);
  CHECK(r.assumptions[1].path == "parts[p]");
  CHECK(r.assumptions[1].source == "catalogue");
  CHECK(r.assumptions[2].path == "wait");
  CHECK(r.assumptions[2].value == "{dist: uniform, low: 1 h, high: 2 h}");
  CHECK(r.assumptions[2].status == "assumed");
  CHECK(r.thing.parts[0].gpus == 8);
}

TEST_CASE("ranges are printed in words") {
  CHECK(range_text(between(1, 5), Dimension::count) == "between 1 and 5");
  CHECK(range_text(positive(), Dimension::time) == "above 0 s");
  CHECK(range_text(at_least(3600), Dimension::time) == "at least 1 h");
  CHECK(range_text(any_value(), Dimension::time) == "any number");
}

TEST_CASE("a law's canonical text reads back exactly") {
  CHECK(canonical_text(Law::triangular(0, 0.1, 6)) == "triangular(0, 0.1, 6)");
  CHECK(canonical_text(Law::constant(-1)) == "constant(-1)");
  CHECK(canonical_text(Law::discrete({1, 2}, {1, 1})) == "discrete(1:0.5, 2:1)");
}
