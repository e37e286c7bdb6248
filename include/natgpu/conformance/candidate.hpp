// SPDX-License-Identifier: Apache-2.0
// A policy put to the test: how to make it, and what it claims.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <natgpu/conformance/subject.hpp>
#include <natgpu/scheduling/order.hpp>
#include <natgpu/scheduling/spec.hpp>

namespace natgpu::conformance {

using Maker = std::function<std::unique_ptr<Subject>()>;

/// Who is promised a start that only a loss without notice may put off.
enum class Promise : std::uint8_t {
  nobody,
  head,     ///< the first job of the queue, once it is blocked: its earliest hole beside what runs
  holders,  ///< each job with a reservation, as the plain loops make them
};

struct Claims {
  Promise promise = Promise::nobody;
  bool bounded_wait = false;  ///< nobody waits for ever behind jobs that came later
};

struct Candidate {
  std::string name;
  Maker make;
  /// Keys of the queue. An order that moves has those of submission.
  std::function<scheduling::StaticOrder()> order;
  bool order_moves = false;
  bool ranks_by_instant = false;  ///< who stands first depends on when a pass is made
  bool foresees = true;           ///< whether it can be told of outages; not with a notice
  std::int64_t shield = 0;        ///< ticks after a start during which it preempts nobody
  std::int64_t notice = 0;        ///< ticks from a preemption to the return of the GPUs
  std::int64_t round = 0;         ///< ticks; it acts at multiples of this alone; 0: at any instant
  Claims claims;
  std::string rule;  ///< the name of the rule with which each start is compared; empty: none
  Maker rule_as_plain_loops;
};

/// An order and a backfill of natgpu.
struct Parts {
  scheduling::Order order = scheduling::Order::fcfs;
  scheduling::Backfill backfill = scheduling::Backfill::none;
  std::int64_t reservations = 0;          ///< with Backfill::reservations
  std::uint64_t seed = 1;                 ///< of the lottery, and of a plugged policy's draws
  scheduling::PreemptiveRule preemption;  ///< of who takes GPUs back; `order` and `backfill` come from above
  /// Who takes GPUs back beside an order that takes none: by_class, whose keys are classes, or quota_reclaim,
  /// in an order that is settled at submission; spot_first is by_class in a scenario's own order.
  scheduling::PreemptionSettings::Mode mode = scheduling::PreemptionSettings::Mode::none;
};

/// Numbers of a preemptive order that suit small workloads: quanta of 10 s, thresholds of 64 and 200 GPU-s,
/// promotion after a wait of twice the service, rounds of 5 s where shares need them.
scheduling::PreemptiveRule small_preemption(scheduling::Order order);

/// natgpu's own; compared with plain loops. @pre an order that moves has no reservations beside the head's,
/// one that preempts has none, nor has a mode, and drf and maxmin have backfill none, fit or easy
Candidate built_in(const std::string& name, const Parts& parts);

/// A plugged policy. One of level 1 has the backfill of `parts` and is compared with it as natgpu's own are.
/// One of level 2 claims nothing. The policy must outlive the candidate.
Candidate plugged(const scheduling::PluggedPolicy& policy, const Parts& parts);

/// The candidate with the claims and the rule of another: each of its starts is compared.
Candidate like(Candidate candidate, const Candidate& other);

}  // namespace natgpu::conformance
