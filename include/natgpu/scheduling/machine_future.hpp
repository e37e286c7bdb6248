// SPDX-License-Identifier: Apache-2.0
// What the machines of a pool will have free: running jobs hold theirs to their requested ends, reservations
// from start to end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include <natgpu/scheduling/nodes.hpp>

namespace natgpu::scheduling {

/// Times are ticks. What lies before the present is not asked for, and forgotten.
///
/// hold and release: O(steps of each machine), and of the pool, ahead. window: O(log n + steps in it).
class MachineFuture {
 public:
  static constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();

  /// @param machines  as they are with nothing on them; absent ones as absent_node()
  explicit MachineFuture(std::span<const Node> machines);

  std::size_t size() const { return machines_.size(); }
  /// One more machine, which is not there.
  void add_machine();
  /// The machine is this from now on, with nothing on it. @pre nothing is held there
  void reset(std::uint32_t i, const Node& node);
  /// The type of its GPUs changes, and nothing else.
  void retype(std::uint32_t i, std::int8_t type);
  /// The present. It does not go back.
  void advance(std::int64_t now);

  /// @pre all of it is free during [from, until)
  void hold(std::int64_t from, std::int64_t until, const std::vector<Hold>& holds);
  /// Of what lies ahead. @pre it is held
  void release(std::int64_t from, std::int64_t until, const std::vector<Hold>& holds);
  /// Whether all of it is free, throughout.
  bool is_free(std::int64_t from, std::int64_t until, const std::vector<Hold>& holds) const;
  /// The same of a part of what is held until then; the rest stays. @pre there is a rest
  void release_part(std::int64_t from, std::int64_t until, const std::vector<Hold>& holds) {
    release(from, until, holds);
    add_end(until);
  }
  /// What is held until one instant is held until an earlier one.
  void shorten(std::int64_t end, std::int64_t new_end, const std::vector<Hold>& holds) {
    release(new_end, end, holds);
    add_end(new_end);
  }
  /// The same until a later one. @pre it is free until then
  void prolong(std::int64_t end, std::int64_t new_end, const std::vector<Hold>& holds) {
    drop_end(end);
    hold(std::max(end, now_), new_end, holds);
  }

  /// What a machine has free during all of a stretch of time, and until when a stretch of that length that
  /// begins later has the same.
  struct Window {
    Node free;
    std::int64_t same_until = forever;
  };
  Window window(std::uint32_t i, std::int64_t from, std::int64_t until) const;
  /// The first end of a hold behind that instant, or `forever`.
  std::int64_t end_behind(std::int64_t at) const;
  /// `from`, or the first end of a hold behind it, at which so many thousandths of GPUs are free for so long,
  /// on whatever machines; `forever` if there is none. No job that holds as much has a place before that.
  std::int64_t earliest_by_count(std::int64_t from, std::int64_t milli, std::int64_t length) const;

 private:
  struct Step {
    std::int64_t from;
    Node free;
  };
  using Steps = std::vector<Step>;  ///< the last without an end
  struct Level {
    std::int64_t from;
    std::int64_t milli;  ///< of GPUs, free
  };

  template <class Change>
  void change(std::int64_t from, std::int64_t until, const std::vector<Hold>& holds, std::int64_t sign,
              Change&& change_step);
  void add_end(std::int64_t at) {
    if (at > now_ && at != forever) ++ends_[at];
  }
  void drop_end(std::int64_t at);

  std::vector<Steps> machines_;
  std::vector<Level> levels_;                 ///< of all machines
  std::map<std::int64_t, std::size_t> ends_;  ///< of holds, ahead: how many
  std::int64_t now_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace natgpu::scheduling
