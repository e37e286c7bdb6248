// SPDX-License-Identifier: Apache-2.0
#include "run_options.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/utf8.hpp>

#include "terminal.hpp"

namespace natgpu::cli {
namespace {

constexpr std::int64_t most_threads = 4096;

}  // namespace

Option replications_option() {
  return {"--replications", "N", "by default as the scenario says"};
}
Option seed_option() {
  return {"--seed", "S", "by default as the scenario says"};
}
Option jobs_option() {
  return {"--jobs", "N", "threads; by default one a core. The results do not depend on it"};
}
Option set_option() {
  return {"--set", "PATH=VALUE", "another value, checked as in the file", true};
}

Option central_option() {
  return {"--central", "", "draw nothing of `uncertainties`: all values as the file states them"};
}

std::vector<std::string> settings(const Arguments& arguments) {
  std::vector<std::string> all = arguments.list("--set");
  if (arguments.has("--seed"))
    all.push_back(fmt::format("seed={}", arguments.whole("--seed", 0, 0, INT64_MAX)));
  if (arguments.has("--replications"))
    all.push_back(fmt::format("replications={}", arguments.whole("--replications", 1, 1, most_replications)));
  return all;
}

bool states_replications(const Arguments& arguments) {
  const std::vector<std::string> all = settings(arguments);
  return std::any_of(all.begin(), all.end(),
                     [](const std::string& s) { return s.rfind("replications=", 0) == 0; });
}

unsigned threads(const Arguments& arguments) {
  const std::int64_t cores = std::max(1U, std::thread::hardware_concurrency());
  return static_cast<unsigned>(arguments.whole("--jobs", cores, 1, most_threads));
}

std::vector<experiment::Question> read_questions(const std::string& option,
                                                 const std::vector<std::string>& texts) {
  std::vector<experiment::Question> questions;
  std::vector<Diagnostic> mistakes;
  for (const std::string& text : texts) {
    questions.emplace_back();
    for (const Finding& f : experiment::read_question(text, questions.back())) {
      Diagnostic d;
      d.code = f.code;
      d.message = f.message;
      d.help = f.help;
      d.place.file = option + " " + text;
      mistakes.push_back(std::move(d));
    }
  }
  if (!mistakes.empty()) throw ScenarioError(std::move(mistakes));
  return questions;
}

std::vector<experiment::Question> questions_of(const std::vector<std::string>& texts,
                                               const scenario::Scenario& base) {
  return texts.empty() ? experiment::usual_questions(base) : read_questions("--metrics", texts);
}

std::vector<experiment::Replications> run_all(const std::string& name,
                                              const std::vector<const scenario::Scenario*>& scenarios,
                                              experiment::ReplicateOptions options) {
  const std::size_t runs = scenarios.size() * options.replications;
  ProgressBar bar(printable(name));
  options.on_progress = [&bar, runs](double share, std::uint32_t finished) {
    bar.show(share, fmt::format("{} of {} runs", finished, runs));
  };
  return experiment::replicate_all(scenarios, options);
}

}  // namespace natgpu::cli
