// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/scheduling/dominant_share.hpp>
#include <natgpu/scheduling/profile.hpp>

namespace natgpu::scheduling {

/// One pool as drf and maxmin see it: how much of what is free, now and as requested ends and announced
/// changes have it. GPUs come and go; CPUs and memory, where they count, are there all along.
class AccountedMachine {
 public:
  /// @param counted  of CPUs and memory 0: they are without limit
  AccountedMachine(const Amounts& counted, bool arrivals_first) : count_due_(arrivals_first) {
    for (std::size_t r = 0; r < resources; ++r) {
      lines_[r].counts = r == 0 || counted[r] > 0;
      lines_[r].free = r == 0 ? 0 : counted[r];
    }
  }

  void begin_pass(std::int64_t now) {
    now_ = now;
    if (!count_due_) return;
    for (Line& l : lines_) l.due = l.profile.due(now);
    for (const auto& [at, gpus] : gains_)  // nobody's until they come
      if (at <= now) lines_[0].due -= gpus;
  }
  void take(const Amounts& amounts, std::int64_t until) { move(amounts, until, -1); }
  void hand_back(const Amounts& amounts, std::int64_t requested_end) { move(amounts, requested_end, +1); }
  void change_capacity(std::int64_t delta) {
    lines_[0].free += delta;
    gpus_ += delta;
    level_at_end_ += delta;
  }
  void foresee(std::int64_t at, std::int64_t delta) {
    lines_[0].profile.add(at, delta);
    level_at_end_ += delta;
    if (delta > 0) gains_.emplace_back(at, delta);
  }
  void withdraw_foreseen(std::int64_t at, std::int64_t delta) {
    lines_[0].profile.add(at, -delta);
    level_at_end_ -= delta;
    if (delta > 0) gains_.erase(std::find(gains_.begin(), gains_.end(), std::pair{at, delta}));
  }

  /// Whether there is, or is to be, anything to hold a job.
  bool may_hold() const { return gpus_ > 0 || !gains_.empty(); }
  bool dips() const { return lines_[0].profile.has_dips(); }
  std::int64_t gpus() const { return gpus_; }
  /// Once all announced changes have come.
  std::int64_t gpus_at_end() const { return level_at_end_; }
  std::int64_t free_gpus() const { return lines_[0].free; }
  std::int64_t available_gpus() const { return lines_[0].free + lines_[0].due; }
  std::int64_t now() const { return now_; }
  /// Whether so much is free during all of [now, now + length).
  bool fits(const Amounts& amounts, std::int64_t length) const {
    for (std::size_t r = 0; r < resources; ++r) {
      const Line& l = lines_[r];
      if (!asked(amounts, r)) continue;
      if (amounts[r] > l.free + l.due) return false;
      if (l.profile.first_dip() < now_ + length && l.profile.least(now_, now_ + length, l.free) < amounts[r])
        return false;
    }
    return true;
  }
  /// What is free at the least during [from, until), beside `held_back`. @pre from < until
  bool leaves(const Amounts& amounts, std::int64_t from, std::int64_t until, const Amounts& held_back) const {
    for (std::size_t r = 0; r < resources; ++r)
      if (asked(amounts, r) &&
          lines_[r].profile.least(from, until, lines_[r].free) - held_back[r] < amounts[r])
        return false;
    return true;
  }
  /// GPUs free at that instant, as known.
  std::int64_t gpus_at(std::int64_t at) const { return lines_[0].profile.least(at, at + 1, lines_[0].free); }
  /// The least t >= now with so much free during all of [t, t + length), or `forever`.
  std::int64_t hole(const Amounts& amounts, std::int64_t length) const {
    std::int64_t at = now_;
    for (std::size_t agreed = 0; agreed < resources;) {
      agreed = 0;
      for (std::size_t r = 0; r < resources; ++r, ++agreed) {
        if (!asked(amounts, r)) continue;
        const std::int64_t start = lines_[r].profile.hole(at, lines_[r].free, amounts[r], length).at;
        if (start == Profile::forever) return start;
        if (start == at) continue;
        at = start;
        break;
      }
    }
    return at;
  }

 private:
  struct Line {
    bool counts = false;
    std::int64_t free = 0, due = 0;  ///< due: held by jobs whose requested end is now (arrivals first only)
    Profile profile;
  };
  bool asked(const Amounts& amounts, std::size_t r) const { return lines_[r].counts && amounts[r] > 0; }
  void move(const Amounts& amounts, std::int64_t end, std::int64_t sign) {
    for (std::size_t r = 0; r < resources; ++r) {
      if (!asked(amounts, r)) continue;
      lines_[r].free += sign * amounts[r];
      lines_[r].profile.add(end, -sign * amounts[r]);
    }
  }

  bool count_due_;
  std::array<Line, resources> lines_;
  std::int64_t now_ = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> gains_;  ///< announced: instant, GPUs
  std::int64_t gpus_ = 0;
  std::int64_t level_at_end_ = 0;  ///< GPUs, once all announced changes have come
};

}  // namespace natgpu::scheduling
