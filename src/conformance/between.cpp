// SPDX-License-Identifier: Apache-2.0
#include "between.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace natgpu::conformance {
namespace {

/// What the rule would do in a pass then; empty: nothing, or nobody can tell.
std::string done_at(const Subject& rule, std::int64_t instant) {
  const std::unique_ptr<Subject> copy = rule.copy();
  if (copy == nullptr) return {};
  Notes notes;
  copy->pass(instant, notes);
  std::sort(notes.started.begin(), notes.started.end());
  std::sort(notes.preempted.begin(), notes.preempted.end());
  if (notes.started.empty() && notes.preempted.empty()) return {};
  const std::string starts = fmt::format("jobs started: {}", listed(notes.started));
  return notes.preempted.empty() ? starts
                                 : fmt::format("jobs preempted: {}; {}", listed(notes.preempted), starts);
}

}  // namespace

std::optional<Slept> slept_through(const Subject& rule, std::int64_t pass, std::int64_t next,
                                   std::int64_t round) {
  const std::int64_t unit = std::max<std::int64_t>(round, 1);
  std::int64_t last = (next - 1) / unit, before = (pass + 1) / unit;
  if (last <= before || done_at(rule, last * unit).empty() || !done_at(rule, pass + 1).empty())
    return std::nullopt;
  while (last - before > 1) {
    const std::int64_t between = before + (last - before) / 2;
    (done_at(rule, between * unit).empty() ? before : last) = between;
  }
  return Slept{last * unit, done_at(rule, last * unit)};
}

std::string listed(const std::vector<std::uint32_t>& jobs) {
  return jobs.empty() ? "none" : fmt::format("{}", fmt::join(jobs, ", "));
}

}  // namespace natgpu::conformance
