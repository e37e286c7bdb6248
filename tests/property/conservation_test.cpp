// SPDX-License-Identifier: Apache-2.0
// Laws that hold for every scenario, tried on random ones: conservation of GPU-time, jobs and devices, and
// equal bytes for equal input on one thread and on two. A failure prints the smallest scenario found that
// still fails.
#include <cmath>
#include <exception>
#include <map>
#include <optional>
#include <string>

#include <natgpu/experiment/replicate.hpp>

#include "catch.hpp"
#include "random_scenario.hpp"
#include "scenario_text.hpp"
#include "watched_run.hpp"

using namespace natgpu;
using namespace natgpu::testing;

namespace {

constexpr std::uint64_t scenarios = 200;
constexpr std::uint64_t watched_every = 2;  // looking at every job after every instant is slow

/// Every field of a record, to the last bit.
std::string bytes_of(const simulation::RunRecord& r) {
  std::string bytes = fmt::format("{} {} {:x} {:x} {:x} {} {}\n", r.seed, r.replication, r.fingerprint,
                                  r.demand_hash, r.failure_hash, r.events, r.jobs);
  for (const auto& m : r.measurements)
    bytes += fmt::format("{} {} {:a}\n", m.metric, measures::to_string(m.labels), m.value);
  for (const auto& p : r.series)
    bytes +=
        fmt::format("{} {} {} {:a}\n", to_string(p.at), p.metric, measures::to_string(p.labels), p.value);
  for (const std::string& w : r.warnings) bytes += w + "\n";
  return bytes;
}

/// Numbers of one metric by their labels.
std::map<std::string, double> numbers(const simulation::RunRecord& r, const std::string& metric) {
  std::map<std::string, double> all;
  for (const auto& m : r.measurements)
    if (m.metric == metric) all[measures::to_string(m.labels)] = m.value;
  return all;
}

bool close(double a, double b) {
  return std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
}

/// What is wrong with the numbers that a run gives out, or nothing.
std::string flaw_of_jobs(const simulation::RunRecord& r) {
  const auto submitted = numbers(r, "jobs.submitted.count");
  std::map<std::string, double> ends;
  for (const char* end :
       {"finished", "killed", "failed", "cancelled", "rejected", "gave_up", "left_over", "running", "queued"})
    for (const auto& [labels, n] : numbers(r, fmt::format("jobs.{}.count", end))) ends[labels] += n;
  double of_sectors = 0;
  for (const auto& [labels, n] : submitted) {
    if (ends.at(labels) != n) return "jobs that came are not those that left, run and wait in " + labels;
    if (labels.rfind("period=all;sector=", 0) == 0) of_sectors += n;
  }
  if (of_sectors != submitted.at("period=all")) return "jobs of the sectors are not all jobs";
  return {};
}

std::string flaw_of_hours(const simulation::RunRecord& r) {
  const auto hours = numbers(r, "gpu.hours");
  for (const auto& [labels, in_service] : hours) {
    const std::string state = ";state=in_service";
    if (labels.size() < state.size() || labels.substr(labels.size() - state.size()) != state) continue;
    const std::string period = labels.substr(0, labels.size() - state.size());
    const auto of = [&](const std::string& s) { return hours.at(period + ";state=" + s); };
    const double reserved = hours.count(period + ";state=reserved") > 0 ? of("reserved") : 0;
    if (!close(in_service, of("down") + of("idle") + reserved + of("allocated")))
      return "in service is not down + idle + reserved + allocated in " + period;
    double ends = of("stalled") + of("useful") + of("unfinished");
    for (const char* cause : {"failure", "limit", "user_error", "cancel"})
      ends += of(std::string("lost;cause=") + cause);
    if (const auto lost = hours.find(period + ";state=lost;cause=preemption"); lost != hours.end())
      ends += lost->second;
    if (!close(of("allocated"), ends))
      return "allocated is not stalled + useful + lost + unfinished in " + period;
  }
  return {};
}

/// Each state of the waterfall holds the next one.
std::string flaw_of_waterfall(const simulation::RunRecord& r) {
  static const char* const states[] = {"ordered", "delivered", "powered",  "in_service",
                                       "public",  "up",        "allocated"};
  const auto units = numbers(r, "capacity.units");
  for (const auto& [labels, n] : units) {
    const std::string last = ";state=allocated";
    if (labels.size() < last.size() || labels.substr(labels.size() - last.size()) != last) continue;
    const std::string when = labels.substr(0, labels.size() - last.size());
    double above = std::numeric_limits<double>::infinity();
    for (const char* state : states) {
      const double here = units.at(when + ";state=" + state);
      if (here > above + 1e-6)
        return fmt::format("more devices {} than in the state before, {}", state, when);
      above = here;
    }
    if (!close(units.at(when + ";state=delivered"),
               units.at(when + ";state=dark") + units.at(when + ";state=powered")))
      return "delivered is not dark + powered, " + when;
  }
  return {};
}

/// What an onlooker sees against what the books say.
std::string flaw_of_watched(const scenario::Scenario& scenario) {
  const WatchedRun run = watch(scenario, 1);
  if (!run.within_capacity) return "more GPUs allocated than were up";
  for (std::size_t p = 0; p < run.seen.allocated.size(); ++p) {
    Area booked = 0, reserved = 0;
    for (std::size_t q = 0; q * run.books.pools < run.books.areas.size(); ++q) {
      booked += run.books.area(q, p).allocated;
      reserved += run.books.area(q, p).reserved;
    }
    if (run.seen.allocated[p] != booked) return "the GPU-time seen is not the GPU-time booked";
    if (run.seen.reserved[p] != reserved) return "the GPU-time of blocks is not the GPU-time booked";
  }
  std::uint64_t restarts = 0, booked = 0;
  for (const SeenJob& j : run.seen.jobs) {
    if (j.kind == simulation::JobKind::replica) continue;
    const bool stopped = !j.ran.empty() && j.ran.back().until != j.gone;
    const bool waits_again = stopped && (j.still_there || j.kind == simulation::JobKind::block_job);
    if (!j.ran.empty()) restarts += j.ran.size() - 1 + (waits_again ? 1 : 0);
    if (j.kind == simulation::JobKind::batch && !j.ran.empty() && !j.still_there &&
        j.ran.back().until != j.gone)
      return fmt::format("job {} ran and then left the queue", j.id);
  }
  for (const auto& c : run.books.by_class) booked += c.restarts;
  // A job inside that is stopped, and left over at the same instant, is not seen to wait again.
  const bool may_miss = !scenario.demand.project.empty();
  if (restarts != booked && !(may_miss && restarts < booked))
    return fmt::format("{} restarts seen, {} booked", restarts, booked);
  return {};
}

/// What is wrong with one scenario, or nothing.
std::string flaw_of(const Recipe& recipe) {
  try {
    const scenario::Scenario scenario = scenario_of(yaml_of(recipe));
    experiment::ReplicateOptions options;
    options.seed = static_cast<std::uint64_t>(scenario.seed);
    options.replications = 2;
    options.threads = 1;
    const auto once = experiment::replicate(scenario, options).records;
    options.threads = 2;
    const auto again = experiment::replicate(scenario, options).records;
    for (std::size_t i = 0; i < once.size(); ++i) {
      if (bytes_of(once[i]) != bytes_of(again[i])) return "a second run, on two threads, differs";
      for (const auto& law : {flaw_of_jobs, flaw_of_hours, flaw_of_waterfall})
        if (const std::string flaw = law(once[i]); !flaw.empty()) return flaw;
    }
    if (recipe.seed % watched_every == 0 && !recipe.has(Feature::pass_per_event) &&
        !recipe.has(Feature::ranks_anew) && !shares(scenario.scheduling))
      return flaw_of_watched(scenario);
  } catch (const std::exception& e) {
    return e.what();
  }
  return {};
}

/// Takes features away as long as something stays wrong.
Recipe smallest_failing(Recipe recipe) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (unsigned f = 0; f < features; ++f) {
      if (!recipe.has(static_cast<Feature>(f)) || flaw_of(recipe.without(f)).empty()) continue;
      recipe = recipe.without(f);
      smaller = true;
    }
  }
  return recipe;
}

}  // namespace

TEST_CASE("random scenarios conserve GPU-time, jobs and devices and run alike on one thread and on two") {
  for (std::uint64_t seed = 1; seed <= scenarios; ++seed) {
    const Recipe recipe = recipe_of(seed);
    const std::string flaw = flaw_of(recipe);
    if (flaw.empty()) continue;
    const Recipe smallest = smallest_failing(recipe);
    FAIL("seed " << seed << ": " << flaw << "\ncut down: " << flaw_of(smallest) << "\n" << yaml_of(smallest));
  }
}

TEST_CASE("random scenarios whose jobs share GPUs at once or in turns conserve, and run alike again") {
  std::map<std::string, double> totals;
  std::uint64_t runs = 0;
  for (std::uint64_t seed = 1001; runs < 120; ++seed) {
    Recipe recipe = recipe_of(seed);
    recipe.with |= 1U << static_cast<unsigned>(Feature::sharing);
    if (yaml_of(recipe).find("sharing:") == std::string::npos) continue;
    ++runs;
    const std::string flaw = flaw_of(recipe);
    if (!flaw.empty()) {
      const Recipe smallest = smallest_failing(recipe);
      FAIL("seed " << seed << ": " << flaw << "\ncut down: " << flaw_of(smallest) << "\n"
                   << yaml_of(smallest));
    }
    const auto record = simulation::simulate(scenario_of(yaml_of(recipe)), {});
    for (const auto& m : record.measurements) {
      const std::string labels = measures::to_string(m.labels);
      if (labels == "period=all") totals[m.metric] += m.value;
      if (labels.rfind("period=all;state=", 0) == 0) totals[m.metric + " " + labels.substr(11)] += m.value;
    }
  }
  for (const char* metric : {"jobs.finished.count", "jobs.killed.count", "jobs.failed.count",
                             "jobs.cancelled.count", "jobs.gave_up.count", "jobs.restarts.count",
                             "jobs.running.count", "jobs.queued.count", "services.unserved.gpu_hours",
                             "gpu.hours state=stalled", "gpu.hours state=down", "gpu.hours state=unfinished",
                             "gpu.hours state=lost;cause=failure", "gpu.hours state=lost;cause=limit"}) {
    INFO(metric);
    CHECK(totals[metric] > 0);
  }
}

TEST_CASE("random scenarios have the same demand and the same failures under every policy") {
  for (std::uint64_t seed = 1; seed <= scenarios; seed += 10) {
    const std::string yaml = yaml_of(recipe_of(seed)
                                         .without(static_cast<unsigned>(Feature::sharing))
                                         .without(static_cast<unsigned>(Feature::projects)));
    INFO(yaml);
    std::optional<simulation::RunRecord> first;
    for (const char* policy :
         {"fcfs", "fit", "easy", "easy-sjbf", "conservative", "sjf", "fairtree", "drf", "srtf"}) {
      const bool per_event = yaml.find("pass: event") != std::string::npos;
      if (per_event && std::string(policy) == "srtf") continue;  // refused: it sees whole instants
      scenario::LoadOptions options;
      options.policy = policy;
      const auto record = simulation::simulate(scenario_of(yaml, options), {});
      if (!first) first = record;
      CHECK(record.demand_hash == first->demand_hash);
      CHECK(record.failure_hash == first->failure_hash);
    }
    const std::size_t at = yaml.find("scheduling: {");
    const auto shared =
        simulation::simulate(scenario_of(yaml.substr(0, at) + "scheduling: {sharing: ps}\n"), {});
    CHECK(shared.demand_hash == first->demand_hash);
    CHECK(shared.failure_hash == first->failure_hash);
  }
}

TEST_CASE("random scenarios exercise what they are meant to") {
  std::map<std::string, double> totals;
  for (std::uint64_t seed = 1; seed <= scenarios; seed += 4) {
    const auto record = simulation::simulate(scenario_of(yaml_of(recipe_of(seed))), {});
    for (const auto& m : record.measurements) {
      const std::string labels = measures::to_string(m.labels);
      if (labels == "period=all") totals[m.metric] += m.value;
      if (labels.rfind("period=all;state=", 0) == 0) totals[m.metric + " " + labels.substr(11)] += m.value;
      if (labels.rfind("period=all;cause=", 0) == 0) totals[m.metric] += m.value;
    }
  }
  for (const char* metric : {"jobs.finished.count",
                             "jobs.killed.count",
                             "jobs.failed.count",
                             "jobs.cancelled.count",
                             "jobs.rejected.count",
                             "jobs.gave_up.count",
                             "jobs.left_over.count",
                             "jobs.restarts.count",
                             "jobs.preempted.count",
                             "jobs.running.count",
                             "jobs.queued.count",
                             "services.entries.count",
                             "services.lapsed.count",
                             "services.unserved.gpu_hours",
                             "projects.granted.count",
                             "projects.gave_up.count",
                             "projects.waiting.count",
                             "gpu.hours state=reserved",
                             "failures.count",
                             "gpu.hours state=stalled",
                             "gpu.hours state=down",
                             "gpu.hours state=unfinished",
                             "gpu.hours state=lost;cause=failure",
                             "gpu.hours state=lost;cause=limit",
                             "gpu.hours state=lost;cause=user_error",
                             "gpu.hours state=lost;cause=cancel",
                             "gpu.hours state=lost;cause=preemption",
                             "capacity.units state=dark",
                             "capacity.units state=operator",
                             "capacity.units state=retired"}) {
    INFO(metric);
    CHECK(totals[metric] > 0);
  }
}
