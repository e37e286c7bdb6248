// SPDX-License-Identifier: Apache-2.0
#include "type_levels.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <natgpu/core/ensure.hpp>

namespace natgpu::scheduling {
namespace {

constexpr double rounding = 1e-12;  // an excess that is none, up to rounding
constexpr double telling = 1e-4;    // of a price: at less a type may have room that rounding hides
constexpr double just_above = 1 + 1e-7;
constexpr double narrow = 4e-16;    // of a level: where a search for it ends
constexpr int most_programs = 200;  // for a level; three to six are usual

/// What a pace costs at given prices: a convex line through corners, from pace 0 at no cost to pace 1.
class PaceCost {
 public:
  PaceCost(const ProgramJob& job, const std::vector<double>& prices) {
    corners_.push_back({0, 0});
    while (corners_.back().pace < 1) corners_.push_back(next(job, prices));
  }
  double at(double pace) const {
    const auto [from, to] = stretch(pace);
    return from.cost + (pace - from.pace) * (to.cost - from.cost) / (to.pace - from.pace);
  }
  /// Whether anything faster costs more.
  bool rises_above(double pace) const {
    const auto [from, to] = stretch(std::min(pace * just_above, 1.0));
    return to.cost > from.cost;
  }

 private:
  struct Corner {
    double pace, cost;
  };
  /// The least steep way up; of equally steep ones the longest.
  Corner next(const ProgramJob& job, const std::vector<double>& prices) const {
    const Corner from = corners_.back();
    std::optional<Corner> best;
    for (std::size_t j = 0; j < prices.size(); ++j) {
      const Corner to{job.pace[j], prices[j] * job.load[j]};
      if (to.pace <= from.pace) continue;
      if (best) {
        const double one = (to.cost - from.cost) * (best->pace - from.pace);
        const double other = (best->cost - from.cost) * (to.pace - from.pace);
        if (one > other || (one == other && to.pace < best->pace)) continue;
      }
      best = to;
    }
    NATGPU_ENSURE(best.has_value(), "a job has a best pace");
    return *best;
  }
  std::pair<Corner, Corner> stretch(double pace) const {
    std::size_t k = 1;
    while (k + 1 < corners_.size() && corners_[k].pace < pace) ++k;
    return {corners_[k - 1], corners_[k]};
  }
  std::vector<Corner> corners_;
};

class Levels {
 public:
  Levels(const std::vector<LevelledJob>& jobs, const std::vector<double>& prices)
      : jobs_(jobs),
        first_prices_(prices),
        program_(prices.size(), programs(jobs)),
        settled_(jobs.size(), -1.0),
        paces_(jobs.size()) {}

  std::vector<double> shares() {
    double level = 0;
    while (true) {
      const double top = top_level();
      if (top <= level) break;  // whoever is not settled has its best pace
      level = reach(level, top);
      if (costs_.empty()) break;  // all have it
      settle(level);
    }
    take_paces(level);
    program_.solve(paces_);
    return program_.shares();
  }

 private:
  static std::vector<ProgramJob> programs(const std::vector<LevelledJob>& jobs) {
    std::vector<ProgramJob> out;
    for (const LevelledJob& j : jobs) out.push_back(j.program);
    return out;
  }
  bool is_settled(std::size_t i) const { return settled_[i] >= 0; }
  double pace(std::size_t i, double level) const {
    return is_settled(i) ? settled_[i] : jobs_[i].pace_at(level);
  }
  void take_paces(double level) {
    for (std::size_t i = 0; i < jobs_.size(); ++i) paces_[i] = pace(i, level);
  }
  double top_level() const {
    double top = 0;
    for (std::size_t i = 0; i < jobs_.size(); ++i)
      if (!is_settled(i)) top = std::max(top, jobs_[i].full_level());
    return top;
  }
  /// The highest level from `low`, which can be had, to `high`. Leaves in costs_ what stands against more.
  double reach(double low, double high) {
    costs_.clear();
    lower(low, high, first_prices_);
    for (int programs = 0; programs < most_programs && high > low; ++programs) {
      take_paces(high);
      program_.solve(paces_);
      if (!lower(low, high, program_.prices())) break;
    }
    return high;
  }
  /// Lowers `high` to what these prices allow. @returns whether that is less
  bool lower(double low, double& high, const std::vector<double>& prices) {
    std::vector<PaceCost> costs;
    for (const LevelledJob& j : jobs_) costs.emplace_back(j.program, prices);
    costs_.swap(costs);
    const double level = affordable_level(low, high);
    if (level == high) {
      costs_.swap(costs);
      return false;
    }
    high = level;
    prices_ = prices;
    return true;
  }
  /// What all paces cost, of which there is 1.
  double excess(double level) const {
    double cost = -1;
    for (std::size_t i = 0; i < jobs_.size(); ++i) cost += costs_[i].at(pace(i, level));
    return cost;
  }
  /// The highest level at which paces cost no more than there is: by false position (Illinois), and by halves
  /// where that is slow.
  double affordable_level(double low, double high) const {
    const double allowed = std::max(excess(low), 0.0) + rounding;  // what can be had is affordable
    double over = excess(high) - allowed, under = excess(low) - allowed;
    if (over <= 0) return high;
    for (int step = 0; high - low > narrow * high; ++step) {
      double middle = step % 3 == 2 ? low + (high - low) / 2 : low + (high - low) * (under / (under - over));
      if (!(middle > low && middle < high)) middle = low + (high - low) / 2;
      if (!(middle > low && middle < high)) break;
      const double cost = excess(middle) - allowed;
      if (cost > 0) {
        high = middle;
        over = cost;
        under /= 2;
      } else {
        low = middle;
        under = cost;
        over /= 2;
      }
    }
    return low;
  }
  /// Whoever could only be faster at a price has what it gets: at these prices nothing is left. Those who
  /// would pay a low price alone may go on, and are settled at the next level if they cannot.
  void settle(double level) {
    std::vector<double> high_prices = prices_;
    for (double& p : high_prices)
      if (p < telling) p = 0;
    const auto pays = [&](std::size_t i, double has) {
      return costs_[i].rises_above(has) && PaceCost(jobs_[i].program, high_prices).rises_above(has);
    };
    if (settle_where(level, pays)) return;
    if (settle_where(level, [&](std::size_t i, double has) { return costs_[i].rises_above(has); })) return;
    settle_where(level, [](std::size_t, double) { return true; });  // the last digits hide who it is
  }
  /// @returns whether that stops anybody below its best pace
  template <class Stops>
  bool settle_where(double level, Stops stops) {
    bool any = false;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      if (is_settled(i)) continue;
      const double has = pace(i, level);
      if (has < 1 && !stops(i, has)) continue;
      settled_[i] = has;
      any |= has < 1;
    }
    return any;
  }

  const std::vector<LevelledJob>& jobs_;
  const std::vector<double>& first_prices_;
  OverloadProgram program_;
  std::vector<double> prices_;   ///< that bound the level
  std::vector<PaceCost> costs_;  ///< at these prices
  std::vector<double> settled_;  ///< paces; below 0: not yet
  std::vector<double> paces_;
};

}  // namespace

std::vector<double> levelled_shares(const std::vector<LevelledJob>& jobs, const std::vector<double>& prices) {
  return jobs.empty() ? std::vector<double>() : Levels(jobs, prices).shares();
}

}  // namespace natgpu::scheduling
