// SPDX-License-Identifier: Apache-2.0
// Which machine, and which GPU of it, each placement rule chooses.
#include <algorithm>
#include <array>
#include <cstddef>

#include <natgpu/core/math.hpp>
#include <natgpu/scheduling/node_pool.hpp>

namespace natgpu::scheduling {
namespace {

/// Of the Kubernetes scheduling framework (MaxNodeScore).
constexpr double most_points = 100;

constexpr std::array<PlacementRule, 7> rules{{
    {Placement::first, "first", "the node of lowest number, its GPU of lowest number", "first fit", false},
    {Placement::best, "best",
     "the node with least left, CPU and GPUs alike as shares of the largest node's; its GPU with least left",
     "best fit, as in Weng et al., USENIX ATC 2023", false},
    {Placement::worst, "worst", "the node with most left, counted alike; its GPU with most left",
     "worst fit, counted as in Weng et al., USENIX ATC 2023", false},
    {Placement::random, "random", "any node, any of its GPUs with room", "Weng et al., USENIX ATC 2023",
     false},
    {Placement::fgd, "fgd", "the node and GPU where what expected tasks cannot use grows least",
     "fragmentation gradient descent, Weng et al., USENIX ATC 2023", false},
    {Placement::consolidated, "consolidated",
     "the node that holds most of the gang's remaining parts, of those the one with fewest GPUs free, "
     "then of lowest number",
     "consolidated placement, Jeon et al., USENIX ATC 2019; Gu et al. (Tiresias), NSDI 2019", true},
    {Placement::lowest_id, "lowest-id", "the free GPUs of lowest number, wherever nodes end",
     "as simulators that count processors name them (Batsim)", true},
}};

}  // namespace

std::span<const PlacementRule> placement_rules() {
  return rules;
}

/// Classes with a machine that has room for the task.
template <class Visit>
void NodePool::for_each_fitting(const TaskShape& t, Visit&& visit) {
  for_each_list(t, [&](const List& list) {
    for (const Entry& e : list)
      if (fits(e, t)) visit(e);
  });
}

std::optional<std::uint32_t> NodePool::find(std::size_t kind, const Dice& dice, std::int32_t left) {
  const TaskShape& task = shape(kind);
  switch (placement_) {
    case Placement::first:
    case Placement::lowest_id:
      return lowest_of(task);
    case Placement::random:
      return any_of(task, dice);
    case Placement::consolidated:
      return fullest_for(task, left);
    case Placement::best:
    case Placement::worst:
    case Placement::fgd:
      break;
  }
  return with_most_points(kind, dice);
}

std::optional<std::uint32_t> NodePool::lowest_of(const TaskShape& task) {
  std::optional<std::uint32_t> lowest;
  for_each_fitting(task, [&](const Entry& e) {
    const std::uint32_t node = classes_[e.slot].nodes[0];
    if (!lowest || node < *lowest) lowest = node;
  });
  return lowest;
}

/// Each node with room as likely as any other: numbers are drawn until one has room, and where 64 in a row
/// have none, one is drawn of those that have.
std::optional<std::uint32_t> NodePool::any_of(const TaskShape& task, const Dice& dice) {
  equals_.clear();
  for_each_fitting(task, [this](const Entry& e) { equals_.push_back(e.slot); });
  if (equals_.empty()) return std::nullopt;
  constexpr std::uint32_t tries = 64;
  for (std::uint32_t i = 0; i < tries; ++i) {
    const auto node = static_cast<std::uint32_t>(
        pick(nodes_.size(), dice.stream->block(dice.entity, dice.index, i).unit(0)));
    if (nodes_[node].fits(task)) return node;
  }
  return one_of_equals(dice.stream->block(dice.entity, dice.index, tries).unit(0));
}

std::optional<std::uint32_t> NodePool::fullest_for(const TaskShape& task, std::int32_t left) {
  std::optional<std::uint32_t> best;
  std::int32_t most = 0, least_free = 0;
  for_each_fitting(task, [&](const Entry& e) {
    const Class& c = classes_[e.slot];
    const std::int32_t room = left == 1 ? 1 : c.state.room_for(task, left);
    const bool better =
        !best || room > most ||
        (room == most && (c.free_milli < least_free || (c.free_milli == least_free && c.nodes[0] < *best)));
    if (!better) return;
    best = c.nodes[0];
    most = room;
    least_free = c.free_milli;
  });
  return best;
}

std::optional<std::uint32_t> NodePool::with_most_points(std::size_t kind, const Dice& dice) {
  equals_.clear();
  std::int16_t most = -1;
  for_each_fitting(shape(kind), [&](const Entry& e) {
    const std::int16_t p = points(kind, e);
    if (p < most) return;
    if (p > most) equals_.clear();
    most = p;
    equals_.push_back(e.slot);
  });
  if (equals_.empty()) return std::nullopt;
  return one_of_equals(dice.stream->block(dice.entity, dice.index).unit(0));
}

/// Of all nodes of the classes in equals_, in the order of their numbers.
std::uint32_t NodePool::one_of_equals(double unit) const {
  std::size_t all = 0;
  for (const std::uint32_t slot : equals_) all += classes_[slot].nodes.size();
  const std::size_t k = pick(all, unit);
  if (equals_.size() == 1) return classes_[equals_[0]].nodes[k];
  std::uint32_t low = 0, high = static_cast<std::uint32_t>(nodes_.size() - 1);
  while (low < high) {  // the least number with more than k at or below it
    const std::uint32_t middle = low + (high - low) / 2;
    std::size_t upto = 0;
    for (const std::uint32_t slot : equals_) upto += classes_[slot].nodes.below(middle + 1);
    if (upto > k)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

std::int16_t NodePool::points(std::size_t kind, const Entry& e) {
  if (placement_ == Placement::fgd) return verdict_of_fgd(kind, classes_[e.slot]).points;
  const double left = left_over(e, shape(kind));
  return static_cast<std::int16_t>((placement_ == Placement::best ? 1 - left : left) * most_points);
}

const NodePool::Verdict& NodePool::verdict_of_fgd(std::size_t kind, Class& c) {
  if (c.verdicts.empty()) c.verdicts.resize(mix_.kinds.size());
  Verdict& v = c.verdicts[kind];
  if (v.points != not_asked) return v;
  const TaskShape& task = shape(kind);
  if (!task.shares_gpu()) {
    v.points = points_of_fgd(task, c, 0);
    return v;
  }
  for (int g = 0; g < c.state.gpus; ++g) {
    const std::int32_t left = c.state.left_of(g);
    if (!c.state.gpu_fits(g, task) || left == v.left) continue;  // what equal GPUs lead to is equal
    const std::int16_t p = points_of_fgd(task, c, g);
    if (p > v.points) v = {p, left};
  }
  return v;
}

/// The logistic of the growth in whole GPUs, as the authors' own simulator has it.
std::int16_t NodePool::points_of_fgd(const TaskShape& task, const Class& c, int gpu) const {
  Node after = c.state;
  after.take(task, gpu);
  const double growth =
      static_cast<double>(scheduling::fragmented_milli(after, mix_) - c.fragmented) / tasks_;
  return static_cast<std::int16_t>(most_points / (1 + portable_exp(growth / whole_gpu_milli)));
}

/// Half CPU, half GPUs, each as a share of the largest node's: 0 to 1.
double NodePool::left_over(const Entry& e, const TaskShape& task) const {
  const std::int32_t milli =
      e.mig >= 0 && task.shares_gpu() ? mig_layout(e.mig).given(task.gpu_milli) : task.total_milli();
  return 0.5 * (e.cpu_milli - task.cpu_milli) / most_cpu_ + 0.5 * (e.free_milli - milli) / most_gpu_;
}

int NodePool::gpu_for(std::size_t kind, std::uint32_t node, const Dice& dice) {
  const TaskShape& task = shape(kind);
  const Node& n = nodes_[node];
  if (!task.shares_gpu()) return 0;
  std::array<int, most_gpus_per_node> with_room{};
  std::size_t found = 0;
  for (int g = 0; g < n.gpus; ++g)
    if (n.gpu_fits(g, task)) with_room[found++] = g;
  const auto left = [&n](int g) { return n.free_milli[static_cast<std::size_t>(g)]; };
  const auto less = [&](int a, int b) { return left(a) < left(b); };
  const auto end = with_room.begin() + static_cast<std::ptrdiff_t>(found);
  switch (placement_) {
    case Placement::first:
    case Placement::lowest_id:
      return with_room[0];
    case Placement::random:
      return with_room[pick(found, dice.stream->block(dice.entity, dice.index).unit(1))];
    case Placement::best:
    case Placement::consolidated:
      return *std::min_element(with_room.begin(), end, less);
    case Placement::worst:
      return *std::max_element(with_room.begin(), end, less);
    case Placement::fgd:
      break;
  }
  const std::int32_t wanted = verdict_of_fgd(kind, classes_[class_of_node_[node]]).left;
  return *std::find_if(with_room.begin(), end, [&](int g) { return n.left_of(g) == wanted; });
}

}  // namespace natgpu::scheduling
