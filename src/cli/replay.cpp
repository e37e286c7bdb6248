// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/file.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/plugin/library.hpp>
#include <natgpu/simulation/node_replay.hpp>
#include <natgpu/simulation/replay.hpp>
#include <natgpu/workload/trace.hpp>

#include "command.hpp"
#include "log_format.hpp"
#include "node_view.hpp"
#include "preemption_options.hpp"
#include "replay_accounts.hpp"
#include "replay_options.hpp"
#include "replay_output.hpp"
#include "replay_sharing.hpp"
#include "replay_types.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

constexpr std::int64_t progress_from_jobs = 1'000'000;  // below, a replay is over before a bar is read

using NodeViewOrNone = std::optional<simulation::NodeView>;

void refuse_unusable(const workload::JobLog& log, std::int64_t gpus, const NodeViewOrNone& view) {
  if (!view && gpus == 0 && log.max_procs == 0)
    throw UsageError(fmt::format("{} does not say how many processors the machine has", printable(log.file)),
                     "state it with `--gpus N`");
  if (!log.jobs.empty()) return;
  std::string reasons;
  for (const workload::Unusable& u : log.unusable)
    reasons += fmt::format("{}{} rows: {}", reasons.empty() ? "" : "; ", u.rows, u.reason);
  refuse_file(log.file, "E0407", "the log holds no usable job", reasons);
}

/// Of counted GPUs `nodes` says nothing.
simulation::NodeReplayResult replay_of(const workload::JobLog& log, const simulation::ReplayOptions& options,
                                       const NodeViewOrNone& view) {
  if (view) return simulation::replay_on_nodes(log, options, *view);
  simulation::NodeReplayResult result;
  result.replay = simulation::replay(log, options);
  return result;
}

/// Runs the replay on a thread of its own and shows how far it is.
simulation::NodeReplayResult replay_with_progress(const workload::JobLog& log,
                                                  simulation::ReplayOptions options,
                                                  const NodeViewOrNone& view) {
  std::atomic<std::int64_t> jobs_done{0};
  options.jobs_done = &jobs_done;
  simulation::NodeReplayResult result;
  std::exception_ptr failure;
  std::mutex mutex;
  std::condition_variable changed;
  bool over = false;
  std::thread worker([&] {
    try {
      result = replay_of(log, options, view);
    } catch (...) {
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    over = true;
    changed.notify_all();
  });
  {
    ProgressBar bar("replay");
    const auto total = static_cast<double>(log.jobs.size());
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, std::chrono::milliseconds(250), [&] { return over; }))
      bar.show(static_cast<double>(jobs_done.load()) / total, fmt::format("{} jobs", jobs_done.load()));
  }
  worker.join();
  if (failure) std::rethrow_exception(failure);
  return result;
}

int replay(const Arguments& arguments) {
  const std::string format = log_format(arguments), tasks = tasks_file(arguments);
  const std::optional<plugin::Library> library = library_of(arguments);
  simulation::ReplayOptions options = replay_options_of(arguments, library);
  const NodeViewOrNone view = node_view_of(arguments, simulation::may_preempt(options));
  if (view)
    if (const std::string why = simulation::not_on_nodes(options); !why.empty()) throw UsageError(why);
  prepare_file(arguments.text("--jobs-csv"));
  prepare_file(arguments.text("--json"));
  ReplayTimings timings;
  double began = wall_seconds();
  const workload::JobLog log =
      workload::read_log(arguments.positional[0], {format, options.gpus, false, view.has_value(), tasks});
  timings.read_s = wall_seconds() - began;
  refuse_unusable(log, options.gpus, view);
  apply_weights(arguments, log, options);
  put_err(log_notes(log, !view));
  read_shares(arguments, log, options);
  began = wall_seconds();
  const simulation::NodeReplayResult result = static_cast<std::int64_t>(log.jobs.size()) < progress_from_jobs
                                                  ? replay_of(log, options, view)
                                                  : replay_with_progress(log, options, view);
  timings.simulate_s = wall_seconds() - began;
  std::optional<NodeOutput> on_machines;
  if (view) on_machines.emplace(NodeOutput{*view, result.nodes});
  const NodeOutput* nodes = view ? &*on_machines : nullptr;
  put_err(node_notes(result.nodes));
  put_err(account_notes(log, options, result.replay));
  if (arguments.has("--jobs-csv"))
    write_file_whole(arguments.text("--jobs-csv"), replay_jobs_csv(log, result.replay, nodes));
  if (arguments.has("--json"))
    write_file_whole(arguments.text("--json"),
                     replay_json(log, result.replay, options.plugged, timings, nodes));
  put_out(replay_text(log, result.replay, timings, nodes));
  return Exit::done;
}

std::vector<Option> options() {
  std::vector<Option> all = log_options();
  for (Option& option : replay_policy_options()) all.push_back(std::move(option));
  for (const Option& option : preemption_options()) all.push_back(option);
  for (Option& option : sharing_options()) all.push_back(std::move(option));
  for (Option& option : type_options()) all.push_back(std::move(option));
  for (const Option& option : account_options()) all.push_back(option);
  for (Option& option : node_view_options()) all.push_back(std::move(option));
  all.push_back(
      {"--jobs-csv", "FILE", "start, end and (with --nodes) machines of every usable job, in log order"});
  all.push_back({"--json", "FILE", "the figures below"});
  return all;
}

}  // namespace

const Command& replay_command() {
  static const Command command{
      "replay",
      "Replay a job log (SWF or CSV, plain or .gz) under one policy.",
      "TRACE",
      1,
      1,
      options(),
      {"natgpu replay log.swf.gz --policy easy",
       "natgpu replay log.swf.gz --policy las2d --thresholds 1h,10h",
       "natgpu replay cluster_log.csv --format helios --gpus 1064",
       "natgpu replay openb_pod_list_default.csv.gz --nodes openb_node_list_all_node.csv.gz --policy fit",
       "natgpu replay log.swf.gz --pass event --ties arrival-first --jobs-csv jobs.csv --json result.json"},
      replay};
  return command;
}

}  // namespace natgpu::cli
