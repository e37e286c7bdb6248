// SPDX-License-Identifier: Apache-2.0
// Claims by class and by quota on machines of several pools that come, break and are known to leave, against
// plain loops, and what must hold of them whatever the rule.
#include <algorithm>
#include <map>
#include <type_traits>
#include <vector>

#include <natgpu/scheduling/machine_dispatcher.hpp>

#include "catch.hpp"
#include "machine_cases.hpp"
#include "plain_claims.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using scheduling::Quota;

namespace {

/// What is the same for both.
struct ClaimSetting {
  scheduling::MachineSettings settings;
  PlainClaims plain;
  scheduling::PreemptiveRule rule;
};

ClaimSetting random_claims(Draws& draw, bool by_quota) {
  ClaimSetting s;
  add_random_machines(draw, s.settings, s.plain);
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
Machines machines_of(const ClaimSetting& s) {
  const Stream chance = placement_stream();
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
class Duel : public MachineDuel<ClaimSetting, Machines> {
  static constexpr bool by_quota = std::is_same_v<Machines, ByQuota>;
  using Base = MachineDuel<ClaimSetting, Machines>;
  using Base::dispatcher_, Base::draw_, Base::jobs_, Base::plain_, Base::setting_;

 public:
  explicit Duel(std::uint64_t seed)
      : Base(
            seed, [](Draws& draw) { return random_claims(draw, by_quota); }, machines_of<Machines>) {}

  void fight() {
    for (now_ = 0; now_ < 300; now_ += 1 + draw_.below(6)) {
      INFO("instant " << now_);
      this->happen(now_, 6);
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
      this->check_where(runs_);
      this->check_free();
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
  void finish(std::uint32_t slot) override {
    Base::finish(slot);
    runs_.erase(slot);
  }
  void describe(const PlainMachines::Job&) override {
    plain_.traits.push_back({draw_.below(4), static_cast<std::uint32_t>(draw_.below(3)), draw_.one_in(10)});
    plain_.since.push_back(0);
  }
  scheduling::QueueKey key_of(std::uint32_t slot) const {
    return {by_quota ? 0 : plain_.traits[slot].job_class, slot};
  }
  void submit(const PlainMachines::Job& job) override {
    const PlainClaims::Traits& t = plain_.traits[job.slot];
    if constexpr (by_quota) dispatcher_.attribute(job.slot, 1 + t.account);  // behind the root
    dispatcher_.submit({key_of(job.slot), job.requested, static_cast<std::int32_t>(job.gpus), job.slot}, {},
                       now_, job.group, t.firm);
  }
  void withdraw(const PlainMachines::Job& job) override { dispatcher_.withdraw_job(job.slot); }

  std::int64_t now_ = 0;
  std::vector<std::uint32_t> began_, lost_, taken_from_;
  std::map<std::uint32_t, Starts::Run> runs_;  ///< by slot
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
