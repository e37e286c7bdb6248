// SPDX-License-Identifier: Apache-2.0
#include <natgpu/measures/direction.hpp>

#include <algorithm>
#include <array>

namespace natgpu::measures {
namespace {

/// States of the waterfall after the order: more of them is nearer to use.
constexpr std::array<std::string_view, 6> states_to_use{"delivered", "powered", "in_service",
                                                        "public",    "up",      "allocated"};

}  // namespace

const std::vector<Direction>& directions() {
  // Headlines are few, because every one of them costs the others power (Holm).
  static const std::vector<Direction> table = {
      {"gpu.allocated.share", Better::higher, true},
      {"gpu.useful.share", Better::higher, true},
      {"jobs.finished.count", Better::higher, true},
      {"jobs.gave_up.count", Better::lower, true},
      {"jobs.wait.mean", Better::lower, true},
      {"jobs.wait.p95", Better::lower, true},
      {"jobs.bounded_slowdown.mean", Better::lower, true},
      {"capacity.units", Better::higher},
      {"capacity.h100e", Better::higher},
      {"capacity.eflops", Better::higher},
      {"reading.value", Better::higher},
      {"reading.target.share", Better::higher},
      {"supply.unconfirmed.share", Better::lower},
      {"gpu.allocated.of_up.share", Better::higher},
      {"gpu.busy.share", Better::higher},
      {"gpu.queued", Better::lower},
      {"share.gpu_hours.top_groups", Better::lower},
      {"fairness.gini", Better::lower},
      {"fairness.jain", Better::higher},
      {"fairness.hhi", Better::lower},
      {"jobs.killed.count", Better::lower},
      {"jobs.rejected.count", Better::lower},
      {"jobs.queued.count", Better::lower},
      {"jobs.censored.count", Better::lower},
      {"jobs.censored.wait.mean", Better::lower},
      {"jobs.restarts.count", Better::lower},
      {"jobs.preempted.count", Better::lower},
      {"jobs.spread.count", Better::lower},
      {"fragmentation.gpus", Better::lower},
      {"fragmentation.share", Better::lower},
      {"jobs.wait.p50", Better::lower},
      {"jobs.turnaround.mean", Better::lower},
      {"gpu.reserved.share", Better::lower},
      {"jobs.left_over.count", Better::lower},
      {"projects.rejected.count", Better::lower},
      {"projects.gave_up.count", Better::lower},
      {"projects.waiting.count", Better::lower},
      {"projects.wait.mean", Better::lower},
      {"services.lapsed.count", Better::lower},
      {"services.unserved.gpu_hours", Better::lower},
      {"adoption.any_ai.share", Better::higher},
      {"adoption.gpu_user.share", Better::higher},
      {"failures.count", Better::lower},
      {"repairs.wait.mean", Better::lower},
  };
  return table;
}

Better better_of(std::string_view metric, const Labels& labels) {
  const bool off_the_way = std::any_of(labels.begin(), labels.end(), [](const auto& label) {
    return label.first == "state" &&
           std::find(states_to_use.begin(), states_to_use.end(), label.second) == states_to_use.end();
  });
  if (off_the_way) return Better::neither;
  const auto& table = directions();
  const auto row =
      std::find_if(table.begin(), table.end(), [&](const Direction& d) { return d.metric == metric; });
  return row == table.end() ? Better::neither : row->better;
}

std::string_view name_of(Better better) {
  static constexpr std::array<std::string_view, 3> names{"higher", "lower", "neither"};
  return names[static_cast<std::size_t>(better)];
}

}  // namespace natgpu::measures
