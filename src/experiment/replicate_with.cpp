// SPDX-License-Identifier: Apache-2.0
#include "replicate_with.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>

namespace natgpu::experiment {
namespace {

constexpr std::chrono::milliseconds progress_period{250};  // people see four steps a second as motion

/// Replications handed out in order to whoever is free. Each writes its own slot and nothing else, so that
/// the result cannot depend on who ran what.
class Pool {
 public:
  Pool(const std::function<simulation::RunRecord(const simulation::SimulateOptions&)>& simulate,
       const ReplicateOptions& options)
      : simulate_(simulate),
        options_(options),
        slots_(options.replications),
        progress_(options.replications) {}

  Replications run() {
    start_threads();
    {
      std::unique_lock lock(mutex_);
      while (running_ > 0) {
        all_done_.wait_for(lock, progress_period, [&] { return running_ == 0; });
        lock.unlock();
        show_progress();
        lock.lock();
      }
    }
    for (std::thread& t : threads_) t.join();
    return collect();
  }

 private:
  struct Slot {
    std::optional<simulation::RunRecord> record;
    std::exception_ptr failure;
  };

  void start_threads() {
    const unsigned wanted = std::max(1U, std::min(options_.threads, options_.replications));
    for (unsigned i = 0; i < wanted; ++i) {
      try {
        {
          const std::lock_guard lock(mutex_);
          ++running_;
        }
        threads_.emplace_back([this] { work(); });
      } catch (const std::system_error& e) {
        const std::lock_guard lock(mutex_);
        --running_;
        if (threads_.empty()) throw RunError(fmt::format("no thread can be started: {}", e.what()));
        return;  // fewer threads, same results
      }
    }
  }

  void work() {
    while (!stopped()) {
      const std::uint32_t r = next_.fetch_add(1);
      if (r >= options_.replications) break;
      try {
        slots_[r].record = simulate_({options_.seed, r, options_.stop, &progress_[r]});
        if (options_.trim) options_.trim(*slots_[r].record);
        progress_[r].share = 1.0;
        finished_.fetch_add(1);
      } catch (const simulation::Interrupted&) {
        break;
      } catch (...) {
        slots_[r].failure = std::current_exception();
        failed_ = true;  // lower replications have all been handed out, so the first failure is always found
      }
    }
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) all_done_.notify_all();
  }

  bool stopped() const { return failed_ || (options_.stop != nullptr && options_.stop->load()); }

  void show_progress() const {
    if (!options_.on_progress || slots_.empty()) return;
    double sum = 0;
    for (const simulation::Progress& p : progress_) sum += p.share.load();
    options_.on_progress(sum / static_cast<double>(slots_.size()), finished_.load());
  }

  Replications collect() {
    Replications result;
    for (Slot& slot : slots_) {
      if (slot.failure) std::rethrow_exception(slot.failure);
      if (slot.record)
        result.records.push_back(std::move(*slot.record));
      else
        result.interrupted = true;
    }
    return result;
  }

  const std::function<simulation::RunRecord(const simulation::SimulateOptions&)>& simulate_;
  const ReplicateOptions& options_;
  std::vector<Slot> slots_;
  std::vector<simulation::Progress> progress_;
  std::vector<std::thread> threads_;
  std::atomic<std::uint32_t> next_{0}, finished_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::condition_variable all_done_;
  unsigned running_ = 0;
};

}  // namespace

Replications replicate_with(
    const std::function<simulation::RunRecord(const simulation::SimulateOptions&)>& simulate,
    const ReplicateOptions& options) {
  return Pool(simulate, options).run();
}

std::vector<Replications> replicate_all_with(
    const std::function<simulation::RunRecord(std::size_t, const simulation::SimulateOptions&)>& simulate,
    std::size_t scenarios, const ReplicateOptions& options) {
  std::vector<Replications> all(scenarios);
  if (scenarios == 0) return all;
  ReplicateOptions runs = options;
  runs.replications = options.replications * static_cast<std::uint32_t>(scenarios);
  std::vector<char> finished(runs.replications, 0);  // each written by the one thread that has the run
  Replications done = replicate_with(
      [&](const simulation::SimulateOptions& run) {
        simulation::SimulateOptions one = run;
        one.replication = static_cast<std::uint32_t>(run.replication / scenarios);
        simulation::RunRecord record = simulate(run.replication % scenarios, one);
        finished[run.replication] = 1;
        return record;
      },
      runs);
  std::size_t next = 0;
  for (std::size_t r = 0; r < options.replications; ++r) {
    const auto first = finished.begin() + static_cast<std::ptrdiff_t>(r * scenarios);
    const auto last = first + static_cast<std::ptrdiff_t>(scenarios);
    const bool whole = std::find(first, last, 0) == last;
    for (std::size_t i = 0; i < scenarios; ++i) {
      if (first[static_cast<std::ptrdiff_t>(i)] == 0) continue;
      simulation::RunRecord& record = done.records[next++];
      if (whole) all[i].records.push_back(std::move(record));
    }
  }
  for (Replications& one : all) one.interrupted = one.records.size() < options.replications;
  return all;
}

}  // namespace natgpu::experiment
