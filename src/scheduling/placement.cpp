// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/placement.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <natgpu/core/math.hpp>

namespace natgpu::scheduling {
namespace {

/// Of the Kubernetes scheduling framework (MaxNodeScore).
constexpr double most_points = 100;

constexpr std::array<PlacementRule, 5> rules{{
    {Placement::first, "first", "the node of lowest number, its GPU of lowest number", ""},
    {Placement::best, "best",
     "the node with least left, CPU and GPUs alike as shares of the largest node's; its GPU with least left",
     "best fit, as in Weng et al., USENIX ATC 2023"},
    {Placement::worst, "worst", "the node with most left, counted alike; its GPU with most left",
     "worst fit, counted as in Weng et al., USENIX ATC 2023"},
    {Placement::random, "random", "any node, any of its GPUs with room", "Weng et al., USENIX ATC 2023"},
    {Placement::fgd, "fgd", "the node and GPU where what expected tasks cannot use grows least",
     "fragmentation gradient descent, Weng et al., USENIX ATC 2023"},
}};

}  // namespace

std::span<const PlacementRule> placement_rules() {
  return rules;
}

NodePlacer::NodePlacer(Placement placement, std::vector<Node> nodes, TaskMix mix, const Stream& chance)
    : placement_(placement),
      nodes_(std::move(nodes)),
      mix_(std::move(mix)),
      chance_(chance),
      versions_(nodes_.size(), 1),
      fragmented_(nodes_.size()),
      verdicts_(mix_.kinds.size() * nodes_.size()),
      tasks_(static_cast<double>(mix_.tasks())) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    most_cpu_ = std::max<double>(most_cpu_, nodes_[i].cpu_milli);
    most_gpu_ = std::max<double>(most_gpu_, nodes_[i].total_free_milli());
    if (placement_ == Placement::fgd) fragmented_[i] = fragmented_milli(nodes_[i], mix_);
  }
}

std::optional<Spot> NodePlacer::place(std::size_t kind, std::uint64_t n) {
  equals_.clear();
  std::int16_t most = -1;
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    const std::int16_t points = verdict(kind, i).points;
    if (points < 0 || points < most) continue;
    if (points > most) equals_.clear();
    most = points;
    equals_.push_back(i);
    if (placement_ == Placement::first) break;
  }
  if (equals_.empty()) return std::nullopt;
  const TaskShape& task = mix_.kinds[kind].shape;
  const Block chance = chance_.block(n, 0);
  Spot spot{equals_[pick(equals_.size(), chance.unit(0))], 0};
  spot.gpu = placement_ == Placement::random && task.shares_gpu()
                 ? gpu_at_random(task, nodes_[spot.node], chance.unit(1))
                 : verdict(kind, spot.node).gpu;
  nodes_[spot.node].take(task, spot.gpu);
  ++versions_[spot.node];
  if (placement_ == Placement::fgd) fragmented_[spot.node] = fragmented_milli(nodes_[spot.node], mix_);
  return spot;
}

double NodePlacer::fragmented_share() const {
  std::int64_t fragmented = 0, free = 0;
  for (const Node& n : nodes_) {
    fragmented += fragmented_milli(n, mix_);
    free += n.total_free_milli();
  }
  return free == 0 ? 0 : static_cast<double>(fragmented) / (tasks_ * static_cast<double>(free));
}

const NodePlacer::Verdict& NodePlacer::verdict(std::size_t kind, std::uint32_t node) {
  Verdict& v = verdicts_[kind * nodes_.size() + node];
  if (v.version != versions_[node]) {
    v = judge(mix_.kinds[kind].shape, node);
    v.version = versions_[node];
  }
  return v;
}

NodePlacer::Verdict NodePlacer::judge(const TaskShape& task, std::uint32_t node) const {
  const Node& n = nodes_[node];
  if (!n.fits(task)) return {};
  if (!task.shares_gpu()) return {0, points(task, node, 0), 0};
  Verdict best;
  std::int32_t left_of_best = 0;
  for (int g = 0; g < n.gpus; ++g) {
    if (!n.gpu_fits(g, task)) continue;
    const std::int32_t left = n.free_milli[static_cast<std::size_t>(g)];
    const std::int16_t p = points(task, node, g);
    const bool better = placement_ == Placement::best    ? left < left_of_best
                        : placement_ == Placement::worst ? left > left_of_best
                                                         : p > best.points;
    if (best.points >= 0 && !better) continue;
    best = {0, p, static_cast<std::int16_t>(g)};
    left_of_best = left;
  }
  return best;
}

std::int16_t NodePlacer::points(const TaskShape& task, std::uint32_t node, int gpu) const {
  switch (placement_) {
    case Placement::best:
      return static_cast<std::int16_t>((1 - left_over(nodes_[node], task)) * most_points);
    case Placement::worst:
      return static_cast<std::int16_t>(left_over(nodes_[node], task) * most_points);
    case Placement::fgd:
      return points_of_fgd(task, node, gpu);
    case Placement::first:
    case Placement::random:
      break;
  }
  return 0;
}

/// The logistic of the growth in whole GPUs, as the authors' own simulator has it.
std::int16_t NodePlacer::points_of_fgd(const TaskShape& task, std::uint32_t node, int gpu) const {
  Node after = nodes_[node];
  after.take(task, gpu);
  const double growth = static_cast<double>(fragmented_milli(after, mix_) - fragmented_[node]) / tasks_;
  return static_cast<std::int16_t>(most_points / (1 + portable_exp(growth / whole_gpu_milli)));
}

/// Half CPU, half GPUs, each as a share of the largest node's: 0 to 1.
double NodePlacer::left_over(const Node& node, const TaskShape& task) const {
  return 0.5 * (node.cpu_milli - task.cpu_milli) / most_cpu_ +
         0.5 * (node.total_free_milli() - task.total_milli()) / most_gpu_;
}

int NodePlacer::gpu_at_random(const TaskShape& task, const Node& node, double unit) {
  std::array<int, most_gpus_per_node> with_room{};
  std::size_t n = 0;
  for (int g = 0; g < node.gpus; ++g)
    if (node.gpu_fits(g, task)) with_room[n++] = g;
  return with_room[pick(n, unit)];
}

}  // namespace natgpu::scheduling
