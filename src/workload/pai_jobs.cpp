// SPDX-License-Identifier: Apache-2.0
// Alibaba PAI's jobs: what a job's tasks ask for, under the job's own submission and user.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <natgpu/workload/trace.hpp>

#include "interner.hpp"
#include "row_values.hpp"

namespace natgpu::workload {
namespace {

const ColumnMap& job_table() {
  using F = LogField;
  static const ColumnMap map{"pai-job-table",
                             "Alibaba PAI v2020, pai_job_table.csv",
                             "",
                             {{F::id, "job_name", "name", false, ""},
                              {F::submit, "start_time", "s", false, "submission"},
                              {F::user, "user", "name", false, ""},
                              {F::status, "status", "word", false, ""}},
                             "job_name,inst_id,user,status,start_time,end_time"};
  return map;
}
const ColumnMap& task_table() {
  return *std::find_if(shipped_maps().begin(), shipped_maps().end(),
                       [](const ColumnMap& map) { return map.name == "pai"; });
}

/// The tasks of one job, together.
struct Gang {
  std::uint64_t line = 0;  ///< of the first of them
  std::int64_t tasks = 0, gpus = 0, cpu_milli = -1, memory_mib = -1, instances = 0;
  std::int64_t start = std::numeric_limits<std::int64_t>::max();
  std::int64_t end = std::numeric_limits<std::int64_t>::min();
  std::int32_t share = -1;  ///< of each GPU, in thousandths; -1: none asks for one yet
  std::int32_t roles = -1, gpu_types = -1;
  bool never_started = false, no_end = false, seen = false;
};

/// "a|b" where a row has named a and another b.
std::int32_t together(Interner& numbers, const Texts& names, std::int32_t so_far, std::string_view name,
                      char between) {
  if (so_far < 0) return numbers.number_of(name);
  std::string all(names[static_cast<std::size_t>(so_far)]);
  for (std::size_t from = 0; from <= all.size();) {
    const std::size_t to = std::min(all.find(between, from), all.size());
    if (std::string_view(all).substr(from, to - from) == name) return so_far;
    from = to + 1;
  }
  all += between;
  all += name;
  return numbers.number_of(all);
}

class PaiReader {
 public:
  PaiReader(const std::string& file, const ReadOptions& options) : file_(file), options_(options) {
    log_.file = file;
    log_.format = "pai with its tasks";
  }

  JobLog read() {
    read_tasks();
    read_jobs();
    for (const Gang& g : gangs_)
      if (!g.seen) count_unusable(log_, "in the table of tasks, a job that the table of jobs lacks", g.line);
    return std::move(log_);
  }

 private:
  // --- tasks

  void read_tasks() {
    for_each_row(options_.tasks, task_table(),
                 [this](RowValues& row, CsvReader& csv) { add_task(row, csv); });
  }
  void add_task(RowValues& row, CsvReader& csv) {
    const Bound* type = nullptr;
    const Bound* role = nullptr;
    std::string_view name;
    for (const Bound& b : row.bounds()) {
      if (b.field == LogField::gpu_type) type = &b;
      if (b.field == LogField::queue) role = &b;
      if (b.field == LogField::id) name = row.text(b);
    }
    Gang& g = gang_of(name);
    if (g.tasks++ == 0) g.line = csv.line();
    const std::int64_t gpus = row.gpus();
    g.instances += row.value_or(LogField::nodes, 1);
    g.gpus += gpus;
    add(g.cpu_milli, row, LogField::cpu);
    add(g.memory_mib, row, LogField::memory);
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    if (g.gpus > most || g.cpu_milli > most || g.memory_mib > most)
      csv.mistake(0, "E0405", "GPUs, cores or memory of this job's tasks together: out of range",
                  "check this row and those of the same job");
    if (gpus > 0) {
      const auto share = static_cast<std::int32_t>(row.share());
      g.share = g.share < 0 || g.share == share ? share : static_cast<std::int32_t>(whole_gpu);
      if (row.has(LogField::gpu_type))
        g.gpu_types = together(types_, log_.gpu_types, g.gpu_types, row.text(*type), '|');
    }
    if (row.has(LogField::queue)) g.roles = together(roles_, log_.queues, g.roles, row.text(*role), '+');
    if (log_.gpu_types.size() > static_cast<std::size_t>(most_types))
      row.wrong(*type, "E0405", "more than 32767 types");
    g.never_started = g.never_started || !row.has(LogField::start);
    g.no_end = g.no_end || !row.has(LogField::end);
    g.start = std::min(g.start, row.value_or(LogField::start, g.start));
    g.end = std::max(g.end, row.value_or(LogField::end, g.end));
  }
  static void add(std::int64_t& sum, const RowValues& row, LogField field) {
    if (row.has(field)) sum = std::max<std::int64_t>(sum, 0) + row.value(field);
  }
  Gang& gang_of(std::string_view job) {
    const auto number = static_cast<std::size_t>(jobs_.number_of(job));
    if (number >= gangs_.size()) gangs_.resize(number + 1);
    return gangs_[number];
  }

  // --- jobs

  void read_jobs() {
    for_each_row(file_, job_table(), [this](RowValues& row, CsvReader& csv) { add_job(row, csv); });
  }
  void add_job(RowValues& row, CsvReader& csv) {
    std::string_view name, user;
    for (const Bound& b : row.bounds()) {
      if (b.field == LogField::id) name = row.text(b);
      if (b.field == LogField::user && row.has(LogField::user)) user = row.text(b);
    }
    Gang& g = gang_of(name);
    const bool again = std::exchange(g.seen, true);
    const char* reason = again ? "a job name there twice" : unusable(row, g);
    if (reason != nullptr) return count_unusable(log_, reason, csv.line());
    LogJob& job = log_.jobs.emplace_back();
    job.id = static_cast<std::int64_t>(log_.ids.size());
    log_.ids.add(name);
    job.submit_s = row.value(LogField::submit);
    job.run_s = job.requested_s = std::max<std::int64_t>(g.end - g.start, 0);
    job.gpus = static_cast<std::int32_t>(g.gpus);
    job.cpu_milli = static_cast<std::int32_t>(g.cpu_milli);
    job.memory_mib = static_cast<std::int32_t>(g.memory_mib);
    // Instances of several tasks are not alike, so that the job is not spread evenly.
    if (g.tasks == 1) job.nodes = static_cast<std::int16_t>(g.instances);
    if (g.share > 0) job.gpu_milli = static_cast<std::int16_t>(g.share);
    job.gpu_type = static_cast<std::int16_t>(g.gpu_types);
    job.queue = g.roles;
    if (!user.empty()) job.user = users_.number_of(user);
    job.status = static_cast<LogStatus>(row.value_or(LogField::status, -1));
    ++log_.without_request;
    log_.shared_gpus += job.gpu_milli < whole_gpu ? 1 : 0;
  }
  const char* unusable(const RowValues& row, const Gang& g) const {
    if (!row.has(LogField::submit)) return "no submit time";
    if (row.value(LogField::submit) < 0) return "negative submit time";
    if (g.tasks == 0) return "no tasks";
    if (options_.gpus > 0 && g.gpus > options_.gpus) return "more GPUs than the machine has";
    if (g.gpus < 1 && !options_.keep_cpu_jobs) return "no GPUs";
    if (g.never_started) return "never started";
    if (g.no_end) return "no end time";
    return g.end - g.start < 1 ? "run time below 1 s" : nullptr;
  }

  /// @throws ScenarioError with the mistakes of this file
  template <class Take>
  void for_each_row(const std::string& file, const ColumnMap& map, Take&& take) {
    Mistakes mistakes(file);
    CsvReader csv(file, mistakes);
    RowValues row(map, csv, mistakes);
    if (csv.next()) {
      if (row.bind() && row.read()) take(row, csv);
      while (csv.next())
        if (row.read()) take(row, csv);
    }
    mistakes.throw_if_any();
    log_.lines += csv.lines_read();
    log_.bytes += csv.bytes_read();
    log_.fractions_dropped += row.fractions();
  }

  std::string file_;
  const ReadOptions& options_;
  JobLog log_;
  Texts names_;
  Interner jobs_{names_}, users_{log_.users}, roles_{log_.queues}, types_{log_.gpu_types};
  std::vector<Gang> gangs_;  ///< by number of the job's name
};

}  // namespace

JobLog read_pai_jobs(const std::string& file, const ReadOptions& options) {
  return PaiReader(file, options).read();
}

}  // namespace natgpu::workload
