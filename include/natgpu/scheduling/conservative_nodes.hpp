// SPDX-License-Identifier: Apache-2.0
// Backfill conservative and reservations on machines: waiting jobs hold places to come, all or the first N.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include <natgpu/scheduling/machine_future.hpp>
#include <natgpu/scheduling/machine_outlook.hpp>
#include <natgpu/scheduling/node_books.hpp>
#include <natgpu/scheduling/reservation_queue.hpp>

namespace natgpu::scheduling {

/// Where and when a job is to run: machines, and from when on.
struct NodeReservation {
  Attempt at;
  std::int64_t start = MachineFuture::forever;
  bool stands = true;  ///< in the future of its machines; if not, it is to be placed anew
  std::int64_t end() const { return end_after(start, at.requested); }
};

/// ConservativeDispatcher's rule on machines: a reservation is a place, found by the rule of placement on
/// what is free during all of its time, at the earliest instant, of now and the ends of what is held, at
/// which there is one. A pass goes in the same order: what a loss has put off is placed anew; with a limit
/// new jobs join the queue; one sweep, if anything came free; jobs whose time has come start; jobs that no
/// machines could hold are tried again after a gain; with a limit, the queue moves up, then jobs behind it
/// start beside all reservations; without, new jobs.
///
/// Decision 0022. A job that is lifted out in a sweep is placed anew by the rule, on other machines too, and
/// keeps its place if the rule finds none that starts as early. Of several pools it takes the one in which it
/// ends earliest; a sweep moves it to another only for a start within its promise. A sweep of Q reserved jobs
/// looks at all machines for each: O(Q (M + instants tried)).
class ConservativeNodes : public NodeBooks, public ReservationQueue<ConservativeNodes, NodeReservation> {
 public:
  static constexpr std::int64_t forever = MachineFuture::forever;

  /// @param limit  jobs that hold reservations, from the head of the queue on; 0: all
  explicit ConservativeNodes(NodeBooks&& books, std::int64_t limit = 0);

  // --- as NodeBooks

  void submit(std::uint32_t kind, const WaitingJob& job) {
    submitted_.push_back({kind, job});
    ++waiting_;
  }
  bool withdraw(std::uint32_t kind, const QueueKey& key, std::int32_t gpus);
  void finish_job(std::uint32_t slot);
  std::vector<Hold> hand_back(std::uint32_t slot, const std::vector<GpuPlace>& gpus);
  void extend_job(std::uint32_t slot, std::int64_t new_end);
  std::vector<std::uint32_t> fail(const Machine& machine);
  void repair(const Machine& machine);
  std::uint32_t add_machine(std::uint32_t pool);
  void plan_departures(std::uint32_t pool, const Departures& leave_at,
                       const std::vector<std::uint8_t>& level);

  /// The next instant at which a reserved job is to start, or `forever`: a pass is due then.
  std::int64_t next_start() const { return next_start_; }
  /// The start reserved for the job in this slot, or `forever`.
  std::int64_t promised(std::uint32_t slot) const;

  // --- the pass

  template <class Sink>
  void pass(std::int64_t now, Sink&& sink) {
    begin_pass(now);
    restore_promises();
    hold_first();
    if (freed_) sweep();
    start_due(sink);
    settle_all(unshelved_, sink);
    fill_front(sink);
    if (may_fit_) start_candidates(sink);
    settle_all(submitted_, sink);
    while (prolong_runs()) {
      restore_promises();
      start_due(sink);
    }
    end_pass();
  }

 private:
  friend class ReservationQueue<ConservativeNodes, NodeReservation>;
  using Queue = ReservationQueue<ConservativeNodes, NodeReservation>;
  using Place = NodeReservation;
  using Queue::Reserved, Queue::reserve, Queue::reserved_, Queue::submitted_;  // not those of NodeBooks

  // --- places (conservative_nodes.cpp)

  /// Where the job would end earliest, of starts up to `latest`; `start` is `forever` where it finds none.
  Place earliest_place(std::uint32_t kind, const WaitingJob& job, std::int64_t latest);
  Place earliest_in(const NodeChoice& choice, const WaitingJob& job, std::int64_t latest);
  bool place_at(const NodeChoice& choice, const WaitingJob& job, std::int64_t t, Attempt& found);
  /// On machines up to that level, as the sketch shows them.
  bool sketch(const NodeChoice& choice, const WaitingJob& job, std::size_t level, Attempt& found);
  /// Whether a job without a reservation may start beside all of them. Then it has what it needs.
  bool fits_now(std::uint32_t kind, const WaitingJob& job, Place& place);
  bool take_now(const Place& place) {
    return place.start <= now_ && take_if_free(sites_[place.at.pool].pool, place.at.holds);
  }
  void hold(const Place& place) { futures_[place.at.pool].hold(place.start, place.end(), place.at.holds); }
  void drop(Place& place) {
    if (place.stands) futures_[place.at.pool].release(place.start, place.end(), place.at.holds);
    place.stands = false;
  }
  void give_up(Reserved& r) { drop(r.place); }

  // --- steps of a pass

  void begin_pass(std::int64_t now);
  void end_pass();
  void restore_promises();
  void sweep();
  bool prolong_runs();

  /// A reserved job whose machines are still held at this instant starts in a later pass of it.
  template <class Sink>
  void start_due(Sink& sink) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < reserved_.size(); ++i) {
      Reserved& r = reserved_[i];
      if (r.place.stands && take_now(r.place)) {
        start(r.group, r.job, r.place.at, now_, sink);
        continue;
      }
      if (kept != i) reserved_[kept] = std::move(r);
      ++kept;
    }
    reserved_.resize(kept);
  }
  /// Starts the job, gives it a reservation, or puts it on the shelf. @pre it is in no queue
  template <class Sink>
  void settle(const Entry& e, Sink& sink) {
    Place place = earliest_place(e.group, e.job, forever);
    if (place.start == forever) {
      shelf_.push_back(e);
    } else if (take_now(place)) {
      hold(place);
      start(e.group, e.job, place.at, now_, sink);
    } else {
      hold(place);
      reserve(e, std::move(place));
    }
  }
  template <class Sink>
  bool start_beside(const Entry& e, Sink& sink) {
    Place place;
    if (!fits_now(e.group, e.job, place)) return false;
    hold(place);
    start(e.group, e.job, place.at, now_, sink);
    return true;
  }
  /// Jobs behind the first `limit` that fit, in queue order. What did not fit in the last pass can fit only
  /// if something has come free since.
  template <class Sink>
  void start_candidates(Sink& sink) {
    may_fit_ = false;
    std::map<QueueKey, Entry> next;
    for (const auto& [key, kind] : fronts_) next.insert({key, {kind, *queues_[kind].front()}});
    longest_.assign(kinds_.size(), Sieve::any);
    while (!next.empty()) {
      const Entry e = next.begin()->second;
      next.erase(next.begin());
      if (start_beside(e, sink))
        --queued_;
      else
        longest_[e.group] = longest_behind(e.job);
      const WaitingJob* behind = candidate(e.group, &e.job.order, longest_[e.group]);
      if (behind != nullptr) next.insert({behind->order, {e.group, *behind}});
    }
  }
  /// The longest request that may find room where this job has found none.
  std::int64_t longest_behind(const WaitingJob& job) const {
    return rules_.slowdown_milli == 1000 ? job.requested - 1 : Sieve::any;
  }

  // --- books

  void note_gain();
  /// The pool's reservations are to be placed anew.
  void put_off(std::uint32_t pool);
  template <class Overflows>
  void put_off_if(std::uint32_t pool, Overflows&& overflows);
  std::int64_t leaves(std::uint32_t pool, std::uint32_t machine) const;
  void enqueue(const Entry& e) {
    queues_[e.group].insert(e.job);
    move_front(e.group);
  }
  /// @pre a job is queued
  Entry head_of_queue() const {
    const std::uint32_t kind = fronts_.begin()->second;
    return {kind, *queues_[kind].front()};
  }

  std::vector<MachineFuture> futures_;  ///< by pool
  std::vector<NodePool> sketches_;      ///< by pool: machines as they will be, while a place is looked for
  MachineOutlook outlook_;
  std::vector<std::pair<std::uint32_t, std::int64_t>> prolonged_;  ///< slot, new end: in this pass
  std::vector<std::int64_t> longest_;  ///< by kind, of one search: the longest request that may find room
  std::int64_t now_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t next_start_ = forever;
  bool passing_ = false;
  bool put_off_any_ = false;
  bool freed_ = false;    ///< since the last sweep
  bool may_fit_ = false;  ///< for a job without a reservation something may have come free
};

}  // namespace natgpu::scheduling
