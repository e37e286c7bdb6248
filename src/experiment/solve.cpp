// SPDX-License-Identifier: Apache-2.0
#include <natgpu/experiment/solve.hpp>

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include <natgpu/core/ensure.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "holm.hpp"
#include "margin.hpp"
#include "paired.hpp"
#include "statistics.hpp"

namespace natgpu::experiment {
namespace {

constexpr double turn_alpha = 0.05;

Sample sample_of(const Estimate& e) {
  Sample s;
  s.n = e.n;
  s.mean = e.mean;
  s.standard_error = standard_deviation(e) / std::sqrt(static_cast<double>(e.n));
  s.freedom = static_cast<double>(e.n) - 1;
  s.certain = e.n > 1 && e.high == e.low;
  return s;
}

bool wants_more(const Bar& bar) {
  return bar.comparison == Bar::Comparison::at_least || bar.comparison == Bar::Comparison::above;
}

Tried judge(std::size_t point, Estimate estimate, const Bar& bar) {
  Tried t;
  t.point = point;
  const bool complete = estimate.n >= 2 && estimate.n == estimate.values.size();
  if (complete) {
    const Sample s = sample_of(estimate);
    const double above = p_above(s, bar.bound), below = p_below(s, bar.bound);
    t.p_met = wants_more(bar) ? above : below;
    t.p_missed = wants_more(bar) ? below : above;
    // Without spread the mean is the bound or not; a bar that includes its bound is met there.
    const bool inclusive =
        bar.comparison == Bar::Comparison::at_least || bar.comparison == Bar::Comparison::at_most;
    if (s.standard_error == 0 && s.mean == bar.bound) (inclusive ? t.p_met : t.p_missed) = 0;
  }
  t.estimate = std::move(estimate);
  return t;
}

class Search {
 public:
  Search(std::size_t points, const Bar& bar,
         const std::function<std::optional<Estimate>(std::size_t)>& evaluate, const SolveOptions& options)
      : points_(points), bar_(bar), evaluate_(evaluate), alpha_(1 - options.confidence), options_(options) {}

  Solution run() {
    Solution s;
    s.outcome = search(s);
    for (const auto& [point, tried] : tried_) s.tried.push_back(tried);
    return s;
  }

 private:
  using Outcome = Solution::Outcome;

  /// The point's result, tried now if it was not. @returns null after an interrupt
  const Tried* at(std::size_t point) {
    const auto known = tried_.find(point);
    if (known != tried_.end()) return &known->second;
    std::optional<Estimate> estimate = evaluate_(point);
    if (!estimate) return nullptr;
    return &tried_.emplace(point, judge(point, std::move(*estimate), bar_)).first->second;
  }

  Outcome search(Solution& s) {
    const std::size_t last = points_ - 1;
    const Tried *low = at(0), *high = low == nullptr ? nullptr : at(last);
    if (high == nullptr) return Outcome::interrupted;
    for (std::size_t i = 1; i <= options_.probes; ++i)
      if (at(last * i / (options_.probes + 1)) == nullptr) return Outcome::interrupted;
    if (turns(s)) return Outcome::not_monotone;
    const bool low_met = low->p_met <= alpha_, high_met = high->p_met <= alpha_;
    if (low_met && high_met) return Outcome::met_everywhere;
    if (!low_met && !high_met) return Outcome::met_nowhere;
    s.smallest = high_met;
    const auto met = [&](const Tried& t) { return t.p_met <= alpha_; };
    const auto not_missed = [&](const Tried& t) { return t.p_missed > alpha_; };
    const auto by_mean = [&](const Tried& t) {
      return t.p_met < 0.5 || (t.p_met == 0.5 && t.p_missed == 0.5);
    };
    const auto answer = boundary(s.smallest, met), estimate = boundary(s.smallest, by_mean),
               possible = boundary(s.smallest, not_missed);
    if (!answer || !estimate || !possible) return Outcome::interrupted;
    s.answer = *answer;
    s.estimate = *estimate;
    if (s.smallest ? *possible > 0 : *possible < last)
      s.excluded = s.smallest ? *possible - 1 : *possible + 1;
    return turns(s) ? Outcome::not_monotone : Outcome::found;
  }

  /// The last point with the property, coming from the end that has it, if all points up to it have it and
  /// none beyond. @returns none after an interrupt
  template <class Property>
  std::optional<std::size_t> boundary(bool from_above, Property has) {
    const std::size_t last = points_ - 1;
    std::size_t with = from_above ? last : 0, without = from_above ? 0 : last;
    const Tried* far = at(without);
    if (far == nullptr) return {};
    if (has(*far)) return without;
    while (with > without ? with - without > 1 : without - with > 1) {
      const std::size_t middle =
          std::min(with, without) + (with > without ? with - without : without - with) / 2;
      const Tried* t = at(middle);
      if (t == nullptr) return {};
      (has(*t) ? with : without) = middle;
    }
    return with;
  }

  /// Whether a step between neighbours goes against the way from end to end, beyond chance.
  bool turns(Solution& s) const {
    std::vector<const Tried*> all;
    for (const auto& [point, tried] : tried_)
      if (tried.estimate.n == tried.estimate.values.size() && tried.estimate.n > 1) all.push_back(&tried);
    if (all.size() < 3) return false;
    const bool rising = all.back()->estimate.mean >= all.front()->estimate.mean;
    std::vector<double> p;
    for (std::size_t i = 1; i < all.size(); ++i) {
      const Estimate &before = all[i - 1]->estimate, &after = all[i]->estimate;
      const Sample step = paired_sample(after, before, paired_difference(after, before));
      p.push_back(rising ? p_below(step, 0) : p_above(step, 0));
    }
    const std::vector<double> adjusted = holm(p);
    const auto worst = std::min_element(adjusted.begin(), adjusted.end());
    if (*worst > turn_alpha) return false;
    s.against = all[static_cast<std::size_t>(worst - adjusted.begin())]->point;
    return true;
  }

  std::size_t points_;
  const Bar& bar_;
  const std::function<std::optional<Estimate>(std::size_t)>& evaluate_;
  double alpha_;
  SolveOptions options_;
  std::map<std::size_t, Tried> tried_;
};

}  // namespace

std::vector<Finding> read_goal(const std::string& text, Goal& goal) {
  const std::size_t sign = std::min(text.find_first_of("<>"), text.size());
  std::string question = text.substr(0, sign);
  question.erase(question.find_last_not_of(' ') + 1);
  goal.expect = text.substr(sign);
  std::vector<Finding> found = read_question(question, goal.question);
  Bar bar;
  const std::string flaw = parse_bar(goal.expect, bar);
  if (!flaw.empty()) found.push_back({"target", flaw, "write it like `jobs.wait.mean <= 600 s`", "E0501"});
  if (!found.empty()) return found;
  const std::string_view unit =
      measures::row_of(simulation::metric_rows(), goal.question.metric).unit_of(goal.question.labels);
  if (!unit_agrees(bar.unit, unit))
    found.push_back({"target", fmt::format("{} is in {}", goal.question.metric, unit),
                     fmt::format("state the bar in {}", unit), "E0503"});
  return found;
}

Solution solve(std::size_t points, const std::string& expect,
               const std::function<std::optional<Estimate>(std::size_t)>& evaluate,
               const SolveOptions& options) {
  NATGPU_ENSURE(points >= 2, "a search has two ends");
  Bar bar;
  NATGPU_ENSURE(parse_bar(expect, bar).empty(), "the bar was read before");
  return Search(points, bar, evaluate, options).run();
}

}  // namespace natgpu::experiment
