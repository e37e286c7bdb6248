// SPDX-License-Identifier: Apache-2.0
// The dispatchers of replays under multifactor, fairtree, drf and maxmin.
#include <utility>

#include <natgpu/scheduling/account_dispatcher.hpp>
#include <natgpu/scheduling/dispatcher_for.hpp>
#include <natgpu/scheduling/fair_share.hpp>
#include <natgpu/scheduling/moving_order.hpp>

#include "replay_run.hpp"

namespace natgpu::simulation {
namespace {

using scheduling::Backfill;

template <class Dispatcher>
void run_by_use(Dispatcher dispatcher, const ReplayParts& p) {
  scheduling::FairShare rule(p.options.order, p.accounts.tree, p.options.accounts.fair_share, p.result.gpus);
  run_with(scheduling::MovingOrder<Dispatcher, scheduling::FairShare>(std::move(dispatcher), std::move(rule),
                                                                      p.options.recalc_s * ticks_per_second),
           p);
}

template <Backfill B>
void run_by_holding(const ReplayParts& p, bool due_counts_as_free) {
  scheduling::Amounts machine{1, 0, 0};
  if (p.options.order == scheduling::Order::drf)
    machine = {p.result.gpus, p.options.accounts.cpu_milli, p.options.accounts.memory_mib};
  run_with(scheduling::AccountDispatcher<B>(machine, p.accounts.weights, due_counts_as_free), p);
}

template <Backfill B>
void run_under(const ReplayParts& p) {
  const bool due_counts_as_free = p.options.semantics.ties == scheduling::Ties::arrival_first;
  if constexpr (B != Backfill::easy_sjbf && B != Backfill::conservative) {  // which drf and maxmin refuse
    if (by_holding(p.options.order)) return run_by_holding<B>(p, due_counts_as_free);
  }
  run_by_use(scheduling::make_dispatcher<B>(1, {scheduling::GroupSpec{{{0, 1.0}}}}, due_counts_as_free,
                                            p.options.reservations),
             p);
}

}  // namespace

void run_by_account(const ReplayParts& p) {
  const bool due_counts_as_free = p.options.semantics.ties == scheduling::Ties::arrival_first;
  if (p.options.easy != scheduling::EasyRule{})
    return run_by_use(scheduling::EasyVariant(p.options.easy, due_counts_as_free), p);
  using Runner = void (*)(const ReplayParts&);
  static constexpr Runner runners[] = {run_under<Backfill::none>,         run_under<Backfill::fit>,
                                       run_under<Backfill::easy>,         run_under<Backfill::easy_sjbf>,
                                       run_under<Backfill::conservative>, run_under<Backfill::conservative>};
  runners[static_cast<std::size_t>(p.options.backfill)](p);
}

}  // namespace natgpu::simulation
