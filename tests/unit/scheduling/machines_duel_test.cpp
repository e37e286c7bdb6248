// SPDX-License-Identifier: Apache-2.0
// Machines of several pools that come, break, leave and are known to leave, against plain loops.
#include <map>
#include <utility>
#include <vector>

#include <natgpu/scheduling/machine_dispatcher.hpp>

#include "catch.hpp"
#include "machine_cases.hpp"
#include "plain_machines.hpp"

using namespace natgpu;
using namespace natgpu::testing;
using scheduling::Backfill;
using scheduling::Machine;

namespace {

template <Backfill B>
class Duel {
 public:
  Duel(std::uint64_t seed, PlainMachines::Rule rule)
      : draw_(seed),
        setting_(random_setting(draw_, rule)),
        plain_(setting_.plain),
        dispatcher_(setting_.settings, Streams(1, 0).open("nodes", "placement")) {}

  /// @returns the number of starts
  std::size_t fight() {
    std::size_t starts = 0;
    for (std::int64_t now = 0; now < 400; now += 1 + draw_.below(6)) {
      end_some(now);
      change_machines();
      if (draw_.one_in(4)) plan_departures(now);
      submit_some();
      if (draw_.one_in(8)) withdraw_one();
      sink_.now = now;
      sink_.slots.clear();
      dispatcher_.pass(now, sink_);
      INFO("instant " << now);
      REQUIRE(sink_.slots == plain_.pass(now));
      for (const PlainMachines::Running& r : plain_.running)
        REQUIRE(sink_.runs.at(r.job.slot) == std::pair(static_cast<std::uint32_t>(r.place.pool), r.end));
      REQUIRE(dispatcher_.waiting() == plain_.waiting.size());
      for (std::uint32_t p = 0; p < plain_.pools.size(); ++p) {
        std::int64_t free = 0;
        for (const PlainMachines::Machine& m : plain_.pools[p]) free += m.gpus > 0 ? m.idle() : 0;
        REQUIRE(dispatcher_.free(p) == free);
      }
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
    dispatcher_.finish_job(slot);
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
    std::vector<std::uint32_t> hit;
    for (const PlainMachines::Running& r : plain_.running)
      for (const auto& [m, gpus] : r.place.held)
        if (r.place.pool == machine.pool && m == machine.node) hit.push_back(r.job.slot);
    std::sort(hit.begin(), hit.end());
    hit.erase(std::unique(hit.begin(), hit.end()), hit.end());
    REQUIRE(dispatcher_.jobs_on(machine) == hit);
    for (const std::uint32_t slot : hit) {
      finish(slot);
      wait(jobs_[slot]);
    }
    PlainMachines::Machine& m = plain_.pools[machine.pool][machine.node];
    dispatcher_.go(machine, m.gpus);
    m.fill(0);
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
      wait(job);
    }
  }
  void wait(const PlainMachines::Job& job) {
    const auto place = std::find_if(plain_.waiting.begin(), plain_.waiting.end(),
                                    [&](const PlainMachines::Job& w) { return w.slot > job.slot; });
    plain_.waiting.insert(place, job);
    dispatcher_.submit(job.group,
                       {{job.slot, job.slot}, job.requested, static_cast<std::int32_t>(job.gpus), job.slot});
  }
  void withdraw_one() {
    if (plain_.waiting.empty()) return;
    const auto it = plain_.waiting.begin() + draw_.below(static_cast<std::int64_t>(plain_.waiting.size()));
    REQUIRE(dispatcher_.withdraw(it->group, {it->slot, it->slot}, static_cast<std::int32_t>(it->gpus)));
    plain_.waiting.erase(it);
  }

  Draws draw_;
  Setting setting_;
  PlainMachines plain_;
  scheduling::MachineDispatcher<B> dispatcher_;
  std::vector<PlainMachines::Job> jobs_;
  Starts sink_;
};

}  // namespace

TEST_CASE("machines that come, break and are known to leave are filled as plain loops fill them") {
  std::size_t none = 0, fit = 0, easy = 0, shortest_first = 0;
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
    CAPTURE(seed);
    none += Duel<Backfill::none>(seed, PlainMachines::Rule::none).fight();
    fit += Duel<Backfill::fit>(seed, PlainMachines::Rule::fit).fight();
    easy += Duel<Backfill::easy>(seed, PlainMachines::Rule::easy).fight();
    shortest_first += Duel<Backfill::easy_sjbf>(seed, PlainMachines::Rule::easy_sjbf).fight();
  }
  CHECK(none > 30'000);
  CHECK(none < easy);
  CHECK(easy < fit + fit / 10);
  CHECK(easy < shortest_first);
}
