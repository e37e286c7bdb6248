// SPDX-License-Identifier: Apache-2.0
// Cost per event of future event lists (docs/decisions/0004-future-event-list.md): the hold model of Vaucher
// and Duval (CACM 18(4), 1975) - take the next event, schedule one - at 10^2 to 10^7 pending events.
#include <benchmark/benchmark.h>

#include <cmath>
#include <string>
#include <vector>

#include <natgpu/core/hash.hpp>

#include "event_lists.hpp"

namespace {

using namespace natgpu;  // NOLINT: a program of one file
using bench::Popped;

constexpr std::int64_t holds = 2'000'000;

/// Delays in ticks, drawn beforehand so that drawing is not measured.
class Delays {
 public:
  enum Law { exponential, log_uniform };
  explicit Delays(Law law) : table_(1 << 16) {
    for (std::size_t i = 0; i < table_.size(); ++i) {
      const double u = (static_cast<double>(mix64(i) >> 11) + 0.5) * 0x1p-53;
      const double s = law == exponential ? -std::log(u) * 4 * 3600 : 60 * std::pow(60.0 * 24 * 7, u);
      table_[i] = 1 + static_cast<std::int64_t>(s * static_cast<double>(ticks_per_second));
    }
  }
  std::int64_t next() { return table_[next_++ & (table_.size() - 1)]; }
  std::uint64_t pick() { return mix64(next_++); }

 private:
  std::vector<std::int64_t> table_;
  std::uint64_t next_ = 0;
};

engine::Rank rank(std::uint64_t entity) {
  return engine::rank_of(engine::Phase::release, 0, entity);
}

template <class List>
void hold(benchmark::State& state, Delays::Law law) {
  Delays delays(law);
  List list;
  const auto pending = static_cast<std::uint64_t>(state.range(0));
  for (std::uint64_t i = 0; i < pending; ++i) list.schedule(delays.next(), rank(i), i);
  const auto once = [&] {
    const Popped p = list.pop();
    list.schedule(p.at + delays.next(), rank(p.payload), p.payload);
  };
  for (std::int64_t i = 0; i < holds / 2; ++i) once();  // towards the shape of a long run
  for (auto _ : state) once();
  state.SetItemsProcessed(state.iterations());
}

/// As when each job carries a timer (its patience) that is taken back when it starts: per event that runs,
/// one is cancelled and put elsewhere.
template <class List>
void hold_and_cancel(benchmark::State& state, Delays::Law law) {
  Delays delays(law);
  List list;
  const auto pending = static_cast<std::uint64_t>(state.range(0));
  std::vector<typename List::Handle> handles;
  for (std::uint64_t i = 0; i < pending; ++i) handles.push_back(list.schedule(delays.next(), rank(i), i));
  const auto once = [&] {
    const Popped p = list.pop();
    handles[p.payload] = list.schedule(p.at + delays.next(), rank(p.payload), p.payload);
    const std::uint64_t victim = delays.pick() % pending;
    list.cancel(handles[victim]);
    handles[victim] = list.schedule(p.at + delays.next(), rank(victim), victim);
  };
  for (std::int64_t i = 0; i < holds / 2; ++i) once();
  for (auto _ : state) once();
  state.SetItemsProcessed(state.iterations());
}

/// Each is measured once per size over a fixed number of events; filling a queue of 10^7 takes longer than
/// that.
template <class Run>
void at_every_size(const std::string& name, Run run, std::int64_t events) {
  benchmark::RegisterBenchmark(name.c_str(), run)
      ->RangeMultiplier(10)
      ->Range(100, 10'000'000)
      ->Iterations(events);
}
template <class List>
void add_hold(const std::string& name, Delays::Law law = Delays::log_uniform) {
  at_every_size(
      "hold/" + name, [law](benchmark::State& s) { hold<List>(s, law); }, holds);
}
template <class List>
void add_cancel(const std::string& name) {
  at_every_size(
      "cancel/" + name, [](benchmark::State& s) { hold_and_cancel<List>(s, Delays::log_uniform); },
      holds / 2);
}

const bool registered = [] {
  add_hold<bench::NatgpuList>("natgpu");
  add_hold<bench::SlottedHeap<2, false>>("2-ary_16-byte_keys");
  add_hold<bench::SlottedHeap<2, true>>("2-ary_24-byte_keys");
  add_hold<bench::SlottedHeap<4, true>>("4-ary_24-byte_keys");
  add_hold<bench::SlottedHeap<4, false>>("4-ary_16-byte_keys");
  add_hold<bench::SlottedHeap<8, false>>("8-ary_16-byte_keys");
  add_hold<bench::BinaryHeap>("binary");
  add_hold<bench::StdPriorityQueue>("std::priority_queue");
  add_hold<bench::BoostFourAry>("boost_4-ary");
  add_hold<bench::BoostPairing>("boost_pairing");
  add_hold<bench::CalendarQueue>("calendar");
  add_hold<bench::StdSet>("std::set");
  add_hold<bench::NatgpuList>("natgpu_exponential", Delays::exponential);
  add_hold<bench::CalendarQueue>("calendar_exponential", Delays::exponential);
  add_cancel<bench::NatgpuList>("natgpu");
  add_cancel<bench::StdPriorityQueue>("std::priority_queue");
  add_cancel<bench::BoostFourAry>("boost_4-ary");
  add_cancel<bench::BoostPairing>("boost_pairing");
  add_cancel<bench::CalendarQueue>("calendar");
  add_cancel<bench::StdSet>("std::set");
  return true;
}();

}  // namespace
