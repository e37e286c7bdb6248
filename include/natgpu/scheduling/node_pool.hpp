// SPDX-License-Identifier: Apache-2.0
// Machines under one rule of placement, found without a look at each.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include <natgpu/core/random.hpp>
#include <natgpu/scheduling/fragmentation.hpp>
#include <natgpu/scheduling/node_set.hpp>
#include <natgpu/scheduling/nodes.hpp>
#include <natgpu/scheduling/placement_rule.hpp>

namespace natgpu::scheduling {

/// The draw that decides between equals: the same for the same job, start and part.
struct Dice {
  const Stream* stream = nullptr;
  std::uint64_t entity = 0;
  std::uint32_t index = 0;
};

/// Machines and what each has left. Machines that have the same left, GPUs in any order, form a class, and a
/// rule looks at classes: in a cluster of equal machines of 8 GPUs without other resources there are 9 of
/// them, however many machines. Classes lie in lists by type and by the most that one GPU, or so many idle
/// ones, have free; lists in which nothing can fit are not looked at.
class NodePool {
 public:
  /// @param mix  kinds of task: those that are placed are named by their place in it, and fgd and
  ///             fragmented_milli() expect each as often as it stands there
  /// @param measure_fragmentation  whether fragmented_milli() will be asked (fgd needs it in any case)
  NodePool(Placement placement, std::vector<Node> nodes, TaskMix mix, bool measure_fragmentation = false);

  std::size_t size() const { return nodes_.size(); }
  const Node& node(std::size_t i) const { return nodes_[i]; }
  std::span<const Node> nodes() const { return nodes_; }
  const TaskMix& mix() const { return mix_; }
  const TaskShape& shape(std::size_t kind) const { return mix_.kinds[kind].shape; }

  /// The machine where one more task of that kind goes, or nothing if none has room.
  /// @param left  tasks of the same gang that are still to be placed, this one among them
  std::optional<std::uint32_t> find(std::size_t kind, const Dice& dice, std::int32_t left = 1);
  /// The GPU on that machine for a task that shares one. @pre the task fits
  int gpu_for(std::size_t kind, std::uint32_t node, const Dice& dice);
  /// How many such tasks the machines could take at once, up to `most`.
  std::int64_t room_for(std::size_t kind, std::int64_t most) const;

  /// One more machine, which gets the next number.
  void add(const Node& node);
  void take(const Hold& hold);
  void give_back(const Hold& hold);
  /// Whatever the machine has left is this from now on.
  void set(std::uint32_t i, const Node& node);

  /// Thousandths of GPUs that are free.
  std::int64_t free_milli() const { return free_milli_; }
  /// Of these, those that a task to be expected cannot use, summed over all tasks of the mix.
  /// @pre fragmentation is measured
  std::int64_t fragmented_milli() const { return fragmented_milli_; }
  /// Share of the free GPUs that an expected task cannot use: F over all that is free. 0 if nothing is.
  double fragmented_share() const;

 private:
  static constexpr std::size_t shares =
      10;  ///< lists of classes without an idle GPU, by the most left on one
  static constexpr std::size_t levels = shares + most_gpus_per_node;
  static_assert(levels <= 32, "a bit for each");
  static constexpr std::size_t kept_classes = 1024;

  /// What fgd makes of one class for one kind.
  struct Verdict {
    std::int16_t points = not_asked;
    std::int32_t left = 0;  ///< of the GPU that a share should go to (Node::left_of)
  };
  static constexpr std::int16_t not_asked = -2;
  struct Class {
    Node state;  ///< GPUs in rising order of what they have left (Node::left_of)
    NodeSet nodes;
    std::int32_t free_milli = 0;
    std::uint8_t type = 0, level = 0;  ///< of the list
    std::uint32_t at = 0;              ///< in the list
    std::int64_t fragmented = 0;
    std::vector<Verdict> verdicts;  ///< by kind
  };
  /// What rules look at first, side by side in memory.
  struct Entry {
    std::uint32_t slot = 0;  ///< of the class
    std::int32_t cpu_milli = 0, memory_mib = 0;
    std::int32_t free_milli = 0;
    std::int32_t largest = 0;    ///< thousandths free on the GPU with most
    std::int8_t mig = -1;        ///< as the nodes'
    std::uint8_t placeable = 0;  ///< profiles that find a position on some GPU
  };
  using List = std::vector<Entry>;
  struct Hash {
    std::size_t operator()(const Node& node) const;
  };

  template <class Visit>
  void for_each_fitting(const TaskShape& task, Visit&& visit);
  template <class Visit>
  void for_each_list(const TaskShape& task, Visit&& visit) const;
  void enter(std::uint32_t i);
  void leave(std::uint32_t i);
  std::uint32_t class_of(const Node& node);
  std::uint32_t class_of_sorted(const Node& sorted);
  void list(std::uint32_t slot);
  void drop(std::uint32_t slot);
  static std::size_t level_of(const Node& sorted);
  static bool fits(const Entry& e, const TaskShape& t) {
    if (e.cpu_milli < t.cpu_milli || e.memory_mib < t.memory_mib) return false;
    if (!t.shares_gpu()) return true;
    return e.mig < 0 ? e.largest >= t.gpu_milli
                     : (e.placeable >> mig_layout(e.mig).profile_for(t.gpu_milli) & 1) != 0;
  }

  std::optional<std::uint32_t> lowest_of(const TaskShape& task);
  std::optional<std::uint32_t> any_of(const TaskShape& task, const Dice& dice);
  std::optional<std::uint32_t> fullest_for(const TaskShape& task, std::int32_t left);
  std::optional<std::uint32_t> with_most_points(std::size_t kind, const Dice& dice);
  std::uint32_t one_of_equals(double unit) const;
  std::int16_t points(std::size_t kind, const Entry& e);
  const Verdict& verdict_of_fgd(std::size_t kind, Class& c);
  std::int16_t points_of_fgd(const TaskShape& task, const Class& c, int gpu) const;
  double left_over(const Entry& e, const TaskShape& task) const;

  Placement placement_;
  std::vector<Node> nodes_;
  TaskMix mix_;
  bool measures_;
  double most_cpu_ = 1;  ///< of any node when empty, thousandths
  double most_gpu_ = 1;  ///< the same
  double tasks_ = 1;     ///< of the mix
  std::int64_t free_milli_ = 0, fragmented_milli_ = 0;
  std::vector<std::uint32_t> class_of_node_;
  std::vector<Class> classes_;
  std::vector<std::uint32_t> unused_;
  std::unordered_map<Node, std::uint32_t, Hash> by_state_;  ///< looked up, never iterated
  std::vector<std::uint32_t> plain_;                        ///< the same for the simplest states, in a table
  std::vector<std::array<List, levels>> lists_;             ///< by type + 1, then level
  std::vector<std::uint32_t> occupied_;                     ///< by type + 1: a bit for each list with classes
  std::vector<std::uint32_t> equals_;                       ///< classes with most points
};

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

}  // namespace natgpu::scheduling
