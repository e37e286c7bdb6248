// SPDX-License-Identifier: Apache-2.0
#include <natgpu/simulation/replay.hpp>

#include <algorithm>
#include <utility>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/scheduling/class_preemption.hpp>
#include <natgpu/scheduling/dispatcher_for.hpp>
#include <natgpu/scheduling/gavel.hpp>
#include <natgpu/scheduling/moving_order.hpp>
#include <natgpu/scheduling/preemptive.hpp>
#include <natgpu/scheduling/quota_reclaim.hpp>
#include <natgpu/scheduling/typed_gavel.hpp>

#include "replay_checks.hpp"
#include "replay_run.hpp"
#include "replay_types.hpp"
#include "replay_words.hpp"
#include "sharing_model.hpp"

namespace natgpu::simulation {
namespace {

using scheduling::Backfill;
using scheduling::PassRule;
using scheduling::Ties;

template <class Dispatcher>
void run_in_order(Dispatcher dispatcher, const ReplayParts& p) {
  if (moves(p.options.order))
    run_with(scheduling::MovingOrder(std::move(dispatcher), p.options.order,
                                     p.options.recalc_s * ticks_per_second),
             p);
  else
    run_with(std::move(dispatcher), p);
}

template <Backfill B>
void run_usual(const ReplayParts& p) {
  const bool due_counts_as_free = p.options.semantics.ties == Ties::arrival_first;
  if (p.options.easy != scheduling::EasyRule{})
    return run_in_order(scheduling::EasyVariant(p.options.easy, due_counts_as_free), p);
  run_in_order(scheduling::make_dispatcher<B>(1, {scheduling::GroupSpec{{{0, 1.0}}}}, due_counts_as_free,
                                              p.options.reservations),
               p);
}

template <Backfill B>
void run(const ReplayParts& p) {
  const ReplayOptions& options = p.options;
  const bool due_counts_as_free = options.semantics.ties == Ties::arrival_first;
  const bool in_line = options.order == scheduling::Order::fcfs && !options.plugged;
  if (B == Backfill::none && in_line && options.announced.empty() && !due_counts_as_free)
    return run_with(FifoDispatcher(), p);
  if (options.named && B == Backfill::conservative)
    return run_with(scheduling::NamedConservative(due_counts_as_free), p);
  if (options.named) return run_with(scheduling::NamedEasy(options.easy, due_counts_as_free), p);
  run_usual<B>(p);
}

void run_preemptive(const ReplayParts& p) {
  scheduling::PreemptiveRule rule = p.options.preemption;
  rule.order = p.options.order;
  rule.skips = p.options.backfill == Backfill::fit;
  if (p.options.by_class) return run_with(scheduling::ClassPreemption(std::move(rule)), p);
  if (p.options.quota_reclaim)
    return run_with(scheduling::QuotaReclaim(std::move(rule), scheduling::quotas_of(p.accounts.tree),
                                             p.options.order == scheduling::Order::priority),
                    p);
  if (p.options.types.any()) return run_with(typed_dispatcher(std::move(rule), p.options.types), p);
  if (by_target(rule.order)) return run_with(scheduling::GavelDispatcher(std::move(rule)), p);
  run_with(scheduling::PreemptiveDispatcher(std::move(rule)), p);
}

/// GPUs shared in time, in place of a queue.
void run_shared(const workload::JobLog& log, const ArrivalOrder& order, const ReplayOptions& options,
                ReplayResult& result) {
  const auto run_model = [&](auto sharing) {
    SharingModel model(log, order, options, result, std::move(sharing));
    run_through(model, {}, result);
  };
  if (options.sharing == scheduling::Sharing::gang)
    run_model(scheduling::GangSharing(result.gpus, options.quantum));
  else
    run_model(scheduling::ProcessorSharing(result.gpus));
}

ReplayResult replay_in(const ArrivalOrder& order, const workload::JobLog& log, const ReplayOptions& options,
                       const ReplayAccounts& accounts) {
  ReplayResult result;
  result.gpus = options.types.any() ? gpus_of(options.types)
                : options.gpus > 0  ? options.gpus
                                    : log.max_procs;
  result.start_s.assign(log.jobs.size(), -1);
  result.end_s.assign(log.jobs.size(), -1);
  result.killed.assign(log.jobs.size(), 0);
  result.without_jobs = accounts.without_jobs;
  result.semantics = in_words(options);
  if (options.sharing != scheduling::Sharing::exclusive) {
    run_shared(log, order, options, result);
    return result;
  }
  const ReplayParts parts{log, order, options, accounts, result};
  if (options.plugged && options.plugged.decides()) {
    const scheduling::PluggedPreemption preemption{options.semantics.pass == PassRule::instant,
                                                   options.preemption.shield, options.preemption.notice};
    run_with(
        scheduling::PluggedDispatcher(options.plugged, Streams(options.seed, 0).open("policy", "plugged"),
                                      options.semantics.ties == Ties::arrival_first, preemption),
        parts);
    return result;
  }
  if (preempts(options.order) || options.by_class || options.quota_reclaim) {
    run_preemptive(parts);
    return result;
  }
  if (by_use(options.order) || by_holding(options.order)) {
    run_by_account(parts);
    return result;
  }
  using Runner = void (*)(const ReplayParts&);
  static constexpr Runner runners[] = {run<Backfill::none>,         run<Backfill::fit>,
                                       run<Backfill::easy>,         run<Backfill::easy_sjbf>,
                                       run<Backfill::conservative>, run<Backfill::conservative>};
  runners[static_cast<std::size_t>(options.backfill)](parts);
  return result;
}

/// @throws RunError where types of GPU stand beside what has none, or are not whole
void check_types(const ReplayOptions& o) {
  const TypeOptions& t = o.types;
  if (!t.any()) return;
  if (!by_target(o.order) || o.sharing != scheduling::Sharing::exclusive)
    throw RunError("types of GPU go with gavel-las and gavel-ftf, and with nothing else");
  const bool whole = t.gpus.size() == t.names.size() && !t.speeds.rows.empty() &&
                     std::all_of(t.gpus.begin(), t.gpus.end(), [](std::int64_t g) { return g > 0; }) &&
                     std::all_of(t.speeds.rows.begin(), t.speeds.rows.end(),
                                 [&](const auto& row) { return row.speeds.size() == t.names.size(); });
  if (!whole) throw RunError("each type of GPU has a name, a number of GPUs and a speed in each row");
  if (o.gpus > 0 && o.gpus != gpus_of(t)) throw RunError("the GPUs of all types are those of the machine");
}

bool shares_without_a_queue(const ReplayOptions& o) {
  return o.order == scheduling::Order::fcfs && o.backfill == Backfill::none && !o.named && !o.plugged &&
         o.announced.empty() && o.semantics.pass == PassRule::instant;
}

}  // namespace

ReplayResult replay(const workload::JobLog& log, const ReplayOptions& options) {
  check_preemption(options);
  check_types(options);
  if (options.semantics.pass == PassRule::instant && options.semantics.ties == Ties::arrival_first)
    throw RunError(
        "ties arrival-first needs pass event: one pass per instant sees arrivals and completions together");
  check_reservations(options);
  const bool has_named_view =
      options.backfill == Backfill::easy || options.backfill == Backfill::conservative;
  if (options.named && (!has_named_view || moves(options.order) || !options.announced.empty() ||
                        options.easy.waiting == scheduling::EasyRule::Waiting::exact))
    throw RunError(
        "the named view has backfill easy or conservative, in an order settled at submission, with waiting "
        "jobs "
        "as requested and without announced outages");
  if (options.easy != scheduling::EasyRule{} &&
      (options.backfill != Backfill::easy || !options.announced.empty()))
    throw RunError("the parts of EASY can be chosen with backfill easy and without announced outages only");
  if (options.quota_reclaim && options.sharing != scheduling::Sharing::exclusive)
    throw RunError("where GPUs are shared in time nobody waits, and nobody reclaims");
  if (options.sharing != scheduling::Sharing::exclusive && !shares_without_a_queue(options))
    throw RunError(
        "GPUs that are shared in time have no queue: leave order, backfill, view, dialect and policy at fcfs "
        "and "
        "none, with one pass for each instant and no announced outages");
  if (!options.weights.empty() && options.sharing != scheduling::Sharing::ps && !by_target(options.order))
    throw RunError("weights go with processor sharing, gavel-las and gavel-ftf, and with nothing else");
  if ((options.sharing == scheduling::Sharing::gang) != (options.quantum > 0))
    throw RunError("a quantum goes with gang scheduling, and with nothing else");
  if (moves(options.order) && options.easy.waiting == scheduling::EasyRule::Waiting::exact)
    throw RunError("an order that moves with time ranks by requested times: leave waiting as requested");
  if (by_holding(options.order) &&
      (keeps_reservations(options.backfill) || options.backfill == Backfill::easy_sjbf ||
       options.easy != scheduling::EasyRule{}))
    throw RunError(
        "drf and maxmin rank accounts anew after each start: choose backfill none, fit, or easy in its usual "
        "parts");
  const ReplayAccounts accounts = accounts_of(log, options);
  // Nearly every log is in order, and to look first would cost a walk over all of it, 4 ns a job.
  try {
    return replay_in({}, log, options, accounts);
  } catch (const OutOfOrder&) {
    return replay_in(by_submission(log), log, options, accounts);
  }
}

}  // namespace natgpu::simulation
