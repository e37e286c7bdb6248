// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/sharing.hpp>

#include <algorithm>
#include <cmath>

#include <natgpu/scheduling/water_filling.hpp>

namespace natgpu::scheduling {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
/// GPU-ticks for each GPU, below which what is left is rounding: shares are seldom whole numbers.
constexpr double rounding = 1e-3;

}  // namespace

// --- all at once

void ProcessorSharing::pass(std::int64_t now, SharingChanges& changes) {
  const auto elapsed = static_cast<double>(now - now_);
  now_ = now;
  std::size_t kept = 0;
  for (Member& m : members_) {
    m.left -= m.given * elapsed;
    if (m.left <= rounding * m.job.gpus)
      changes.ended.push_back(m.job.slot);
    else
      members_[kept++] = m;
  }
  const bool same = kept == members_.size() && submitted_.empty();
  members_.resize(kept);
  for (const SharingJob& job : submitted_) {
    members_.push_back({job, static_cast<double>(job.service) * job.gpus});
    changes.started.push_back(job.slot);
  }
  submitted_.clear();
  if (!same) divide();
}

void ProcessorSharing::divide() {
  demands_.clear();
  weights_.clear();
  for (const Member& m : members_) {
    demands_.push_back(m.job.gpus);
    weights_.push_back(m.job.weight);
  }
  const std::vector<double> shares = water_filling(static_cast<double>(gpus_), demands_, weights_);
  for (std::size_t i = 0; i < members_.size(); ++i) members_[i].given = shares[i];
}

std::int64_t ProcessorSharing::next_change() const {
  std::int64_t next = never;
  for (const Member& m : members_) {
    const double ticks = std::ceil((m.left - rounding * m.job.gpus) / m.given);
    next = std::min(next, now_ + std::max<std::int64_t>(1, static_cast<std::int64_t>(ticks)));
  }
  return next;
}

// --- in turns

void GangSharing::pass(std::int64_t now, SharingChanges& changes) {
  run_until(now, changes);
  drop_empty_rows(now);
  if (rows_.size() == 1 && turn_ends_ <= now)  // one row alone has every turn
    turn_ends_ += ((now - turn_ends_) / quantum_ + 1) * quantum_;
  const bool idle = rows_.empty();
  for (const SharingJob& job : submitted_) seat(job);
  submitted_.clear();
  if (rows_.empty()) return;
  if (idle) {
    turn_ = 0;
    turn_ends_ = now + quantum_;
  } else if (now >= turn_ends_) {
    turn_ = (turn_ + 1) % rows_.size();
    turn_ends_ = now + quantum_;
  }
  for (Member& m : rows_[turn_].members) {
    if (!m.started) changes.started.push_back(m.job.slot);
    m.started = true;
  }
}

void GangSharing::run_until(std::int64_t now, SharingChanges& changes) {
  const std::int64_t elapsed = now - now_;
  now_ = now;
  if (rows_.empty()) return;
  Row& row = rows_[turn_];
  std::size_t kept = 0;
  for (Member& m : row.members) {
    m.job.service -= elapsed;
    if (m.job.service > 0) {
      row.members[kept++] = m;
    } else {
      changes.ended.push_back(m.job.slot);
      row.free += m.job.gpus;
    }
  }
  row.members.resize(kept);
}

void GangSharing::drop_empty_rows(std::int64_t now) {
  if (rows_.empty() || !rows_[turn_].members.empty()) return;  // only the row that ran can have become empty
  rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(turn_));
  if (turn_ == rows_.size()) turn_ = 0;
  turn_ends_ = now + quantum_;  // the next row's turn begins
}

void GangSharing::seat(const SharingJob& job) {
  auto row = std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) { return r.free >= job.gpus; });
  if (row == rows_.end()) {
    rows_.push_back({gpus_, {}});
    row = rows_.end() - 1;
  }
  row->free -= job.gpus;
  row->members.push_back({job});
}

std::int64_t GangSharing::next_change() const {
  if (rows_.empty()) return never;
  std::int64_t next = rows_.size() > 1 ? turn_ends_ : never;
  for (const Member& m : rows_[turn_].members) next = std::min(next, now_ + m.job.service);
  return next;
}

}  // namespace natgpu::scheduling
