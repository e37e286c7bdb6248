// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace natgpu::cli {

/// Results, to stdout. A reader that has gone away (`| head`) is no error. @throws RunError if the disk is
/// full
void put_out(const std::string& text);
/// Everything else, to stderr.
void put_err(const std::string& text);

/// Set by the first SIGINT or SIGTERM; a second one ends the program at once with 130.
const std::atomic<bool>& stop_requested();
/// Installs the handlers and ignores SIGPIPE.
void watch_signals();

/// A bar on a terminal, else (or with CI in the environment) a line every ten per cent. On stderr.
class ProgressBar {
 public:
  explicit ProgressBar(std::string what);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  /// @param share  of the work, 0 to 1
  /// @param note   what is done so far, a few words
  void show(double share, const std::string& note);

 private:
  std::string what_;
  bool bar_;
  bool drawn_ = false;
  int last_tenth_ = 0;
};

/// Largest resident memory of this process so far, in bytes.
std::int64_t peak_memory();

/// UTC now as ISO 8601, for manifest.json.
std::string utc_now();

/// Seconds of wall clock since the program began.
double wall_seconds();

}  // namespace natgpu::cli
