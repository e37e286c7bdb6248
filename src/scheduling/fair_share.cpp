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

/// Exact for whole GPUs.
double gpus_of(std::int64_t gpu_milli) {
  return static_cast<double>(gpu_milli) / whole_gpu_milli;
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
      is_counted_(tree_.size()),
      use_(tree_.size()),
      effective_(tree_.size()),
      family_of_(tree_.size(), no_family),
      users_below_(tree_.size()),
      users_ahead_(tree_.size()),
      before_(tree_.size()),
      factors_(tree_.size()),
      known_(tree_.size()) {
  NATGPU_ENSURE(rule.longest_age_s > 0 && gpus > 0, "ages and sizes are parts of something");
  for (std::uint32_t n = 0; n < tree_.size(); ++n) {
    if (tree_[n].children.empty()) continue;
    family_of_[n] = static_cast<std::uint32_t>(families_.size());
    Family& family = families_.emplace_back();
    for (const std::uint32_t child : tree_[n].children) family.shares += tree_[child].share;
    count(n);
  }
  for (auto n = static_cast<std::uint32_t>(tree_.size() - 1); n > 0; --n) {
    if (!is_inner(n)) users_below_[n] = 1;
    users_below_[tree_[n].parent] += users_below_[n];
  }
  for (const std::uint32_t n : counted_) {
    std::int64_t ahead = 0;
    for (const std::uint32_t child : tree_[n].children) {
      users_ahead_[child] = ahead;
      ahead += users_below_[child];
    }
  }
  work_out();
}

void FairShare::count(std::uint32_t account) {
  is_counted_[account] = true;
  counted_.insert(std::upper_bound(counted_.begin(), counted_.end(), account), account);
}

void FairShare::advance(std::uint32_t account, std::int64_t to) {
  Book& b = books_[account];
  if (to <= b.as_of) return;
  const double elapsed = seconds_of(to - b.as_of);
  b.use = b.use * decay_.factor(elapsed) + gpus_of(b.held_milli) * decay_.gain(elapsed);
  b.as_of = to;
}

void FairShare::rank_at(std::int64_t at) {
  for (const std::uint32_t n : counted_) advance(n, at);
  work_out();
}

void FairShare::work_out() {
  ++ranking_;
  sum_use();
  if (ranks_by_tree())
    rank_families();
  else
    work_out_effective_use();
}

void FairShare::sum_use() {
  for (const std::uint32_t n : counted_) use_[n] = is_inner(n) ? 0 : books_[n].use;
  for (auto n = counted_.rbegin(); n != counted_.rend(); ++n)
    if (*n != AccountTree::root) use_[tree_[*n].parent] += use_[*n];
}

// --- Fair Tree

/// Of siblings their parts of the common sums have the same denominators: share / use ranks as the level
/// value. Those without use rank first, in the order of the tree.
void FairShare::rank_families() {
  for (Family& f : families_) f.used.clear();
  for (const std::uint32_t n : counted_)
    if (n != AccountTree::root && use_[n] > 0) families_[family_of_[tree_[n].parent]].used.push_back(n);
  std::vector<std::uint32_t> ranked;
  for (const std::uint32_t parent : counted_) {
    if (!is_inner(parent)) continue;
    Family& f = families_[family_of_[parent]];
    f.users_of_used.assign(1, 0);
    for (const std::uint32_t child : f.used)
      f.users_of_used.push_back(f.users_of_used.back() + users_below_[child]);
    ranked = f.used;
    std::stable_sort(ranked.begin(), ranked.end(), [&](std::uint32_t a, std::uint32_t b) {
      return tree_[a].share / use_[a] > tree_[b].share / use_[b];
    });
    std::int64_t before = users_below_[parent] - f.users_of_used.back();
    for (const std::uint32_t child : ranked) {
      before_[child] = before;
      before += users_below_[child];
    }
  }
}
/// Users of the node's siblings that rank before it.
std::int64_t FairShare::users_before(std::uint32_t node) const {
  if (use_[node] > 0) return before_[node];
  const Family& f = families_[family_of_[tree_[node].parent]];
  const auto used_ahead = std::lower_bound(f.used.begin(), f.used.end(), node) - f.used.begin();
  return users_ahead_[node] - f.users_of_used[static_cast<std::size_t>(used_ahead)];
}
/// Among all users, the first being 0.
std::int64_t FairShare::place(std::uint32_t user) const {
  std::int64_t place = 0;
  for (std::uint32_t n = user; n != AccountTree::root; n = tree_[n].parent) place += users_before(n);
  return place;
}

// --- the classic factor

/// Of the node's part of all use; its parent's must be known. As `effective_use` has it for a whole tree.
double FairShare::effective_use_of(std::uint32_t node) const {
  const double all = use_[AccountTree::root];
  const double part = all > 0 ? use_[node] / all : 0;
  const std::uint32_t parent = tree_[node].parent;
  if (parent == AccountTree::root) return part;
  const double share = tree_[node].share / families_[family_of_[parent]].shares;
  return part + (effective_[parent] - part) * share;
}
void FairShare::work_out_effective_use() {
  for (const std::uint32_t n : counted_)  // parents stand before their children
    if (n != AccountTree::root && is_inner(n)) effective_[n] = effective_use_of(n);
}

double FairShare::factor(std::uint32_t account) const {
  if (known_[account] == ranking_) return factors_[account];
  known_[account] = ranking_;
  factors_[account] = ranks_by_tree()
                          ? fair_tree_factor(static_cast<std::size_t>(place(account)),
                                             static_cast<std::size_t>(users_below_[AccountTree::root]))
                          : classic_factor(effective_use_of(account), shares_[account]);
  return factors_[account];
}

std::int64_t FairShare::key(std::int64_t wait, const WaitingJob& job, const Claimant& who) const {
  if (order_ == Order::fairtree) return place(who.account);
  const double age = std::min(seconds_of(wait) / static_cast<double>(rule_.longest_age_s), 1.0);
  const double size = gpus_of(asked_milli(who, job)) / gpus_;
  return -whole_priority(priority(rule_.weights, {age, factor(who.account), size, who.queue_factor}));
}

}  // namespace natgpu::scheduling
