// SPDX-License-Identifier: Apache-2.0
// ORACLES section 2, F1 and F2, by rule R-STAT: within 4.8975 standard errors over 20 replications, and the
// standard error small enough. Each is also held against a planted fault, which must be told apart.
#include <cmath>
#include <functional>
#include <queue>
#include <tuple>

#include <natgpu/core/ensure.hpp>
#include <natgpu/supply/failures.hpp>

#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::supply;

namespace {

constexpr double hour_s = 3600;
constexpr std::uint32_t replications = 20;
constexpr double t_20 = 4.8975;  // Student t(19, 0.99995)

struct Estimate {
  double mean = 0, standard_error = 0;
  bool agrees_with(double reference) const { return std::abs(mean - reference) <= t_20 * standard_error; }
};

Estimate replicate(const std::function<double(std::uint32_t)>& run) {
  double sum = 0, squares = 0;
  for (std::uint32_t r = 0; r < replications; ++r) {
    const double x = run(r);
    sum += x;
    squares += x * x;
  }
  const double n = replications, mean = sum / n;
  return {mean, std::sqrt((squares / n - mean * mean) / (n - 1))};
}

FailureCause cause(std::string name, std::int64_t mtbf_h, Law repair) {
  FailureCause c;
  c.name = std::move(name);
  c.mtbf = hours(mtbf_h);
  c.repair = std::move(repair);
  return c;
}

Failures one_cause(std::int64_t mtbf_h, double mttr_h) {
  Failures f;
  f.causes = {cause("gpu", mtbf_h, Law::exponential(mttr_h * hour_s))};
  return f;
}

FailureModel model(const Failures& spec, std::uint32_t replication) {
  Streams streams(7, replication);
  return FailureModel(spec, {streams.open("failures", "t")});
}

constexpr Instant long_ago = Instant{} - days(10'000);

/// Share of time up of one node over so many failures and repairs.
double long_run_availability(const Failures& spec, std::uint32_t replication, std::uint32_t cycles) {
  const FailureModel m = model(spec, replication);
  Instant now{};
  Duration up{};
  for (std::uint32_t k = 0; k < cycles; ++k) {
    const auto strike = m.next_strike(0, 0, k, now, long_ago);
    up += strike.at - now;
    now = strike.at + m.repair_time(0, 0, k, strike.cause);
  }
  return in_seconds(up) / in_seconds(now - Instant{});
}

/// Share of nodes, all up at the start, that are up at an instant.
double up_at(const Failures& spec, std::uint32_t replication, Instant at, std::uint32_t nodes) {
  const FailureModel m = model(spec, replication);
  std::uint32_t up = 0;
  for (std::uint32_t node = 0; node < nodes; ++node) {
    Instant now{};
    for (std::uint32_t k = 0;; ++k) {
      const auto strike = m.next_strike(0, node, k, now, long_ago);
      if (strike.at > at) {
        ++up;
        break;
      }
      now = strike.at + m.repair_time(0, node, k, strike.cause);
      if (now > at) break;
    }
  }
  return static_cast<double>(up) / nodes;
}

struct Down {
  double mean = 0, all_up_share = 0;
};

/// Machines that break and wait for crews: time averages of the number down, after a warm-up.
Down machine_repair(const Failures& spec, std::uint32_t replication, std::uint32_t nodes,
                    std::int64_t length_h) {
  const FailureModel m = model(spec, replication);
  RepairShop shop(spec.crews);
  struct Event {
    Instant at;
    bool repaired;
    std::uint32_t node;
    bool operator>(const Event& o) const {
      return std::tie(at, repaired, node) > std::tie(o.at, o.repaired, o.node);
    }
  };
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events;
  std::vector<std::uint32_t> k(nodes, 0), cause_of(nodes, 0);
  const auto run_up = [&](std::uint32_t node, Instant now) {
    const auto strike = m.next_strike(0, node, k[node], now, long_ago);
    cause_of[node] = strike.cause;
    events.push({strike.at, false, node});
  };
  for (std::uint32_t node = 0; node < nodes; ++node) run_up(node, Instant{});
  const Instant warm = Instant{} + hours(length_h / 20), end = warm + hours(length_h);
  double area = 0, all_up = 0;
  std::uint32_t down = 0;
  Instant last = warm;
  while (events.top().at < end) {
    const Event e = events.top();
    events.pop();
    if (e.at > warm) {
      area += down * in_hours(e.at - last);
      if (down == 0) all_up += in_hours(e.at - last);
      last = e.at;
    }
    if (e.repaired) {
      --down;
      ++k[e.node];
      run_up(e.node, e.at);
      RepairShop::Ticket next;
      if (shop.finish(next)) events.push({e.at + next.length, true, next.node});
    } else {
      ++down;
      const Duration length = m.repair_time(0, e.node, k[e.node], cause_of[e.node]);
      if (shop.admit({0, e.node, length})) events.push({e.at + length, true, e.node});
    }
  }
  return {area / in_hours(last - warm), all_up / in_hours(last - warm)};
}

}  // namespace

TEST_CASE("availability in the long run is MTBF over MTBF plus MTTR, whatever the law of repair") {
  Failures lognormal = one_cause(500, 1);
  lognormal.causes[0].repair = Law::lognormal_mean_cv(24 * hour_s, 1.5);
  Failures two_causes = one_cause(2000, 5);
  two_causes.causes.push_back(cause("network", 2000, Law::constant(15 * hour_s)));  // together 1000 h / 10 h
  struct Case {
    Failures spec;
    double reference;
  };
  const Case cases[] = {{one_cause(1000, 10), 100. / 101}, {lognormal, 125. / 131}, {two_causes, 100. / 101}};
  for (const Case& c : cases) {
    const Estimate up = replicate([&](std::uint32_t r) { return long_run_availability(c.spec, r, 10'000); });
    INFO(up.mean << " +- " << up.standard_error << " against " << c.reference);
    CHECK(up.agrees_with(c.reference));
    CHECK(up.standard_error <= 0.005 * c.reference);
    CHECK_FALSE(up.agrees_with(c.reference * 0.997));
  }
}

TEST_CASE("availability a day after all were up matches the two-state chain") {
  struct Case {
    Failures spec;
    double reference;
  };
  const Case cases[] = {{one_cause(1000, 10), .990975907}, {one_cause(500, 24), .970258244}};
  for (const Case& c : cases) {
    const Estimate up =
        replicate([&](std::uint32_t r) { return up_at(c.spec, r, Instant{} + hours(24), 10'000); });
    INFO(up.mean << " +- " << up.standard_error << " against " << c.reference);
    CHECK(up.agrees_with(c.reference));
    CHECK(up.standard_error <= 0.005 * c.reference);
    CHECK_FALSE(up.agrees_with(c.reference * 0.995));
  }
}

TEST_CASE("ten machines and one crew: mean number down and share of time all up") {
  Failures spec = one_cause(100, 8);
  spec.crews = 1;
  const Estimate down = replicate([&](std::uint32_t r) { return machine_repair(spec, r, 10, 100'000).mean; });
  const Estimate up =
      replicate([&](std::uint32_t r) { return machine_repair(spec, r, 10, 100'000).all_up_share; });
  INFO(down.mean << " +- " << down.standard_error << ", " << up.mean << " +- " << up.standard_error);
  CHECK(down.agrees_with(1.524392776));
  CHECK(down.standard_error <= 0.02 * 1.524392776);
  CHECK(up.agrees_with(.321951422));
  CHECK(up.standard_error <= 0.02 * .321951422);

  spec.crews = 0;  // the planted fault: nobody waits, 10 x 8/108 down
  const Estimate free = replicate([&](std::uint32_t r) { return machine_repair(spec, r, 10, 20'000).mean; });
  CHECK_FALSE(free.agrees_with(1.524392776));
  CHECK(free.agrees_with(80. / 108));
}

TEST_CASE("sixty-four machines and two crews: mean number down") {
  Failures spec = one_cause(720, 24);
  spec.crews = 2;
  const Estimate down = replicate([&](std::uint32_t r) { return machine_repair(spec, r, 64, 200'000).mean; });
  INFO(down.mean << " +- " << down.standard_error);
  CHECK(down.agrees_with(7.858958417));
  CHECK(down.standard_error <= 0.02 * 7.858958417);
}

TEST_CASE("crews serve broken nodes first come, first served") {
  RepairShop shop(1);
  RepairShop::Ticket next;
  CHECK(shop.admit({0, 1, hours(1)}));
  CHECK_FALSE(shop.admit({0, 2, hours(2)}));
  CHECK_FALSE(shop.admit({0, 3, hours(3)}));
  CHECK(shop.waiting() == 2);
  REQUIRE(shop.finish(next));
  CHECK(next.node == 2);
  CHECK(next.length == hours(2));
  REQUIRE(shop.finish(next));
  CHECK(next.node == 3);
  CHECK_FALSE(shop.finish(next));
  CHECK_THROWS_AS(shop.finish(next), InvariantError);
  CHECK(shop.admit({0, 4, hours(4)}));
}

TEST_CASE("competing causes strike in proportion to their rates") {
  Failures spec = one_cause(300, 1);
  spec.causes.push_back(cause("network", 100, Law::constant(1)));
  const FailureModel m = model(spec, 0);
  const double n = 20'000;
  double network = 0, life_h = 0;
  for (std::uint32_t node = 0; node < n; ++node) {
    const auto strike = m.next_strike(0, node, 0, Instant{}, long_ago);
    network += strike.cause;
    life_h += in_hours(strike.at - Instant{});
  }
  CHECK(std::abs(network / n - 0.75) < 4 * std::sqrt(0.75 * 0.25 / n));
  CHECK(std::abs(life_h / n - 75) < 4 * 75 / std::sqrt(n));
}

TEST_CASE("young nodes fail more often, and no longer so once they are mature") {
  Failures spec = one_cause(1000, 1);
  spec.early_life_factor = 2.5;
  spec.early_life = hours(200);
  const FailureModel m = model(spec, 0);
  const double n = 40'000;
  double young = 0, both = 0, mature = 0;
  for (std::uint32_t node = 0; node < n; ++node) {
    const Instant at = m.next_strike(0, node, 0, Instant{}, Instant{}).at;
    young += at <= Instant{} + hours(200);
    both += at <= Instant{} + hours(500);
    mature += m.next_strike(0, node, 0, Instant{} + hours(200), Instant{}).at <= Instant{} + hours(400);
  }
  const auto near = [n](double count, double p) {
    return std::abs(count / n - p) < 4 * std::sqrt(p * (1 - p) / n);
  };
  CHECK(near(young, 1 - std::exp(-2.5 * 0.2)));
  CHECK(near(both, 1 - std::exp(-2.5 * 0.2 - 0.3)));
  CHECK(near(mature, 1 - std::exp(-0.2)));
  CHECK_FALSE(near(young, 1 - std::exp(-0.2)));
}

TEST_CASE("a factor of nought spares the young, and nothing fails without causes") {
  Failures spec = one_cause(1, 1);
  spec.early_life_factor = 0;
  spec.early_life = hours(100);
  const FailureModel m = model(spec, 0);
  for (std::uint32_t node = 0; node < 100; ++node)
    CHECK(m.next_strike(0, node, 0, Instant{}, Instant{}).at > Instant{} + hours(100));
  const Failures none;
  const FailureModel quiet = model(none, 0);
  CHECK_FALSE(quiet.active());
  CHECK(quiet.next_strike(0, 0, 0, Instant{}, Instant{}).at == never);
}

TEST_CASE("strike, repair and victim are pure functions of node and count, and apart from each other") {
  const Failures spec = one_cause(100, 1);
  const FailureModel m = model(spec, 0);
  const auto first = m.next_strike(0, 5, 3, Instant{}, long_ago);
  CHECK(m.next_strike(0, 5, 3, Instant{}, long_ago).at == first.at);
  CHECK(m.next_strike(0, 5, 3, Instant{} + hours(1), long_ago).at == first.at + hours(1));
  CHECK(m.next_strike(0, 5, 4, Instant{}, long_ago).at != first.at);
  CHECK(m.next_strike(0, 6, 3, Instant{}, long_ago).at != first.at);
  CHECK(m.repair_time(0, 5, 3, 0) == m.repair_time(0, 5, 3, 0));
  // Of equal laws, lives and repairs are unlike: they do not share a uniform.
  const double life_in_means = in_hours(first.at - Instant{}) / 100;
  CHECK(std::abs(life_in_means - in_hours(m.repair_time(0, 5, 3, 0))) > 1e-6);
  const double u = m.victim_uniform(0, 5, 3);
  CHECK(u > 0);
  CHECK(u < 1);
  CHECK(std::abs(std::exp(-life_in_means) - u) > 1e-6);
}
