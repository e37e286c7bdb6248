// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/ensure.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/engine/event_list.hpp>
#include <natgpu/engine/fingerprint.hpp>

namespace natgpu::engine {

/// Order of events and passes at one instant.
struct LoopRules {
  bool pass_per_event = false;  ///< a pass after each arrival and each event, instead of one per instant
  bool arrivals_first = false;  ///< arrivals before everything else at an instant; only with pass_per_event
};

/// More events at one instant than any model needs means that something schedules itself for ever.
inline constexpr std::uint64_t default_instant_cap = 10'000'000;

/// Runs a model until `end` (exclusive) or until nothing is left, in the order (time, phase, kind, entity,
/// sequence).
///
/// A Model has, all inlined:
///   Payload;                                the payload of its events
///   EventList<Payload>& events();           everything scheduled
///   Instant next_arrival() const;           head of a stream that is already in time order, or `never`
///   Rank arrive(Instant now);               takes one arrival from that stream; returns its rank for the
///   fingerprint void handle(const Event<Payload>&);     any event of the list void decide(Instant now); one
///   scheduling pass bool keep_going(Instant now);           polled between instants
/// Arrivals come from a cursor because merging a sorted stream through the heap would double its cost.
/// A pass runs if an event of a phase before `observe`, or an arrival, came at that instant.
template <class Model>
class RunLoop {
 public:
  RunLoop(Model& model, LoopRules rules, std::uint64_t instant_cap = default_instant_cap)
      : model_(&model), rules_(rules), cap_(instant_cap) {}

  void run(Instant end) {
    auto& events = model_->events();
    for (;;) {
      const Instant next_event = events.next_time();
      const Instant next_arrival = model_->next_arrival();
      const Instant now = next_event < next_arrival ? next_event : next_arrival;
      if (now >= end || !model_->keep_going(now)) return;
      at_this_instant_ = 0;
      if (rules_.pass_per_event)
        one_by_one(now);
      else
        together(now, next_event == now);
    }
  }

  const Fingerprint& fingerprint() const { return fingerprint_; }

 private:
  void together(Instant now, bool event_due) {
    auto& events = model_->events();
    bool acted = event_due && drain(now, rank_of(Phase::decide, 0, 0));
    while (model_->next_arrival() == now) {
      take_arrival(now);
      acted = true;
    }
    // Timers of the decide phase are themselves the reason for a pass.
    if (events.next_time() == now) acted |= drain(now, rank_of(Phase::observe, 0, 0));
    if (acted) model_->decide(now);
    if (events.next_time() == now) {
      drain(now, ~Rank{0});
      NATGPU_ENSURE(events.next_time() != now,
                    "nothing is scheduled at now in the current or an earlier phase");
    }
  }

  void one_by_one(Instant now) {
    auto& events = model_->events();
    const bool arrivals_before = rules_.arrivals_first;
    for (;;) {
      const bool event_due = events.next_time() == now;
      const bool arrival_due = model_->next_arrival() == now;
      if (!event_due && !arrival_due) return;
      if (arrival_due &&
          (arrivals_before || !event_due || events.next_rank() > rank_of(Phase::arrive, 255, 0))) {
        take_arrival(now);
        model_->decide(now);
      } else {
        const auto event = events.pop();
        execute(event);
        if (event.phase() != Phase::observe) model_->decide(now);
      }
    }
  }

  bool drain(Instant now, Rank below) {
    auto& events = model_->events();
    bool any = false;
    while (events.next_time() == now && events.next_rank() < below) {
      execute(events.pop());
      any = true;
    }
    return any;
  }

  template <class E>
  void execute(const E& event) {
    count();
    fingerprint_.add(event.at, event.rank);
    model_->handle(event);
  }
  void take_arrival(Instant now) {
    count();
    fingerprint_.add(now, model_->arrive(now));
  }
  void count() {
    if (++at_this_instant_ > cap_)
      throw RunError(
          "runaway: more than " + std::to_string(cap_) +
          " events at one instant; a duration of zero or a policy's timer keeps the clock from moving");
  }

  Model* model_;
  LoopRules rules_;
  std::uint64_t cap_;
  std::uint64_t at_this_instant_ = 0;
  Fingerprint fingerprint_;
};

}  // namespace natgpu::engine
