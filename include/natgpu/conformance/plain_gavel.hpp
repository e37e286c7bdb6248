// SPDX-License-Identifier: Apache-2.0
// Target shares in rounds as plain loops: at each round all that are there stand in one list, shares are
// found by raising or halving, and who is next is looked for one by one.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <natgpu/scheduling/preemptive_rule.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::conformance {

/// All of one weight.
class PlainGavel {
 public:
  explicit PlainGavel(scheduling::PreemptiveRule rule) : rule_(std::move(rule)) {}

  void submit(const scheduling::WaitingJob& job, const scheduling::Progress& progress, std::int64_t now) {
    Claim* c = find(job.slot);
    if (c == nullptr) {
      c = &claims_.emplace_back();
      c->joined = now;
      c->left = progress.remaining;
    }
    c->job = job;
    c->progress = progress;
    c->state = State::waits;
  }
  void finish_job(std::uint32_t slot) {
    Claim& c = *find(slot);
    free_ += c.job.gpus;
    c.state = State::gone;
  }
  void change_capacity(std::uint32_t, std::int64_t delta) { free_ += delta; }

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    if (now % rule_.round != 0 || !any_waits()) return;
    settle(now);
    const std::int64_t all = gpus();
    if (all == 0) return;
    set_shares(static_cast<double>(all), now);
    set_marks();
    const std::vector<std::uint32_t> chosen = choose(all, now);
    const auto is_chosen = [&](const Claim& c) {
      return std::find(chosen.begin(), chosen.end(), c.job.slot) != chosen.end();
    };
    std::vector<scheduling::WaitingJob> preempted;
    for (Claim& c : claims_) {
      if (c.state != State::runs || is_chosen(c)) continue;
      c.progress.attained = received(c, now);
      c.state = rule_.notice > 0 ? State::stops : State::stopped;
      if (rule_.notice == 0) free_ += c.job.gpus;
      preempted.push_back(c.job);
    }
    for (const scheduling::WaitingJob& job : preempted) sink.preempt(job);
    for (const std::uint32_t slot : chosen) {
      Claim& c = *find(slot);
      if (c.state != State::waits || c.job.gpus > free_) continue;
      c.state = State::runs;
      c.since = now;
      free_ -= c.job.gpus;
      sink.start(scheduling::WaitingJob(c.job), 0, c.job.requested);
    }
  }

 private:
  // stops: it still holds its GPUs; stopped: until it waits again
  enum class State : std::uint8_t { waits, runs, stops, stopped, gone };
  struct Claim {
    scheduling::WaitingJob job;
    scheduling::Progress progress;
    State state = State::waits;
    std::int64_t since = 0;  ///< instant of the present run
    std::int64_t joined = 0;
    Area share = 1;                 ///< in 2^-20
    Area mark = 0;                  ///< ticks
    std::int64_t counted = 0;       ///< ticks received at the last round
    bool seen = false;              ///< by a pass
    double isolated = 0, fair = 1;  ///< ticks; share of the last round
    std::int64_t left = 0;          ///< ticks of work, at the last round
  };

  Claim* find(std::uint32_t slot) {
    for (Claim& c : claims_)
      if (c.job.slot == slot) return &c;
    return nullptr;
  }
  bool any_waits() const {
    return std::any_of(claims_.begin(), claims_.end(),
                       [](const Claim& c) { return c.state == State::waits; });
  }
  std::int64_t gpus() const {
    std::int64_t all = free_;
    for (const Claim& c : claims_)
      if (c.state == State::runs || c.state == State::stops) all += c.job.gpus;
    return all;
  }
  std::int64_t received(const Claim& c, std::int64_t now) const {
    return c.progress.attained + (c.state == State::runs ? now - c.since : 0);
  }
  std::int64_t work_left(const Claim& c, std::int64_t now) const {
    if (c.state == State::stops) return c.left;
    const std::int64_t ran = c.state == State::runs ? now - c.since : 0;
    return c.progress.remaining - (ran > c.progress.restart ? ran - c.progress.restart : 0);
  }
  void settle(std::int64_t now) {
    for (Claim& c : claims_) {
      if (c.state == State::gone) continue;
      c.mark += way(received(c, now) - c.counted, c.share);
      c.counted = received(c, now);
      c.isolated += static_cast<double>(c.left - work_left(c, now)) / c.fair;
      if (c.isolated < 0) c.isolated = 0;
      c.left = work_left(c, now);
    }
  }
  /// GPUs for each in gavel-las where all have come to this level, in gavel-ftf where all are to finish at
  /// 1 / level times their isolated time.
  double share_at(double level, const Claim& c, std::int64_t now) const {
    const auto size = static_cast<double>(c.job.gpus);
    if (rule_.order == scheduling::Order::gavel_las) return std::min(1.0, level / size);
    const double total = c.isolated + static_cast<double>(c.left) / c.fair;
    const double rest = total - level * static_cast<double>(now - c.joined);
    const double work = level * static_cast<double>(c.left);
    return rest > work ? work / rest : 1.0;
  }
  double gpus_at(double level, std::int64_t now) const {
    double sum = 0;
    for (const Claim& c : claims_)
      if (c.state != State::gone) sum += share_at(level, c, now) * static_cast<double>(c.job.gpus);
    return sum;
  }
  void set_shares(double all, std::int64_t now) {
    std::int64_t present = 0, asked = 0;
    for (const Claim& c : claims_)
      if (c.state != State::gone) {
        ++present;
        asked += c.job.gpus;
      }
    for (Claim& c : claims_)
      c.fair = std::min(1.0, all / static_cast<double>(present) / static_cast<double>(c.job.gpus));
    double level = 0;
    for (double step = std::ldexp(1.0, 40); level + step > level; step /= 2)
      if (gpus_at(level + step, now) <= all) level += step;
    for (Claim& c : claims_) {
      if (c.state == State::gone) continue;
      const double share = static_cast<double>(asked) <= all ? 1.0 : share_at(level, c, now);
      c.share = static_cast<Area>(std::max(std::floor(std::ldexp(share, 20) + 0.5), 1.0));
    }
  }
  /// Ticks by which a job of this share moves while it receives so many.
  static Area way(Area ticks, Area share) { return (ticks << 20) / share; }
  Area due(const Claim& c) const { return c.mark + way(rule_.round, c.share) / 2; }
  void set_marks() {
    bool any = false;
    Area first = 0, furthest = 0;
    for (const Claim& c : claims_) {
      if (c.state == State::gone) continue;
      furthest = std::max(furthest, way(2 * rule_.round, c.share));
      if (!c.seen) continue;
      first = any ? std::min(first, due(c)) : due(c);
      any = true;
    }
    for (Claim& c : claims_) {
      if (c.state == State::gone) continue;
      if (!c.seen) c.mark = first;
      if (c.mark > first + furthest) c.mark = first + furthest;
      c.seen = true;
    }
  }
  /// By slot, in order of rank.
  std::vector<std::uint32_t> choose(std::int64_t left, std::int64_t now) const {
    std::vector<std::uint32_t> chosen;
    std::vector<const Claim*> rest;
    for (const Claim& c : claims_) {
      if (c.state == State::runs && now < c.since + rule_.shield) {
        chosen.push_back(c.job.slot);
        left -= c.job.gpus;
      } else if (c.state != State::gone && c.state != State::stops) {
        rest.push_back(&c);
      }
    }
    while (!rest.empty()) {
      std::size_t first = 0;
      for (std::size_t i = 1; i < rest.size(); ++i) {
        const Area a = due(*rest[i]), b = due(*rest[first]);
        if (a < b || (a == b && rest[i]->job.order.id < rest[first]->job.order.id)) first = i;
      }
      const Claim& c = *rest[first];
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(first));
      if (c.job.gpus <= left) {
        left -= c.job.gpus;
        chosen.push_back(c.job.slot);
      } else if (!rule_.skips) {
        break;
      }
    }
    return chosen;
  }

  scheduling::PreemptiveRule rule_;
  std::vector<Claim> claims_;
  std::int64_t free_ = 0;
};

}  // namespace natgpu::conformance
