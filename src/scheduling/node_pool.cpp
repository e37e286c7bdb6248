// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/node_pool.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include <natgpu/core/hash.hpp>

namespace natgpu::scheduling {
namespace {

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

double NodePool::fragmented_share() const {
  std::int64_t fragmented = 0;
  for (const Node& n : nodes_) fragmented += scheduling::fragmented_milli(n, mix_);
  return free_milli_ == 0 ? 0 : static_cast<double>(fragmented) / (tasks_ * static_cast<double>(free_milli_));
}

}  // namespace natgpu::scheduling
