// SPDX-License-Identifier: Apache-2.0
// drf and maxmin over several pools of machines that come, break, leave and are known to leave, against plain
// loops: before each job that is tried, shares are added up anew over all that runs.
#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <natgpu/scheduling/account_nodes.hpp>
#include <natgpu/scheduling/machine_dispatcher.hpp>

#include "catch.hpp"
#include "machine_cases.hpp"
#include "plain_machines.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using scheduling::Backfill;

namespace {

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

/// What is the same for both.
struct AccountSetting {
  scheduling::MachineSettings settings;
  scheduling::MachineResources whole;
  std::vector<double> weights;
  PlainAccounts plain;
};

AccountSetting random_accounts(Draws& draw, PlainMachines::Rule rule) {
  AccountSetting s;
  const std::int64_t pools = 1 + draw.below(3);
  const bool one = draw.one_in(3);  // maxmin
  for (std::int64_t p = 0; p < pools; ++p) {
    const scheduling::MachinePool pool = add_random_pool(draw, s.settings, s.plain);
    s.plain.type_of.push_back(one ? 0 : static_cast<std::size_t>(draw.below(2)));
    s.plain.planned.resize(2);
    s.plain.planned[s.plain.type_of.back()] += one ? 0 : std::int64_t{pool.machines} * pool.gpus;
  }
  for (std::int64_t& planned : s.plain.planned) planned = std::max<std::int64_t>(planned, 1);
  for (const std::int64_t planned : s.plain.planned) s.whole.shared.sizes.push_back(planned * 1000);
  s.whole.shared.sizes.insert(s.whole.shared.sizes.end(), {0, 0});
  s.whole.shared.gpus_of.assign(s.plain.type_of.begin(), s.plain.type_of.end());
  add_random_groups(draw, s.settings, s.plain);
  s.plain.rule = rule;
  for (std::int64_t a = 1 + draw.below(6); a > 0; --a) {
    s.plain.weights.push_back(1 + draw.below(3));
    s.weights.push_back(static_cast<double>(s.plain.weights.back()));
  }
  return s;
}

template <Backfill B>
using Accounts = scheduling::MachinesUnder<scheduling::AccountNodes<B>>;

template <Backfill B>
class Duel : public MachineDuel<AccountSetting, Accounts<B>> {
  using Base = MachineDuel<AccountSetting, Accounts<B>>;
  using Base::dispatcher_, Base::draw_, Base::plain_;

 public:
  Duel(std::uint64_t seed, PlainMachines::Rule rule)
      : Base(
            seed, [rule](Draws& draw) { return random_accounts(draw, rule); },
            [](const AccountSetting& s) {
              return Accounts<B>(s.settings, placement_stream(), s.whole, s.weights);
            }) {}

  /// @returns the number of starts
  std::size_t fight() {
    std::size_t starts = 0;
    for (std::int64_t now = 0; now < 300; now += 1 + draw_.below(6)) {
      this->happen(now, 4, 4);
      sink_.now = now;
      sink_.slots.clear();
      dispatcher_.pass(now, sink_);
      INFO("instant " << now);
      REQUIRE(sink_.slots == plain_.pass_by_share(now));
      this->check_where(sink_.runs);
      REQUIRE(dispatcher_.waiting() == plain_.waiting.size());
      starts += sink_.slots.size();
    }
    return starts;
  }

 private:
  using Job = PlainMachines::Job;

  static scheduling::WaitingJob waiting(const Job& job) {
    return {{job.slot, job.slot}, job.requested, static_cast<std::int32_t>(job.gpus), job.slot};
  }
  void describe(const Job&) override {
    plain_.account_of.push_back(
        static_cast<std::uint32_t>(draw_.below(static_cast<std::int64_t>(plain_.weights.size()))));
  }
  void submit(const Job& job) override {
    dispatcher_.submit(scheduling::Claimant{plain_.account_of[job.slot]}, waiting(job), job.group);
  }
  void withdraw(const Job& job) override { REQUIRE(dispatcher_.withdraw_of(waiting(job))); }

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
