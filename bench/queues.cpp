// SPDX-License-Identifier: Apache-2.0
// What a job costs under each backfill while so many wait, and while so many run; and how long a conservative
// replay of one million jobs takes. Prints rows of the table of bench/run.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <natgpu/core/time.hpp>
#include <natgpu/engine/event_list.hpp>
#include <natgpu/scheduling/conservative.hpp>
#include <natgpu/scheduling/dispatcher.hpp>
#include <natgpu/simulation/replay.hpp>

#include "figures.hpp"
#include "synthetic_log.hpp"

namespace {

using namespace natgpu;         // NOLINT: a program of one file
using namespace natgpu::bench;  // NOLINT
using scheduling::Backfill;
using scheduling::ConservativeDispatcher;
using scheduling::WaitingJob;

/// A machine that is always full, before it a queue that is always as long: for every job that starts another
/// comes. Jobs are those of `synthetic_job`; their ends are kept as natgpu keeps them, in its event list.
template <class Dispatcher>
class Flow {
 public:
  Flow(Dispatcher dispatcher, std::int64_t gpus, std::size_t waiting)
      : dispatcher_(std::move(dispatcher)), waiting_(waiting) {
    dispatcher_.change_capacity(0, gpus);
    dispatcher_.pass(0, *this);
    fill();
  }

  /// @returns nanoseconds of processor time a job, over so many starts or so many seconds
  double ns_per_job(std::size_t starts, double most_s) {
    const std::size_t before = started_;
    const double began = cpu_seconds();
    while (started_ - before < starts && cpu_seconds() - began < most_s) step();
    return 1e9 * (cpu_seconds() - began) / static_cast<double>(std::max<std::size_t>(started_ - before, 1));
  }
  std::size_t passes() const { return passes_; }
  std::size_t started() const { return started_; }
  std::size_t running() const { return ends_.size(); }

  void start(const WaitingJob& job, std::uint32_t, std::int64_t requested) {
    ends_.schedule(Instant{Duration{now_ + run_ticks_[job.slot]}},
                   engine::rank_of(engine::Phase::release, 0, job.slot),
                   {now_ + requested, job.gpus, job.slot});
    ++started_;
  }

 private:
  struct Run {
    std::int64_t requested_end = 0;
    std::int32_t gpus = 0;
    std::uint32_t slot = 0;
  };

  void step() {
    const Instant now = ends_.next_time();
    now_ = now.time_since_epoch().count();
    while (ends_.next_time() == now) {
      const Run done = ends_.pop().payload;
      dispatcher_.finish(0, done.gpus, done.requested_end);
      idle_slots_.push_back(done.slot);
    }
    pass();
  }
  void pass() {
    dispatcher_.pass(now_, *this);
    ++passes_;
    while (dispatcher_.waiting() < waiting_) submit();
  }
  void fill() {
    // A pass for each batch: jobs start until the machine is full, the rest wait.
    for (std::size_t before = 0; dispatcher_.waiting() < waiting_ || started_ != before;) {
      before = started_;
      const std::size_t batch = std::max<std::size_t>(waiting_ - dispatcher_.waiting(), 1);
      for (std::size_t i = 0; i < batch; ++i) submit();
      dispatcher_.pass(now_, *this);
    }
  }
  void submit() {
    const workload::LogJob job = synthetic_job(submitted_);
    std::uint32_t slot = static_cast<std::uint32_t>(run_ticks_.size());
    if (idle_slots_.empty()) {
      run_ticks_.push_back(0);
    } else {
      slot = idle_slots_.back();
      idle_slots_.pop_back();
    }
    run_ticks_[slot] = job.run_s * ticks_per_second;
    dispatcher_.submit(0, {{now_, submitted_}, job.requested_s * ticks_per_second, job.gpus, slot});
    ++submitted_;
  }

  Dispatcher dispatcher_;
  std::size_t waiting_;
  std::int64_t now_ = 0;
  std::uint64_t submitted_ = 0;
  std::size_t started_ = 0, passes_ = 0;
  engine::EventList<Run> ends_;
  std::vector<std::int64_t> run_ticks_;  ///< by slot
  std::vector<std::uint32_t> idle_slots_;
};

const std::vector<scheduling::GroupSpec> one_group{scheduling::GroupSpec{{{0, 1.0}}}};

struct Effort {
  std::size_t starts = 100'000;
  double most_s = 4;  ///< processor time of one figure
};

struct Rule {
  const char* name;
  double (*ns_per_job)(std::int64_t gpus, std::size_t waiting, const Effort&);
};
template <Backfill B>
double usual(std::int64_t gpus, std::size_t waiting, const Effort& effort) {
  Flow flow(scheduling::Dispatcher<B>(1, one_group), gpus, waiting);
  return flow.ns_per_job(effort.starts, effort.most_s);
}
double first_thousand(std::int64_t gpus, std::size_t waiting, const Effort& effort) {
  Flow flow(ConservativeDispatcher(1, one_group, false, 1000), gpus, waiting);
  return flow.ns_per_job(effort.starts, effort.most_s);
}
constexpr Rule rules[] = {{"none", usual<Backfill::none>},
                          {"fit", usual<Backfill::fit>},
                          {"easy", usual<Backfill::easy>},
                          {"reservations: 1000", first_thousand}};

std::string power_of_ten(std::size_t n) {
  return fmt::format("10^{}", static_cast<int>(std::lround(std::log10(static_cast<double>(n)))));
}

/// Cost per job at each length, and its growth beside that of the logarithm.
void measure_lengths(const std::vector<std::size_t>& lengths, const Effort& effort) {
  for (const Rule& rule : rules) {
    std::vector<double> ns;
    for (const std::size_t waiting : lengths) {
      ns.push_back(rule.ns_per_job(machine_gpus, waiting, effort));
      for_information(fmt::format("{}, {} waiting", rule.name, power_of_ten(waiting)), ns.back(), "ns/job");
    }
    // Below a thousand waiting jobs there are fewer reservations to keep, which is another amount of work.
    const std::size_t from = rule.ns_per_job == first_thousand ? 1 : 0;
    if (from + 1 == lengths.size()) continue;
    at_most(fmt::format("{}: cost at {} / at {}", rule.name, power_of_ten(lengths.back()),
                        power_of_ten(lengths[from])),
            std::log(static_cast<double>(lengths.back())) / std::log(static_cast<double>(lengths[from])),
            ns.back() / ns[from], "x");
  }
}

void measure_running(const std::vector<std::size_t>& running, const Effort& effort) {
  for (const Rule& rule : rules) {
    std::vector<double> ns;
    for (const std::size_t jobs : running) {
      const auto gpus = static_cast<std::int64_t>(mean_gpus() * static_cast<double>(jobs));
      ns.push_back(rule.ns_per_job(gpus, 10'000, effort));
      for_information(fmt::format("{}, {} running, 10^4 waiting", rule.name, jobs), ns.back(), "ns/job");
    }
    at_most(fmt::format("{}: cost at {} / at {} running", rule.name, running.back(), running.front()),
            std::log(static_cast<double>(running.back())) / std::log(static_cast<double>(running.front())),
            ns.back() / ns.front(), "x");
  }
}

/// Every pass looks at every reservation, as each completion may let any of them move.
void measure_reservations(const std::vector<std::size_t>& lengths, const Effort& effort) {
  std::vector<double> ns;
  for (const std::size_t waiting : lengths) {
    Flow flow(ConservativeDispatcher(1, one_group), machine_gpus, waiting);
    const std::size_t passes = flow.passes(), started = flow.started();
    const double per_job = flow.ns_per_job(effort.starts, effort.most_s);
    const double looked_at = static_cast<double>(flow.passes() - passes) * static_cast<double>(waiting);
    ns.push_back(per_job * static_cast<double>(flow.started() - started) / looked_at);
    for_information(fmt::format("conservative, {} waiting", power_of_ten(waiting)), ns.back(),
                    "ns/reservation");
  }
  at_most(fmt::format("conservative: cost at {} / at {}", power_of_ten(lengths.back()),
                      power_of_ten(lengths.front())),
          std::log(static_cast<double>(lengths.back())) / std::log(static_cast<double>(lengths.front())),
          ns.back() / ns.front(), "x");
}

void measure_replay(std::size_t jobs) {
  const workload::JobLog log = synthetic_log(jobs);
  simulation::ReplayOptions options;
  options.backfill = Backfill::conservative;
  const double began = cpu_seconds();
  const simulation::ReplayResult result = simulation::replay(log, options);
  const double seconds = cpu_seconds() - began;
  for_information("replay conservative: mean wait", result.mean_wait_s, "s");
  at_most(fmt::format("replay conservative, {} jobs", jobs), 30 * static_cast<double>(jobs) / 1e6, seconds,
          "s");
}

}  // namespace

/// bench-queues [quick]
int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string(argv[1]) == "quick";
  const Effort effort = quick ? Effort{10'000, 0.5} : Effort{};
  measure_replay(quick ? 100'000 : 1'000'000);
  measure_lengths(
      quick ? std::vector<std::size_t>{100, 10'000} : std::vector<std::size_t>{100, 10'000, 1'000'000},
      effort);
  measure_reservations({100, 1'000, 10'000}, effort);
  measure_running(quick ? std::vector<std::size_t>{1'000, 30'000} : std::vector<std::size_t>{30'000, 200'000},
                  effort);
}
