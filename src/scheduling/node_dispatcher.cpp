// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/node_dispatcher.hpp>

#include <algorithm>

#include <natgpu/core/ensure.hpp>

namespace natgpu::scheduling {
namespace {

/// Draws of one start of a job: parts count up from the start's first.
constexpr int part_bits = 20;

}  // namespace

NodeBooks::NodeBooks(NodePool pool, std::vector<GangKind> kinds, const NodeRules& rules, const Stream& chance)
    : pool_(std::move(pool)),
      kinds_(std::move(kinds)),
      rules_(rules),
      chance_(chance),
      placer_(rules.gang),
      queues_(kinds_.size()),
      front_of_(kinds_.size()),
      waits_(kinds_.size()),
      open_(kinds_.size(), true),
      missing_(kinds_.size()),
      whole_(pool_.nodes().begin(), pool_.nodes().end()),
      lost_(whole_.size()),
      judged_(kinds_.size()),
      holdable_(kinds_.size(), true) {}

bool NodeBooks::withdraw(std::uint32_t kind, const QueueKey& key, std::int32_t gpus) {
  if (queues_[kind].erase(key, gpus)) {
    move_front(kind);
    return true;
  }
  const auto it = std::find_if(submitted_.begin(), submitted_.end(),
                               [&](const auto& s) { return s.first == kind && s.second.order == key; });
  if (it == submitted_.end()) return false;
  submitted_.erase(it);
  return true;
}

void NodeBooks::finish_job(std::uint32_t slot) {
  Run& run = runs_[slot];
  give_back(pool_, run.holds);
  for (const Hold& h : run.holds) gained_.push_back(h.node);
  run.holds.clear();
  runs_[running_.back()].at = run.at;
  running_[run.at] = running_.back();
  running_.pop_back();
  if (keeps_ends_) by_end_.erase({run.end, slot});
}

std::vector<std::uint32_t> NodeBooks::fail(std::uint32_t node) {
  std::vector<std::uint32_t> hit;
  for (const std::uint32_t slot : running_) {
    const std::vector<Hold>& holds = runs_[slot].holds;
    if (std::any_of(holds.begin(), holds.end(), [&](const Hold& h) { return h.node == node; }))
      hit.push_back(slot);
  }
  std::sort(hit.begin(), hit.end());
  for (const std::uint32_t slot : hit) finish_job(slot);
  if (lost_[node]++ > 0) return hit;
  NATGPU_ENSURE(pool_.node(node) == whole_[node], "a machine whose jobs have gone is empty");
  if (!empty_) empty_.emplace(Placement::first, whole_, pool_.mix());
  ++machines_lost_;
  pool_.set(node, absent_node());
  empty_->set(node, absent_node());
  ++losses_;
  return hit;
}

void NodeBooks::repair(std::uint32_t node) {
  if (--lost_[node] > 0) return;
  --machines_lost_;
  ++losses_;
  pool_.set(node, whole_[node]);
  empty_->set(node, whole_[node]);
  gained_.push_back(node);
}

bool NodeBooks::holdable(std::uint32_t kind) {
  if (machines_lost_ == 0) return true;
  if (judged_[kind] != losses_) {
    judged_[kind] = losses_;
    std::vector<Hold> holds;
    GangRule rule = rules_.gang;
    if (rule.placement != Placement::lowest_id)
      rule.placement = Placement::first;  // any rule finds what there is
    holdable_[kind] = GangPlacer(rule).place(*empty_, kinds_[kind], Dice{&chance_, 0, 0}, holds);
    give_back(*empty_, holds);
  }
  return holdable_[kind];
}

bool NodeBooks::attempt(std::uint32_t kind, const WaitingJob& job, Attempt& found) {
  if (runs_.size() <= job.slot) runs_.resize(job.slot + 1);
  const Dice dice{&chance_, job.slot, runs_[job.slot].starts << part_bits};
  if (!placer_.place(pool_, kinds_[kind], dice, found.holds)) return false;
  found.spread = machines_of(found.holds) > kinds_[kind].fewest;
  const std::int64_t seconds = (job.requested + ticks_per_second - 1) / ticks_per_second;
  found.requested = found.spread && rules_.slowdown_milli != 1000
                        ? slowed_s(seconds, true, rules_.slowdown_milli) * ticks_per_second
                        : job.requested;
  return true;
}

void NodeBooks::note_start(std::uint32_t slot, Attempt& found, std::int64_t now) {
  Run& run = runs_[slot];
  std::swap(run.holds, found.holds);
  run.spread = found.spread;
  run.end = now + found.requested;
  ++run.starts;
  run.at = static_cast<std::uint32_t>(running_.size());
  running_.push_back(slot);
  if (keeps_ends_) by_end_.insert({run.end, slot});
}

void NodeBooks::take_submitted() {
  for (const auto& [kind, job] : submitted_) {
    queues_[kind].insert(job);
    move_front(kind);
  }
  submitted_.clear();
}

void NodeBooks::open_kinds() {
  if (gained_.empty()) return;
  std::sort(gained_.begin(), gained_.end());
  gained_.erase(std::unique(gained_.begin(), gained_.end()), gained_.end());
  for (const auto& [key, kind] : fronts_) {
    if (open_[kind]) continue;
    const TaskShape& smallest = pool_.shape(placer_.smallest_of(kinds_[kind]));
    for (const std::uint32_t node : gained_) {
      const Node& n = pool_.node(node);
      if (!n.fits(smallest)) continue;
      missing_[kind] -= n.room_for(smallest, static_cast<std::int32_t>(missing_[kind]));
      open_[kind] = missing_[kind] <= 0;
      if (open_[kind]) break;
    }
  }
  gained_.clear();
}

void NodeBooks::dequeue(std::uint32_t kind, const QueueKey& key, std::int32_t gpus) {
  queues_[kind].erase(key, gpus);
  move_front(kind);
}

void NodeBooks::move_front(std::uint32_t kind) {
  const WaitingJob* front = queues_[kind].front();
  if (waits_[kind]) {
    if (front != nullptr && front->order == front_of_[kind]) return;
    fronts_.erase({front_of_[kind], kind});
  }
  waits_[kind] = front != nullptr;
  if (front == nullptr) {
    open_[kind] = true;
    return;
  }
  front_of_[kind] = front->order;
  fronts_.insert({front->order, kind});
}

}  // namespace natgpu::scheduling
