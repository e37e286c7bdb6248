// SPDX-License-Identifier: Apache-2.0
// MIG's tables against what NVIDIA publishes, written out by hand, and layouts against plain search.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <natgpu/scheduling/fragmentation.hpp>
#include <natgpu/scheduling/mig.hpp>
#include <natgpu/scheduling/nodes.hpp>

#include "catch.hpp"
#include "plain_mig.hpp"

using namespace natgpu::scheduling;
using natgpu::testing::PlainMig;
using natgpu::testing::PlainProfile;

namespace {

const MigTable& table_of(const std::string& gpu) {
  const auto tables = mig_tables();
  const auto found = std::find_if(tables.begin(), tables.end(), [&](const auto& t) { return t.gpu == gpu; });
  REQUIRE(found != tables.end());
  return *found;
}
int number_of(const std::string& gpu, MigPosition position = MigPosition::most_left) {
  return mig_layout_number(static_cast<std::size_t>(&table_of(gpu) - mig_tables().data()), position);
}

/// `{0,4}:4`, as `nvidia-smi mig -lgipp` prints it.
std::string lgipp(const MigProfile& p) {
  std::vector<int> starts;
  for (int start = 0; start < 32; ++start)
    if ((p.starts >> start & 1) != 0) starts.push_back(start);
  return fmt::format("{{{}}}:{}", fmt::join(starts, ","), p.memory);
}

/// All sets of instances beside which no other profile of the table finds a position, each as its profiles at
/// their starts.
struct Instance {
  std::size_t profile;
  int start;
  bool operator<(const Instance& o) const { return std::tie(start, profile) < std::tie(o.start, o.profile); }
};
using Cut = std::set<Instance>;
void extend(const std::vector<MigProfile>& profiles, int memory, const Cut& cut, std::uint32_t taken,
            std::set<Cut>& full) {
  bool extended = false;
  for (std::size_t k = 0; k < profiles.size(); ++k)
    for (int start = 0; start < memory; ++start) {
      const std::uint32_t slices = ((1U << profiles[k].memory) - 1) << start;
      if ((profiles[k].starts >> start & 1) == 0 || (slices & taken) != 0) continue;
      extended = true;
      Cut more = cut;
      more.insert({k, start});
      if (start >= (cut.empty() ? 0 : cut.rbegin()->start))  // in one order only
        extend(profiles, memory, more, taken | slices, full);
    }
  if (!extended) full.insert(cut);
}
std::set<Cut> full_cuts(const std::vector<MigProfile>& profiles, int memory) {
  std::set<Cut> full;
  extend(profiles, memory, {}, 0, full);
  return full;
}
/// "4+2+1": slices of compute, largest first.
std::set<std::string> combinations(const std::vector<MigProfile>& profiles, int memory) {
  std::set<std::string> all;
  for (const Cut& cut : full_cuts(profiles, memory)) {
    std::vector<int> compute;
    for (const Instance& i : cut) compute.push_back(profiles[i.profile].compute);
    std::sort(compute.rbegin(), compute.rend());
    all.insert(fmt::format("{}", fmt::join(compute, "+")));
  }
  return all;
}
std::vector<MigProfile> profiles_but(const MigTable& table, const std::string& left_out) {
  std::vector<MigProfile> all;
  for (const MigProfile& p : table.profiles)
    if (p.name != left_out) all.push_back(p);
  return all;
}

Node machine(const std::string& gpu, std::int16_t gpus, MigPosition position = MigPosition::most_left) {
  Node n;
  n.cpu_milli = n.memory_mib = 1'000'000;
  n.gpus = gpus;
  n.type = 0;
  n.mig = static_cast<std::int8_t>(number_of(gpu, position));
  std::fill_n(n.free_milli.begin(), gpus, static_cast<std::int16_t>(whole_gpu_milli));
  return n;
}
TaskShape share(std::int32_t milli) {
  return {1, 1, 1, milli, 0};
}

}  // namespace

TEST_CASE("placements are those that nvidia-smi mig -lgipp prints") {
  std::map<std::string, std::string> a100;
  for (const MigProfile& p : table_of("A100-40GB").profiles) a100[std::string(p.name)] = lgipp(p);
  CHECK(a100 == std::map<std::string, std::string>{{"1g.5gb", "{0,1,2,3,4,5,6}:1"},
                                                   {"1g.10gb", "{0,2,4,6}:2"},
                                                   {"2g.10gb", "{0,2,4}:2"},
                                                   {"3g.20gb", "{0,4}:4"},
                                                   {"4g.20gb", "{0}:4"},
                                                   {"7g.40gb", "{0}:8"}});
  std::map<std::string, std::string> a30;
  for (const MigProfile& p : table_of("A30-24GB").profiles) a30[std::string(p.name)] = lgipp(p);
  CHECK(a30 == std::map<std::string, std::string>{
                   {"1g.6gb", "{0,1,2,3}:1"}, {"2g.12gb", "{0,2}:2"}, {"4g.24gb", "{0}:4"}});
}

TEST_CASE("a GPU holds as many instances of a profile as the user guide's tables say") {
  const std::map<std::string, std::vector<int>> available{
      {"A30-24GB", {4, 2, 1}},           {"A100-40GB", {7, 4, 3, 2, 1, 1}},
      {"A100-80GB", {7, 4, 3, 2, 1, 1}}, {"H100-80GB", {7, 4, 3, 2, 1, 1}},
      {"H100-96GB", {7, 4, 3, 2, 1, 1}}, {"H200-141GB", {7, 4, 3, 2, 1, 1}},
      {"B200-180GB", {7, 4, 3, 2, 1, 1}}};
  CHECK(mig_tables().size() == available.size());
  for (const MigTable& t : mig_tables()) {
    const MigLayout& layout = mig_layout(number_of(std::string(t.gpu)));
    std::vector<int> room;
    for (std::size_t k = 0; k < t.profiles.size(); ++k) room.push_back(layout.room_for(k, 0));
    CHECK(room == available.at(std::string(t.gpu)));
  }
}

TEST_CASE("an A100 can be cut into the combinations that NVIDIA shows, and into no others") {
  const MigTable& a100 = table_of("A100-40GB");
  // Of the profiles that it came with; 1g.10gb was added by a later driver (R525).
  const std::vector<MigProfile> first = profiles_but(a100, "1g.10gb");
  CHECK(combinations(first, 8) == std::set<std::string>{"7", "4+3", "4+2+1", "4+1+1+1", "3+3", "3+2+1",
                                                        "3+1+1+1", "3+2+2", "3+2+1+1", "3+1+1+1+1", "2+2+2+1",
                                                        "2+2+1+1+1", "2+1+1+1+1+1", "1+1+1+1+1+1+1"});
  CHECK(full_cuts(first, 8).size() == 19);  // by position: six left halves and three right ones, and 7g
  CHECK(combinations(profiles_but(table_of("A30-24GB"), ""), 4) ==
        std::set<std::string>{"4", "2+2", "2+1+1", "1+1+1+1"});
}

TEST_CASE("no combination uses more compute than there is, so that slices of memory decide alone") {
  for (const MigTable& t : mig_tables())
    for (const Cut& cut : full_cuts(profiles_but(t, ""), t.memory)) {
      int compute = 0;
      for (const Instance& i : cut) compute += t.profiles[i.profile].compute;
      CHECK(compute <= t.compute);
    }
}

TEST_CASE("a request gets the smallest profile that is its share of the compute and of the memory") {
  const MigLayout& a100 = mig_layout(number_of("A100-40GB"));
  const auto profile = [](const MigLayout& layout, int milli) {
    return std::string(layout.table().profiles[layout.profile_for(milli)].name);
  };
  CHECK(profile(a100, 1) == "1g.5gb");
  CHECK(profile(a100, 125) == "1g.5gb");   // an eighth of the memory
  CHECK(profile(a100, 126) == "1g.10gb");  // more than an eighth of it, less than a seventh of the compute
  CHECK(profile(a100, 142) == "1g.10gb");
  CHECK(profile(a100, 143) == "2g.10gb");
  CHECK(profile(a100, 250) == "2g.10gb");
  CHECK(profile(a100, 251) == "3g.20gb");
  CHECK(profile(a100, 428) == "3g.20gb");
  CHECK(profile(a100, 429) == "4g.20gb");
  CHECK(profile(a100, 500) == "4g.20gb");
  CHECK(profile(a100, 501) == "7g.40gb");
  CHECK(profile(a100, 999) == "7g.40gb");
  CHECK(a100.given(143) == 250);
  CHECK(a100.given(500) == 500);
  CHECK(a100.given(501) == 1000);
  const MigLayout& a30 = mig_layout(number_of("A30-24GB"));
  CHECK(profile(a30, 250) == "1g.6gb");
  CHECK(profile(a30, 251) == "2g.12gb");
  CHECK(profile(a30, 501) == "4g.24gb");
}

TEST_CASE("layouts answer for every occupancy what plain search over all positions does") {
  for (int number = 0; number < static_cast<int>(2 * mig_tables().size()); ++number) {
    const MigLayout& layout = mig_layout(number);
    const PlainMig plain(number);
    for (int milli = 1; milli <= 1000; ++milli) {
      const PlainProfile& p = plain.profile_for(milli);
      const MigProfile& found = layout.table().profiles[layout.profile_for(milli)];
      REQUIRE(found.compute == p.compute);
      REQUIRE(found.memory == p.memory);
    }
    for (int taken = 0; taken <= plain.whole(); ++taken)
      for (std::size_t k = 0; k < plain.profiles().size(); ++k) {
        const int slices = plain.place(plain.profiles()[k], taken);
        int room = 0;
        for (int t = taken; plain.place(plain.profiles()[k], t) != 0; ++room)
          t |= plain.place(plain.profiles()[k], t);
        const auto at = static_cast<std::uint8_t>(taken);
        INFO("layout " << number << ", taken " << taken << ", profile " << k);
        REQUIRE(layout.fits(k, at) == (slices != 0));
        REQUIRE(layout.slices_for(k, at) == slices);
        REQUIRE(layout.room_for(k, at) == room);
        REQUIRE(layout.milli(at) == plain.milli(taken));
      }
  }
}

TEST_CASE("the order of arrival decides what fits, and the rule of positions what it costs") {
  // A small instance at the first position leaves no place for 4g, whose only one is there.
  Node n = machine("A100-40GB", 1, MigPosition::first);
  n.take(share(100), 0);
  CHECK(n.taken[0] == 0b1);
  CHECK_FALSE(n.fits(share(500)));
  CHECK(n.fits(share(400)));  // 3g at 4
  CHECK(n.free_milli[0] == 875);
  CHECK(fragmented_milli(n, share(500)) == 875);
  CHECK(fragmented_milli(n, share(400)) == 0);
  // Where most is left it goes to the far end: 3g at 4 is lost, 3g and 4g at 0 are not.
  n = machine("A100-40GB", 1);
  n.take(share(100), 0);
  CHECK(n.taken[0] == 0b1000000);
  CHECK(n.fits(share(500)));
  n.take(share(500), 0);
  CHECK(n.taken[0] == 0b1001111);
  CHECK_FALSE(n.fits(share(400)));
  // In the other order 4g and 3g go together.
  n = machine("A100-40GB", 1);
  n.take(share(500), 0);
  n.take(share(400), 0);
  CHECK(n.taken[0] == 0xFF);
  CHECK(n.free_milli[0] == 0);
  // Two of 3g hold all memory, and a seventh of the compute stands idle.
  n = machine("A100-40GB", 1);
  n.take(share(400), 0);
  CHECK(n.taken[0] == 0b11110000);
  n.take(share(400), 0);
  CHECK_FALSE(n.fits(share(1)));
}

TEST_CASE("seven of 1g leave an eighth of the memory that nothing can use, and what goes comes back") {
  Node n = machine("A100-40GB", 2);
  const Node empty = n;
  std::vector<Hold> holds;
  for (int i = 0; i < 7; ++i) {
    holds.push_back(n.hold(0, share(100), 0));
    CHECK(holds.back().total_milli() == 125);
    n.take(holds.back());
  }
  CHECK(n.free_milli[0] == 125);
  CHECK_FALSE(n.gpu_fits(0, share(1)));
  CHECK(n.room_for(share(100), 100) == 7);  // on the other GPU
  const TaskShape whole{1, 1, 1, whole_gpu_milli, 0};
  CHECK(n.fits(whole));
  holds.push_back(n.hold(0, whole, 0));
  n.take(holds.back());
  CHECK(n.taken[1] == 0xFF);
  CHECK_FALSE(n.fits(share(1)));
  for (const Hold& h : holds) n.give_back(h);
  CHECK(n == empty);
}

TEST_CASE("what a machine has left in both of two states are the slices free in both") {
  Node a = machine("A100-40GB", 1), b = a;
  a.take(share(400), 0);  // 3g at 4
  b.take(share(500), 0);  // 4g at 0
  const Node least = least_of(a, b);
  CHECK(least.taken[0] == 0xFF);
  CHECK(least.free_milli[0] == 0);
}
