// SPDX-License-Identifier: Apache-2.0
#include "replay_output.hpp"

#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <natgpu/core/utf8.hpp>
#include <natgpu/workload/trace.hpp>

namespace natgpu::cli {

std::string replay_jobs_csv(const workload::JobLog& log, const simulation::ReplayResult& result) {
  std::string out = "job_id,submit_s,start_s,end_s,gpus,state\n";
  out.reserve(out.size() + log.jobs.size() * 48);
  for (std::size_t i = 0; i < log.jobs.size(); ++i) {
    const workload::LogJob& j = log.jobs[i];
    if (log.ids.empty())
      fmt::format_to(std::back_inserter(out), "{}", j.id);
    else
      out += workload::csv_cell(log.id_of(j));
    if (result.start_s[i] < 0)
      fmt::format_to(std::back_inserter(out), ",{},,,{},rejected\n", j.submit_s, j.gpus);
    else
      fmt::format_to(std::back_inserter(out), ",{},{},{},{},{}\n", j.submit_s, result.start_s[i],
                     result.end_s[i], j.gpus, result.killed[i] != 0 ? "killed" : "finished");
  }
  return out;
}

std::string replay_json(const workload::JobLog& log, const simulation::ReplayResult& result,
                        const scheduling::PluggedPolicy& plugged, const ReplayTimings& timings) {
  nlohmann::ordered_json json{{"jobs", log.jobs.size()},
                              {"mean_wait_s", result.mean_wait_s},
                              {"mean_bounded_slowdown", result.mean_bounded_slowdown},
                              {"utilization", result.utilization},
                              {"makespan_s", result.makespan_s},
                              {"read_s", timings.read_s},
                              {"simulate_s", timings.simulate_s},
                              {"semantics", result.semantics}};
  if (plugged)
    json["plugged_policy"] = {
        {"library", plugged.name}, {"sha256", plugged.sha256}, {"level", plugged.decides() ? 2 : 1}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string replay_text(const workload::JobLog& log, const simulation::ReplayResult& r,
                        const ReplayTimings& timings) {
  std::string out = fmt::format("{}: {} jobs on {} GPUs\n", printable(log.file), log.jobs.size(), r.gpus);
  out += fmt::format("  semantics              {}\n", r.semantics);
  out += fmt::format("  mean wait              {:.3f} s\n", r.mean_wait_s);
  out += fmt::format("  mean bounded slowdown  {:.5f}\n", r.mean_bounded_slowdown);
  out += fmt::format("  utilization            {:.4f} of GPUs x makespan\n", r.utilization);
  out += fmt::format("  makespan               {} s\n", r.makespan_s);
  if (r.started < log.jobs.size())
    out += fmt::format("  never started          {} jobs\n", log.jobs.size() - r.started);
  out += fmt::format("  fingerprint            {:016x}\n", r.fingerprint);
  return out + fmt::format("  read in {:.3f} s, simulated in {:.3f} s\n", timings.read_s, timings.simulate_s);
}

}  // namespace natgpu::cli
