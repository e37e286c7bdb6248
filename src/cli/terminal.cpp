// SPDX-License-Identifier: Apache-2.0
#include "terminal.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>

namespace natgpu::cli {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "the handler may set it");

extern "C" void on_signal(int) {
  if (stop.exchange(true)) _exit(130);
  static constexpr char text[] = "\nstopping; what is finished is kept. Once more to quit at once.\n";
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, text, sizeof text - 1);
}

const auto program_start = std::chrono::steady_clock::now();

}  // namespace

void put_out(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (std::fflush(stdout) != 0 && errno != EPIPE)
    throw RunError(fmt::format("cannot write to standard output: {}", std::strerror(errno)));
}

void put_err(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

const std::atomic<bool>& stop_requested() {
  return stop;
}

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // a write under way is finished, not failed
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

ProgressBar::ProgressBar(std::string what)
    : what_(std::move(what)), bar_(isatty(STDERR_FILENO) != 0 && std::getenv("CI") == nullptr) {
  const char* terminal = std::getenv("TERM");
  bar_ = bar_ && terminal != nullptr && std::strcmp(terminal, "dumb") != 0;
}

ProgressBar::~ProgressBar() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void ProgressBar::show(double share, const std::string& note) {
  share = std::clamp(share, 0.0, 1.0);
  if (bar_) {
    constexpr int cells = 30;
    const auto full = static_cast<std::size_t>(share * cells);
    put_err(fmt::format("\r\033[K{} [{}{}] {:3.0f} % {}", what_, std::string(full, '#'),
                        std::string(cells - full, '.'), share * 100, note));
    drawn_ = true;
    return;
  }
  const int tenth = static_cast<int>(share * 10 + 1e-9);
  if (tenth <= last_tenth_) return;
  last_tenth_ = tenth;
  put_err(fmt::format("{}: {} % {}\n", what_, tenth * 10, note));
}

std::int64_t peak_memory() {
  struct rusage used {};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<std::int64_t>(used.ru_maxrss) * 1024;  // Linux counts KiB
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - program_start).count();
}

}  // namespace natgpu::cli
