// SPDX-License-Identifier: Apache-2.0
// drf and maxmin over several pools of machines that come, break, leave and are known to leave, against plain
// loops: before each job that is tried, shares are added up anew over all that runs.
#include <algorithm>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <natgpu/scheduling/account_nodes.hpp>
#include <natgpu/scheduling/machine_dispatcher.hpp>

#include "catch.hpp"
#include "plain_machines.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using scheduling::Backfill;
using scheduling::Machine;

namespace {

class Draws {
 public:
  explicit Draws(std::uint64_t seed) : random_(seed) {}
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }
  bool one_in(std::int64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 random_;
};

class PlainAccounts : public PlainMachines {
 public:
  std::vector<std::int64_t> weights;      ///< by account
  std::vector<std::size_t> type_of;       ///< by pool
  std::vector<std::int64_t> planned;      ///< GPUs, by type
  std::vector<std::uint32_t> account_of;  ///< by slot

  std::vector<std::uint32_t> pass_by_share(std::int64_t now) {
    std::vector<std::uint32_t> started;
    std::set<std::size_t> shut;
    std::set<std::uint32_t> out, tried;  // accounts, slots
    while (const Job* next = first(out, tried)) {
      const Job job = *next;
      const std::uint32_t account = account_of[job.slot];
      const std::set<std::size_t> could = pools_for(job);
      if (could.empty()) {
        tried.insert(job.slot);
      } else if (all_shut(job, shut)) {
        out.insert(account);
      } else if (const auto place = find(pools, job, now, shut)) {
        start(job, *place, now, started);
      } else if (rule == Rule::easy) {
        go_on_beside(job, tried, now, started);
        break;
      } else {
        out.insert(account);
        if (rule == Rule::none) shut.insert(could.begin(), could.end());
      }
    }
    return started;
  }

 private:
  using Share = std::pair<std::int64_t, std::int64_t>;  // the first over the second
  static bool less(const Share& a, const Share& b) { return a.first * b.second < b.first * a.second; }
  Share share(std::uint32_t account) const {
    Share most{0, 1};
    for (std::size_t type = 0; type < planned.size(); ++type) {
      std::int64_t held = 0;
      for (const Running& r : running)
        if (account_of[r.job.slot] == account && type_of[r.place.pool] == type) held += r.job.gpus;
      const Share of_type{held, planned[type] * weights[account]};
      if (less(most, of_type)) most = of_type;
    }
    return most;
  }
  /// The first untried job of whoever holds least, of those that are not out.
  const Job* first(const std::set<std::uint32_t>& out, const std::set<std::uint32_t>& tried) const {
    const Job* best = nullptr;
    std::set<std::uint32_t> seen = out;
    for (const Job& job : waiting) {
      if (tried.count(job.slot) > 0 || !seen.insert(account_of[job.slot]).second) continue;
      if (best == nullptr || before(account_of[job.slot], account_of[best->slot])) best = &job;
    }
    return best;
  }
  bool before(std::uint32_t a, std::uint32_t b) const {
    const Share x = share(a), y = share(b);
    return less(x, y) || (!less(y, x) && a < b);
  }
  void start(const Job& job, const Place& place, std::int64_t now, std::vector<std::uint32_t>& started) {
    begin(job, place, now, started);
    forget(job.slot);
  }
  void forget(std::uint32_t slot) {
    waiting.erase(
        std::find_if(waiting.begin(), waiting.end(), [slot](const Job& w) { return w.slot == slot; }));
  }
  void go_on_beside(const Job& head, std::set<std::uint32_t>& tried, std::int64_t now,
                    std::vector<std::uint32_t>& started) {
    Reservation kept = reserve(head, now);
    tried.insert(head.slot);
    while (const Job* next = first({}, tried)) {
      const Job job = *next;
      tried.insert(job.slot);
      if (begin_beside(job, kept, now, started)) forget(job.slot);
    }
  }
};

/// Notes who starts, where and until when.
struct Starts {
  std::int64_t now = 0;
  std::vector<std::uint32_t> slots;
  std::map<std::uint32_t, std::pair<std::uint32_t, std::int64_t>> runs;  ///< pool, requested end
  void start(const scheduling::WaitingJob& job, std::uint32_t pool, std::int64_t requested) {
    slots.push_back(job.slot);
    runs[job.slot] = {pool, now + requested};
  }
};

/// What is the same for both.
struct Setting {
  scheduling::MachineSettings settings;
  scheduling::MachineResources whole;
  std::vector<double> weights;
  PlainAccounts plain;
};

Setting random_setting(Draws& draw, PlainMachines::Rule rule) {
  Setting s;
  const std::int64_t pools = 1 + draw.below(3);
  const bool one = draw.one_in(3);  // maxmin
  for (std::int64_t p = 0; p < pools; ++p) {
    scheduling::MachinePool pool;
    pool.machines = static_cast<std::uint32_t>(1 + draw.below(5));
    pool.gpus = static_cast<std::int16_t>(1 + draw.below(4));
    s.settings.pools.push_back(pool);
    s.plain.pools.emplace_back(pool.machines);
    s.plain.full.push_back(pool.gpus);
    s.plain.type_of.push_back(one ? 0 : static_cast<std::size_t>(draw.below(2)));
    s.plain.planned.resize(2);
    s.plain.planned[s.plain.type_of.back()] += one ? 0 : std::int64_t{pool.machines} * pool.gpus;
  }
  for (std::int64_t& planned : s.plain.planned) planned = std::max<std::int64_t>(planned, 1);
  for (const std::int64_t planned : s.plain.planned) s.whole.shared.sizes.push_back(planned * 1000);
  s.whole.shared.sizes.insert(s.whole.shared.sizes.end(), {0, 0});
  s.whole.shared.gpus_of.assign(s.plain.type_of.begin(), s.plain.type_of.end());
  for (std::int64_t g = 1 + draw.below(3); g > 0; --g) {
    scheduling::GroupSpec spec;
    double speed = 4;
    for (std::int64_t p = 0; p < pools; ++p)
      if (!draw.one_in(3))
        spec.choices.push_back({static_cast<std::uint32_t>(p), speed /= draw.one_in(2) ? 2 : 1});
    if (spec.choices.empty()) spec.choices.push_back({0, 1.0});
    s.settings.groups.push_back(spec);
  }
  s.settings.placement = scheduling::Placement::first;
  s.settings.slowdown_milli = draw.one_in(2) ? 0 : 1000 + 250 * draw.below(5);
  s.plain.groups = s.settings.groups;
  s.plain.slowdown_milli = s.settings.slowdown_milli;
  s.plain.rule = rule;
  for (std::int64_t a = 1 + draw.below(6); a > 0; --a) {
    s.plain.weights.push_back(1 + draw.below(3));
    s.weights.push_back(static_cast<double>(s.plain.weights.back()));
  }
  return s;
}

template <Backfill B>
class Duel {
 public:
  Duel(std::uint64_t seed, PlainMachines::Rule rule)
      : draw_(seed),
        setting_(random_setting(draw_, rule)),
        plain_(setting_.plain),
        nodes_(setting_.settings, Streams(1, 0).open("nodes", "placement"), setting_.whole,
               setting_.weights) {}

  /// @returns the number of starts
  std::size_t fight() {
    std::size_t starts = 0;
    for (std::int64_t now = 0; now < 300; now += 1 + draw_.below(6)) {
      end_some(now);
      change_machines();
      if (draw_.one_in(4)) plan_departures(now);
      for (std::int64_t n = draw_.below(4); n > 0; --n) submit();
      if (draw_.one_in(8)) withdraw_one();
      sink_.now = now;
      sink_.slots.clear();
      nodes_.pass(now, sink_);
      INFO("instant " << now);
      REQUIRE(sink_.slots == plain_.pass_by_share(now));
      for (const PlainMachines::Running& r : plain_.running)
        REQUIRE(sink_.runs.at(r.job.slot) == std::pair(static_cast<std::uint32_t>(r.place.pool), r.end));
      REQUIRE(nodes_.waiting() == plain_.waiting.size());
      starts += sink_.slots.size();
    }
    return starts;
  }

 private:
  void end_some(std::int64_t now) {
    const std::vector<PlainMachines::Running> running = plain_.running;
    for (const PlainMachines::Running& r : running)
      if (r.end <= now || draw_.one_in(20)) finish(r.job.slot);
  }
  void finish(std::uint32_t slot) {
    plain_.finish(slot);
    nodes_.finish_of({{}, 0, 1, slot}, 0, 0);
  }
  /// A machine comes, or goes with all that runs on it, which waits again in its old place.
  void change_machines() {
    for (std::uint32_t p = 0; p < plain_.pools.size(); ++p)
      for (std::uint32_t i = 0; i < plain_.pools[p].size(); ++i) {
        PlainMachines::Machine& m = plain_.pools[p][i];
        if (m.gpus == 0 && draw_.one_in(4)) {
          m.fill(draw_.one_in(4) ? 1 + draw_.below(plain_.full[p]) : plain_.full[p]);
          nodes_.come({p, i}, m.gpus);
        } else if (m.gpus > 0 && draw_.one_in(40)) {
          for (const std::uint32_t slot : nodes_.jobs_on({p, i})) {
            finish(slot);
            wait(jobs_[slot]);
          }
          nodes_.go({p, i}, m.gpus);
          m.fill(0);
        }
      }
  }
  /// Up to three instants, told apart.
  void plan_departures(std::int64_t now) {
    const auto p = static_cast<std::uint32_t>(draw_.below(static_cast<std::int64_t>(plain_.pools.size())));
    scheduling::Departures at = scheduling::no_departures;
    const std::int64_t known = draw_.below(4);
    for (std::int64_t k = 0; k < known; ++k) at[static_cast<std::size_t>(2 - k)] = now + 1 + draw_.below(60);
    std::sort(at.begin(), at.end(), std::greater<>());
    std::vector<std::uint8_t> level;
    for (PlainMachines::Machine& m : plain_.pools[p]) {
      level.push_back(static_cast<std::uint8_t>(draw_.below(4)));
      m.leaves = level.back() == 0 ? PlainMachines::forever : at[level.back() - std::size_t{1}];
    }
    nodes_.plan_departures(p, at, level);
  }
  void submit() {
    PlainMachines::Job job;
    job.slot = static_cast<std::uint32_t>(jobs_.size());
    job.group = static_cast<std::uint32_t>(draw_.below(static_cast<std::int64_t>(plain_.groups.size())));
    job.gpus = 1 + draw_.below(draw_.one_in(3) ? 9 : 4);
    job.requested = 1 + draw_.below(60);
    jobs_.push_back(job);
    plain_.account_of.push_back(
        static_cast<std::uint32_t>(draw_.below(static_cast<std::int64_t>(plain_.weights.size()))));
    wait(job);
  }
  static scheduling::WaitingJob waiting(const PlainMachines::Job& job) {
    return {{job.slot, job.slot}, job.requested, static_cast<std::int32_t>(job.gpus), job.slot};
  }
  void wait(const PlainMachines::Job& job) {
    const auto place = std::find_if(plain_.waiting.begin(), plain_.waiting.end(),
                                    [&](const PlainMachines::Job& w) { return w.slot > job.slot; });
    plain_.waiting.insert(place, job);
    nodes_.submit(scheduling::Claimant{plain_.account_of[job.slot]}, waiting(job), job.group);
  }
  void withdraw_one() {
    if (plain_.waiting.empty()) return;
    const auto it = plain_.waiting.begin() + draw_.below(static_cast<std::int64_t>(plain_.waiting.size()));
    REQUIRE(nodes_.withdraw_of(waiting(*it)));
    plain_.waiting.erase(it);
  }

  Draws draw_;
  Setting setting_;
  PlainAccounts plain_;
  scheduling::MachinesUnder<scheduling::AccountNodes<B>> nodes_;
  std::vector<PlainMachines::Job> jobs_;
  Starts sink_;
};

}  // namespace

TEST_CASE("accounts fill machines that come, break and are known to leave as plain loops have them") {
  std::size_t none = 0, fit = 0, easy = 0;
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
    CAPTURE(seed);
    none += Duel<Backfill::none>(seed, PlainMachines::Rule::none).fight();
    fit += Duel<Backfill::fit>(seed, PlainMachines::Rule::fit).fight();
    easy += Duel<Backfill::easy>(seed, PlainMachines::Rule::easy).fight();
  }
  CHECK(none > 20'000);
  CHECK(none < easy);
  CHECK(none < fit);
}
