// SPDX-License-Identifier: Apache-2.0
// What all readers of logs share: mistakes with their place, and the count of rows that cannot be used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/workload/job_log.hpp>

namespace natgpu::workload {

// Bytes; rows of logs have under 200, so a longer line is another format.
inline constexpr std::size_t line_limit = std::size_t{64} << 10;
inline constexpr std::size_t chunk_bytes = std::size_t{1} << 20;
inline constexpr std::int64_t max_seconds =
    10'000'000'000;  // 317 years; the latest date in use is about 1.8e9

struct Mistake {
  const char* at = nullptr;  ///< in the text that `add` is given
  const char* code = "";
  std::string message, help;
};

/// Collects mistakes and gives up at the twentieth, for a wrong file would else print a million.
class Mistakes {
 public:
  explicit Mistakes(std::string file) : file_(std::move(file)) {}

  /// @param line   number of the line at `begin`; a record in quotes may go on over further lines
  /// @param begin  start of the line, which ends in a line break or a NUL byte
  /// @param stop   end of what is underlined
  /// @throws ScenarioError when it is one too many
  void add(std::uint64_t line, const char* begin, const char* stop, Mistake mistake);
  /// A mistake of the file as a whole, or of a line that is not at hand.
  void add(std::uint64_t line, const char* code, std::string message, std::string help);
  /// One sentence on the whole file in place of all that was found.
  [[noreturn]] void give_up(const char* code, std::string message, std::string help);
  [[noreturn]] void too_long(std::uint64_t line, const std::string& help);
  /// @throws ScenarioError with all of them
  void throw_if_any();

 private:
  std::string file_;
  std::vector<Diagnostic> found_;
};

/// Counts a row that cannot be used, and keeps the first five lines of each reason.
void count_unusable(JobLog& log, const char* reason, std::uint64_t line);

/// Submissions in Unix time become seconds since the first of them.
void count_from_first_submission(JobLog& log);

}  // namespace natgpu::workload
