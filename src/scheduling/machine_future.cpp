// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/machine_future.hpp>

#include <algorithm>
#include <iterator>

#include <natgpu/core/ensure.hpp>
#include <natgpu/scheduling/job_group.hpp>

namespace natgpu::scheduling {
namespace {

constexpr std::int64_t always = std::numeric_limits<std::int64_t>::min();

/// The step in which an instant lies; the first where it lies before all.
template <class Steps>
std::size_t step_at(const Steps& steps, std::int64_t at) {
  const auto behind = std::upper_bound(steps.begin(), steps.end(), at,
                                       [](std::int64_t t, const auto& s) { return t < s.from; });
  return behind == steps.begin() ? 0 : static_cast<std::size_t>(behind - steps.begin()) - 1;
}
/// The step that begins there: the last where it is `forever`, which no step reaches.
template <class Steps>
std::size_t cut(Steps& steps, std::int64_t at) {
  if (at == MachineFuture::forever) return steps.size();
  const std::size_t i = step_at(steps, at);
  if (steps[i].from >= at) return i;
  auto later = steps[i];
  later.from = at;
  steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(i) + 1, later);
  return i + 1;
}
template <class Steps>
void forget_before(Steps& steps, std::int64_t now) {
  steps.erase(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(step_at(steps, now)));
}
/// One step of two, where nothing changes between them.
template <class Steps, class Same>
void unite(Steps& steps, std::size_t i, Same&& same) {
  if (i > 0 && i < steps.size() && same(steps[i - 1], steps[i]))
    steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(i));
}
/// Changes all steps of [from, until), and forgets what is over.
template <class Steps, class Change, class Same>
void change_steps(Steps& steps, std::int64_t now, std::int64_t from, std::int64_t until, Change&& change,
                  Same&& same) {
  forget_before(steps, now);
  const std::size_t first = cut(steps, from), last = cut(steps, until);
  for (std::size_t i = first; i < last; ++i) change(steps[i]);
  unite(steps, last, same);
  unite(steps, first, same);
}

}  // namespace

MachineFuture::MachineFuture(std::span<const Node> machines) : levels_{{always, 0}} {
  for (const Node& node : machines) {
    machines_.push_back({{always, node}});
    levels_[0].milli += node.total_free_milli();
  }
}

void MachineFuture::add_machine() {
  machines_.push_back({{always, absent_node()}});
}

void MachineFuture::reset(std::uint32_t i, const Node& node) {
  const std::int64_t more = node.total_free_milli() - machines_[i].back().free.total_free_milli();
  for (Level& level : levels_) level.milli += more;
  machines_[i] = {{always, node}};
}

void MachineFuture::retype(std::uint32_t i, std::int8_t type) {
  for (Step& step : machines_[i]) step.free.type = type;
}

void MachineFuture::advance(std::int64_t now) {
  now_ = now;
  ends_.erase(ends_.begin(), ends_.upper_bound(now));
}

template <class Change>
void MachineFuture::change(std::int64_t from, std::int64_t until, const std::vector<Hold>& holds,
                           std::int64_t sign, Change&& change_step) {
  std::int64_t milli = 0;
  for (const Hold& h : holds) {
    milli += h.total_milli();
    change_steps(
        machines_[h.node], now_, from, until, [&](Step& s) { change_step(s.free, h); },
        [](const Step& a, const Step& b) { return a.free == b.free; });
  }
  change_steps(
      levels_, now_, from, until, [&](Level& l) { l.milli += sign * milli; },
      [](const Level& a, const Level& b) { return a.milli == b.milli; });
}

void MachineFuture::hold(std::int64_t from, std::int64_t until, const std::vector<Hold>& holds) {
  change(from, until, holds, -1, [](Node& free, const Hold& h) {
    NATGPU_ENSURE(free.has(h), "what is reserved is free");
    free.take(h);
  });
  add_end(until);
}

void MachineFuture::release(std::int64_t from, std::int64_t until, const std::vector<Hold>& holds) {
  if (until <= now_) return;
  change(std::max(from, now_), until, holds, 1, [](Node& free, const Hold& h) { free.give_back(h); });
  drop_end(until);
}

bool MachineFuture::is_free(std::int64_t from, std::int64_t until, const std::vector<Hold>& holds) const {
  return std::all_of(holds.begin(), holds.end(), [&](const Hold& h) {
    Node free = window(h.node, from, until).free;
    return std::all_of(holds.begin(), holds.end(), [&](const Hold& beside) {
      if (beside.node != h.node) return true;
      if (!free.has(beside)) return false;
      free.take(beside);
      return true;
    });
  });
}

void MachineFuture::drop_end(std::int64_t at) {
  const auto it = ends_.find(at);
  if (it != ends_.end() && --it->second == 0) ends_.erase(it);
}

MachineFuture::Window MachineFuture::window(std::uint32_t i, std::int64_t from, std::int64_t until) const {
  const Steps& steps = machines_[i];
  std::size_t k = step_at(steps, from);
  Window w{steps[k].free, forever};
  if (++k < steps.size()) w.same_until = steps[k].from;
  for (; k < steps.size() && steps[k].from < until; ++k) w.free = least_of(w.free, steps[k].free);
  if (k < steps.size()) w.same_until = std::min(w.same_until, steps[k].from - (until - from) + 1);
  return w;
}

std::int64_t MachineFuture::end_behind(std::int64_t at) const {
  const auto it = ends_.upper_bound(at);
  return it == ends_.end() ? forever : it->first;
}

std::int64_t MachineFuture::earliest_by_count(std::int64_t from, std::int64_t milli,
                                              std::int64_t length) const {
  std::size_t k = step_at(levels_, from);
  while (from != forever) {
    const std::int64_t until = end_after(from, length);
    while (k < levels_.size() && levels_[k].from < until && levels_[k].milli >= milli) ++k;
    if (k == levels_.size() || levels_[k].from >= until) return from;
    while (k < levels_.size() && levels_[k].milli < milli) ++k;
    if (k == levels_.size()) return forever;
    const auto end = ends_.lower_bound(levels_[k].from);
    from = end == ends_.end() ? forever : end->first;
    k = step_at(levels_, from);
  }
  return forever;
}

}  // namespace natgpu::scheduling
