// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace natgpu::workload {

/// How the log says that a job ended. The numbers are SWF's (field 11).
enum class LogStatus : std::int8_t { unknown = -1, failed = 0, completed = 1, cancelled = 5 };

/// One usable row of a job log: 64 bytes, a cache line. Times in whole seconds; -1: the log does not say.
struct LogJob {
  std::int64_t id = 0;  ///< job number of the log; where JobLog::ids holds names, the place among them
  std::int64_t submit_s = 0;
  std::int64_t run_s = 0;                          ///< true run time
  std::int64_t requested_s = 0;                    ///< the user's limit; the run time where the log has none
  std::int32_t gpus = 0;                           ///< whole GPUs; a shared one counts as one
  std::int32_t user = -1, group = -1, queue = -1;  ///< numbers of the log, or places among JobLog's names
  std::int32_t cpu_milli = -1;                     ///< thousandths of a core, of the whole job
  std::int32_t memory_mib = -1;                    ///< main memory, of the whole job
  std::int16_t gpu_milli = 1000;                   ///< thousandths of each of its GPUs
  std::int16_t gpu_type = -1;  ///< place among JobLog::gpu_types; -1: any GPU, or the log does not say
  std::int16_t nodes = -1;     ///< nodes (PAI: instances) over which it is spread evenly
  LogStatus status = LogStatus::unknown;

  friend bool operator==(const LogJob&, const LogJob&) = default;
};
static_assert(sizeof(LogJob) == 64);

/// Why rows could not be used, counted and the first of each kind named by line.
struct Unusable {
  std::string reason;
  std::uint64_t rows = 0;
  std::vector<std::uint64_t> first_lines;  ///< up to five
};

/// A list of short texts in one piece of memory; adding one does not allocate, but for the growth of the
/// whole.
class Texts {
 public:
  void add(std::string_view text) {
    bytes_.append(text);
    ends_.push_back(bytes_.size());
  }
  std::size_t size() const { return ends_.size(); }
  bool empty() const { return ends_.empty(); }
  /// @pre i < size(). Valid until the next add.
  std::string_view operator[](std::size_t i) const {
    const std::size_t from = i == 0 ? 0 : ends_[i - 1];
    return {bytes_.data() + from, ends_[i] - from};
  }
  friend bool operator==(const Texts&, const Texts&) = default;

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
};

/// A log in memory, rows in file order (which breaks ties of submit).
struct JobLog {
  std::string file;
  std::string format;  ///< "swf", "philly", ...; of a map given as a file, its path
  std::vector<LogJob> jobs;
  std::vector<Unusable> unusable;
  std::int64_t max_procs = 0;        ///< of an SWF header: MaxProcs, else MaxNodes; 0: not stated
  std::int64_t unix_start_time = 0;  ///< second 0 of the log in Unix time; 0: not stated
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;              ///< of text, after decompression
  std::uint64_t fractions_dropped = 0;  ///< times written with a fraction of a second, which is cut off
  std::uint64_t without_request = 0;    ///< usable rows without a requested time
  std::uint64_t shared_gpus = 0;        ///< usable rows that ask for less than a whole GPU
  std::uint64_t retried = 0;            ///< usable jobs of several attempts, whose times are added up
  std::uint64_t resized = 0;  ///< those of them whose attempts held other numbers of GPUs than the first
  /// Names by place, in order of first appearance; empty where the log has numbers.
  /// A gpu_type may be a list of allowed models, separated by `|` (openb).
  Texts ids, users, groups, queues, gpu_types;
  std::string header;  ///< of SWF: the comment lines before the first row, as they stand

  /// The job's id as the log has it.
  std::string id_of(const LogJob& job) const {
    return ids.empty() ? std::to_string(job.id) : std::string(ids[static_cast<std::size_t>(job.id)]);
  }
};

}  // namespace natgpu::workload
