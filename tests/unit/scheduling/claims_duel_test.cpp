// SPDX-License-Identifier: Apache-2.0
// Claims by class and by quota on machines of several pools that come, break and are known to leave, against
// plain loops, and what must hold of them whatever the rule.
#include <algorithm>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <natgpu/scheduling/machine_dispatcher.hpp>

#include "catch.hpp"
#include "plain_claims.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using scheduling::Machine;
using scheduling::Quota;

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

/// What is the same for both.
struct Setting {
  scheduling::MachineSettings settings;
  PlainClaims plain;
  scheduling::PreemptiveRule rule;
};

Setting random_setting(Draws& draw, bool by_quota) {
  Setting s;
  const std::int64_t pools = 1 + draw.below(3);
  for (std::int64_t p = 0; p < pools; ++p) {
    const auto machines = static_cast<std::uint32_t>(1 + draw.below(5));
    const auto gpus = static_cast<std::int16_t>(1 + draw.below(4));
    scheduling::MachinePool pool;
    pool.machines = machines;
    pool.gpus = gpus;
    s.settings.pools.push_back(pool);
    s.plain.pools.emplace_back(machines);
    s.plain.full.push_back(gpus);
  }
  const std::int64_t groups = 1 + draw.below(3);
  for (std::int64_t g = 0; g < groups; ++g) {
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
  s.plain.by_quota = by_quota;
  s.rule.skips = draw.one_in(2);
  s.plain.rule = s.rule.skips ? PlainMachines::Rule::fit : PlainMachines::Rule::none;
  s.rule.shield = s.plain.shield = draw.one_in(2) ? 0 : draw.below(30);
  for (int a = 0; a < 3; ++a) s.plain.shares.push_back(1 + draw.below(4));
  return s;
}

using ByClass = scheduling::ClassMachines;
using ByQuota = scheduling::QuotaMachines;

template <class Machines>
Machines machines_of(const Setting& s) {
  const Stream chance = Streams(1, 0).open("nodes", "placement");
  if constexpr (std::is_same_v<Machines, ByQuota>) {
    scheduling::AccountTree tree;
    for (const std::int64_t share : s.plain.shares)
      tree.add(scheduling::AccountTree::root, static_cast<double>(share));
    const std::vector<Quota> quotas = scheduling::quotas_of(tree);
    return Machines(s.settings, chance, s.rule, quotas, false);
  } else {
    return Machines(s.settings, chance, s.rule);
  }
}

template <class Machines>
class Duel {
  static constexpr bool by_quota = std::is_same_v<Machines, ByQuota>;

 public:
  explicit Duel(std::uint64_t seed)
      : draw_(seed),
        setting_(random_setting(draw_, by_quota)),
        plain_(setting_.plain),
        dispatcher_(machines_of<Machines>(setting_)) {}

  void fight() {
    for (now_ = 0; now_ < 300; now_ += 1 + draw_.below(6)) {
      INFO("instant " << now_);
      end_some();
      change_machines();
      if (draw_.one_in(6)) plan_departures();
      submit_some();
      if (draw_.one_in(8)) withdraw_one();
      began_.clear();
      lost_.clear();
      const std::int64_t waited = static_cast<std::int64_t>(dispatcher_.waiting());
      dispatcher_.pass(now_, *this);
      REQUIRE(static_cast<std::int64_t>(dispatcher_.waiting()) ==
              waited + static_cast<std::int64_t>(lost_.size()) - static_cast<std::int64_t>(began_.size()));
      std::sort(began_.begin(), began_.end());
      std::sort(lost_.begin(), lost_.end());
      plain_.pass_with_claims(now_);
      REQUIRE(lost_ == plain_.lost);
      REQUIRE(began_ == plain_.began);
      for (const PlainMachines::Running& r : plain_.running)
        REQUIRE(runs_.at(r.job.slot) == std::pair(static_cast<std::uint32_t>(r.place.pool), r.end));
      for (std::uint32_t p = 0; p < plain_.pools.size(); ++p) {
        std::int64_t free = 0;
        for (const PlainMachines::Machine& m : plain_.pools[p]) free += m.gpus > 0 ? m.idle() : 0;
        REQUIRE(dispatcher_.free(p) == free);
      }
      check_wake();
      starts += began_.size();
      preempted += lost_.size();
    }
    spared = static_cast<std::size_t>(plain_.spared);
  }
  std::size_t starts = 0, preempted = 0, spared = 0;

  // --- the dispatcher's sink

  void start(const scheduling::WaitingJob& job, std::uint32_t pool, std::int64_t requested) {
    for (const std::uint32_t slot : taken_from_)
      if (!by_quota) REQUIRE(plain_.traits[job.slot].job_class < plain_.traits[slot].job_class);
    taken_from_.clear();
    began_.push_back(job.slot);
    runs_[job.slot] = {pool, now_ + requested};
    since_[job.slot] = now_;
    REQUIRE(std::count(lost_.begin(), lost_.end(), job.slot) == 0);
  }
  void preempt(const scheduling::WaitingJob& job) {
    REQUIRE_FALSE(plain_.traits[job.slot].firm);
    REQUIRE(since_.at(job.slot) < now_);
    REQUIRE(now_ - since_.at(job.slot) >= setting_.rule.shield);
    lost_.push_back(job.slot);
    taken_from_.push_back(job.slot);
    runs_.erase(job.slot);
    submit(jobs_[job.slot]);
  }

 private:
  /// The end of a shield is an instant at which somebody who waits may get what he lacks.
  void check_wake() const {
    std::int64_t end = ByClass::forever;
    for (const auto& [slot, run] : runs_)
      if (!plain_.traits[slot].firm && now_ - since_.at(slot) < setting_.rule.shield)
        end = std::min(end, since_.at(slot) + setting_.rule.shield);
    REQUIRE(dispatcher_.next_start() == (plain_.waiting.empty() ? ByClass::forever : end));
  }
  void end_some() {
    const std::vector<PlainMachines::Running> running = plain_.running;
    for (const PlainMachines::Running& r : running)
      if (r.end <= now_ || draw_.one_in(20)) finish(r.job.slot);
  }
  void finish(std::uint32_t slot) {
    plain_.finish(slot);
    dispatcher_.finish_job(slot);
    runs_.erase(slot);
  }
  /// A machine comes, or goes with all that runs on it, which waits again in its old place.
  void change_machines() {
    for (std::uint32_t p = 0; p < plain_.pools.size(); ++p)
      for (std::uint32_t i = 0; i < plain_.pools[p].size(); ++i) {
        PlainMachines::Machine& m = plain_.pools[p][i];
        if (m.gpus == 0 && draw_.one_in(4)) {
          m.fill(draw_.one_in(4) ? 1 + draw_.below(plain_.full[p]) : plain_.full[p]);
          dispatcher_.come({p, i}, m.gpus);
        } else if (m.gpus > 0 && draw_.one_in(40)) {
          go({p, i});
        }
      }
  }
  void go(const Machine& machine) {
    for (const std::uint32_t slot : dispatcher_.jobs_on(machine)) {
      finish(slot);
      wait(jobs_[slot]);
    }
    PlainMachines::Machine& m = plain_.pools[machine.pool][machine.node];
    dispatcher_.go(machine, m.gpus);
    m.fill(0);
  }
  void plan_departures() {
    const auto p = static_cast<std::uint32_t>(draw_.below(static_cast<std::int64_t>(plain_.pools.size())));
    scheduling::Departures at = scheduling::no_departures;
    const std::int64_t known = draw_.below(4);
    for (std::int64_t k = 0; k < known; ++k) at[static_cast<std::size_t>(2 - k)] = now_ + 1 + draw_.below(60);
    std::sort(at.begin(), at.end(), std::greater<>());
    std::vector<std::uint8_t> level;
    for (PlainMachines::Machine& m : plain_.pools[p]) {
      level.push_back(static_cast<std::uint8_t>(draw_.below(4)));
      m.leaves = level.back() == 0 ? PlainMachines::forever : at[level.back() - std::size_t{1}];
    }
    dispatcher_.plan_departures(p, at, level);
  }
  void submit_some() {
    for (std::int64_t n = draw_.below(3); n > 0; --n) {
      PlainMachines::Job job;
      job.slot = static_cast<std::uint32_t>(jobs_.size());
      job.group = static_cast<std::uint32_t>(draw_.below(static_cast<std::int64_t>(plain_.groups.size())));
      job.gpus = 1 + draw_.below(draw_.one_in(3) ? 9 : 4);
      job.requested = 1 + draw_.below(60);
      jobs_.push_back(job);
      plain_.traits.push_back({draw_.below(4), static_cast<std::uint32_t>(draw_.below(3)), draw_.one_in(10)});
      plain_.since.push_back(0);
      wait(job);
    }
  }
  void wait(const PlainMachines::Job& job) {
    const auto place = std::find_if(plain_.waiting.begin(), plain_.waiting.end(),
                                    [&](const PlainMachines::Job& w) { return w.slot > job.slot; });
    plain_.waiting.insert(place, job);
    submit(job);
  }
  scheduling::QueueKey key_of(std::uint32_t slot) const {
    return {by_quota ? 0 : plain_.traits[slot].job_class, slot};
  }
  void submit(const PlainMachines::Job& job) {
    const PlainClaims::Traits& t = plain_.traits[job.slot];
    if constexpr (by_quota) dispatcher_.attribute(job.slot, 1 + t.account);  // behind the root
    dispatcher_.submit({key_of(job.slot), job.requested, static_cast<std::int32_t>(job.gpus), job.slot}, {},
                       now_, job.group, t.firm);
  }
  void withdraw_one() {
    if (plain_.waiting.empty()) return;
    const auto it = plain_.waiting.begin() + draw_.below(static_cast<std::int64_t>(plain_.waiting.size()));
    dispatcher_.withdraw_job(it->slot);
    plain_.waiting.erase(it);
  }

  Draws draw_;
  Setting setting_;
  PlainClaims plain_;
  Machines dispatcher_;
  std::vector<PlainMachines::Job> jobs_;
  std::int64_t now_ = 0;
  std::vector<std::uint32_t> began_, lost_, taken_from_;
  std::map<std::uint32_t, std::pair<std::uint32_t, std::int64_t>> runs_;  ///< by slot: pool, requested end
  std::map<std::uint32_t, std::int64_t> since_;
};

struct Sum {
  std::size_t starts = 0, preempted = 0, spared = 0;
};
template <class Machines>
Sum duels(std::uint64_t seeds) {
  Sum sum;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Duel<Machines> duel(seed);
    duel.fight();
    sum.starts += duel.starts;
    sum.preempted += duel.preempted;
    sum.spared += duel.spared;
  }
  return sum;
}

}  // namespace

TEST_CASE("by class, machines of several pools that come and go change hands as plain loops have it") {
  const Sum sum = duels<ByClass>(2'000);
  CHECK(sum.starts > 50'000);
  CHECK(sum.preempted > 5'000);
  CHECK(sum.spared > 500);
}

TEST_CASE("by quota, machines of several pools that come and go change hands as plain loops have it") {
  const Sum sum = duels<ByQuota>(2'000);
  CHECK(sum.starts > 50'000);
  CHECK(sum.preempted > 3'000);
  CHECK(sum.spared > 100);
}

TEST_CASE("quotas in thousandths of a GPU are a thousand times those of GPUs, and what is left parted anew") {
  CHECK(Quota{1, 3}.milli_of(10) == 3'333);
  CHECK(Quota{1, 3}.milli_of(3) == 1'000);
  CHECK(Quota{2, 4}.milli_of(1) == 500);
  const Area large = static_cast<Area>(100'000'000'000'000) * 100'000'000'000'000;
  CHECK(Quota{large - 1, large}.milli_of(1'000'000'000) == 999'999'999'999);
  CHECK(Quota{large, large}.milli_of(1'000'000'000) == 1'000'000'000'000);
}
