// SPDX-License-Identifier: Apache-2.0
#include "replay_words.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <natgpu/core/time.hpp>
#include <natgpu/core/units.hpp>
#include <natgpu/scheduling/type_shares.hpp>

namespace natgpu::simulation {
namespace {

using scheduling::Backfill;

template <class E>
const std::string& name_of(const std::vector<scheduling::Choice<E>>& choices, E value) {
  return std::find_if(choices.begin(), choices.end(), [&](const auto& c) { return c.value == value; })->name;
}

std::string backfill_in_words(const ReplayOptions& o) {
  return name_of(scheduling::backfills(), o.backfill) +
         (o.reservations > 0 ? fmt::format(": {}", o.reservations) : "");
}

/// A policy that has a name of its own goes by it.
std::string policy_in_words(const ReplayOptions& o) {
  if (o.plugged)
    return fmt::format("policy {} (sha256 {}), {}", o.plugged.name, o.plugged.sha256,
                       o.plugged.decides() ? fmt::format("level 2, seed {}", o.seed)
                                           : fmt::format("level 1, backfill {}", backfill_in_words(o)));
  for (const scheduling::NamedPolicy& p : scheduling::named_policies())
    if (p.order == o.order && p.backfill == o.backfill) return fmt::format("policy {}", p.name);
  return fmt::format("order {}, backfill {}", name_of(scheduling::orders(), o.order), backfill_in_words(o));
}

std::string length(Area ticks) {
  return format_quantity(static_cast<double>(ticks) / ticks_per_second, Dimension::time);
}
/// The numbers of an order that takes GPUs back, and what that costs.
std::string preemption_in_words(const ReplayOptions& o) {
  const scheduling::PreemptiveRule& p = o.preemption;
  std::string out;
  if (p.quantum > 0) out += fmt::format(", quantum {}", length(p.quantum));
  if (!p.limits.empty()) {
    std::vector<std::string> limits;
    for (const Area limit : p.limits) limits.push_back(length(limit));
    out += fmt::format(", thresholds {} of GPU time, promote {}", fmt::join(limits, " and "),
                       p.promote > 0 ? fmt::format("{}", p.promote) : "never");
  }
  if (p.round > 0) out += fmt::format(", rounds {}", length(p.round));
  out += fmt::format(", shield {}", length(p.shield));
  if (p.notice > 0) out += fmt::format(", notice {}", length(p.notice));
  out += o.segments.checkpoint == 0               ? ", work kept"
         : o.segments.checkpoint == no_checkpoint ? ", work lost"
                                                  : ", checkpoint " + length(o.segments.checkpoint);
  return out + fmt::format(", restart cost {}", length(o.segments.restart));
}

std::string types_in_words(const TypeOptions& t) {
  if (!t.any()) return "";
  std::string words = ", types";
  for (std::size_t j = 0; j < t.names.size(); ++j)
    words += fmt::format("{} {}={}", j > 0 ? " and" : "", t.names[j], t.gpus[j]);
  return words + fmt::format(", speeds {}, programs by {}", t.speeds.file, scheduling::program_solver());
}

std::string weights_in_words(const ReplayOptions& o) {
  std::string words;
  for (const auto& [queue, weight] : o.weights)
    words += fmt::format(", weight of queue {}: {}", queue, weight);
  return words;
}

/// Where nobody waits there is no order and no backfill to name.
std::string shared_in_words(const ReplayOptions& o) {
  const std::string words = o.sharing == scheduling::Sharing::gang
                                ? fmt::format("sharing gang, quantum {}", length(o.quantum))
                                : std::string("sharing ps");
  return fmt::format("{}{}, slowdown floor {} s", words, weights_in_words(o), o.slowdown_floor_s);
}

std::string fair_share_in_words(const scheduling::FairShareRule& rule, bool weighs) {
  std::string out =
      rule.half_life_s > 0 ? fmt::format(", half-life {} s", rule.half_life_s) : ", half-life off";
  if (!weighs) return out;
  const scheduling::PriorityWeights& w = rule.weights;
  return out + fmt::format(", fair share {}, weights age={},fair-share={},size={},queue={}, longest age {} s",
                           rule.factor == scheduling::FairShareRule::Factor::tree ? "tree" : "classic", w.age,
                           w.fair_share, w.size, w.queue, rule.longest_age_s);
}

/// What orders by account and class rank, and how.
std::string accounts_in_words(const ReplayOptions& o) {
  const AccountOptions& a = o.accounts;
  const bool weighs = o.order == scheduling::Order::multifactor;
  std::string out;
  if (by_use(o.order)) out += fair_share_in_words(a.fair_share, weighs);
  if (by_account(o)) {
    if (a.by_group) out += ", accounts group";
    out += a.shares.rows.empty() ? ", shares equal" : fmt::format(", shares {}", a.shares.file);
  }
  if (o.order == scheduling::Order::drf && a.cpu_milli > 0)
    out += fmt::format(", CPUs {}", static_cast<double>(a.cpu_milli) / 1000);
  if (o.order == scheduling::Order::drf && a.memory_mib > 0)
    out += fmt::format(", memory {} MiB", a.memory_mib);
  if (o.order == scheduling::Order::priority || (weighs && !a.classes.empty()))
    out += a.classes.empty() ? ", classes by name" : fmt::format(", classes {}", fmt::join(a.classes, ","));
  return out;
}

}  // namespace

std::string in_words(const ReplayOptions& o) {
  if (o.sharing != scheduling::Sharing::exclusive) return shared_in_words(o);
  return in_words(o, o.named ? "named" : "counted");
}

std::string in_words(const ReplayOptions& o, std::string_view view) {
  std::string parts;
  if (o.order == scheduling::Order::lottery) parts = fmt::format(", seed {}", o.seed);
  if (moves(o.order) && !by_holding(o.order))
    parts = o.recalc_s > 0 ? fmt::format(", recalc {} s", o.recalc_s) : ", recalc pass";
  if (o.by_class) parts += ", preemption by class";
  if (o.quota_reclaim) parts += ", preemption quota-reclaim";
  const bool may_preempt =
      o.plugged && o.plugged.decides() && o.semantics.pass == scheduling::PassRule::instant;
  if (preempts(o.order) || o.by_class || o.quota_reclaim || may_preempt) parts += preemption_in_words(o);
  parts += types_in_words(o.types) + weights_in_words(o) + accounts_in_words(o);
  using scheduling::EasyRule;
  if (o.backfill == Backfill::easy && o.easy != EasyRule{})
    parts += fmt::format(", spare {}, shadow {}, compare {}, waiting {}",
                         o.easy.spare == EasyRule::Spare::used ? "used" : "not",
                         o.easy.shadow == EasyRule::Shadow::refreshed ? "refreshed" : "fixed",
                         o.easy.compare == EasyRule::Compare::at_most ? "<=" : "<",
                         o.easy.waiting == EasyRule::Waiting::requested ? "requested" : "true");
  return fmt::format("{}{}, view {}, pass {}, ties {}, estimates {}, slowdown floor {} s", policy_in_words(o),
                     parts, view, o.semantics.pass == scheduling::PassRule::event ? "event" : "instant",
                     o.semantics.ties == scheduling::Ties::arrival_first ? "arrival-first" : "release-first",
                     o.exact_estimates ? "exact" : "requested", o.slowdown_floor_s);
}

}  // namespace natgpu::simulation
