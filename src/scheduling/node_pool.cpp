// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/node_pool.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include <natgpu/core/hash.hpp>
#include <natgpu/core/math.hpp>

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
     "the node that holds most of the gang's remaining parts, of those the one with fewest GPUs free, then "
     "of "
     "lowest number",
     "consolidated placement, Jeon et al., USENIX ATC 2019; Gu et al. (Tiresias), NSDI 2019", true},
    {Placement::lowest_id, "lowest-id", "the free GPUs of lowest number, wherever nodes end",
     "as simulators that count processors name them (Batsim)", true},
}};

Node sorted(const Node& node) {
  Node s = node;
  if (s.mig < 0) {
    std::sort(s.free_milli.begin(), s.free_milli.begin() + s.gpus);
    return s;
  }
  std::array<int, most_gpus_per_node> by_left{};
  for (int g = 0; g < s.gpus; ++g) by_left[static_cast<std::size_t>(g)] = node.left_of(g);
  std::sort(by_left.begin(), by_left.begin() + s.gpus);
  for (std::size_t g = 0; g < static_cast<std::size_t>(s.gpus); ++g) {
    s.free_milli[g] = static_cast<std::int16_t>(by_left[g] / 256);
    s.taken[g] = static_cast<std::uint8_t>(by_left[g] % 256);
  }
  return s;
}
/// Of its first bytes: GPUs that are not cut have no slices.
template <std::size_t Bytes>
std::size_t hash_of(const Node& node) {
  std::array<std::uint64_t, (Bytes + 7) / 8> words{};
  std::memcpy(words.data(), &node, Bytes);
  std::uint64_t h = 0;
  for (const std::uint64_t w : words) h = mix64(h ^ w);
  return h;
}
constexpr std::size_t plain_states = std::size_t{most_gpus_per_node + 1} * (most_gpus_per_node + 1);
constexpr std::uint32_t no_class = ~std::uint32_t{0};

/// Of machines without other resources, whose GPUs are each idle or taken whole: the place of their state in
/// a table. Nothing for others.
std::optional<std::size_t> plain_place(const Node& node) {
  if (node.cpu_milli != 0 || node.memory_mib != 0 || node.mig >= 0) return std::nullopt;
  const auto gpus = static_cast<std::size_t>(node.gpus);
  std::size_t idle = 0, taken = 0;
  for (std::size_t g = 0; g < gpus; ++g) {
    idle += node.free_milli[g] == whole_gpu_milli ? 1 : 0;
    taken += node.free_milli[g] == 0 ? 1 : 0;
  }
  if (idle + taken < gpus) return std::nullopt;
  return static_cast<std::size_t>(node.type + 1) * plain_states + gpus * (most_gpus_per_node + 1) + idle;
}

/// Profiles that find a position on some GPU.
std::uint8_t placeable_on(const Node& node) {
  std::uint8_t all = 0;
  if (node.mig < 0) return all;
  for (std::size_t g = 0; g < static_cast<std::size_t>(node.gpus); ++g)
    all = all | mig_layout(node.mig).placeable(node.taken[g]);
  return all;
}

}  // namespace

std::span<const PlacementRule> placement_rules() {
  return rules;
}

std::size_t NodePool::Hash::operator()(const Node& node) const {
  static_assert(sizeof(Node) == 60 && std::has_unique_object_representations_v<Node>);
  return node.mig < 0 ? hash_of<offsetof(Node, taken)>(node) : hash_of<sizeof node>(node);
}

NodePool::NodePool(Placement placement, std::vector<Node> nodes, TaskMix mix, bool measure_fragmentation)
    : placement_(placement),
      nodes_(std::move(nodes)),
      mix_(std::move(mix)),
      measures_(measure_fragmentation || placement == Placement::fgd),
      tasks_(static_cast<double>(std::max<std::int64_t>(mix_.tasks(), 1))),
      class_of_node_(nodes_.size()) {
  std::int16_t types = 0;
  for (const Node& n : nodes_) {
    types = std::max<std::int16_t>(types, static_cast<std::int16_t>(n.type + 1));
    most_cpu_ = std::max<double>(most_cpu_, n.cpu_milli);
    most_gpu_ = std::max<double>(most_gpu_, n.total_free_milli());
  }
  lists_.resize(static_cast<std::size_t>(types) + 1);
  occupied_.resize(lists_.size());
  plain_.resize(lists_.size() * plain_states, no_class);
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) enter(i);
}

// --- which machine is in which class

void NodePool::add(const Node& node) {
  nodes_.push_back(node);
  class_of_node_.push_back(0);
  enter(static_cast<std::uint32_t>(nodes_.size() - 1));
}
void NodePool::take(const Hold& h) {
  leave(h.node);
  nodes_[h.node].take(h);
  enter(h.node);
}
void NodePool::give_back(const Hold& h) {
  leave(h.node);
  nodes_[h.node].give_back(h);
  enter(h.node);
}
void NodePool::set(std::uint32_t i, const Node& node) {
  leave(i);
  nodes_[i] = node;
  enter(i);
}

void NodePool::enter(std::uint32_t i) {
  const std::uint32_t slot = class_of(nodes_[i]);
  Class& c = classes_[slot];
  c.nodes.insert(i);
  class_of_node_[i] = slot;
  free_milli_ += c.free_milli;
  fragmented_milli_ += c.fragmented;
}
void NodePool::leave(std::uint32_t i) {
  const std::uint32_t slot = class_of_node_[i];
  Class& c = classes_[slot];
  c.nodes.erase(i);
  free_milli_ -= c.free_milli;
  fragmented_milli_ -= c.fragmented;
  if (c.nodes.empty()) drop(slot);
}

std::uint32_t NodePool::class_of(const Node& node) {
  const std::optional<std::size_t> place = plain_place(node);
  std::uint32_t slot = place ? plain_[*place] : no_class;
  if (slot == no_class) {
    slot = class_of_sorted(sorted(node));
    if (place) plain_[*place] = slot;
  }
  if (classes_[slot].nodes.empty()) list(slot);
  return slot;
}
std::uint32_t NodePool::class_of_sorted(const Node& state) {
  const auto [it, is_new] = by_state_.try_emplace(state, 0);
  if (!is_new) return it->second;
  if (unused_.empty()) {
    unused_.push_back(static_cast<std::uint32_t>(classes_.size()));
    classes_.emplace_back();
  }
  const std::uint32_t slot = it->second = unused_.back();
  unused_.pop_back();
  Class& c = classes_[slot];
  c.state = state;
  c.free_milli = state.total_free_milli();
  c.type = static_cast<std::uint8_t>(state.type + 1);
  c.level = static_cast<std::uint8_t>(level_of(state));
  c.verdicts.clear();
  if (measures_) c.fragmented = scheduling::fragmented_milli(state, mix_);
  return slot;
}
/// Shows the class to the rules.
void NodePool::list(std::uint32_t slot) {
  Class& c = classes_[slot];
  List& list = lists_[c.type][c.level];
  c.at = static_cast<std::uint32_t>(list.size());
  occupied_[c.type] |= std::uint32_t{1} << c.level;
  const Node& s = c.state;
  list.push_back({slot, s.cpu_milli, s.memory_mib, c.free_milli,
                  s.gpus > 0 ? s.free_milli[static_cast<std::size_t>(s.gpus) - 1] : 0, s.mig,
                  placeable_on(s)});
}
/// No machine is left in the class. It is kept for the next one, with what rules have made of it, while there
/// are few.
void NodePool::drop(std::uint32_t slot) {
  Class& c = classes_[slot];
  List& list = lists_[c.type][c.level];
  list[c.at] = list.back();
  classes_[list[c.at].slot].at = c.at;
  list.pop_back();
  if (list.empty()) occupied_[c.type] &= ~(std::uint32_t{1} << c.level);
  if (by_state_.size() <= kept_classes) return;
  if (const std::optional<std::size_t> place = plain_place(c.state)) plain_[*place] = no_class;
  by_state_.erase(c.state);
  unused_.push_back(slot);
}

std::size_t NodePool::level_of(const Node& s) {
  std::size_t idle = 0;
  while (idle < static_cast<std::size_t>(s.gpus) &&
         s.free_milli[static_cast<std::size_t>(s.gpus) - 1 - idle] == whole_gpu_milli)
    ++idle;
  if (idle > 0) return shares - 1 + idle;
  const std::int32_t most = s.gpus == 0 ? 0 : s.free_milli[static_cast<std::size_t>(s.gpus) - 1];
  return static_cast<std::size_t>(most) * shares / whole_gpu_milli;
}

/// Lists of a type that the task may use, and with enough GPUs free for it.
template <class Visit>
void NodePool::for_each_list(const TaskShape& t, Visit&& visit) const {
  std::size_t level = 0;
  if (t.gpus > 0)
    level = t.shares_gpu() ? static_cast<std::size_t>(t.gpu_milli) * shares / whole_gpu_milli
                           : shares - 1 + static_cast<std::size_t>(t.gpus);
  for (std::size_t type = t.gpus > 0 ? 1 : 0; type < lists_.size(); ++type) {
    if (type > 0 && t.types != 0 && (t.types >> (type - 1) & 1) == 0) continue;
    for (std::uint32_t rest = occupied_[type] >> level << level; rest != 0; rest &= rest - 1)
      visit(lists_[type][static_cast<std::size_t>(std::countr_zero(rest))]);
  }
}
template <class Visit>
void NodePool::for_each_fitting(const TaskShape& t, Visit&& visit) {
  for_each_list(t, [&](const List& list) {
    for (const Entry& e : list)
      if (fits(e, t)) visit(e);
  });
}

std::int64_t NodePool::room_for(std::size_t kind, std::int64_t most) const {
  const TaskShape& t = shape(kind);
  std::int64_t room = 0;
  const auto cap =
      static_cast<std::int32_t>(std::min<std::int64_t>(most, std::numeric_limits<std::int32_t>::max()));
  for_each_list(t, [&](const List& list) {
    for (std::size_t i = 0; i < list.size() && room < most; ++i) {
      if (!fits(list[i], t)) continue;
      const Class& c = classes_[list[i].slot];
      room += static_cast<std::int64_t>(c.nodes.size()) * c.state.room_for(t, cap);
    }
  });
  return std::min(room, most);
}

// --- the rules

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

double NodePool::fragmented_share() const {
  std::int64_t fragmented = 0;
  for (const Node& n : nodes_) fragmented += scheduling::fragmented_milli(n, mix_);
  return free_milli_ == 0 ? 0 : static_cast<double>(fragmented) / (tasks_ * static_cast<double>(free_milli_));
}

}  // namespace natgpu::scheduling
