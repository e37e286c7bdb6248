// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/fair_share.hpp>

#include <algorithm>
#include <utility>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/time.hpp>

namespace natgpu::scheduling {
namespace {

double seconds_of(std::int64_t ticks) {
  return static_cast<double>(ticks) / static_cast<double>(ticks_per_second);
}

}  // namespace

FairShare::FairShare(Order order, AccountTree tree, const FairShareRule& rule, std::int64_t gpus)
    : order_(order),
      tree_(std::move(tree)),
      rule_(rule),
      gpus_(static_cast<double>(gpus)),
      decay_(static_cast<double>(rule.half_life_s)),
      shares_(normalised_shares(tree_)),
      books_(tree_.size()),
      factors_(tree_.size()),
      place_of_(tree_.size()) {
  NATGPU_ENSURE(rule.longest_age_s > 0 && gpus > 0, "ages and sizes are parts of something");
  work_out();
}

void FairShare::advance(std::uint32_t account, std::int64_t to) {
  Book& b = books_[account];
  if (to <= b.as_of) return;
  const double elapsed = seconds_of(to - b.as_of);
  b.use = b.use * decay_.factor(elapsed) + static_cast<double>(b.held) * decay_.gain(elapsed);
  b.as_of = to;
}

void FairShare::rank_at(std::int64_t at) {
  for (std::uint32_t n = 0; n < books_.size(); ++n) advance(n, at);
  work_out();
}

void FairShare::work_out() {
  std::vector<double> own(books_.size());
  for (std::size_t n = 0; n < own.size(); ++n) own[n] = books_[n].use;
  std::vector<double> use = use_with_children(tree_, std::move(own));
  if (order_ == Order::fairtree || rule_.factor == FairShareRule::Factor::tree) {
    const std::vector<std::uint32_t> ranked = fair_tree(tree_, use);
    for (std::size_t place = 0; place < ranked.size(); ++place) {
      place_of_[ranked[place]] = static_cast<std::int64_t>(place);
      factors_[ranked[place]] = fair_tree_factor(place, ranked.size());
    }
    return;
  }
  const double all = use[AccountTree::root];
  for (double& u : use) u = all > 0 ? u / all : 0;
  const std::vector<double> effective = effective_use(tree_, use);
  for (std::uint32_t n = 1; n < tree_.size(); ++n) factors_[n] = classic_factor(effective[n], shares_[n]);
}

std::int64_t FairShare::key(std::int64_t wait, const WaitingJob& job, const Claimant& who) const {
  if (order_ == Order::fairtree) return place_of_[who.account];
  const double age = std::min(seconds_of(wait) / static_cast<double>(rule_.longest_age_s), 1.0);
  return -whole_priority(priority(
      rule_.weights, {age, factors_[who.account], static_cast<double>(job.gpus) / gpus_, who.queue_factor}));
}

}  // namespace natgpu::scheduling
