// SPDX-License-Identifier: Apache-2.0
// What is asked of a comparison, and which figure of a run answers it.
#include <algorithm>
#include <utility>

#include <natgpu/experiment/compare.hpp>
#include <natgpu/simulation/simulate.hpp>

#include "statistics.hpp"

namespace natgpu::experiment {
namespace {

using measures::Labels;

bool is_time(const std::pair<std::string, std::string>& label) {
  return label.first == "period" || label.first == "at";
}

Labels in_order(Labels labels) {
  std::sort(labels.begin(), labels.end());
  return labels;
}

/// Whole years before the whole run: a mean over years of growth is no headline. Quarters only by name.
int rank_of(const std::string& time) {
  const bool is_quarter = time.size() == 6 && time[4] == 'Q';
  return is_quarter ? 0 : time == "all" ? 1 : 2;
}

bool is_later(const std::string& a, const std::string& b) {
  return std::make_pair(rank_of(a), a) > std::make_pair(rank_of(b), b);
}

}  // namespace

std::vector<Finding> read_question(const std::string& text, Question& question) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  question.metric = text.substr(0, colon);
  question.labels.clear();
  std::vector<Finding> found;
  check_labelled(question.metric, colon < text.size() ? text.substr(colon + 1) : "",
                 simulation::metric_rows(), found);
  if (found.empty() && colon < text.size()) parse_labels(text.substr(colon + 1), question.labels);
  return found;
}

std::vector<Question> usual_questions(const scenario::Scenario& scenario) {
  std::vector<Question> all;
  for (const measures::Direction& d : measures::directions())
    if (d.headline) all.push_back({std::string(d.metric), {}});
  for (const scenario::Target& target : scenario.targets) {
    Question q{target.metric, {}};
    parse_labels(target.where, q.labels);
    all.push_back(std::move(q));
  }
  return all;
}

const Estimate* answer(const Summary& summary, const Question& question) {
  const bool has_time = std::any_of(question.labels.begin(), question.labels.end(), is_time);
  const Labels wanted = in_order(question.labels);
  const Estimate* best = nullptr;
  std::string best_time;
  for (const Estimate& e : summary.estimates) {
    if (e.metric != question.metric) continue;
    Labels labels = e.labels;
    std::string time;
    if (!has_time)
      for (auto at = labels.begin(); at != labels.end(); ++at)
        if (is_time(*at)) {
          time = at->second;
          labels.erase(at);
          break;
        }
    if (in_order(labels) != wanted) continue;
    if (best != nullptr && !is_later(time, best_time)) continue;
    best = &e;
    best_time = time;
  }
  return best;
}

}  // namespace natgpu::experiment
