// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include <natgpu/core/hash.hpp>
#include <natgpu/demand/requests.hpp>

#include "catch.hpp"
#include "example.hpp"
#include "goodness.hpp"

namespace {

using natgpu::Duration;
using natgpu::in_seconds;
using natgpu::Instant;
using natgpu::Law;
using natgpu::Streams;
using natgpu::demand::ArrivalProfile;
using natgpu::demand::Demand;
using natgpu::demand::draw_population;
using natgpu::demand::Fate;
using natgpu::demand::Population;
using natgpu::demand::ProjectRequest;
using natgpu::demand::ProjectStreams;
using natgpu::demand::Request;
using natgpu::demand::RequestStreams;
using natgpu::demand::ServiceStreams;

/// Everything drawn for one demand and seed. Not moved: the streams point to the population.
struct World {
  explicit World(const Demand& d, std::uint64_t seed = 3)
      : streams(seed, 0),
        population(draw_population(d, streams)),
        requests(d, population, streams),
        services(d, population, streams),
        projects(d, population, streams) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  Streams streams;
  Population population;
  RequestStreams requests;
  ServiceStreams services;
  ProjectStreams projects;
};

/// One batch class, one sector, one organisation of activity 1.
Demand single(const natgpu::demand::BatchClass& c) {
  Demand d = natgpu::demand::testing::demand();
  d.sectors.resize(1);
  d.sectors[0].organisations = 1;
  d.sectors[0].activity = Law::constant(5);
  d.sectors[0].mix.resize(1);
  d.batch = {c};
  d.batch[0].name = "small";
  return d;
}

bool same(const Request& a, const Request& b) {
  return a.batch_class == b.batch_class && a.gpus == b.gpus && a.run_time == b.run_time &&
         a.requested == b.requested && a.patience == b.patience && a.fate == b.fate;
}

constexpr std::uint32_t many = 200'000;

}  // namespace

TEST_CASE("a request is a pure function of its address") {
  const Demand d = natgpu::demand::testing::demand();
  const World first(d), again(d);
  for (std::uint32_t k = 500; k-- > 0;)  // backwards: no state is carried along
    REQUIRE(same(first.requests.request(17, k), again.requests.request(17, k)));
  for (std::uint32_t k = 0; k < 500; ++k) REQUIRE(first.requests.gap(17, k) == again.requests.gap(17, k));
}

TEST_CASE("organisations and requests have the same bits on every compiler and processor") {
  const Demand d = natgpu::demand::testing::demand();
  const World w(d);
  natgpu::Digest64 digest;
  for (std::uint32_t i = 0; i < w.population.organisations.size(); ++i) {
    const auto& o = w.population.organisations[i];
    digest.add(std::bit_cast<std::uint64_t>(o.threshold));
    digest.add(std::bit_cast<std::uint64_t>(w.requests.rate(i)));
    digest.add(static_cast<std::uint64_t>(o.onboarding.count()));
    for (std::uint32_t k = 0; k < 20; ++k) {
      const Request r = w.requests.request(i, k);
      digest.add(std::bit_cast<std::uint64_t>(w.requests.gap(i, k)));
      digest.add(static_cast<std::uint64_t>(r.gpus));
      digest.add(static_cast<std::uint64_t>(r.run_time.count()));
      digest.add(static_cast<std::uint64_t>(r.requested.count()));
      digest.add(static_cast<std::uint64_t>(r.patience.count()));
    }
  }
  CHECK(natgpu::hex64(digest.value()) == "3cb975b1ca95f7db");
}

TEST_CASE("adding a sector or a class changes no request and no service of another sector") {
  const Demand d = natgpu::demand::testing::demand();
  Demand more = d;
  more.sectors.insert(more.sectors.begin(), natgpu::demand::testing::sector("chaebol", 30));
  more.batch.insert(more.batch.begin(), natgpu::demand::BatchClass{});
  more.batch[0].name = "unused";
  const World before(d), after(more);
  for (std::uint32_t i = 0; i < 2300; i += 23)
    for (std::uint32_t k = 0; k < 5; ++k) {
      REQUIRE(before.requests.gap(i, k) == after.requests.gap(i + 30, k));
      Request moved = after.requests.request(i + 30, k);
      moved.batch_class -= 1;
      REQUIRE(same(before.requests.request(i, k), moved));
      REQUIRE(before.services.gap(i, k) == after.services.gap(i + 30, k));
      REQUIRE(before.services.contract(i, k).duration == after.services.contract(i + 30, k).duration);
    }
}

/// The same with projects of one class, whose jobs are of both batch classes.
Demand with_projects() {
  Demand d = natgpu::demand::testing::demand();
  d.project.resize(1);
  d.project[0].name = "grant";
  d.project[0].gpus = Law::discrete({16, 64}, {3, 1});
  d.project[0].duration = Law::uniform(86400.0, 3 * 86400.0);
  d.project[0].patience = Law::exponential(7 * 86400.0);
  d.project[0].jobs.rate = 1.0 / 1800;
  d.project[0].jobs.mix = d.sectors[0].mix;
  for (natgpu::demand::Sector& s : d.sectors) {
    s.project_rate = 1.0 / (90 * 86400.0);
    s.projects.resize(1);
    s.projects[0].name = "grant";
  }
  return d;
}

TEST_CASE("adding projects changes no request and no service, and another sector no project") {
  const Demand d = natgpu::demand::testing::demand();
  Demand more = with_projects();
  more.sectors.insert(more.sectors.begin(), natgpu::demand::testing::sector("chaebol", 30));
  const World before(d), with(with_projects()), after(more);
  for (std::uint32_t i = 0; i < 2300; i += 23)
    for (std::uint32_t k = 0; k < 5; ++k) {
      REQUIRE(before.requests.gap(i, k) == with.requests.gap(i, k));
      REQUIRE(same(before.requests.request(i, k), with.requests.request(i, k)));
      REQUIRE(before.services.gap(i, k) == with.services.gap(i, k));
      REQUIRE(before.services.contract(i, k).duration == with.services.contract(i, k).duration);
      REQUIRE(with.projects.gap(i, k) == after.projects.gap(i + 30, k));
      const ProjectRequest p = with.projects.project(i, k), moved = after.projects.project(i + 30, k);
      REQUIRE(p.gpus == moved.gpus);
      REQUIRE(p.duration == moved.duration);
      REQUIRE(p.patience == moved.patience);
      for (std::uint32_t m = 0; m < 3; ++m) {
        REQUIRE(with.projects.job_gap(i, k, 0, m) == after.projects.job_gap(i + 30, k, 0, m));
        REQUIRE(same(with.projects.job(i, k, 0, m), after.projects.job(i + 30, k, 0, m)));
      }
    }
}

TEST_CASE("projects and their jobs follow their laws, each project and each job by itself") {
  const World w(with_projects());
  constexpr std::uint32_t n = 200, m = 50;
  double days = 0, large = 0, waits = 0, gaps = 0, small = 0;
  int alike = 0;
  for (std::uint32_t i = 0; i < n; ++i) {
    for (std::uint32_t k = 0; k < m; ++k) {
      const ProjectRequest p = w.projects.project(i, k);
      REQUIRE((p.gpus == 16 || p.gpus == 64));
      large += p.gpus == 64;
      days += in_seconds(p.duration) / 86400;
      waits += in_seconds(p.patience) / 86400;
      gaps += w.projects.job_gap(i, 3, 0, k) / 1800;
      const Request job = w.projects.job(i, 3, 0, k);
      small += job.batch_class == 0;
      alike += same(job, w.projects.job(i, 4, 0, k)) || same(job, w.projects.job(i + n, 3, 0, k)) ||
               same(job, w.requests.request(i, k));
    }
  }
  // Bounds of five standard errors over 10,000 draws.
  CHECK(days / (n * m) == Approx(2).margin(5 * 0.5774 / 100));
  CHECK(large / (n * m) == Approx(0.25).margin(5 * 0.433 / 100));
  CHECK(waits / (n * m) == Approx(7).margin(5 * 7.0 / 100));
  CHECK(gaps / (n * m) == Approx(1).margin(5 * 1.0 / 100));
  CHECK(small / (n * m) == Approx(0.75).margin(5 * 0.433 / 100));
  CHECK(alike == 0);
}

TEST_CASE("changing one law of a class leaves its other variates as they were") {
  Demand d = natgpu::demand::testing::demand();
  const World before(d);
  d.batch[0].run_time = Law::erlang(4, 3600);
  const World after(d);
  for (std::uint32_t k = 0; k < 200; ++k) {
    CHECK(before.requests.request(5, k).gpus == after.requests.request(5, k).gpus);
    CHECK(before.requests.request(5, k).fate == after.requests.request(5, k).fate);
    CHECK(before.requests.request(5, k).patience == after.requests.request(5, k).patience);
  }
}

TEST_CASE("gaps are exponential with the organisation's own rate") {
  const Demand d = natgpu::demand::testing::demand();
  const World w(d);
  const double rate = w.requests.rate(7);
  CHECK(rate == Approx(w.population.organisations[7].activity / 86400).epsilon(1e-12));
  const auto f = natgpu::testing::fit(
      many, [&](std::size_t k) { return w.requests.gap(7, static_cast<std::uint32_t>(k)); },
      [rate](double x) { return 1 - std::exp(-rate * x); });
  CHECK(f.chi_square < natgpu::testing::chi_square_49_limit);
  CHECK(std::fabs(f.mean - 1 / rate) < 4.5 * f.standard_error);
}

TEST_CASE("an organisation that stands for many asks as often as all of them") {
  Demand d = natgpu::demand::testing::demand();
  d.sectors[0].represents = 100;
  const World w(d);
  CHECK(w.requests.rate(0) == Approx(100 * w.population.organisations[0].activity / 86400));
  d.sectors[0].request_rate = 0;
  CHECK(World(d).requests.gap(0, 0) == std::numeric_limits<double>::infinity());
}

TEST_CASE("classes, GPUs, run times, fates and patience have their shares") {
  const Demand d = natgpu::demand::testing::demand();
  const World w(d);
  double small = 0, failed = 0, cancelled = 0, single_gpu = 0, run = 0, run_squares = 0, ended_part = 0;
  double large = 0, large_run = 0, patience = 0;
  for (std::uint32_t k = 0; k < many; ++k) {
    const Request r = w.requests.request(3, k);
    if (r.batch_class == 1) {
      large += 1;
      large_run += in_seconds(r.run_time);
      patience += in_seconds(r.patience);
      REQUIRE(r.requested == r.run_time);
      REQUIRE(r.gpus == 64);
      continue;
    }
    small += 1;
    single_gpu += r.gpus == 1;
    failed += r.fate == Fate::user_error;
    cancelled += r.fate == Fate::cancelled;
    REQUIRE(r.patience == natgpu::endless);
    REQUIRE(r.requested <= natgpu::hours(24));
    if (r.fate == Fate::completes) {
      run += in_seconds(r.run_time);
      run_squares += in_seconds(r.run_time) * in_seconds(r.run_time);
    } else {
      ended_part += in_seconds(r.run_time);
    }
  }
  const auto share = [](double part, double all, double p) {
    CHECK(std::fabs(part / all - p) < 4.5 * std::sqrt(p * (1 - p) / all));
  };
  share(small, many, 0.75);
  share(single_gpu, small, 8.0 / 15);
  share(failed, small, 0.1);
  share(cancelled, small, 0.05);
  const double completed = small - failed - cancelled;
  const double mean_run = run / completed;
  const double deviation = std::sqrt(run_squares / completed - mean_run * mean_run);
  CHECK(std::fabs(mean_run - 7200) < 4.5 * deviation / std::sqrt(completed));
  // Ended at a uniform point: half the mean; its variation is below that of whole run times.
  CHECK(std::fabs(ended_part / (failed + cancelled) - 3600) <
        4.5 * deviation / std::sqrt(failed + cancelled));
  CHECK(std::fabs(large_run / large - 36000) < 4.5 * 36000 / std::sqrt(3 * large));
  CHECK(std::fabs(patience / large - 86400) < 4.5 * 86400 / std::sqrt(large));
}

TEST_CASE("the request of a job that fails is that of its whole run time") {
  natgpu::demand::BatchClass c;
  c.run_time = Law::constant(1000);
  c.overestimate = Law::constant(1.5);
  c.failed_share = 0.5;
  c.cancelled_share = 0.5;
  const Demand d = single(c);
  const World w(d);
  double early = 0;
  for (std::uint32_t k = 0; k < 10'000; ++k) {
    const Request r = w.requests.request(0, k);
    REQUIRE(r.requested == natgpu::seconds(1500));
    REQUIRE(r.run_time < natgpu::seconds(1000));
    REQUIRE(r.fate != Fate::completes);
    early += r.run_time < natgpu::seconds(500);
  }
  CHECK(std::fabs(early / 10'000 - 0.5) < 4.5 * 0.5 / 100);
}

TEST_CASE("requests are rounded up to a tick, cut at the most, and may fall short of the run time") {
  natgpu::demand::BatchClass c;
  c.run_time = Law::constant(3e-6);
  c.overestimate = Law::constant(1.1);
  CHECK(World(single(c)).requests.request(0, 0).requested == Duration{4});
  c.run_time = Law::constant(7200);
  c.requested_max = natgpu::hours(1);
  CHECK(World(single(c)).requests.request(0, 0).requested == natgpu::hours(1));
  CHECK(World(single(c)).requests.request(0, 0).run_time == natgpu::hours(2));
  c.overestimate = Law::constant(0.25);
  CHECK(World(single(c)).requests.request(0, 0).requested == natgpu::seconds(1800));
}

TEST_CASE("extreme draws stay within ticks and whole GPUs") {
  natgpu::demand::BatchClass c;
  c.run_time = Law::constant(0);
  c.gpus = Law::constant(0.2);
  c.patience = Law::constant(0);
  Request r = World(single(c)).requests.request(0, 0);
  CHECK(r.run_time == natgpu::one_tick);
  CHECK(r.gpus == 1);
  CHECK(r.patience == Duration{0});
  c.run_time = Law::constant(1e300);
  c.overestimate = Law::constant(1e300);
  c.gpus = Law::constant(1e300);
  c.patience = Law::constant(1e300);
  r = World(single(c)).requests.request(0, 0);
  CHECK(r.run_time == natgpu::days(365'250));
  CHECK(r.requested == natgpu::days(365'250));
  CHECK(r.gpus == std::numeric_limits<std::int32_t>::max());
  CHECK(r.patience == natgpu::endless);
  c.gpus = Law::constant(2.5);
  CHECK(World(single(c)).requests.request(0, 0).gpus == 3);
}

TEST_CASE("counts of a week are Poisson, and those of disjoint windows unrelated") {
  // ORACLES.md N2: 2640 a week, 680 to Tuesday noon. Organisations of activity 1 are the replications.
  Demand d = natgpu::demand::testing::demand();
  constexpr std::uint32_t n = 500;
  d.sectors.resize(1);
  d.sectors[0].organisations = n;
  d.sectors[0].activity = Law::constant(1);
  d.sectors[0].request_rate = 1.0 / 3600;
  d.calendar.hours.assign(24, 10.0);
  for (std::size_t h = 8; h < 20; ++h) d.calendar.hours[h] = 30.0;
  d.calendar.weekend = 0.25;
  d.calendar.normalised = false;
  const Instant end{natgpu::days(7)};
  const Instant tuesday_noon{natgpu::hours(36)};
  const ArrivalProfile profile(d.calendar, natgpu::Calendar(natgpu::Date::of(2026, 6, 1)), end);
  const World w(d);
  double sums[2]{}, squares[2]{}, products = 0;
  const double expected[2] = {680, 2640 - 680};
  for (std::uint32_t i = 0; i < n; ++i) {
    double counts[2]{};
    natgpu::demand::RequestCursor cursor;
    for (;; ++cursor.k) {
      cursor.operational += w.requests.gap(i, cursor.k);
      const Instant at = profile.inverse(cursor.operational);
      if (at == end) break;
      counts[at < tuesday_noon ? 0 : 1] += 1;
    }
    for (int j = 0; j < 2; ++j) {
      sums[j] += counts[j];
      squares[j] += (counts[j] - expected[j]) * (counts[j] - expected[j]);
    }
    products += (counts[0] - expected[0]) * (counts[1] - expected[1]);
  }
  for (int j = 0; j < 2; ++j) {
    CHECK(std::fabs(sums[j] / n - expected[j]) < 4.5 * std::sqrt(expected[j] / n));
    CHECK(std::fabs(squares[j] / n / expected[j] - 1) < 4.5 * std::sqrt(2.0 / n));
  }
  CHECK(std::fabs(products / n) < 4.5 * std::sqrt(expected[0] * expected[1] / n));
}
