// SPDX-License-Identifier: Apache-2.0
// gavel-las and gavel-ftf over pools of several types as plain loops: everything is worked out anew at each
// round, by whoever is looked for among all. The target shares themselves are natgpu's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/preemptive_rule.hpp>
#include <natgpu/scheduling/type_shares.hpp>

namespace natgpu::testing {

class PlainTypedGavel {
 public:
  PlainTypedGavel(scheduling::PreemptiveRule rule, std::vector<std::uint32_t> type_of,
                  std::vector<scheduling::GroupSpec> groups)
      : rule_(std::move(rule)),
        type_of_(std::move(type_of)),
        groups_(std::move(groups)),
        capacity_(type_of_.size()) {
    for (const std::uint32_t t : type_of_) types_ = std::max(types_, t + 1);
  }

  void submit(const scheduling::WaitingJob& w, const scheduling::Progress& progress, std::int64_t now,
              std::uint32_t group, bool firm, double weight) {
    const bool is_new = jobs_.count(w.order.id) == 0;
    Job& j = jobs_[w.order.id];
    if (is_new) {
      j.joined = now;
      j.left = progress.remaining;
      j.on.resize(types_);
    }
    if (j.state == State::lost && !j.firm) j.on[type_of_[j.pool]].received += now - j.since;
    j.state = State::waits;
    j.waiting = w;
    j.progress = progress;
    j.group = group;
    j.firm = firm;
    j.weight = weight;
  }
  void withdraw_job(std::uint32_t slot) { in(slot).state = State::gone; }
  void finish_job(std::uint32_t slot) {
    Job& j = in(slot);
    j.state = j.state == State::runs ? State::lost : State::gone;
  }
  void change_capacity(std::uint32_t pool, std::int64_t delta) { capacity_[pool] += delta; }
  std::int64_t free(std::uint32_t pool) const {
    std::int64_t free = capacity_[pool];
    for (const auto& [id, j] : jobs_)
      if (holds(j) && j.pool == pool) free -= j.waiting.gpus;
    return free;
  }

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (now % rule_.round != 0 || !anything_to_do()) return;
    count_work(now);
    share(now);
    align();
    const std::map<std::uint64_t, std::uint32_t> chosen = choose(now);
    std::vector<std::uint64_t> lost;
    for (auto& [id, j] : jobs_)
      if (j.state == State::runs && (chosen.count(id) == 0 || chosen.at(id) != j.pool)) lost.push_back(id);
    for (const std::uint64_t id : lost) {
      Job& j = jobs_[id];
      j.on[type_of_[j.pool]].received += now - j.since;
      j.state = rule_.notice > 0 ? State::stops : State::gone;
    }
    for (const std::uint64_t id : lost) sink.preempt(scheduling::WaitingJob(jobs_[id].waiting));
    for (const std::uint64_t id : in_turn_) {
      Job& j = jobs_[id];
      if (j.state != State::waits || j.waiting.gpus > free(chosen.at(id))) continue;
      j.state = State::runs;
      j.pool = chosen.at(id);
      j.since = now;
      if (j.firm)
        for (Turn& t : j.on) t.share = 0;
      sink.start(scheduling::WaitingJob(j.waiting), j.pool,
                 scheduling::time_at_speed(j.waiting.requested, speed(j, type_of_[j.pool])));
    }
  }

 private:
  enum class State : std::uint8_t { waits, runs, stops, lost, gone };
  struct Turn {
    std::int64_t share = 0, mark = 0, received = 0, counted = 0;
    bool is_new = true;
  };
  struct Job {
    State state = State::gone;
    scheduling::WaitingJob waiting;
    scheduling::Progress progress;
    std::uint32_t group = 0, pool = 0;
    bool firm = false;
    double weight = 1, isolated = 0, fair_speed = 1;
    std::int64_t joined = 0, since = 0, left = 0;
    std::vector<Turn> on;  ///< types
  };
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  Job& in(std::uint32_t slot) {
    for (auto& [id, j] : jobs_)
      if (j.waiting.slot == slot && j.state != State::gone && j.state != State::lost) return j;
    throw std::logic_error("no job in this slot");
  }
  static bool holds(const Job& j) { return j.state == State::runs || j.state == State::stops; }
  /// It has a part in what is shared out.
  static bool present(const Job& j) {
    return j.state == State::waits || j.state == State::stops || (j.state == State::runs && !j.firm);
  }
  double speed(const Job& j, std::uint32_t type) const {
    for (const scheduling::PoolChoice& c : groups_[j.group].choices)
      if (type_of_[c.pool] == type) return c.speed;
    return 0;
  }
  bool anything_to_do() const {
    for (const auto& [id, j] : jobs_) {
      if (j.state == State::waits) return true;
      if (j.state != State::runs || j.firm) continue;
      for (std::uint32_t p = 0; p < capacity_.size(); ++p)
        if (speed(j, type_of_[p]) > speed(j, type_of_[j.pool]) && j.waiting.gpus <= capacity_[p]) return true;
    }
    return false;
  }
  void count_work(std::int64_t now) {
    for (auto& [id, j] : jobs_) {
      if (!present(j)) continue;
      std::int64_t left = j.left;
      if (j.state != State::stops) left = j.progress.remaining;
      if (j.state == State::runs && now - j.since > j.progress.restart)
        left -= scheduling::work_in(now - j.since - j.progress.restart, speed(j, type_of_[j.pool]));
      left = std::max<std::int64_t>(left, 1);
      j.isolated = std::max(j.isolated + static_cast<double>(j.left - left) / j.fair_speed, 0.0);
      j.left = left;
      for (std::uint32_t type = 0; type < types_; ++type) {
        Turn& t = j.on[type];
        std::int64_t received = t.received;
        if (j.state == State::runs && type_of_[j.pool] == type) received += now - j.since;
        if (t.share > 0) t.mark += scheduling::mark_moves(received - t.counted, t.share);
        t.counted = received;
      }
    }
  }
  void share(std::int64_t now) {
    scheduling::GpuTypes model;
    model.gpus.assign(types_, 0);
    model.largest.assign(types_, 0);
    for (std::uint32_t p = 0; p < capacity_.size(); ++p) {
      std::int64_t gpus = capacity_[p];
      for (const auto& [id, j] : jobs_)
        if (j.state == State::runs && j.firm && j.pool == p) gpus -= j.waiting.gpus;
      model.gpus[type_of_[p]] += gpus;
      model.largest[type_of_[p]] = std::max(model.largest[type_of_[p]], gpus);
    }
    std::vector<Job*> sharers;
    double weights = 0;
    for (auto& [id, j] : jobs_) {
      if (!present(j)) continue;
      bool anywhere = false;
      for (std::uint32_t type = 0; type < types_; ++type)
        anywhere |= speed(j, type) > 0 && j.waiting.gpus <= model.largest[type];
      if (anywhere) {
        sharers.push_back(&j);
        weights += j.weight;
      } else {
        for (Turn& t : j.on) t.share = 0;
      }
    }
    for (const scheduling::GroupSpec& g : groups_) {
      Job of_group;
      of_group.group = static_cast<std::uint32_t>(&g - groups_.data());
      std::vector<double>& row = model.speeds.emplace_back();
      for (std::uint32_t type = 0; type < types_; ++type) row.push_back(speed(of_group, type));
    }
    std::vector<scheduling::TypedClaim> claims;
    for (Job* j : sharers) {
      scheduling::TypedClaim c;
      c.job_class = j->group;
      c.job.gpus = j->waiting.gpus;
      c.job.weight = j->weight;
      j->fair_speed = scheduling::fair_speed(model, weights, c);
      c.job.elapsed = static_cast<double>(now - j->joined);
      c.job.remaining = static_cast<double>(j->left);
      c.job.isolated = j->isolated + c.job.remaining / j->fair_speed;
      claims.push_back(c);
    }
    const std::vector<double> shares = scheduling::type_shares(rule_.order, model, claims);
    for (std::size_t i = 0; i < sharers.size(); ++i) {
      Job& j = *sharers[i];
      std::uint32_t fastest = 0, largest = 0;
      for (std::uint32_t type = 0; type < types_; ++type)
        if (model.speed(j.group, type, j.waiting.gpus) > model.speed(j.group, fastest, j.waiting.gpus))
          fastest = type;
      for (std::uint32_t type = 0; type < types_; ++type) {
        const double x = shares[i * types_ + type];
        if (x > shares[i * types_ + largest]) largest = type;
        Turn& t = j.on[type];
        if (t.share == 0) t.is_new = true;
        t.share = x * 2 * scheduling::whole_share < 1 ? 0 : scheduling::on_grid(x);
      }
      if (shares[i * types_ + fastest] == shares[i * types_ + largest]) largest = fastest;
      j.on[largest].share = std::max<std::int64_t>(j.on[largest].share, 1);
    }
  }
  std::int64_t due(const Turn& t) const { return t.mark + scheduling::mark_moves(rule_.round, t.share) / 2; }
  void align() {
    std::vector<std::int64_t> first(types_, never), limit(types_, 0);
    std::int64_t begin = never;
    for (std::uint32_t type = 0; type < types_; ++type) {
      std::int64_t least = never;
      for (auto& [id, j] : jobs_) {
        const Turn& t = j.on[type];
        if (!present(j) || t.share == 0) continue;
        least = std::min(least, t.share);
        if (!t.is_new) first[type] = std::min(first[type], due(t));
      }
      if (least == never) continue;
      if (first[type] == never) first[type] = 0;
      limit[type] = scheduling::mark_moves(2 * rule_.round, least);
      begin = std::min(begin, first[type]);
    }
    for (auto& [id, j] : jobs_)
      for (std::uint32_t type = 0; type < types_ && present(j); ++type) {
        Turn& t = j.on[type];
        if (t.share == 0) continue;
        if (t.is_new) t.mark = first[type];
        t.is_new = false;
        t.mark = std::min(t.mark, first[type] + limit[type]);
        if (first[type] - begin > limit[type]) t.mark -= first[type] - begin - limit[type];
      }
  }

  struct Ask {
    std::uint64_t id;
    std::uint32_t type;
  };
  /// It runs, and may have to go.
  bool movable(const Job& j, std::int64_t now) const {
    return j.state == State::runs && !j.firm && now - j.since >= rule_.shield && now > j.since;
  }
  /// Who asks for GPUs of which type, whose round is due first foremost: found one after another.
  std::vector<Ask> ranking(std::int64_t now) const {
    std::vector<Ask> asks;
    const auto known = [&](std::uint64_t id, std::uint32_t type) {
      return std::any_of(asks.begin(), asks.end(),
                         [&](const Ask& a) { return a.id == id && a.type == type; });
    };
    while (true) {
      const Turn* first = nullptr;
      Ask ask{};
      for (const auto& [id, j] : jobs_)
        for (std::uint32_t type = 0; type < types_; ++type) {
          const Turn& t = j.on[type];
          if ((j.state != State::waits && !movable(j, now)) || t.share == 0 || known(id, type)) continue;
          if (first != nullptr && due(t) >= due(*first)) continue;  // ties: the first id, then type
          first = &t;
          ask = {id, type};
        }
      if (first == nullptr) return asks;
      asks.push_back(ask);
    }
  }
  /// Where in the ranking the first stands who must go from the pool for so many GPUs, if those go who stand
  /// last; behind all if nobody must.
  std::size_t first_to_go(const std::vector<Ask>& asks, std::uint32_t pool, std::int64_t lacking,
                          std::int64_t now) const {
    std::size_t place = asks.size() + 1;
    for (const auto& [id, j] : jobs_)  // those with no share there stand behind the ranking
      if (lacking > 0 && movable(j, now) && j.pool == pool && j.on[type_of_[pool]].share == 0) {
        place = asks.size();
        lacking -= j.waiting.gpus;
      }
    for (std::size_t i = asks.size(); i > 0 && lacking > 0; --i) {
      const Job& j = jobs_.at(asks[i - 1].id);
      if (!movable(j, now) || j.pool != pool || asks[i - 1].type != type_of_[pool]) continue;
      place = i - 1;
      lacking -= j.waiting.gpus;
    }
    return place;
  }

  /// The pool of each job's coming round. Sets in_turn_ to the order of the choice.
  std::map<std::uint64_t, std::uint32_t> choose(std::int64_t now) {
    std::map<std::uint64_t, std::uint32_t> chosen;
    std::vector<std::int64_t> left = capacity_, spare = capacity_;
    for (const auto& [id, j] : jobs_) {
      if (j.state != State::runs) continue;
      spare[j.pool] -= j.waiting.gpus;
      if (movable(j, now)) continue;
      chosen[id] = j.pool;
      left[j.pool] -= j.waiting.gpus;
    }
    in_turn_.clear();
    const std::vector<Ask> asks = ranking(now);
    const auto place = [&](std::uint64_t id, std::uint32_t type) {
      const Job& j = jobs_[id];
      const scheduling::PoolChoice* where = nullptr;
      std::size_t latest = 0;
      for (const scheduling::PoolChoice& c : groups_[j.group].choices) {
        if (type_of_[c.pool] != type || j.waiting.gpus > left[c.pool]) continue;
        const bool own = j.state == State::runs && j.pool == c.pool;
        const std::size_t turn =
            own ? asks.size() + 2 : first_to_go(asks, c.pool, j.waiting.gpus - spare[c.pool], now);
        if (where != nullptr && turn <= latest) continue;
        where = &c;
        latest = turn;
      }
      if (where == nullptr) return false;
      chosen[id] = where->pool;
      left[where->pool] -= j.waiting.gpus;
      if (latest != asks.size() + 2) spare[where->pool] -= j.waiting.gpus;
      in_turn_.push_back(id);
      return true;
    };
    std::vector<bool> closed(types_);
    for (const Ask& a : asks)
      if (chosen.count(a.id) == 0 && !closed[a.type] && !place(a.id, a.type)) closed[a.type] = !rule_.skips;
    for (const Ask& a : asks)
      for (const scheduling::PoolChoice& c : groups_[jobs_[a.id].group].choices)
        if (chosen.count(a.id) == 0 && !closed[type_of_[c.pool]]) (void)place(a.id, type_of_[c.pool]);
    return chosen;
  }

  scheduling::PreemptiveRule rule_;
  std::vector<std::uint32_t> type_of_;
  std::vector<scheduling::GroupSpec> groups_;
  std::vector<std::int64_t> capacity_;
  std::uint32_t types_ = 0;
  std::map<std::uint64_t, Job> jobs_;  ///< by id
  std::vector<std::uint64_t> in_turn_;
};

}  // namespace natgpu::testing
