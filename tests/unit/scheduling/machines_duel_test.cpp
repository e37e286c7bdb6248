// SPDX-License-Identifier: Apache-2.0
// Machines of several pools that come, break, leave and are known to leave, against plain loops.
#include <algorithm>
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
class Duel : public MachineDuel<Setting, scheduling::MachineDispatcher<B>> {
  using Base = MachineDuel<Setting, scheduling::MachineDispatcher<B>>;
  using Base::dispatcher_, Base::draw_, Base::plain_;

 public:
  Duel(std::uint64_t seed, PlainMachines::Rule rule)
      : Base(
            seed, [rule](Draws& draw) { return random_setting(draw, rule); },
            [](const Setting& s) {
              return scheduling::MachineDispatcher<B>(s.settings, placement_stream());
            }) {}

  /// @returns the number of starts
  std::size_t fight() {
    std::size_t starts = 0;
    for (std::int64_t now = 0; now < 400; now += 1 + draw_.below(6)) {
      this->happen(now, 4);
      sink_.now = now;
      sink_.slots.clear();
      dispatcher_.pass(now, sink_);
      INFO("instant " << now);
      REQUIRE(sink_.slots == plain_.pass(now));
      this->check_where(sink_.runs);
      REQUIRE(dispatcher_.waiting() == plain_.waiting.size());
      this->check_free();
      starts += sink_.slots.size();
    }
    return starts;
  }

 private:
  using Job = PlainMachines::Job;

  void go(const Machine& machine) override {
    std::vector<std::uint32_t> hit;
    for (const PlainMachines::Running& r : plain_.running)
      for (const auto& [m, gpus] : r.place.held)
        if (r.place.pool == machine.pool && m == machine.node) hit.push_back(r.job.slot);
    std::sort(hit.begin(), hit.end());
    hit.erase(std::unique(hit.begin(), hit.end()), hit.end());
    REQUIRE(dispatcher_.jobs_on(machine) == hit);
    Base::go(machine);
  }
  void submit(const Job& job) override {
    dispatcher_.submit(job.group,
                       {{job.slot, job.slot}, job.requested, static_cast<std::int32_t>(job.gpus), job.slot});
  }
  void withdraw(const Job& job) override {
    REQUIRE(dispatcher_.withdraw(job.group, {job.slot, job.slot}, static_cast<std::int32_t>(job.gpus)));
  }

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
