// SPDX-License-Identifier: Apache-2.0
#include "replay_words.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

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

}  // namespace

std::string in_words(const ReplayOptions& o) {
  std::string parts;
  if (o.order == scheduling::Order::lottery) parts = fmt::format(", seed {}", o.seed);
  if (moves(o.order)) parts = o.recalc_s > 0 ? fmt::format(", recalc {} s", o.recalc_s) : ", recalc pass";
  using scheduling::EasyRule;
  if (o.backfill == Backfill::easy && o.easy != EasyRule{})
    parts += fmt::format(", spare {}, shadow {}, compare {}, waiting {}",
                         o.easy.spare == EasyRule::Spare::used ? "used" : "not",
                         o.easy.shadow == EasyRule::Shadow::refreshed ? "refreshed" : "fixed",
                         o.easy.compare == EasyRule::Compare::at_most ? "<=" : "<",
                         o.easy.waiting == EasyRule::Waiting::requested ? "requested" : "true");
  return fmt::format("{}{}, view {}, pass {}, ties {}, estimates {}, slowdown floor {} s", policy_in_words(o),
                     parts, o.named ? "named" : "counted",
                     o.semantics.pass == scheduling::PassRule::event ? "event" : "instant",
                     o.semantics.ties == scheduling::Ties::arrival_first ? "arrival-first" : "release-first",
                     o.exact_estimates ? "exact" : "requested", o.slowdown_floor_s);
}

}  // namespace natgpu::simulation
