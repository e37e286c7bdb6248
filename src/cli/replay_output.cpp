// SPDX-License-Identifier: Apache-2.0
#include "replay_output.hpp"

#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <natgpu/core/time.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/workload/trace.hpp>

namespace natgpu::cli {

namespace {

/// Ticks as seconds, with as many decimals as there are.
std::string seconds_of(std::int64_t ticks) {
  std::string out = fmt::format("{}", ticks / ticks_per_second);
  if (const std::int64_t rest = ticks % ticks_per_second; rest != 0) {
    out += fmt::format(".{:06}", rest);
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out;
}
std::string type_cells(const simulation::ReplayResult& r, std::size_t job) {
  std::string out;
  for (std::size_t j = 0; j < r.types.size(); ++j)
    out += "," + seconds_of(r.type_ticks[job * r.types.size() + j]);
  return out;
}
/// The columns behind the submission, of a job that might lose its GPUs.
std::string segmented_cells(const workload::LogJob& job, const simulation::SegmentedJob& s, bool killed) {
  return fmt::format(",{},{},{},{},{},{}", seconds_of(s.start), seconds_of(s.end), job.gpus,
                     killed ? "killed" : "finished", s.preemptions, seconds_of(s.lost));
}

}  // namespace

std::string replay_jobs_csv(const workload::JobLog& log, const simulation::ReplayResult& result,
                            const NodeOutput* nodes) {
  const bool segmented = !result.segmented.empty();
  std::string out = "job_id,submit_s,start_s,end_s,gpus,state";
  if (segmented) out += ",preemptions,lost_s";
  for (const simulation::TypeUse& t : result.types) out += fmt::format(",{}_s", t.name);
  out += nodes != nullptr ? ",nodes\n" : "\n";
  out.reserve(out.size() + log.jobs.size() * 48);
  for (std::size_t i = 0; i < log.jobs.size(); ++i) {
    const workload::LogJob& j = log.jobs[i];
    if (log.ids.empty())
      fmt::format_to(std::back_inserter(out), "{}", j.id);
    else
      out += workload::csv_cell(log.id_of(j));
    if (result.start_s[i] < 0)
      fmt::format_to(std::back_inserter(out), ",{},,,{},rejected{}", j.submit_s, j.gpus,
                     segmented ? ",0,0" : "");
    else if (segmented)
      out += fmt::format(",{}", j.submit_s) + segmented_cells(j, result.segmented[i], result.killed[i] != 0);
    else
      fmt::format_to(std::back_inserter(out), ",{},{},{},{},{}", j.submit_s, result.start_s[i],
                     result.end_s[i], j.gpus, result.killed[i] != 0 ? "killed" : "finished");
    out += type_cells(result, i);
    if (nodes != nullptr) out += "," + machines_text(nodes->figures, i);
    out += '\n';
  }
  return out;
}

std::string replay_json(const workload::JobLog& log, const simulation::ReplayResult& result,
                        const scheduling::PluggedPolicy& plugged, const ReplayTimings& timings,
                        const NodeOutput* nodes) {
  nlohmann::ordered_json json{{"jobs", log.jobs.size()},
                              {"mean_wait_s", result.mean_wait_s},
                              {"mean_bounded_slowdown", result.mean_bounded_slowdown},
                              {"utilization", result.utilization},
                              {"makespan_s", result.makespan_s},
                              {"read_s", timings.read_s},
                              {"simulate_s", timings.simulate_s},
                              {"semantics", result.semantics}};
  if (!result.segmented.empty()) {
    json["mean_queued_s"] = result.mean_queued_s;
    json["wasted"] = result.wasted;
    json["preemptions"] = result.preemptions;
  }
  for (const simulation::TypeUse& t : result.types)
    json["gpu_types"][t.name] = {{"gpus", t.gpus}, {"utilization", t.utilization}};
  if (plugged)
    json["plugged_policy"] = {
        {"library", plugged.name}, {"sha256", plugged.sha256}, {"level", plugged.decides() ? 2 : 1}};
  if (nodes != nullptr) {
    json["nodes"] = node_json(*nodes);
    json["nodes"]["broken_promises"] = result.broken_promises;
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string replay_text(const workload::JobLog& log, const simulation::ReplayResult& r,
                        const ReplayTimings& timings, const NodeOutput* nodes) {
  std::string out = fmt::format("{}: {} jobs on {} GPUs\n", printable(log.file), log.jobs.size(), r.gpus);
  out += fmt::format("  semantics              {}\n", r.semantics);
  out += fmt::format("  mean wait              {:.3f} s\n", r.mean_wait_s);
  out += fmt::format("  mean bounded slowdown  {:.5f}\n", r.mean_bounded_slowdown);
  out += fmt::format("  utilization            {:.4f} of GPUs x makespan\n", r.utilization);
  for (const simulation::TypeUse& t : r.types)
    out += fmt::format("  of {:<19} {:.4f} of {} GPUs x makespan\n", t.name, t.utilization, t.gpus);
  if (!r.segmented.empty()) {
    out += fmt::format("  of it wasted           {:.4f} (lost work, restarts, notice)\n", r.wasted);
    out += fmt::format("  mean time queued       {:.3f} s\n", r.mean_queued_s);
    out += fmt::format("  preemptions            {}\n", r.preemptions);
  }
  out += fmt::format("  makespan               {} s\n", r.makespan_s);
  if (r.started < log.jobs.size())
    out += fmt::format("  never started          {} jobs\n", log.jobs.size() - r.started);
  if (nodes != nullptr) out += node_text(*nodes);
  if (r.broken_promises > 0)
    out += fmt::format("  promises broken        {} reserved starts, put off by a loss\n", r.broken_promises);
  out += fmt::format("  fingerprint            {:016x}\n", r.fingerprint);
  return out + fmt::format("  read in {:.3f} s, simulated in {:.3f} s\n", timings.read_s, timings.simulate_s);
}

}  // namespace natgpu::cli
