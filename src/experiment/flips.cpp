// SPDX-License-Identifier: Apache-2.0
#include <natgpu/experiment/flips.hpp>

#include <algorithm>
#include <cmath>

#include "paired.hpp"

namespace natgpu::experiment {
namespace {

/// The estimates of every policy that answer the question; empty where one has none.
std::vector<const Estimate*> answers(const std::vector<PolicyRuns>& policies, const Question& question) {
  std::vector<const Estimate*> all;
  for (const PolicyRuns& p : policies) {
    all.push_back(answer(*p.summary, question));
    if (all.back() == nullptr) return {};
  }
  return all;
}

/// Replications in which the second of a pair is before the first.
class Count {
 public:
  explicit Count(std::size_t replications) : any_(replications, false), told_(replications, false) {}

  Share of(const Estimate& first, const Estimate& second, bool lower_is_better) {
    const Estimate d = paired_difference(first, second);
    std::size_t flipped = 0;
    for (std::size_t r = 0; r < d.values.size(); ++r) {
      if (!std::isfinite(d.values[r])) continue;
      told_[r] = true;
      const bool flip = lower_is_better ? d.values[r] > 0 : d.values[r] < 0;
      if (!flip) continue;
      ++flipped;
      any_[r] = true;
    }
    return share_of(flipped, d.n);
  }
  Share any() const {
    return share_of(static_cast<std::size_t>(std::count(any_.begin(), any_.end(), true)),
                    static_cast<std::size_t>(std::count(told_.begin(), told_.end(), true)));
  }

 private:
  std::vector<bool> any_, told_;
};

}  // namespace

std::vector<Flips> ranking_flips(const std::vector<PolicyRuns>& stated,
                                 const std::vector<PolicyRuns>& futures,
                                 const std::vector<Question>& questions) {
  std::vector<Flips> all;
  for (const Question& question : questions) {
    const std::vector<const Estimate*> as_stated = answers(stated, question);
    const std::vector<const Estimate*> shaken = answers(futures, question);
    if (as_stated.empty() || shaken.empty()) continue;
    Flips flips;
    flips.asked = *as_stated.front();
    const bool repeated = std::any_of(all.begin(), all.end(), [&](const Flips& f) {
      return f.asked.metric == flips.asked.metric && f.asked.labels == flips.asked.labels;
    });
    if (repeated) continue;  // a target on a headline
    flips.better = measures::better_of(flips.asked.metric, flips.asked.labels);
    const bool lower = flips.better == measures::Better::lower;
    Count in_futures(shaken.front()->values.size()), by_chance(flips.asked.values.size());
    for (std::size_t a = 0; a < stated.size(); ++a)
      for (std::size_t b = a + 1; b < stated.size(); ++b) {
        const double d = paired_difference(*as_stated[a], *as_stated[b]).mean;
        if (!(d != 0) || !std::isfinite(d)) continue;
        const bool a_first = lower ? d < 0 : d > 0;
        const std::size_t first = a_first ? a : b, second = a_first ? b : a;
        flips.pairs.push_back({stated[first].policy, stated[second].policy, as_stated[first]->mean,
                               as_stated[second]->mean, in_futures.of(*shaken[first], *shaken[second], lower),
                               by_chance.of(*as_stated[first], *as_stated[second], lower)});
      }
    flips.any = in_futures.any();
    flips.any_chance = by_chance.any();
    all.push_back(std::move(flips));
  }
  return all;
}

}  // namespace natgpu::experiment
