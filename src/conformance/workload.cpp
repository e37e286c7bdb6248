// SPDX-License-Identifier: Apache-2.0
#include <natgpu/conformance/workload.hpp>

#include <fmt/format.h>

#include <natgpu/core/random.hpp>

namespace natgpu::conformance {
namespace {

/// Whole numbers one after another from one address of a stream.
class Dice {
 public:
  Dice(const Stream& stream, std::uint64_t entity) : stream_(stream), draw_(stream_, entity, 0) {}
  Dice(const Dice&) = delete;
  Dice& operator=(const Dice&) = delete;
  /// From 0 to n - 1. @pre n > 0
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(draw_.unit() * static_cast<double>(n));
  }
  bool one_in(std::int64_t n) { return below(n) == 0; }

 private:
  Stream stream_;
  Draw draw_;  ///< of `stream_`
};

TrialJob random_job(Dice& dice, std::int64_t submit, std::int64_t gpus) {
  TrialJob job;
  job.submit = submit;
  job.requested = 1 + dice.below(dice.one_in(4) ? 200 : 30);
  job.run = dice.one_in(3) ? job.requested : 1 + dice.below(job.requested + job.requested / 4 + 1);
  job.gpus = 1 + dice.below(dice.one_in(3) ? gpus : (gpus + 3) / 4);
  job.account = dice.below(3);
  return job;
}

std::vector<TrialJob> crowd(Dice& dice, std::int64_t gpus) {
  std::vector<TrialJob> jobs;
  std::int64_t at = 0;
  const std::int64_t burst = 1 + dice.below(12);
  for (std::int64_t left = 5 + dice.below(40); left > 0; --left) {
    if (dice.one_in(3)) at += dice.below(burst * 4);
    jobs.push_back(random_job(dice, at, gpus));
  }
  return jobs;
}

/// Short small jobs that keep the machine busy, and one that wants more than they ever leave.
std::vector<TrialJob> stream(Dice& dice, std::int64_t gpus) {
  constexpr std::int64_t jobs_of_stream = 120;
  std::vector<TrialJob> jobs;
  const std::int64_t length = 4 + dice.below(6), wide_at = 2 + dice.below(6);
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < jobs_of_stream; ++i) {
    if (i % gpus == 0 && i > 0) at += length - 1;  // a little more than the machine can take
    if (i == wide_at) jobs.push_back({at, length + 1 + dice.below(20), length, gpus, 1});
    jobs.push_back({at, length, dice.one_in(4) ? length - 1 : length, 1, 0});
  }
  return jobs;
}

std::vector<Outage> random_outages(Dice& dice, std::int64_t gpus, const WorkloadKind& kind) {
  std::vector<Outage> outages;
  for (std::int64_t left = dice.below(4); left > 0; --left) {
    Outage o;
    o.announced = kind.announced && (!kind.losses || dice.one_in(2));
    o.from = (o.announced ? 1 : 0) + dice.below(150);
    o.until = o.from + 1 + dice.below(60);
    o.gpus = 1 + dice.below(gpus);
    if (o.announced || kind.losses) outages.push_back(o);
  }
  return outages;
}

}  // namespace

TrialWorkload random_workload(std::uint64_t seed, std::uint64_t index, const WorkloadKind& kind) {
  Dice dice(Streams(seed, 0).open("conformance", "workload"), index);
  TrialWorkload w;
  w.gpus = 2 + dice.below(15);
  if (index % 8 == 7) {
    w.jobs = stream(dice, w.gpus);
    return w;  // without outages: how long a job may wait is bounded only without them
  }
  w.jobs = crowd(dice, w.gpus);
  if (index % 4 != 3) w.outages = random_outages(dice, w.gpus, kind);
  return w;
}

std::string in_words(const TrialWorkload& w) {
  std::string out = fmt::format("  {} GPUs\n  job  submit  requested  runs  GPUs  account\n", w.gpus);
  for (std::size_t i = 0; i < w.jobs.size(); ++i) {
    const TrialJob& j = w.jobs[i];
    out += fmt::format("  {:>3}  {:>6}  {:>9}  {:>4}  {:>4}  {:>7}\n", i, j.submit, j.requested, j.run,
                       j.gpus, j.account);
  }
  for (const Outage& o : w.outages)
    out += fmt::format("  from {} to {}: {} GPUs gone, {}\n", o.from, o.until, o.gpus,
                       o.announced ? "announced" : "without notice");
  return out;
}

}  // namespace natgpu::conformance
