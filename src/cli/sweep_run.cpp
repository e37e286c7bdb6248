// SPDX-License-Identifier: Apache-2.0
#include "sweep_run.hpp"

#include <algorithm>
#include <future>
#include <iterator>

#include <fmt/format.h>

#include "terminal.hpp"

namespace natgpu::cli {
namespace {

/// Points that are run together: enough to keep the threads busy, few enough to lose little to a kill.
constexpr std::size_t points_at_once = 16;

}  // namespace

ShardRun::ShardRun(const report::SweepPlan& plan, report::Shard shard, report::ShardWriter& writer, Load load,
                   std::vector<experiment::Question> questions)
    : plan_(plan),
      shard_(shard),
      writer_(writer),
      load_(std::move(load)),
      questions_(std::move(questions)),
      answered_(questions_.size()),
      done_before_(writer.done()) {
  for (std::size_t i = shard.index + done_before_ * shard.count; i < plan.points.size(); i += shard.count)
    todo_.push_back(i);
}

bool ShardRun::go(unsigned threads) {
  experiment::ReplicateOptions options;
  options.seed = plan_.seed;
  options.replications = plan_.replications;
  options.threads = threads;
  options.stop = &stop_requested();
  options.trim = [this](simulation::RunRecord& record) { trim(record); };
  ProgressBar bar(fmt::format("shard {}/{}", shard_.index + 1, shard_.count));
  const double began = wall_seconds();
  Batch before, now = load(0);
  while (now.from < now.to) {
    auto beside = std::async([&] {
      write(before);
      return load(now.to);
    });
    std::vector<const scenario::Scenario*> scenarios;
    for (const scenario::Scenario& s : now.scenarios) scenarios.push_back(&s);
    now.done = experiment::replicate_all(scenarios, options);
    Batch next = beside.get();
    if (now.done.front().interrupted) return false;
    const double share = static_cast<double>(now.to) / static_cast<double>(todo_.size());
    bar.show(share, fmt::format("{} of {} points, about {:.0f} s left", now.to, todo_.size(),
                                (wall_seconds() - began) * (1 - share) / share));
    before = std::move(now);
    now = std::move(next);
  }
  write(before);
  return true;
}

ShardRun::Batch ShardRun::load(std::size_t from) const {
  Batch batch;
  batch.from = from;
  batch.to = std::min(todo_.size(), from + points_at_once);
  for (std::size_t i = batch.from; i < batch.to; ++i) batch.scenarios.push_back(load_(todo_[i]));
  return batch;
}

void ShardRun::write(const Batch& batch) {
  if (batch.from == batch.to) return;
  for (std::size_t i = 0; i < batch.done.size(); ++i)
    writer_.add(todo_[batch.from + i], answers(batch.done[i].records));
  writer_.sync();
}

void ShardRun::trim(simulation::RunRecord& record) const {
  const auto is_asked = [&](const measures::Measurement& m) {
    return std::any_of(questions_.begin(), questions_.end(),
                       [&](const experiment::Question& q) { return q.metric == m.metric; });
  };
  std::vector<measures::Measurement> asked;
  std::copy_if(record.measurements.begin(), record.measurements.end(), std::back_inserter(asked), is_asked);
  record.measurements = std::move(asked);
  record.series = {};
}

std::vector<experiment::Estimate> ShardRun::answers(const std::vector<simulation::RunRecord>& records) {
  static const scenario::Scenario no_targets;  // nothing is judged at a point
  const experiment::Summary summary = experiment::summarise(no_targets, records);
  std::vector<experiment::Estimate> found;
  for (std::size_t i = 0; i < questions_.size(); ++i) {
    const experiment::Estimate* e = experiment::answer(summary, questions_[i]);
    if (e == nullptr) continue;  // not measured here: a quantile of jobs that never start, a site not built
    answered_[i] = 1;
    const bool known = std::any_of(found.begin(), found.end(), [&](const experiment::Estimate& f) {
      return f.metric == e->metric && f.labels == e->labels;
    });
    if (!known) found.push_back(*e);
  }
  return found;
}

std::vector<experiment::Question> ShardRun::unanswered() const {
  std::vector<experiment::Question> all;
  for (std::size_t i = 0; i < questions_.size() && !todo_.empty(); ++i)
    if (answered_[i] == 0) all.push_back(questions_[i]);
  return all;
}

}  // namespace natgpu::cli
