// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/hash.hpp>

#include "../../../src/experiment/replicate_with.hpp"
#include "catch.hpp"

using namespace natgpu;
using namespace natgpu::experiment;
using simulation::RunRecord;
using simulation::SimulateOptions;

namespace {

/// Stands for a simulation: higher replications are quicker, so that they finish out of order.
RunRecord toy(const SimulateOptions& options) {
  std::uint64_t x = options.seed + options.replication;
  for (std::uint32_t i = 0; i < 20000 * (17 - options.replication % 16); ++i) x = mix64(x + 1);
  RunRecord record;
  record.seed = options.seed;
  record.replication = options.replication;
  record.fingerprint = x;
  return record;
}

ReplicateOptions options(std::uint32_t replications, unsigned threads) {
  ReplicateOptions o;
  o.seed = 7;
  o.replications = replications;
  o.threads = threads;
  return o;
}

}  // namespace

TEST_CASE("records come in replication order and do not depend on the number of threads") {
  const Replications sequence = replicate_with(toy, options(33, 1));
  REQUIRE(sequence.records.size() == 33);
  CHECK_FALSE(sequence.interrupted);
  for (const unsigned threads : {2U, 3U, 8U, 100U}) {
    const Replications parallel = replicate_with(toy, options(33, threads));
    REQUIRE(parallel.records.size() == 33);
    for (std::uint32_t r = 0; r < 33; ++r) {
      CHECK(parallel.records[r].replication == r);
      CHECK(parallel.records[r].seed == 7);
      CHECK(parallel.records[r].fingerprint == sequence.records[r].fingerprint);
    }
  }
}

TEST_CASE("each replication runs once, on threads of its own") {
  std::mutex mutex;
  std::multiset<std::uint32_t> seen;
  replicate_with(
      [&](const SimulateOptions& o) {
        const std::lock_guard lock(mutex);
        seen.insert(o.replication);
        return RunRecord{};
      },
      options(50, 4));
  CHECK(seen.size() == 50);
  CHECK(std::set<std::uint32_t>(seen.begin(), seen.end()).size() == 50);
}

TEST_CASE("of several failures the one of the lowest replication is thrown, whatever the threads") {
  for (const unsigned threads : {1U, 2U, 8U}) {
    try {
      replicate_with(
          [](const SimulateOptions& o) -> RunRecord {
            RunRecord record = toy(o);
            if (o.replication == 5 || o.replication == 6 || o.replication == 7)
              throw RunError("replication " + std::to_string(o.replication));
            return record;
          },
          options(40, threads));
      FAIL("nothing thrown");
    } catch (const RunError& e) {
      CHECK(std::string(e.what()) == "replication 5");
    }
  }
}

TEST_CASE("after a stop the finished replications are kept and the rest is not begun") {
  for (const unsigned threads : {1U, 3U}) {
    std::atomic<bool> stop{false};
    std::atomic<int> begun{0};
    ReplicateOptions o = options(1000, threads);
    o.stop = &stop;
    const Replications result = replicate_with(
        [&](const SimulateOptions& one) -> RunRecord {
          ++begun;
          if (one.replication == 4) stop = true;
          if (one.stop->load()) throw simulation::Interrupted();
          return toy(one);
        },
        o);
    CHECK(result.interrupted);
    CHECK(begun < 10);
    REQUIRE(!result.records.empty());
    for (std::size_t i = 1; i < result.records.size(); ++i)
      CHECK(result.records[i - 1].replication < result.records[i].replication);
    for (const RunRecord& r : result.records) CHECK(r.replication < 4);
  }
}

TEST_CASE("a stop that comes when all is done interrupts nothing") {
  std::atomic<bool> stop{false};
  ReplicateOptions o = options(3, 1);
  o.stop = &stop;
  const Replications result = replicate_with(
      [&](const SimulateOptions& one) {
        if (one.replication == 2) stop = true;
        return toy(one);
      },
      o);
  CHECK_FALSE(result.interrupted);
  CHECK(result.records.size() == 3);
}

TEST_CASE("progress is told from the calling thread and ends at the whole") {
  double last = -1;
  std::uint32_t finished = 0;
  bool rising = true;
  const std::thread::id caller = std::this_thread::get_id();
  bool same_thread = true;
  ReplicateOptions o = options(8, 2);
  o.on_progress = [&](double share, std::uint32_t done) {
    rising = rising && share >= last;
    same_thread = same_thread && std::this_thread::get_id() == caller;
    last = share;
    finished = done;
  };
  replicate_with(toy, o);
  CHECK(rising);
  CHECK(same_thread);
  CHECK(last == 1.0);
  CHECK(finished == 8);
}

TEST_CASE("no replications are no work") {
  const Replications result = replicate_with(toy, options(0, 4));
  CHECK(result.records.empty());
  CHECK_FALSE(result.interrupted);
}
