// SPDX-License-Identifier: Apache-2.0
// Rows of a CSV job log to jobs, by a column map.
#include <algorithm>
#include <utility>

#include <natgpu/workload/trace.hpp>

#include "interner.hpp"
#include "row_values.hpp"

namespace natgpu::workload {
namespace {

class CsvLogReader {
 public:
  CsvLogReader(const std::string& file, const ColumnMap& map, const ReadOptions& options)
      : options_(options), mistakes_(file), csv_(file, mistakes_), row_(map, csv_, mistakes_) {
    log_.file = file;
    log_.format = map.name;
    // A row is seldom shorter; for gzip the size is unknown and the vector grows by itself.
    if (csv_.plain()) log_.jobs.reserve(csv_.file_bytes() / 100);
  }

  JobLog read() {
    if (csv_.next()) {
      if (row_.bind()) row();
      while (csv_.next()) row();
    }
    mistakes_.throw_if_any();
    log_.lines = csv_.lines_read();
    log_.bytes = csv_.bytes_read();
    log_.fractions_dropped = row_.fractions();
    if (has_dates()) count_from_first_submission(log_);
    return std::move(log_);
  }

 private:
  void row() {
    ++rows_;
    if (!row_.read()) return;
    if (const char* reason = unusable())
      count_unusable(log_, reason, csv_.line());
    else
      add_job();
  }

  /// Null where the row can be used.
  const char* unusable() const {
    if (!row_.has(LogField::submit)) return "no submit time";
    if (row_.value(LogField::submit) < 0) return "negative submit time";
    if (options_.gpus > 0 && row_.gpus() > options_.gpus) return "more GPUs than the machine has";
    if (options_.keep_all_requests) return nullptr;
    if (row_.gpus() < 1 && !options_.keep_cpu_jobs) return "no GPUs";
    if (row_.mapped(LogField::run)) return !row_.has(LogField::run) ? "no run time" : too_short();
    if (!row_.has(LogField::start)) return "never started";
    return !row_.has(LogField::end) ? "no end time" : too_short();
  }
  const char* too_short() const { return run_s() < 1 ? "run time below 1 s" : nullptr; }
  std::int64_t run_s() const {
    if (row_.mapped(LogField::run)) return row_.has(LogField::run) ? row_.value(LogField::run) : 0;
    return row_.has(LogField::start) && row_.has(LogField::end)
               ? row_.value(LogField::end) - row_.value(LogField::start)
               : 0;
  }

  void add_job() {
    LogJob& job = log_.jobs.emplace_back();
    job.submit_s = row_.value(LogField::submit);
    job.run_s = std::max<std::int64_t>(run_s(), 0);
    const bool asked = row_.value_or(LogField::requested, 0) > 0;
    job.requested_s = asked ? row_.value(LogField::requested) : job.run_s;
    job.gpus = static_cast<std::int32_t>(row_.gpus());
    job.cpu_milli = static_cast<std::int32_t>(row_.value_or(LogField::cpu, -1));
    job.memory_mib = static_cast<std::int32_t>(row_.value_or(LogField::memory, -1));
    job.nodes = static_cast<std::int16_t>(row_.value_or(LogField::nodes, -1));
    job.status = static_cast<LogStatus>(row_.value_or(LogField::status, -1));
    const std::int64_t share = row_.share();
    if (job.gpus > 0 && share > 0) job.gpu_milli = static_cast<std::int16_t>(share);
    job.id = rows_;
    for (const Bound& bound : row_.bounds())
      if (bound.unit->kind == UnitKind::label) label(bound, job);
    log_.without_request += asked ? 0 : 1;
    log_.shared_gpus += job.gpu_milli < whole_gpu ? 1 : 0;
  }

  void label(const Bound& bound, LogJob& job) {
    const bool named = bound.unit->form == LogUnit::Form::name;
    if (bound.field == LogField::id) {
      if (named) log_.ids.add(row_.text(bound));
      job.id = named ? static_cast<std::int64_t>(log_.ids.size()) - 1 : row_.value_or(LogField::id, rows_);
      return;
    }
    std::int64_t number = -1;
    if (row_.has(bound.field))
      number = named ? interner(bound.field).number_of(row_.text(bound)) : row_.value(bound.field);
    if (bound.field == LogField::user) job.user = static_cast<std::int32_t>(number);
    if (bound.field == LogField::group) job.group = static_cast<std::int32_t>(number);
    if (bound.field == LogField::queue) job.queue = static_cast<std::int32_t>(number);
    if (bound.field != LogField::gpu_type) return;
    if (number > most_types) row_.wrong(bound, "E0405", "more than 32767 types");
    job.gpu_type = static_cast<std::int16_t>(number);
  }

  Interner& interner(LogField field) {
    return field == LogField::user    ? users_
           : field == LogField::group ? groups_
           : field == LogField::queue ? queues_
                                      : gpu_types_;
  }

  bool has_dates() const {
    return std::any_of(row_.bounds().begin(), row_.bounds().end(), [](const Bound& b) {
      return b.field == LogField::submit && b.unit->form == LogUnit::Form::datetime;
    });
  }

  const ReadOptions& options_;
  Mistakes mistakes_;
  CsvReader csv_;
  RowValues row_;
  JobLog log_;
  Interner users_{log_.users}, groups_{log_.groups}, queues_{log_.queues}, gpu_types_{log_.gpu_types};
  std::int64_t rows_ = 0;
};

}  // namespace

JobLog read_csv_log(const std::string& file, const ColumnMap& map, const ReadOptions& options) {
  return CsvLogReader(file, map, options).read();
}

}  // namespace natgpu::workload
