// SPDX-License-Identifier: Apache-2.0
// Laws: name -> parameters -> builder, in one table.
#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "walker.hpp"

namespace natgpu::scenario {
namespace {

enum class ParameterKind : unsigned char {
  value,   // in the field's unit
  plain,   // a number without unit
  share,   // "20 %" or 0.2
  values,  // a list in the field's unit
  plains,  // a list of plain numbers
};

struct Parameter {
  std::string name;
  ParameterKind kind;
};

using Arguments = std::vector<std::vector<double>>;  // one list a parameter; single numbers are lists of one

/// One way to state a law. `flaw` says what is wrong with the numbers, or nothing.
struct Form {
  std::string law;
  std::vector<Parameter> parameters;
  std::function<std::string(const Arguments&)> flaw;
  std::function<Law(const Arguments&)> build;
};

using A = Arguments;
double one(const A& a, std::size_t i) {
  return a[i].front();
}
std::string unless(bool is_good, const char* flaw) {
  return is_good ? "" : flaw;
}

std::string discrete_flaw(const A& a) {
  if (a[0].empty() || a[0].size() != a[1].size())
    return "`values` and `weights` must be of one length, and not empty";
  double sum = 0;
  for (const double w : a[1]) {
    if (w < 0) return "weights must not be negative";
    sum += w;
  }
  return unless(sum > 0 && std::isfinite(sum), "the weights must sum to more than 0");
}

const std::vector<Form>& forms() {
  constexpr auto value = ParameterKind::value, plain = ParameterKind::plain;
  constexpr double most_stages = 1000;  // each costs a uniform a draw
  static const std::vector<Form> table = {
      {"constant",
       {{"value", value}},
       [](const A&) { return std::string(); },
       [](const A& a) { return Law::constant(one(a, 0)); }},
      {"uniform",
       {{"low", value}, {"high", value}},
       [](const A& a) { return unless(one(a, 0) < one(a, 1), "`low` must be below `high`"); },
       [](const A& a) { return Law::uniform(one(a, 0), one(a, 1)); }},
      {"loguniform",
       {{"low", value}, {"high", value}},
       [](const A& a) {
         return unless(one(a, 0) > 0 && one(a, 0) < one(a, 1), "`low` must be above 0 and below `high`");
       },
       [](const A& a) { return Law::loguniform(one(a, 0), one(a, 1)); }},
      {"triangular",
       {{"low", value}, {"mode", value}, {"high", value}},
       [](const A& a) {
         return unless(one(a, 0) <= one(a, 1) && one(a, 1) <= one(a, 2) && one(a, 0) < one(a, 2),
                       "`low`, `mode` and `high` must rise");
       },
       [](const A& a) { return Law::triangular(one(a, 0), one(a, 1), one(a, 2)); }},
      {"exponential",
       {{"mean", value}},
       [](const A& a) { return unless(one(a, 0) > 0, "`mean` must be above 0"); },
       [](const A& a) { return Law::exponential(one(a, 0)); }},
      {"lognormal",
       {{"mean", value}, {"cv", plain}},
       [](const A& a) { return unless(one(a, 0) > 0 && one(a, 1) > 0, "`mean` and `cv` must be above 0"); },
       [](const A& a) { return Law::lognormal_mean_cv(one(a, 0), one(a, 1)); }},
      {"lognormal",
       {{"median", value}, {"sigma", plain}},
       [](const A& a) {
         return unless(one(a, 0) > 0 && one(a, 1) > 0, "`median` and `sigma` must be above 0");
       },
       [](const A& a) { return Law::lognormal_median_sigma(one(a, 0), one(a, 1)); }},
      {"weibull",
       {{"shape", plain}, {"scale", value}},
       [](const A& a) {
         return unless(one(a, 0) > 0 && one(a, 1) > 0, "`shape` and `scale` must be above 0");
       },
       [](const A& a) { return Law::weibull(one(a, 0), one(a, 1)); }},
      {"bounded_pareto",
       {{"low", value}, {"high", value}, {"alpha", plain}},
       [](const A& a) {
         return unless(one(a, 0) > 0 && one(a, 0) < one(a, 1) && one(a, 2) > 0,
                       "`low` must be above 0 and below `high`, and `alpha` above 0");
       },
       [](const A& a) { return Law::bounded_pareto(one(a, 0), one(a, 1), one(a, 2)); }},
      {"erlang",
       {{"stages", plain}, {"mean", value}},
       [](const A& a) {
         const bool is_whole =
             one(a, 0) == std::floor(one(a, 0)) && one(a, 0) >= 1 && one(a, 0) <= most_stages;
         return unless(is_whole && one(a, 1) > 0, "`stages` must be whole, 1 to 1000, and `mean` above 0");
       },
       [](const A& a) { return Law::erlang(static_cast<int>(one(a, 0)), one(a, 1)); }},
      {"hyperexponential",
       {{"mean", value}, {"cv2", plain}},
       [](const A& a) {
         return unless(one(a, 0) > 0 && one(a, 1) >= 1, "`mean` must be above 0 and `cv2` at least 1");
       },
       [](const A& a) { return Law::hyperexponential_mean_cv2(one(a, 0), one(a, 1)); }},
      {"hyperexponential",
       {{"p", ParameterKind::share}, {"mean1", value}, {"mean2", value}},
       [](const A& a) {
         return unless(one(a, 0) > 0 && one(a, 0) < 1 && one(a, 1) > 0 && one(a, 2) > 0,
                       "`p` must be between 0 and 1, and both means above 0");
       },
       [](const A& a) { return Law::hyperexponential(one(a, 0), one(a, 1), one(a, 2)); }},
      {"discrete",
       {{"values", ParameterKind::values}, {"weights", ParameterKind::plains}},
       discrete_flaw,
       [](const A& a) { return Law::discrete(a[0], a[1]); }},
  };
  return table;
}

bool has_parameter(const Form& form, std::string_view name) {
  return std::any_of(form.parameters.begin(), form.parameters.end(),
                     [&](const Parameter& p) { return p.name == name; });
}

std::vector<const Form*> forms_of(const std::string& law) {
  std::vector<const Form*> all;
  for (const Form& f : forms())
    if (f.law == law) all.push_back(&f);
  return all;
}

std::vector<std::string> law_names() {
  std::vector<std::string> all;
  for (const Form& f : forms())
    if (all.empty() || all.back() != f.law) all.push_back(f.law);
  return all;
}

/// "mean, cv or median, sigma"
std::string stated_by(const std::vector<const Form*>& candidates) {
  std::string out;
  for (const Form* f : candidates) {
    if (!out.empty()) out += ", or ";
    for (const Parameter& p : f->parameters)
      out += (&p == &f->parameters.front() ? "`" : ", `") + p.name + "`";
  }
  return out;
}

/// The form all of whose parameters are given and none of another form's.
const Form* form_given(const std::vector<const Form*>& candidates, const Node& node) {
  for (const Form* form : candidates) {
    const bool has_all = std::all_of(form->parameters.begin(), form->parameters.end(),
                                     [&](const Parameter& p) { return node.find(p.name) != nullptr; });
    const bool has_other = std::any_of(candidates.begin(), candidates.end(), [&](const Form* other) {
      return std::any_of(other->parameters.begin(), other->parameters.end(), [&](const Parameter& p) {
        return !has_parameter(*form, p.name) && node.find(p.name) != nullptr;
      });
    });
    if (has_all && !has_other) return form;
  }
  return nullptr;
}

Dimension dimension_of(ParameterKind kind, Dimension field) {
  if (kind == ParameterKind::value || kind == ParameterKind::values) return field;
  return kind == ParameterKind::share ? Dimension::share : Dimension::count;
}

/// What is wrong with the numbers; empty if nothing is. Shape parameters beyond a million overflow in the
/// formulas.
std::string flaw_of(const Form& form, const Arguments& arguments) {
  constexpr double least = 1e-6, most = 1e6;
  if (std::string flaw = form.flaw(arguments); !flaw.empty()) return flaw;
  for (std::size_t i = 0; i < form.parameters.size(); ++i)
    if (form.parameters[i].kind == ParameterKind::plain &&
        (one(arguments, i) < least || one(arguments, i) > most))
      return fmt::format("`{}` must be between 1e-6 and 1e6", form.parameters[i].name);
  return {};
}

}  // namespace

std::string canonical_text(const Law& law) {
  if (law.kind != Law::Kind::discrete) return to_string(law);
  std::string out = "discrete(";  // to_string rounds the weights
  for (std::size_t i = 0; i < law.values.size(); ++i)
    out += fmt::format("{}{}:{}", i == 0 ? "" : ", ", law.values[i], law.cumulative[i]);
  return out + ")";
}

std::optional<FieldValue> Walker::read_constant(const Field& field, const Node& node,
                                                const std::string& path) {
  constexpr double for_ever = -1;  // as demand::BatchClass::patience says
  const bool may_be_endless = field.dimension == Dimension::time && field.range.contains(for_ever);
  if (may_be_endless && node.is_scalar() && node.text == "endless")
    return FieldValue{Law::constant(for_ever)};
  const auto value = read_in_range(field, node, path);
  if (!value) return {};
  return FieldValue{Law::constant(*value)};
}

bool Walker::is_in_range(const Field& field, const Law& law, const Node& node, const std::string& path) {
  // A continuous law never takes its lower bound itself, so that an exponential time is above 0.
  const bool has_atom_at_low = law.kind == Law::Kind::constant || law.kind == Law::Kind::discrete;
  Range range = field.range;
  range.low_open = range.low_open && has_atom_at_low;
  if (range.contains(law.lowest()) && law.highest() <= range.high) return true;
  wrong(Fault::law_out_of_range, path, node,
        fmt::format("the distribution of `{}` reaches outside its range", field.name),
        "allowed: " + range_text(field.range, field.dimension));
  return false;
}

std::optional<FieldValue> Walker::read_law(const Field& field, const Node& node, const std::string& path) {
  const Node& dist = *node.find("dist");
  if (!is_usable(dist, path, "dist")) return {};
  const std::vector<const Form*> candidates = forms_of(dist.text);
  if (candidates.empty()) {
    wrong(Fault::unknown_law, path, dist, fmt::format("unknown distribution `{}`", dist.text),
          suggestion(dist.text, law_names()));
    return {};
  }
  const Form* form = form_given(candidates, node);
  Provenance notes;
  bool is_good = true;
  for (const Entry& entry : node.entries) {
    const bool is_parameter = std::any_of(candidates.begin(), candidates.end(),
                                          [&](const Form* f) { return has_parameter(*f, entry.key); });
    if (entry.key == "dist" || is_parameter) continue;
    if (entry.key != "value" && read_provenance_key(entry, path, notes)) continue;
    std::vector<std::string> allowed = {"dist"};
    for (const Form* f : candidates)
      for (const Parameter& p : f->parameters) allowed.push_back(p.name);
    for (const char* note : {"source", "as_of", "status", "note"}) allowed.emplace_back(note);
    unknown_key(path, entry, allowed, fmt::format("a {} distribution", dist.text));
    is_good = false;
  }
  if (form == nullptr) {
    wrong(Fault::bad_law, path, dist, fmt::format("{} is stated by {}", dist.text, stated_by(candidates)));
    return {};
  }
  Arguments arguments;
  for (const Parameter& p : form->parameters) {
    const Node& given = *node.find(p.name);
    const bool is_list = p.kind == ParameterKind::values || p.kind == ParameterKind::plains;
    std::vector<double>& numbers = arguments.emplace_back();
    if (!is_usable(given, path, p.name) || (is_list && !given.is_list())) {
      if (is_list && given.is_scalar())
        wrong(Fault::wrong_kind, path, given,
              fmt::format("`{}` is a list, found {}", p.name, kind_name(given)));
      is_good = false;
      continue;
    }
    const std::vector<const Node*> nodes = [&] {
      std::vector<const Node*> all;
      if (!is_list) return std::vector<const Node*>{&given};
      for (const Node& item : given.items) all.push_back(&item);
      return all;
    }();
    for (const Node* n : nodes) {
      const auto number = read_number(*n, dimension_of(p.kind, field.dimension), path);
      numbers.push_back(number.value_or(0));
      is_good = is_good && number.has_value();
    }
  }
  if (!is_good) return {};
  if (const std::string flaw = flaw_of(*form, arguments); !flaw.empty()) {
    wrong(Fault::bad_law, path, dist, flaw);
    return {};
  }
  const Law law = form->build(arguments);
  if (!std::isfinite(law.mean())) {
    wrong(Fault::bad_law, path, dist, "the mean is infinite, or too large to be computed");
    return {};
  }
  if (!is_in_range(field, law, dist, path)) return {};
  check_stated_range(field, notes, nullptr, path);
  if (notes.is_stated) record(notes, path, node);
  return FieldValue{law};
}

}  // namespace natgpu::scenario
