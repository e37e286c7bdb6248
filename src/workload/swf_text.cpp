// SPDX-License-Identifier: Apache-2.0
// The writer of the Standard Workload Format.
#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <natgpu/core/utf8.hpp>
#include <natgpu/workload/swf.hpp>

namespace natgpu::workload {
namespace {

struct HeaderLine {
  std::string_view key;
  std::int64_t value = 0;
  bool stated = true;
  bool written = false;
};

/// What must agree with the rows, whatever the old header said.
std::array<HeaderLine, 4> counted(const JobLog& log) {
  const auto jobs = static_cast<std::int64_t>(log.jobs.size());
  return {{{"MaxJobs", jobs},
           {"MaxRecords", jobs},
           {"UnixStartTime", log.unix_start_time, log.unix_start_time != 0},
           {"MaxProcs", log.max_procs, log.max_procs > 0}}};
}

std::string_view key_of(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of("; \t"), line.size()));
  return line.substr(0, line.find(':'));
}

std::string line_of(const HeaderLine& h) {
  return fmt::format("; {}: {}\n", h.key, h.value);
}

/// The old header, line by line, with the counted lines brought up to date and the missing ones added.
std::string updated_header(const JobLog& log) {
  std::array<HeaderLine, 4> lines = counted(log);
  std::string out;
  const std::string_view old = log.header;
  for (std::size_t from = 0; from < old.size();) {
    const std::size_t to = std::min(old.find('\n', from), old.size());
    const std::string_view line = old.substr(from, to - from);
    from = to + 1;
    const auto found = std::find_if(lines.begin(), lines.end(),
                                    [&](const HeaderLine& h) { return h.stated && h.key == key_of(line); });
    if (found == lines.end()) {
      out.append(line);
      out += '\n';
    } else if (!found->written) {
      found->written = true;
      out += line_of(*found);
    }
  }
  for (const HeaderLine& h : lines)
    if (h.stated && !h.written) out += line_of(h);
  return out;
}

std::string file_name(const std::string& path) {
  return printable(path.substr(path.find_last_of('/') + 1));
}

std::string new_header(const JobLog& log) {
  std::string out = fmt::format("; Version: 2.2\n; Conversion: natgpu, from {} (format {})\n",
                                file_name(log.file), file_name(log.format));
  for (const HeaderLine& h : counted(log))
    if (h.stated) out += line_of(h);
  if (log.unix_start_time != 0) out += "; TimeZoneString: UTC\n";
  if (!log.jobs.empty() && log.without_request == log.jobs.size())
    out += "; Note: the log states no requested times; run times stand in for them\n";
  for (const std::string& lost : lost_in_swf(log)) out += fmt::format("; Note: left out: {}\n", lost);
  if (!log.queues.empty()) out += fmt::format("; MaxQueues: {}\n", log.queues.size());
  const auto names = [&](std::string_view key, const Texts& texts) {
    for (std::size_t i = 0; i < texts.size(); ++i)
      out += fmt::format("; {}: {} {}\n", key, i, printable(texts[i]));
  };
  names("Queue", log.queues);
  names("Group", log.groups);
  names("User", log.users);
  return out;
}

}  // namespace

std::vector<std::string> lost_in_swf(const JobLog& log) {
  const auto any = [&](auto test) { return std::any_of(log.jobs.begin(), log.jobs.end(), test); };
  std::vector<std::string> lost;
  if (!log.ids.empty()) lost.emplace_back("names of jobs");
  if (any([](const LogJob& j) { return j.cpu_milli >= 0; })) lost.emplace_back("CPU cores");
  if (any([](const LogJob& j) { return j.memory_mib >= 0; })) lost.emplace_back("memory");
  if (log.shared_gpus > 0) lost.emplace_back("shares of GPUs (each counts as a whole one)");
  if (!log.gpu_types.empty()) lost.emplace_back("GPU types");
  if (any([](const LogJob& j) { return j.nodes >= 0; })) lost.emplace_back("nodes");
  return lost;
}

std::string swf_text(const JobLog& log) {
  std::vector<const LogJob*> order;
  order.reserve(log.jobs.size());
  for (const LogJob& job : log.jobs) order.push_back(&job);
  std::stable_sort(order.begin(), order.end(),
                   [](const LogJob* a, const LogJob* b) { return a->submit_s < b->submit_s; });
  std::string out = log.header.empty() ? new_header(log) : updated_header(log);
  out.reserve(out.size() + order.size() * 80);
  for (const LogJob* job : order)
    fmt::format_to(std::back_inserter(out), "{} {} -1 {} {} -1 -1 {} {} -1 {} {} {} -1 {} -1 -1 -1\n",
                   log.ids.empty() ? job->id : job->id + 1, job->submit_s, job->run_s, job->gpus, job->gpus,
                   job->requested_s, static_cast<int>(job->status), job->user, job->group, job->queue);
  return out;
}

}  // namespace natgpu::workload
