// SPDX-License-Identifier: Apache-2.0
// The dispatcher of gavel-las and gavel-ftf on several types, against books of the test's own.
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/scheduling/typed_gavel.hpp>

#include "catch.hpp"
#include "mixed_dice.hpp"

using namespace natgpu;
using testing::MixedDice;
using namespace natgpu::scheduling;

namespace {

constexpr std::int64_t round_ticks = 1000;

/// GPUs of several types, and the speeds of groups of jobs on them; 0: cannot run there.
struct TypedMachine {
  std::vector<std::int64_t> gpus;
  std::vector<std::vector<double>> speeds;  ///< [group][type]

  bool can_run(std::size_t group, std::int64_t gang) const {
    for (std::size_t j = 0; j < gpus.size(); ++j)
      if (speeds[group][j] > 0 && gang <= gpus[j]) return true;
    return false;
  }
  /// Each type in one pool.
  TypedGavelDispatcher dispatcher(PreemptiveRule rule) const {
    std::vector<std::uint32_t> pools;
    std::vector<GroupSpec> groups(speeds.size());
    for (std::uint32_t p = 0; p < gpus.size(); ++p) pools.push_back(p);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      for (const std::uint32_t p : pools)
        if (speeds[g][p] > 0) groups[g].choices.push_back({p, speeds[g][p]});
      std::stable_sort(groups[g].choices.begin(), groups[g].choices.end(),
                       [](const PoolChoice& a, const PoolChoice& b) { return a.speed > b.speed; });
    }
    TypedGavelDispatcher d(std::move(rule), pools, std::move(groups));
    for (const std::uint32_t p : pools) d.change_capacity(p, gpus[p]);
    return d;
  }
};

/// Keeps who runs where, and refuses what cannot be.
class Books {
 public:
  Books(Order order, TypedMachine machine, std::int64_t shield)
      : free_(machine.gpus),
        machine_(std::move(machine)),
        dispatcher_(machine_.dispatcher(rule(order, shield))) {}

  void join(std::int32_t gpus, std::uint32_t job_class, double weight) {
    const auto slot = static_cast<std::uint32_t>(jobs_.size());
    Job& job = jobs_.emplace_back();
    job.waiting = {{now_, slot}, 1'000'000, gpus, slot};
    job.job_class = job_class;
    job.weight = weight;
    job.on_type.resize(free_.size());
    dispatcher_.submit(jobs_[slot].waiting, {1'000'000, 0, 0}, now_, job_class, false, weight);
  }
  void leave(std::uint32_t slot) {
    free_[static_cast<std::size_t>(jobs_[slot].type)] += jobs_[slot].waiting.gpus;
    jobs_[slot].type = gone;
    dispatcher_.finish_job(slot);
  }
  void pass(std::int64_t after) {
    now_ += after;
    dispatcher_.pass(now_, *this);
  }
  void preempt(const WaitingJob& job) {
    Job& j = jobs_[job.slot];
    REQUIRE(j.type >= 0);
    REQUIRE(now_ - j.since >= shield_);
    free_[static_cast<std::size_t>(j.type)] += job.gpus;
    j.on_type[static_cast<std::size_t>(j.type)] += now_ - j.since;
    j.type = waits;
    j.attained += now_ - j.since;
    dispatcher_.submit(j.waiting, {1'000'000 - j.attained / 4, j.attained, 0}, now_, j.job_class, false,
                       j.weight);
  }
  void start(const WaitingJob& job, std::uint32_t type, std::int64_t) {
    Job& j = jobs_[job.slot];
    REQUIRE(j.type == waits);
    REQUIRE(machine_.speeds[j.job_class][type] > 0);
    free_[type] -= job.gpus;
    REQUIRE(free_[type] >= 0);
    j.type = type;
    j.since = now_;
  }
  /// At the beginning of a round nobody waits who could run on GPUs that are idle.
  void check_idle() const {
    for (const Job& j : jobs_)
      for (std::size_t type = 0; type < free_.size() && j.type == waits; ++type)
        if (machine_.speeds[j.job_class][type] > 0) REQUIRE(free_[type] < j.waiting.gpus);
    for (std::size_t type = 0; type < free_.size(); ++type)
      REQUIRE(dispatcher_.free(static_cast<std::uint32_t>(type)) == free_[type]);
    REQUIRE(dispatcher_.waiting() ==
            static_cast<std::size_t>(
                std::count_if(jobs_.begin(), jobs_.end(), [](const Job& j) { return j.type == waits; })));
  }
  std::vector<std::uint32_t> running() const {
    std::vector<std::uint32_t> slots;
    for (const Job& j : jobs_)
      if (j.type >= 0) slots.push_back(j.waiting.slot);
    return slots;
  }
  bool runs(std::uint32_t slot) const { return jobs_[slot].type >= 0; }
  bool at_round() const { return now_ % round_ticks == 0; }
  std::int64_t to_round() const { return round_ticks - now_ % round_ticks; }
  double rounds_on(std::uint32_t slot, std::int64_t type) const {
    const Job& j = jobs_[slot];
    const std::int64_t present = j.type == type ? now_ - j.since : 0;
    return static_cast<double>(j.on_type[static_cast<std::size_t>(type)] + present) / round_ticks;
  }
  /// The longest time that any job has waited for its first start.
  std::int64_t longest_wait() const {
    std::int64_t longest = 0;
    for (const Job& j : jobs_)
      if (j.type == waits && j.attained == 0) longest = std::max(longest, now_ - j.waiting.order.key);
    return longest;
  }

 private:
  static constexpr std::int64_t waits = -1, gone = -2;
  struct Job {
    WaitingJob waiting;
    std::uint32_t job_class = 0;
    double weight = 1;
    std::int64_t type = waits, since = 0, attained = 0;
    std::vector<std::int64_t> on_type;  ///< ticks, before the present run
  };
  PreemptiveRule rule(Order order, std::int64_t shield) {
    PreemptiveRule r;
    r.order = order;
    r.round = round_ticks;
    r.shield = shield_ = shield;
    return r;
  }
  std::int64_t now_ = 0, shield_ = 0;
  std::vector<Job> jobs_;
  std::vector<std::int64_t> free_;
  TypedMachine machine_;
  TypedGavelDispatcher dispatcher_;
};

}  // namespace

TEST_CASE("on several types no GPU is given twice, none idles that somebody could use, and nobody starves") {
  MixedDice dice{61};
  for (int k = 0; k < 120; ++k) {
    TypedMachine machine;
    for (std::int64_t n = 1 + dice.below(3); n > 0; --n) machine.gpus.push_back(1 + dice.below(8));
    for (int c = 0; c < 4; ++c) {
      machine.speeds.emplace_back();
      for (std::size_t j = 0; j < machine.gpus.size(); ++j)
        machine.speeds.back().push_back(static_cast<double>(dice.below(4)) * 0.7);
    }
    Books books(k % 2 == 0 ? Order::gavel_las : Order::gavel_ftf, machine, dice.below(2) * 1500);
    std::size_t present = 0;
    for (int t = 0; t < 300; ++t) {
      while (present < 12 && dice.below(3) > 0) {
        const auto job_class = static_cast<std::uint32_t>(dice.below(4));
        const std::int64_t gpus = 1 + dice.below(4);
        if (!machine.can_run(job_class, gpus)) continue;
        books.join(static_cast<std::int32_t>(gpus), job_class, static_cast<double>(1 + dice.below(3)));
        ++present;
      }
      books.pass(dice.below(2) == 0 ? books.to_round() : dice.below(books.to_round()));
      if (books.at_round()) books.check_idle();
      REQUIRE(books.longest_wait() <= 60 * round_ticks);
      for (const std::uint32_t slot : books.running())
        if (dice.below(8) == 0) {
          books.leave(slot);
          --present;
        }
    }
  }
}

TEST_CASE("a type on which gangs left GPUs idle does not keep newcomers from another") {
  // A has 4 GPUs and gangs of 1, 2 and 4, which get 8/11 of their shares; B one, and one job. After 1,100
  // rounds A's turns lie 300 behind. Then the two wider gangs leave, and two jobs come that are twice as fast
  // on B: x on B, (1 + x) / 1.2 = 5 (1 - 2 x), so 5/13 of the time.
  Books books(Order::gavel_las, {{4, 1}, {{1, 0}, {0, 1}, {1, 2}}}, 0);
  for (const std::int32_t gpus : {1, 2, 4}) books.join(gpus, 0, 1);
  books.join(1, 1, 1);
  books.pass(0);
  for (int t = 0; t < 1100; ++t) books.pass(round_ticks);
  CHECK(books.rounds_on(2, 0) == Approx(300).margin(2));
  CHECK(books.rounds_on(3, 1) == 1100);
  for (const std::uint32_t slot : {1U, 2U}) {
    while (!books.runs(slot)) books.pass(round_ticks);
    books.leave(slot);
  }
  books.join(1, 2, 1);
  books.join(1, 2, 1);
  for (int t = 0; t < 130; ++t) books.pass(round_ticks);
  for (const std::uint32_t slot : {4U, 5U}) {
    CHECK(books.rounds_on(slot, 1) == Approx(50).margin(12));
    CHECK(books.rounds_on(slot, 0) + books.rounds_on(slot, 1) >= 128);
  }
}
