// SPDX-License-Identifier: Apache-2.0
// GPUs shared in time, in plain loops over all jobs at each change; times are ticks. Processor sharing here
// works with doubles that it takes the work off, so that it drifts by its rounding.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <natgpu/scheduling/sharing.hpp>

namespace natgpu::testing {

/// All at once, to each a share by weight and no more than it asks for.
class PlainProcessorSharing {
 public:
  explicit PlainProcessorSharing(std::int64_t gpus) : gpus_(gpus) {}

  void submit(const scheduling::SharingJob& job) { submitted_.push_back(job); }
  void pass(std::int64_t now, scheduling::SharingChanges& changes) {
    std::vector<Member> staying;
    for (Member& m : members_) {
      m.left -= m.given * static_cast<double>(now - now_);
      if (m.left <= rounding * m.job.gpus)
        changes.ended.push_back(m.job.slot);
      else
        staying.push_back(m);
    }
    now_ = now;
    members_ = staying;
    for (const auto& job : submitted_) {
      members_.push_back({job, static_cast<double>(job.service) * job.gpus, 0});
      changes.started.push_back(job.slot);
    }
    submitted_.clear();
    divide();
  }
  std::int64_t next_change() const {
    std::int64_t next = std::numeric_limits<std::int64_t>::max();
    for (const Member& m : members_)
      next = std::min(
          next, now_ + std::max<std::int64_t>(1, static_cast<std::int64_t>(
                                                     std::ceil((m.left - rounding * m.job.gpus) / m.given))));
    return next;
  }

 private:
  static constexpr double rounding = 1e-3;
  struct Member {
    scheduling::SharingJob job;
    double left, given;
  };
  /// Whoever asks for less than its part of what is left gets what it asks for; then again among the others.
  void divide() {
    std::vector<bool> met(members_.size());
    for (bool more = true; more;) {
      double left = static_cast<double>(gpus_), weight = 0;
      for (std::size_t i = 0; i < members_.size(); ++i)
        met[i] ? left -= members_[i].job.gpus : weight += members_[i].job.weight;
      more = false;
      for (std::size_t i = 0; i < members_.size(); ++i) {
        if (met[i]) continue;
        members_[i].given = left * members_[i].job.weight / weight;
        if (members_[i].given < members_[i].job.gpus) continue;
        members_[i].given = members_[i].job.gpus;
        met[i] = more = true;
      }
    }
  }

  std::int64_t gpus_, now_ = 0;
  std::vector<Member> members_;
  std::vector<scheduling::SharingJob> submitted_;
};

/// In turns: Ousterhout's matrix.
class PlainGangSharing {
 public:
  PlainGangSharing(std::int64_t gpus, std::int64_t quantum) : gpus_(gpus), quantum_(quantum) {}

  void submit(const scheduling::SharingJob& job) { submitted_.push_back(job); }
  void pass(std::int64_t now, scheduling::SharingChanges& changes) {
    run_until(now, changes);
    drop_empty_rows(now);
    if (rows_.size() == 1 && turn_ends_ <= now)  // one row alone has every turn
      turn_ends_ += ((now - turn_ends_) / quantum_ + 1) * quantum_;
    const bool idle = rows_.empty();
    for (const scheduling::SharingJob& job : submitted_) seat(job);
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
  std::int64_t next_change() const {
    if (rows_.empty()) return std::numeric_limits<std::int64_t>::max();
    std::int64_t next = rows_.size() > 1 ? turn_ends_ : std::numeric_limits<std::int64_t>::max();
    for (const Member& m : rows_[turn_].members) next = std::min(next, now_ + m.job.service);
    return next;
  }

 private:
  struct Member {
    scheduling::SharingJob job;
    bool started = false;
  };
  struct Row {
    std::int64_t free = 0;
    std::vector<Member> members = {};
  };
  void run_until(std::int64_t now, scheduling::SharingChanges& changes) {
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
  void drop_empty_rows(std::int64_t now) {
    if (rows_.empty() || !rows_[turn_].members.empty())
      return;  // only the row that ran can have become empty
    rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(turn_));
    if (turn_ == rows_.size()) turn_ = 0;
    turn_ends_ = now + quantum_;  // the next row's turn begins
  }
  void seat(const scheduling::SharingJob& job) {
    auto row = std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) { return r.free >= job.gpus; });
    if (row == rows_.end()) {
      rows_.push_back({gpus_, {}});
      row = rows_.end() - 1;
    }
    row->free -= job.gpus;
    row->members.push_back({job});
  }

  std::int64_t gpus_, quantum_;
  std::int64_t now_ = 0, turn_ends_ = 0;
  std::size_t turn_ = 0;
  std::vector<Row> rows_;
  std::vector<scheduling::SharingJob> submitted_;
};

}  // namespace natgpu::testing
