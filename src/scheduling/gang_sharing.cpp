// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <natgpu/scheduling/sharing.hpp>

namespace natgpu::scheduling {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

/// The end of a turn that may be over: one row alone has every turn.
std::int64_t current_turn_ends(std::size_t rows, std::int64_t ends, std::int64_t now, std::int64_t quantum) {
  return rows == 1 && ends <= now ? ends + ((now - ends) / quantum + 1) * quantum : ends;
}

}  // namespace

void GangSharing::advance(std::int64_t now) {
  if (turn_ != nullptr) turn_->lane.run(now - now_);
  now_ = now;
}

std::vector<std::uint32_t> GangSharing::due() const {
  std::vector<Lane::Due> all;
  if (turn_ != nullptr) turn_->lane.due(all);
  return slots_in_order(all);
}

void GangSharing::leave(std::uint32_t slot) {
  take_out(members_.at(slot));
  remove(slot);
}

GangSharing::Row& GangSharing::row_of(const Member& member) {
  return *std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) { return &r.lane == member.lane; });
}

void GangSharing::take_out(Member& member) {
  Row& row = row_of(member);
  row.used -= member.job.gpus;
  row.fresh.erase(std::remove(row.fresh.begin(), row.fresh.end(), member.job.slot), row.fresh.end());
  exit(member);
}

GangSharing::Row& GangSharing::row_with_room(std::int32_t gpus) {
  const auto row =
      std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) { return gpus_ - r.used >= gpus; });
  return row != rows_.end() ? *row : rows_.emplace_back();
}

void GangSharing::resize(std::int64_t gpus) {
  turn_ends_ =
      current_turn_ends(rows_.size(), turn_ends_, now_, quantum_);  // of one row, before there are two
  gpus_ = gpus;
  std::vector<Lane::Due> moved;
  for (Row& row : rows_) {
    std::vector<Lane::Due> seated;
    if (row.used > gpus) row.lane.jobs(seated);
    std::sort(seated.begin(), seated.end());
    std::int64_t over = row.used - gpus;
    for (; over > 0; seated.pop_back()) {
      over -= members_.at(seated.back().second).job.gpus;
      moved.push_back(seated.back());
    }
  }
  std::vector<std::pair<Member*, Area>> seatless;
  std::vector<bool> is_fresh;
  for (const std::uint32_t slot : slots_in_order(moved)) {
    Member& m = members_.at(slot);
    const std::vector<std::uint32_t>& fresh = row_of(m).fresh;
    is_fresh.push_back(std::find(fresh.begin(), fresh.end(), slot) != fresh.end());
    seatless.emplace_back(&m, progress(slot));
    take_out(m);
  }
  for (std::size_t i = 0; i < seatless.size(); ++i) {
    const auto& [member, had] = seatless[i];
    Row& row = row_with_room(member->job.gpus);
    row.used += member->job.gpus;
    if (is_fresh[i]) row.fresh.push_back(member->job.slot);
    enter(row.lane, *member, had);
  }
}

void GangSharing::decide(std::int64_t now, std::vector<std::uint32_t>& started) {
  advance(now);
  drop_empty_rows(now);
  turn_ends_ = current_turn_ends(rows_.size(), turn_ends_, now, quantum_);
  for (const SharingJob& job : submitted_) {
    Row& row = row_with_room(job.gpus);
    row.used += job.gpus;
    row.fresh.push_back(job.slot);
    enter(row.lane, add(job), 0);
  }
  submitted_.clear();
  if (rows_.empty()) return;
  if (turn_ == nullptr)
    give_turn(&rows_.front(), now);
  else if (now >= turn_ends_)
    give_turn(row_after(turn_), now);
  std::vector<Lane::Due> fresh;
  for (const std::uint32_t slot : turn_->fresh) fresh.emplace_back(members_.at(slot).sequence, slot);
  turn_->fresh.clear();
  for (const std::uint32_t slot : slots_in_order(fresh)) started.push_back(slot);
}

GangSharing::Row* GangSharing::row_after(const Row* row) {
  auto at = std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) { return &r == row; });
  return ++at != rows_.end() ? &*at : &rows_.front();
}

void GangSharing::give_turn(Row* row, std::int64_t now) {
  if (turn_ != nullptr) turn_->lane.set_pace(0);
  turn_ = row;
  if (row == nullptr) return;
  row->lane.set_pace(Lane::tick);
  turn_ends_ = now + quantum_;
}

void GangSharing::drop_empty_rows(std::int64_t now) {
  const auto is_empty = [](const Row& r) { return r.lane.empty(); };
  if (turn_ != nullptr && is_empty(*turn_)) {  // the next row's turn begins
    Row* next = row_after(turn_);
    while (next != turn_ && is_empty(*next)) next = row_after(next);
    give_turn(next == turn_ ? nullptr : next, now);
  }
  rows_.remove_if(is_empty);
}

double GangSharing::pace_of(const SharingJob& job) const {
  std::vector<std::int64_t> room;  // of each row, when those submitted have taken their seats
  for (const Row& r : rows_)
    if (!r.lane.empty()) room.push_back(gpus_ - r.used);
  const auto seat = [&](const SharingJob& j) {
    auto row = std::find_if(room.begin(), room.end(), [&](std::int64_t free) { return free >= j.gpus; });
    if (row == room.end()) row = room.insert(room.end(), gpus_);
    *row -= j.gpus;
  };
  for (const SharingJob& other : submitted_) seat(other);
  seat(job);
  return 1.0 / static_cast<double>(room.size());
}

void GangSharing::pass(std::int64_t now, SharingChanges& changes) {
  advance(now);
  changes.ended = due();
  for (const std::uint32_t slot : changes.ended) leave(slot);
  decide(now, changes.started);
}

std::int64_t GangSharing::next_change() const {
  if (turn_ == nullptr) return never;
  const std::int64_t ticks = turn_->lane.ticks_to_next();
  const std::int64_t end = ticks < never - now_ ? now_ + ticks : never;
  return rows_.size() > 1 ? std::min(turn_ends_, end) : end;
}

}  // namespace natgpu::scheduling
