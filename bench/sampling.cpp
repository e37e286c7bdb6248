// SPDX-License-Identifier: Apache-2.0
// Cost of one latent request (budget: 200 ns for gap and request) and of its parts.
#include <benchmark/benchmark.h>

#include <natgpu/core/law.hpp>
#include <natgpu/core/math.hpp>
#include <natgpu/demand/requests.hpp>

namespace {

using namespace natgpu;          // NOLINT: a program of one file
using namespace natgpu::demand;  // NOLINT

Sector sector(const char* name, std::int64_t organisations) {
  Sector s;
  s.name = name;
  s.organisations = organisations;
  s.activity = Law::bounded_pareto(1, 1000, 1.2);
  s.request_rate = 1.0 / 86400;
  s.mix.resize(3);
  const char* names[] = {"notebook", "fine-tuning", "training"};
  for (std::size_t i = 0; i < 3; ++i) {
    s.mix[i].name = names[i];
    s.mix[i].share = 3.0 - static_cast<double>(i);
  }
  return s;
}

BatchClass batch(const char* name, double mean_s) {
  BatchClass c;
  c.name = name;
  c.gpus = Law::discrete({1, 2, 4, 8, 16}, {8, 4, 2, 1, 1});
  c.run_time = Law::lognormal_mean_cv(mean_s, 2.5);
  c.overestimate = Law::lognormal_mean_cv(3, 1);
  c.patience = Law::exponential(7 * 86400.0);
  c.requested_max = days(7);
  c.failed_share = 0.15;
  c.cancelled_share = 0.1;
  return c;
}

/// Seven sectors of 1,000 organisations, three classes with lognormal times: the shape of the national
/// scenario.
struct World {
  World() : streams(1, 0) {
    const char* names[] = {"sme", "midsize", "chaebol", "startup", "public", "academia", "institute"};
    for (const char* name : names) demand.sectors.push_back(sector(name, 1000));
    demand.batch = {batch("notebook", 3600), batch("fine-tuning", 28800), batch("training", 172800)};
    demand.calendar.weekend = 0.5;
    population = draw_population(demand, streams);
  }
  Demand demand;
  Streams streams;
  Population population;
};

/// Organisations in a scattered order, as a simulation meets them.
std::uint32_t scattered(std::uint32_t i) {
  return i * 2654435761U % 7000U;
}

void gap(benchmark::State& state) {
  World w;
  const RequestStreams requests(w.demand, w.population, w.streams);
  std::uint32_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(requests.gap(scattered(i), i));
    ++i;
  }
}
BENCHMARK(gap);

void gap_and_request(benchmark::State& state) {
  World w;
  const RequestStreams requests(w.demand, w.population, w.streams);
  std::uint32_t i = 0;
  for (auto _ : state) {
    const std::uint32_t o = scattered(i);
    benchmark::DoNotOptimize(requests.gap(o, i));
    benchmark::DoNotOptimize(requests.request(o, i));
    ++i;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(gap_and_request);

void inverse_of_the_calendar(benchmark::State& state) {
  World w;
  const Instant end{days(2191)};
  const ArrivalProfile profile(w.demand.calendar, Calendar(Date::of(2025, 1, 1)), end);
  const double step = profile.cumulative(end) * 1e-7;  // ten million arrivals in order
  double operational = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(profile.inverse(operational));
    operational = operational + step < 1.8e8 ? operational + step : 0;
  }
}
BENCHMARK(inverse_of_the_calendar);

void philox_block(benchmark::State& state) {
  const Stream stream(42);
  std::uint32_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(stream.block(7, i++));
}
BENCHMARK(philox_block);

void logarithm(benchmark::State& state) {
  std::uint64_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(portable_log(unit_from_bits(i += 0x9e3779b97f4a7c15ULL)));
}
BENCHMARK(logarithm);

void exponential(benchmark::State& state) {
  std::uint64_t i = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(portable_exp(20 * unit_from_bits(i += 0x9e3779b97f4a7c15ULL) - 10));
}
BENCHMARK(exponential);

void normal(benchmark::State& state) {
  std::uint64_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(normal_quantile(unit_from_bits(i += 0x9e3779b97f4a7c15ULL)));
}
BENCHMARK(normal);

void quantile(benchmark::State& state, const Law& law) {
  std::uint64_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(law.quantile(unit_from_bits(i += 0x9e3779b97f4a7c15ULL)));
}
BENCHMARK_CAPTURE(quantile, lognormal, Law::lognormal_mean_cv(4, 2));
BENCHMARK_CAPTURE(quantile, exponential, Law::exponential(4));
BENCHMARK_CAPTURE(quantile, weibull, Law::weibull(0.7, 4));
BENCHMARK_CAPTURE(quantile, bounded_pareto, Law::bounded_pareto(1, 1000, 1.2));
BENCHMARK_CAPTURE(quantile, hyperexponential, Law::hyperexponential_mean_cv2(4, 6));
BENCHMARK_CAPTURE(quantile, triangular, Law::triangular(1, 2, 6));

void population(benchmark::State& state) {
  World w;
  for (auto _ : state) benchmark::DoNotOptimize(draw_population(w.demand, w.streams).organisations.data());
  state.SetItemsProcessed(state.iterations() * 7000);
}
BENCHMARK(population);

}  // namespace
