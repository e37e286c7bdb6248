// SPDX-License-Identifier: Apache-2.0
// Who runs now, in the node view: queue order under backfill none, fit, easy and easy-sjbf, on machines.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include <natgpu/scheduling/node_books.hpp>

namespace natgpu::scheduling {

/// One scheduling pass on machines. Decisions go to a sink at once: `sink.start(job, 0, requested)`, the
/// requested time slowed down where the gang is spread.
///
/// easy: jobs start in queue order until one is blocked. It is placed at the earliest requested end of a
/// running job after which it can be, by the rule; what it takes there is its reservation, worked out anew at
/// each pass. Then, in queue order, another job starts if it can be placed and ends, as requested, at or
/// before that instant; or if it can be placed on what the reservation leaves, both now and then. A job that
/// the machines that are there could not hold, were they empty, blocks nobody.
/// easy-sjbf: the same, but these others are tried by request, the shortest first.
template <Backfill B>
class NodeDispatcher : public NodeBooks {
  static_assert(B == Backfill::none || B == Backfill::fit || B == Backfill::easy || B == Backfill::easy_sjbf);
  static constexpr bool shortest_first = B == Backfill::easy_sjbf;
  static constexpr bool reserves = B == Backfill::easy || shortest_first;

 public:
  explicit NodeDispatcher(NodeBooks&& books) : NodeBooks(std::move(books)) {
    keeps_ends_ = reserves;
    keeps_requests_ = shortest_first;
  }

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    take_submitted();
    open_kinds();
    if constexpr (B == Backfill::fit) {
      start_what_fits(now, sink);
    } else {
      const std::uint32_t blocked = start_heads(now, reserves, sink);
      if constexpr (reserves)
        if (blocked != GangKind::none) backfill(blocked, now, sink);
    }
  }

 protected:
  struct Candidate {
    WaitingJob job;
    std::uint32_t kind;
    friend bool operator>(const Candidate& a, const Candidate& b) {
      if constexpr (shortest_first)
        return ByRequest::key(b.job) < ByRequest::key(a.job);
      else
        return b.job.order < a.job.order;
    }
  };
  using Candidates = std::priority_queue<Candidate, std::vector<Candidate>, std::greater<Candidate>>;

  Candidates first_candidates() const {
    Candidates first;
    for (const auto& [key, kind] : fronts_) consider(first, kind, nullptr);
    return first;
  }
  void consider(Candidates& candidates, std::uint32_t kind, const WaitingJob* after,
                std::int64_t most = Sieve::any) const {
    const WaitingJob* job = shortest_first
                                ? candidate_by_request(kind, after, most)
                                : candidate(kind, after != nullptr ? &after->order : nullptr, most);
    if (job != nullptr) candidates.push({*job, kind});
  }

  template <class Sink>
  void start_what_fits(std::int64_t now, Sink& sink) {
    Attempt found;
    for (Candidates candidates = first_candidates(); !candidates.empty();) {
      const Candidate c = candidates.top();
      candidates.pop();
      if (attempt(c.kind, c.job, now, found))
        start(c.kind, c.job, found, now, sink);
      else
        close(c.kind, c.job, now);
      consider(candidates, c.kind, &c.job);
    }
  }

  template <class Sink>
  void backfill(std::uint32_t head_kind, std::int64_t now, Sink& sink) {
    Candidates candidates = first_candidates();
    pass_over_those_without_room(candidates, now);
    if (candidates.empty()) return;
    const std::int64_t shadow = reserve(head_kind, *queues_[head_kind].front(), now);
    shows_all_ = true;
    beside_.assign(kinds_.size(), Sieve::any);
    Attempt found;
    while (!candidates.empty()) {
      const Candidate c = candidates.top();
      candidates.pop();
      start_beside(c, shadow, now, found, sink);
      const std::int64_t in_time = longest_request(shadow - now, fastest(c.kind));
      consider(candidates, c.kind, &c.job, std::max(in_time, beside_[c.kind]));
    }
    show(true);
  }
  /// Looking ahead costs more than looking for someone to whom it matters.
  void pass_over_those_without_room(Candidates& candidates, std::int64_t now) {
    Attempt found;
    while (!candidates.empty()) {
      const Candidate c = candidates.top();
      if (attempt(c.kind, c.job, now, found)) return give_back(found);
      candidates.pop();
      close(c.kind, c.job, now);
      consider(candidates, c.kind, &c.job);
    }
  }
  double fastest(std::uint32_t kind) const { return kinds_[kind].front().speed; }

  template <class Sink>
  void start_beside(const Candidate& c, std::int64_t shadow, std::int64_t now, Attempt& found, Sink& sink) {
    if (time_at_speed(c.job.requested, fastest(c.kind)) <= shadow - now) {
      show(true);
      if (!attempt(c.kind, c.job, now, found)) return close(c.kind, c.job, now);
      if (found.requested <= shadow - now) {
        note_taken(found, false);
        return start(c.kind, c.job, found, now, sink);
      }
      give_back(found);
    }
    if (c.job.requested > beside_[c.kind]) return;
    show(false);
    if (!attempt(c.kind, c.job, now, found)) {
      beside_[c.kind] = reach_below(c.kind, c.job, now);
      return;
    }
    note_taken(found, true);
    start(c.kind, c.job, found, now, sink);
  }

  /// Lets attempts see all that is free now, or only what the reservation leaves.
  void show(bool all) {
    if (all == shows_all_) return;
    shows_all_ = all;
    for (const Reserved& r : reserved_)
      sites_[r.machine.pool].pool.set(r.machine.node, all ? r.now : least_of(r.now, r.then));
  }
  void note_taken(const Attempt& found, bool outlives) {
    for (const Hold& h : found.holds)
      for (Reserved& r : reserved_)
        if (r.machine == Machine{found.pool, h.node}) {
          r.now.take(h);
          if (outlives) r.then.take(h);
        }
  }

  std::vector<std::int64_t>
      beside_;  ///< by kind: the longest request that may find room beside the reservation
  bool shows_all_ = true;
};

}  // namespace natgpu::scheduling
