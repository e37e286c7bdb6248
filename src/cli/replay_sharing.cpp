// SPDX-License-Identifier: Apache-2.0
#include "replay_sharing.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <natgpu/core/text.hpp>
#include <natgpu/core/units.hpp>
#include <natgpu/core/utf8.hpp>

#include "length_option.hpp"
#include "preemption_options.hpp"
#include "replay_options.hpp"

namespace natgpu::cli {
namespace {

/// What `--weights` says, by queue: positive numbers.
std::vector<std::pair<std::string, double>> weights_of(const Arguments& arguments) {
  std::vector<std::pair<std::string, double>> weights;
  for (const std::string& part : parts_of(arguments.text("--weights"), ',')) {
    const std::size_t equals = part.rfind('=');
    double weight = 0;
    if (equals == std::string::npos || equals == 0 ||
        parse_number(std::string_view(part).substr(equals + 1), weight) != QuantityError::none ||
        !(weight > 0))
      throw UsageError(fmt::format("`{}` is no queue with its weight", printable(part)),
                       "write `--weights low=1,high=4`, each weight above 0");
    weights.emplace_back(part.substr(0, equals), weight);
  }
  return weights;
}

/// Queues as people know them: by name where the log has names.
std::map<std::string, std::int32_t> queues_of(const workload::JobLog& log) {
  std::set<std::int32_t> numbers;
  for (const workload::LogJob& job : log.jobs) numbers.insert(job.queue);
  std::map<std::string, std::int32_t> queues;
  for (const std::int32_t q : numbers)
    queues.emplace(log.queues.empty() || q < 0 ? std::to_string(q)
                                               : std::string(log.queues[static_cast<std::size_t>(q)]),
                   q);
  return queues;
}

}  // namespace

void refuse_weights(const Arguments& arguments) {
  if (arguments.has("--weights"))
    throw UsageError("--weights are those of processor sharing, gavel-las and gavel-ftf",
                     "add `--sharing ps` or `--policy gavel-las`, or leave --weights out");
}

std::vector<Option> sharing_options() {
  return {
      {"--sharing", "S",
       "exclusive (default): jobs wait for their GPUs; ps: all run at once at a part of their pace; "
       "gang: in turns "
       "of --quantum"},
      {"--weights", "LIST",
       "of --sharing ps, gavel-las and gavel-ftf: weights of the log's queues, `0=1,1=4` or `BE=1,LS=4`; 1 "
       "by default"}};
}

void choose_sharing(const Arguments& arguments, simulation::ReplayOptions& options) {
  options.sharing =
      static_cast<scheduling::Sharing>(arguments.choice("--sharing", {"exclusive", "ps", "gang"}, 0));
  const bool gang = options.sharing == scheduling::Sharing::gang;
  if (gang && arguments.has("--quantum"))
    options.quantum = length_of("--quantum", arguments.text("--quantum"));
  if (gang && options.quantum == 0)
    throw UsageError("gang scheduling needs the length of a turn", "add `--quantum 1h`");
  if (options.sharing == scheduling::Sharing::ps && arguments.has("--quantum"))
    throw UsageError("--quantum is the length of a turn in gang scheduling",
                     "choose `--sharing gang`, or leave --quantum out");
  if (gang) refuse_weights(arguments);
  if (options.sharing == scheduling::Sharing::exclusive) return;
  options.backfill = scheduling::Backfill::none;
  std::vector<std::string> rules;
  for (const std::vector<Option>& options_of_a_queue : {replay_policy_options(), preemption_options()})
    for (const Option& o : options_of_a_queue) rules.push_back(o.name);
  for (const std::string& rule : rules)
    if (rule != "--gpus" && rule != "--quantum" && arguments.has(rule))
      throw UsageError(
          fmt::format("{} is a rule of a queue, and jobs that share GPUs in time do not queue", rule),
          fmt::format("leave {} out, or leave --sharing out", rule));
}

void apply_weights(const Arguments& arguments, const workload::JobLog& log,
                   simulation::ReplayOptions& options) {
  const std::vector<std::pair<std::string, double>> weights = weights_of(arguments);
  if (weights.empty()) return;
  const std::map<std::string, std::int32_t> queues = queues_of(log);
  if (queues.size() == 1 && queues.begin()->second < 0)
    throw UsageError(fmt::format("{} does not say in which queue a job is", printable(log.file)),
                     "leave --weights out");
  for (const auto& [queue, weight] : weights) {
    const auto known = queues.find(queue);
    if (known == queues.end()) {
      std::vector<std::string> names;
      for (const auto& [name, number] : queues) names.push_back(name);
      throw UsageError(fmt::format("{} has no queue `{}`", printable(log.file), printable(queue)),
                       fmt::format("its queues: {}", printable(fmt::format("{}", fmt::join(names, ", ")))));
    }
    options.weights[known->second] = weight;
  }
}

}  // namespace natgpu::cli
