// SPDX-License-Identifier: Apache-2.0
// Jobs that share the GPUs of several pools which come, fail and go, in plain loops over all jobs at each
// change. Times are ticks, progress is a double. It shares no code with what it is compared with.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace natgpu::testing {

struct PlainSharedJob {
  std::int64_t arrives = 0, run_time = 1, requested = 1;  ///< reference ticks of work
  std::int32_t gpus = 1;
  double weight = 1;
  std::int64_t checkpoint_every = 0, restart_cost = 0;

  std::int64_t first_start = -1, end = -1;
  int restarts = 0;
  bool killed = false;
};
/// What happens to the GPUs of a pool.
struct PlainCapacityEvent {
  std::int64_t at = 0;
  std::size_t pool = 0;
  std::int64_t units = 0;  ///< more, or, negative, fewer
  double fraction = -1;    ///< of the place where so many units fail; -1: they come or go without failing
};

class PlainShared {
 public:
  /// @param quantum  of gang; 0: ps
  PlainShared(std::vector<double> speeds, std::int64_t quantum)
      : speeds_(std::move(speeds)), quantum_(quantum), pools_(speeds_.size()) {}

  double useful = 0, lost = 0, stalled = 0;  ///< GPU-ticks

  void run(std::vector<PlainSharedJob>& jobs, const std::vector<PlainCapacityEvent>& events) {
    std::size_t next_job = 0, next_event = 0;
    while (true) {
      std::int64_t t = next_change(jobs);
      if (next_job < jobs.size()) t = std::min(t, jobs[next_job].arrives);
      if (next_event < events.size()) t = std::min(t, events[next_event].at);
      if (t == never) return;
      advance(jobs, t);
      end_those_done(jobs);
      for (; next_event < events.size() && events[next_event].at == t; ++next_event)
        happen(jobs, events[next_event]);
      for (; next_job < jobs.size() && jobs[next_job].arrives == t; ++next_job)
        waiting_.emplace_back().job = next_job;
      join_those_waiting(jobs);
      for (Pool& p : pools_) quantum_ > 0 ? take_turns(jobs, p) : divide(jobs, p);
    }
  }

 private:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  static constexpr double hair = 1e-6;

  struct Stay {
    std::size_t job = 0, pool = 0;
    std::int64_t done = 0, stall = 0;  ///< reference ticks of work; ticks
    double left = 0, had = 0;          ///< ticks of service
    double pace = 0;
    std::size_t row = 0;
    bool started = false;
    std::uint64_t order = 0;   ///< of its start
    std::uint64_t joined = 0;  ///< order of joining
  };
  struct Pool {
    std::int64_t up = 0;
    std::vector<Stay> stays;        ///< in the order of joining
    std::vector<std::size_t> rows;  ///< of gang: numbers that are never used twice, from 1
    std::size_t turn = 0;           ///< the row that runs; 0: none
    std::int64_t turn_ends = 0;
  };

  std::int64_t next_change(const std::vector<PlainSharedJob>&) const {
    std::int64_t next = never;
    for (const Pool& p : pools_) {
      for (const Stay& s : p.stays)
        if (s.pace > 0)
          next =
              std::min(next, now_ + std::max<std::int64_t>(
                                        1, static_cast<std::int64_t>(std::ceil((s.left - 1e-3) / s.pace))));
      if (p.rows.size() > 1) next = std::min(next, p.turn_ends);
    }
    return next;
  }
  void advance(const std::vector<PlainSharedJob>&, std::int64_t t) {
    for (Pool& p : pools_)
      for (Stay& s : p.stays) {
        const double part = s.pace * static_cast<double>(t - now_);
        s.left -= part;
        s.had += part;
      }
    now_ = t;
  }
  void end_those_done(std::vector<PlainSharedJob>& jobs) {
    for (Pool& p : pools_) {
      std::vector<Stay> staying;
      for (const Stay& s : p.stays) {
        if (s.left > 1e-3) {
          staying.push_back(s);
          continue;
        }
        PlainSharedJob& j = jobs[s.job];
        j.end = now_;
        j.killed = limit_of(s, j) < work_of(s, j);
        stalled += j.gpus * std::min(s.had, static_cast<double>(s.stall));
        (j.killed ? lost : useful) += j.gpus * std::max(s.had - static_cast<double>(s.stall), 0.0);
        (j.killed ? lost : useful) += kept_[s.job];
      }
      p.stays = staying;
    }
  }
  double work_of(const Stay& s, const PlainSharedJob& j) const {
    return static_cast<double>(s.stall) +
           std::ceil(static_cast<double>(std::max<std::int64_t>(j.run_time - s.done, 1)) / speeds_[s.pool]);
  }
  double limit_of(const Stay& s, const PlainSharedJob& j) const {
    return std::ceil(static_cast<double>(std::max<std::int64_t>(j.requested - s.done, 1) + s.stall) /
                     speeds_[s.pool]);
  }
  void happen(std::vector<PlainSharedJob>& jobs, const PlainCapacityEvent& e) {
    Pool& p = pools_[e.pool];
    if (e.fraction >= 0) {
      const auto first = static_cast<std::int64_t>(e.fraction * static_cast<double>(p.up + e.units + 1));
      const auto from = static_cast<double>(first), until = static_cast<double>(first - e.units);
      std::sort(p.stays.begin(), p.stays.end(),
                [](const Stay& a, const Stay& b) { return a.order < b.order; });
      double at = 0;
      std::vector<Stay> staying, hit;
      for (const Stay& s : p.stays) {
        const double held = s.started ? s.pace * jobs[s.job].gpus : 0;
        const bool meets = std::min(at + held, until) - std::max(at, from) > hair;
        (meets ? hit : staying).push_back(s);
        at += held;
      }
      p.stays = staying;
      for (const Stay& s : hit) send_back(jobs, s);
    }
    p.up += e.units;
    if (e.units > 0) return;
    std::sort(p.stays.begin(), p.stays.end(),
              [](const Stay& a, const Stay& b) { return a.joined < b.joined; });
    std::vector<Stay> staying;
    for (const Stay& s : p.stays) {
      if (jobs[s.job].gpus <= p.up)
        staying.push_back(s);
      else
        send_back(jobs, s);
    }
    p.stays = staying;
    if (quantum_ > 0) seat_what_does_not_fit(jobs, p);
  }
  void send_back(std::vector<PlainSharedJob>& jobs, Stay s) {
    PlainSharedJob& j = jobs[s.job];
    if (s.started) {
      ++j.restarts;
      stalled += j.gpus * std::min(s.had, static_cast<double>(s.stall));
      const double worked = std::max(s.had - static_cast<double>(s.stall), 0.0);
      double kept = 0;
      if (j.checkpoint_every > 0) {
        const auto progress = static_cast<std::int64_t>(std::floor((worked + 1e-3) * speeds_[s.pool]));
        const std::int64_t reached =
            std::min((s.done + progress) / j.checkpoint_every * j.checkpoint_every, j.run_time);
        if (reached > s.done) kept = static_cast<double>(reached - s.done) / speeds_[s.pool];
        s.done = std::max(s.done, reached);
      }
      kept_.resize(jobs.size());
      kept_[s.job] += j.gpus * kept;
      lost += j.gpus * (worked - kept);
      s.stall = j.restart_cost;
    }
    s.started = false;
    s.had = s.pace = 0;
    waiting_.push_back(s);
  }
  void join_those_waiting(std::vector<PlainSharedJob>& jobs) {
    kept_.resize(jobs.size());
    std::sort(waiting_.begin(), waiting_.end(), [](const Stay& a, const Stay& b) { return a.job < b.job; });
    std::vector<Stay> still;
    for (Stay s : waiting_) {
      const PlainSharedJob& j = jobs[s.job];
      double best = 0;
      for (const std::size_t p : fastest_first()) {
        if (pools_[p].up < j.gpus) continue;
        const double pace = speeds_[p] * (quantum_ > 0 ? turns_of(jobs, p, s) : pace_of(jobs, p, s));
        if (pace <= best * (1 + 1e-9)) continue;
        best = pace;
        s.pool = p;
      }
      if (best == 0) {
        still.push_back(s);
        continue;
      }
      s.left = std::min(work_of(s, j), limit_of(s, j));
      Pool& p = pools_[s.pool];
      if (quantum_ > 0) {
        drop_empty_rows(p);
        s.row = row_for(jobs, p, j.gpus);
      }
      s.joined = ++joins_;
      p.stays.push_back(s);
    }
    waiting_ = still;
  }
  std::vector<std::size_t> fastest_first() const {
    std::vector<std::size_t> order(speeds_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return speeds_[a] > speeds_[b]; });
    return order;
  }

  // --- at once

  double pace_of(const std::vector<PlainSharedJob>& jobs, std::size_t pool, Stay s) const {
    Pool p = pools_[pool];
    p.stays.push_back(s);
    fill(jobs, p);
    return p.stays.back().pace;
  }
  void divide(std::vector<PlainSharedJob>& jobs, Pool& p) {
    fill(jobs, p);
    for (Stay& s : p.stays) begin(jobs, s);
  }
  /// Whoever asks for less than its part of what is left gets what it asks for; then again among the others.
  static void fill(const std::vector<PlainSharedJob>& jobs, Pool& p) {
    std::vector<bool> met(p.stays.size());
    for (bool more = true; more;) {
      double left = static_cast<double>(p.up), weight = 0;
      for (std::size_t i = 0; i < p.stays.size(); ++i) {
        const PlainSharedJob& j = jobs[p.stays[i].job];
        if (met[i])
          left -= j.gpus;
        else
          weight += j.weight;
      }
      more = false;
      for (std::size_t i = 0; i < p.stays.size(); ++i) {
        const PlainSharedJob& j = jobs[p.stays[i].job];
        if (met[i]) continue;
        p.stays[i].pace = std::min(left * j.weight / weight / j.gpus, 1.0);
        if (left * j.weight / weight < j.gpus) continue;
        met[i] = more = true;
      }
    }
  }
  void begin(std::vector<PlainSharedJob>& jobs, Stay& s) {
    if (s.started) return;
    s.started = true;
    s.order = ++starts_;
    if (jobs[s.job].first_start < 0) jobs[s.job].first_start = now_;
  }

  // --- in turns

  static std::int64_t used(const std::vector<PlainSharedJob>& jobs, const Pool& p, std::size_t row) {
    std::int64_t sum = 0;
    for (const Stay& s : p.stays)
      if (s.row == row) sum += jobs[s.job].gpus;
    return sum;
  }
  std::size_t row_for(const std::vector<PlainSharedJob>& jobs, Pool& p, std::int64_t gpus) {
    for (const std::size_t row : p.rows)
      if (p.up - used(jobs, p, row) >= gpus) return row;
    p.rows.push_back(++rows_made_);
    return rows_made_;
  }
  double turns_of(const std::vector<PlainSharedJob>& jobs, std::size_t pool, const Stay& s) {
    Pool p = pools_[pool];
    drop_empty_rows(p);
    row_for(jobs, p, jobs[s.job].gpus);
    return 1 / static_cast<double>(p.rows.size());
  }
  void drop_empty_rows(Pool& p) {
    const auto is_empty = [&](std::size_t row) {
      return std::none_of(p.stays.begin(), p.stays.end(), [&](const Stay& s) { return s.row == row; });
    };
    if (p.turn != 0 && is_empty(p.turn)) {
      const auto at =
          static_cast<std::size_t>(std::find(p.rows.begin(), p.rows.end(), p.turn) - p.rows.begin());
      p.turn = 0;
      for (std::size_t k = 1; k < p.rows.size() && p.turn == 0; ++k)
        if (const std::size_t row = p.rows[(at + k) % p.rows.size()]; !is_empty(row)) p.turn = row;
      p.turn_ends = now_ + quantum_;
    }
    p.rows.erase(std::remove_if(p.rows.begin(), p.rows.end(), is_empty), p.rows.end());
    pass_turns_of_one(p);
  }
  void pass_turns_of_one(Pool& p) const {
    while (p.rows.size() == 1 && p.turn_ends <= now_) p.turn_ends += quantum_;
  }
  void seat_what_does_not_fit(const std::vector<PlainSharedJob>& jobs, Pool& p) {
    pass_turns_of_one(p);
    std::vector<std::size_t> moved;
    for (const std::size_t row : p.rows) {
      std::int64_t over = used(jobs, p, row) - p.up;
      std::vector<std::size_t> seated;
      for (std::size_t i = 0; i < p.stays.size(); ++i)
        if (p.stays[i].row == row) seated.push_back(i);
      std::sort(seated.begin(), seated.end(),
                [&](std::size_t a, std::size_t b) { return p.stays[a].joined < p.stays[b].joined; });
      for (; over > 0; seated.pop_back()) {
        over -= jobs[p.stays[seated.back()].job].gpus;
        moved.push_back(seated.back());
      }
    }
    std::sort(moved.begin(), moved.end(),
              [&](std::size_t a, std::size_t b) { return p.stays[a].joined < p.stays[b].joined; });
    for (const std::size_t i : moved) p.stays[i].row = 0;
    for (const std::size_t i : moved) p.stays[i].row = row_for(jobs, p, jobs[p.stays[i].job].gpus);
  }
  void take_turns(std::vector<PlainSharedJob>& jobs, Pool& p) {
    drop_empty_rows(p);
    if (p.rows.empty()) {
      p.turn = 0;
      return;
    }
    if (p.turn == 0) {
      p.turn = p.rows.front();
      p.turn_ends = now_ + quantum_;
    } else if (now_ >= p.turn_ends) {
      const auto at =
          static_cast<std::size_t>(std::find(p.rows.begin(), p.rows.end(), p.turn) - p.rows.begin());
      p.turn = p.rows[(at + 1) % p.rows.size()];
      p.turn_ends = now_ + quantum_;
    }
    for (Stay& s : p.stays) {
      s.pace = s.row == p.turn ? 1 : 0;
      if (s.row == p.turn) begin(jobs, s);
    }
  }

  std::vector<double> speeds_;
  std::int64_t quantum_, now_ = 0;
  std::vector<Pool> pools_;
  std::vector<Stay> waiting_;
  std::vector<double> kept_;  ///< GPU-ticks behind checkpoints, by job
  std::uint64_t starts_ = 0, joins_ = 0;
  std::size_t rows_made_ = 0;
};

}  // namespace natgpu::testing
