// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/field.hpp>

#include "catch.hpp"

using namespace natgpu;

namespace {

enum class Colour { red, green };

struct Part {
  std::string name;
  std::int64_t count = 3;
};
struct Whole {
  double power_w = 700;
  Duration every = seconds(60);
  Colour colour = Colour::green;
  Part part;
  std::vector<Part> parts;
  std::vector<double> weights;
};

const FieldTable& fields_of(const Part*) {
  static const FieldTable table = Fields<Part>("part")
                                      .text("name", &Part::name, "Name.")
                                      .required()
                                      .integer("count", &Part::count, at_least(0), "How many.");
  return table;
}

const FieldTable& fields_of(const Whole*) {
  static const FieldTable table =
      Fields<Whole>("whole", "A struct of every kind.")
          .quantity("power", &Whole::power_w, Dimension::power, positive(), "Power.")
          .duration("every", &Whole::every, positive(), "Period.")
          .choice("colour", &Whole::colour, {{"red", Colour::red}, {"green", Colour::green}}, "Colour.")
          .object("part", &Whole::part, "One part.")
          .items("parts", &Whole::parts, "Parts.")
          .quantities("weights", &Whole::weights, Dimension::count, at_least(0), "Weights.");
  return table;
}

const FieldTable& whole() {
  return fields_of(static_cast<const Whole*>(nullptr));
}

}  // namespace

TEST_CASE("a field table assigns and reads members of its struct") {
  Whole w;
  whole().find("power")->assign(&w, 350.0);
  CHECK(w.power_w == 350);
  CHECK(std::get<double>(whole().find("power")->read(&w).front()) == 350);
  whole().find("colour")->assign(&w, std::string("red"));
  CHECK(w.colour == Colour::red);
  CHECK(std::get<std::string>(whole().find("colour")->read(&w).front()) == "red");
  CHECK(whole().find("colour")->choices == std::vector<std::string>{"red", "green"});
}

TEST_CASE("lists append, and items open a new element with its own table") {
  Whole w;
  const Field* weights = whole().find("weights");
  weights->assign(&w, 1.0);
  weights->assign(&w, 2.0);
  CHECK(w.weights == std::vector<double>{1, 2});
  weights->clear(&w);
  CHECK(w.weights.empty());

  const Field* parts = whole().find("parts");
  void* part = parts->open(&w);
  parts->item().find("count")->assign(part, std::int64_t{8});
  REQUIRE(w.parts.size() == 1);
  CHECK(w.parts[0].count == 8);
  CHECK(parts->item().find("name")->required);
  CHECK_FALSE(parts->item().find("count")->required);
  CHECK(parts->elements(&w).front() == &w.parts[0]);
}

TEST_CASE("defaults come from the struct's own initialisers") {
  const auto made = whole().make_default();
  CHECK(std::get<double>(whole().find("power")->read(made.get()).front()) == 700);
  CHECK(std::get<Duration>(whole().find("every")->read(made.get()).front()) == seconds(60));
}

TEST_CASE("names come in the order of the table and unknown ones are not found") {
  CHECK(whole().names() == std::vector<std::string>{"power", "every", "colour", "part", "parts", "weights"});
  CHECK(whole().find("Power") == nullptr);
}

TEST_CASE("an open range leaves out its lower end") {
  CHECK_FALSE(positive().contains(0));
  CHECK(positive().contains(1e-300));
  CHECK(at_least(0).contains(0));
  CHECK(unit_interval().contains(1));
  CHECK_FALSE(unit_interval().contains(1.0000001));
}
