// SPDX-License-Identifier: Apache-2.0
// Where and when the first blocked job will be, on machines.
#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <natgpu/scheduling/node_books.hpp>

namespace natgpu::scheduling {

/// Machines as they will be, job by job in the order of requested ends. The pools are told of it only where
/// the blocked job may find a place: before that, counting the room on machines that have changed is enough.
class Foresight {
 public:
  Foresight(NodeBooks& books, std::uint32_t kind, const WaitingJob& job, std::int64_t now) : books_(books) {
    for (const NodeChoice& c : books.kinds_[kind]) look_for(c, job, now);
  }
  ~Foresight() {
    for (const Seen& s : seen_) {
      NodeBooks::Site& site = books_.sites_[s.machine.pool];
      site.foreseen[s.machine.node] = 0;
      if (s.told) site.pool.set(s.machine.node, s.now);
    }
  }
  Foresight(const Foresight&) = delete;

  /// The job hands back what it holds.
  void release(std::uint32_t slot) {
    const NodeBooks::Run& run = books_.runs_[slot];
    if (!accepts(run.pool)) return;
    for (const Hold& h : run.holds) {
      Seen& s = at({run.pool, h.node});
      for (Need& n : needs_)
        if (n.pool == run.pool) n.room -= s.then.room_for(n.task, n.tasks);
      s.then.give_back(h);
      for (Need& n : needs_)
        if (n.pool == run.pool) n.room += s.then.room_for(n.task, n.tasks);
      s.changed = true;
      gained_ |= gains(run.pool, s.then);
    }
  }
  /// Whether the blocked job may find a place from that instant on, that it has not been looked for in. If
  /// not, it does not. Instants rise from call to call.
  bool may_fit(std::int64_t from) {
    if (!gained_) return false;
    for (Need& n : needs_) look_from(n, from);
    return std::any_of(needs_.begin(), needs_.end(), [](const Need& n) { return n.room >= n.tasks; });
  }
  /// Lets the pools show what is foreseen.
  void tell() {
    show_foreseen();
    gained_ = false;
  }

 private:
  /// So many such tasks at once, in one pool, for so long.
  struct Need {
    std::uint32_t pool;
    std::uint32_t kind;  ///< of the task, for machines that stay; those for machines that leave follow it
    std::size_t level;
    std::int32_t tasks;
    std::int64_t length;  ///< ticks, at least
    TaskShape task;       ///< for machines up to the level
    std::int64_t room;    ///< there is for so many
  };
  struct Seen {
    Machine machine;
    Node now, then;
    bool changed = false, told = false;
  };

  /// A gang needs room for all its parts, or where it may be spread, for all its GPUs.
  void look_for(const NodeChoice& c, const WaitingJob& job, std::int64_t now) {
    const std::int64_t length = time_at_speed(job.requested, c.speed);
    const std::size_t level = books_.level_for(c.pool, end_after(now, length));
    const NodePool& machines = books_.sites_[c.pool].pool;
    const auto need = [&](std::uint32_t kind, std::int32_t tasks) {
      const std::size_t task = kind + level;
      needs_.push_back(
          {c.pool, kind, level, tasks, length, machines.shape(task), machines.room_for(task, tasks)});
    };
    need(c.gang.part, c.gang.parts);
    if (books_.rules_.gang.may_spread && c.gang.unit != GangKind::none) need(c.gang.unit, c.gang.units);
    smallest_.emplace_back(c.pool, machines.shape(books_.smallest_of(c)));
  }
  /// The later the job starts, the fewer are the machines that are there until it ends.
  void look_from(Need& n, std::int64_t from) {
    const std::size_t level = books_.level_for(n.pool, end_after(from, n.length));
    if (level == n.level) return;
    show_foreseen();
    const NodePool& machines = books_.sites_[n.pool].pool;
    n.level = level;
    n.task = machines.shape(n.kind + level);
    n.room = machines.room_for(n.kind + level, n.tasks);
  }
  void show_foreseen() {
    for (Seen& s : seen_) {
      if (!s.changed) continue;
      books_.sites_[s.machine.pool].pool.set(s.machine.node, s.then);
      s.changed = false;
      s.told = true;
    }
  }
  bool accepts(std::uint32_t pool) const {
    return std::any_of(needs_.begin(), needs_.end(), [pool](const Need& n) { return n.pool == pool; });
  }
  /// Whether the machine could take a part of the job.
  bool gains(std::uint32_t pool, const Node& node) const {
    return std::any_of(smallest_.begin(), smallest_.end(),
                       [&](const auto& s) { return s.first == pool && node.fits(s.second); });
  }
  Seen& at(const Machine& machine) {
    NodeBooks::Site& site = books_.sites_[machine.pool];
    site.foreseen.resize(site.whole.size());
    std::uint32_t& place = site.foreseen[machine.node];
    if (place == 0) {
      const Node& node = site.pool.node(machine.node);
      seen_.push_back({machine, node, node});
      place = static_cast<std::uint32_t>(seen_.size());
    }
    return seen_[place - 1];
  }

  NodeBooks& books_;
  std::vector<Need> needs_;
  std::vector<std::pair<std::uint32_t, TaskShape>> smallest_;  ///< part of the job, by choice: pool, task
  std::vector<Seen> seen_;
  bool gained_ = false;  ///< since the pools were told
};

bool NodeBooks::could_hold_from(std::uint32_t kind, const WaitingJob& job, std::int64_t now) {
  return std::any_of(kinds_[kind].begin(), kinds_[kind].end(), [&](const NodeChoice& c) {
    const std::size_t level = level_for(c.pool, end_after(now, time_at_speed(job.requested, c.speed)));
    return level == top_level() || could_hold(c, level);
  });
}

std::int64_t NodeBooks::reserve(std::uint32_t kind, const WaitingJob& head, std::int64_t now) {
  // While nothing has changed, what was looked ahead to from an earlier instant is as it was.
  if (reservation_.changes != changes_ || reservation_.from < now || reservation_.job != head.order)
    reservation_ = {head.order, look_ahead(kind, head, now), changes_};
  return reservation_.from;
}

std::int64_t NodeBooks::look_ahead(std::uint32_t kind, const WaitingJob& head, std::int64_t now) {
  reserved_.clear();
  std::int64_t shadow = std::numeric_limits<std::int64_t>::max();
  if (!could_hold_from(kind, head, now)) return shadow;
  {
    Foresight ahead(*this, kind, head, now);
    Attempt place;
    for (auto it = by_end_.begin(); it != by_end_.end();) {
      const std::int64_t end = it->first, from = std::max(now, end);
      for (; it != by_end_.end() && it->first == end; ++it) ahead.release(it->second);
      if (!ahead.may_fit(from)) continue;
      ahead.tell();
      if (!attempt(kind, head, from, place)) continue;
      note_reserved(place);
      shadow = from;
      break;
    }
  }
  for (Reserved& r : reserved_) r.now = sites_[r.machine.pool].pool.node(r.machine.node);
  return shadow;
}

/// Hands the head's place back, and keeps what its machines have left then.
void NodeBooks::note_reserved(Attempt& place) {
  NodePool& pool = sites_[place.pool].pool;
  std::sort(place.holds.begin(), place.holds.end(),
            [](const Hold& a, const Hold& b) { return a.node < b.node; });
  for (const Hold& h : place.holds)
    if (reserved_.empty() || reserved_.back().machine.node != h.node)
      reserved_.push_back({{place.pool, h.node}, {}, pool.node(h.node)});
  give_back(place);
}

NodeBooks::Earliest NodeBooks::earliest_on(std::uint32_t kind, std::size_t choice, const WaitingJob& job,
                                           std::int64_t now) {
  if (judges() && (!holdable(kind) || !holdable_[kind][choice]))
    return {false, std::numeric_limits<std::int64_t>::max()};
  make_room_for(job.slot);
  const NodeChoice& c = kinds_[kind][choice];
  Attempt found;
  if (place(c, job, now, found)) {
    give_back(found);
    return {true, now};
  }
  shut_.assign(sites_.size(), true);
  shut_[c.pool] = false;
  const std::int64_t at = look_ahead(kind, job, now);
  shut_.assign(sites_.size(), false);
  reserved_.clear();
  return {true, at};
}

std::int64_t NodeBooks::free_milli_at(std::size_t pool, std::int64_t at) const {
  const Site& site = sites_[pool];
  const auto is_there = [&](std::uint32_t node) {
    const int level = site.whole[node].type - site.type_at(node, 0);
    return level <= 0 || site.leave_at[static_cast<std::size_t>(level) - 1] > at;
  };
  std::int64_t free = site.pool.free_milli();
  if (rules_.departures && *std::min_element(site.leave_at.begin(), site.leave_at.end()) <= at)
    for (std::uint32_t i = 0; i < site.whole.size(); ++i)
      if (!is_there(i)) free -= site.pool.node(i).total_free_milli();
  for (auto it = by_end_.begin(); it != by_end_.end() && it->first <= at; ++it) {
    const Run& run = runs_[it->second];
    if (run.pool != pool) continue;
    for (const Hold& h : run.holds)
      if (!rules_.departures || is_there(h.node)) free += h.total_milli();
  }
  return free;
}

}  // namespace natgpu::scheduling
