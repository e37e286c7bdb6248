// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// Waiting jobs of which the first `limit` of the queue hold reservations, whatever a reservation is: who is
/// among them, and in which order jobs get theirs.
///
/// @tparam Self   keeps the jobs without a reservation: `enqueue(Entry)`, `dequeue(group, key, gpus)`, which
/// says whether it was there, and `head_of_queue()`. It has `give_up(Reserved)`, `settle(Entry, sink)`
/// (starts the job, reserves, or shelves), `start_beside(Entry, sink)` (whether it could start beside all
/// reservations), and the flags `freed_`, `may_fit_`, `next_start_` and `now_`
/// @tparam Place  where and when a job is to run
template <class Self, class Place>
class ReservationQueue {
 public:
  static constexpr std::size_t everyone = std::numeric_limits<std::size_t>::max();

  /// Waiting jobs come under new keys, all at once. Reservations stay where they are, and the next sweep goes
  /// in the new order; only who no longer stands among the first `limit` gives one up.
  void rank_anew(std::vector<Reranked>& jobs) {
    std::sort(jobs.begin(), jobs.end(), [](const Reranked& a, const Reranked& b) { return a.was < b.was; });
    auto next = reserved_.begin();
    for (const Reranked& j : jobs) {
      while (next != reserved_.end() && next->job.order < j.was) ++next;
      if (next != reserved_.end() && next->job.order == j.was)
        (next++)->job.order = j.job.order;
      else
        rank_without_reservation(j);
    }
    std::sort(reserved_.begin(), reserved_.end(),
              [](const Reserved& a, const Reserved& b) { return a.job.order < b.job.order; });
    keep_first();
  }
  /// Waiting jobs that nothing can hold as things stand.
  std::size_t unholdable() const { return shelf_.size(); }
  /// Reservations that a loss of GPUs has put off.
  std::uint64_t broken_promises() const { return broken_promises_; }

 protected:
  struct Entry {  ///< a job outside reservations
    std::uint32_t group = 0;
    WaitingJob job;
  };
  struct Reserved {
    WaitingJob job;
    std::uint32_t group = 0;
    Place place;
  };

  /// @param limit  jobs that hold reservations, from the head of the queue on; at least 1
  explicit ReservationQueue(std::size_t limit) : limit_(limit) {}
  ~ReservationQueue() = default;

  // --- between passes

  /// @returns false if it is not waiting
  bool leave(std::uint32_t group, const QueueKey& key, std::int32_t gpus) {
    if (const auto it = find_reserved(key); it != reserved_.end()) {
      self().give_up(*it);
      reserved_.erase(it);
      self().freed_ = true;
      return true;
    }
    if (self().dequeue(group, key, gpus)) {
      --queued_;
      return true;
    }
    return erase_from(shelf_, key) || erase_from(unshelved_, key) || erase_from(submitted_, key);
  }
  /// What nothing could hold is tried again in the next pass.
  void unshelve() {
    unshelved_.insert(unshelved_.end(), shelf_.begin(), shelf_.end());
    shelf_.clear();
  }

  // --- in a pass

  /// With a limit new jobs join the queue before anything else is decided.
  void hold_first() {
    if (limit_ == everyone || quiet()) return;
    for (std::vector<Entry>* entries : {&unshelved_, &submitted_}) {
      for (const Entry& e : *entries) join_queue(e);
      entries->clear();
    }
    keep_first();
    self().may_fit_ = true;
  }
  /// In queue order.
  template <class Sink>
  void settle_all(std::vector<Entry>& entries, Sink& sink) {
    const auto in_order = [](const Entry& a, const Entry& b) { return a.job.order < b.job.order; };
    if (!std::is_sorted(entries.begin(), entries.end(), in_order))
      std::sort(entries.begin(), entries.end(), in_order);
    for (const Entry& e : entries) {
      if (limit_ == everyone)
        self().settle(e, sink);
      else if (!self().start_beside(e, sink))
        join_queue(e);
    }
    entries.clear();
  }
  /// Jobs of the queue move up into the first `limit`.
  template <class Sink>
  void fill_front(Sink& sink) {
    while (queued_ > 0 && reserved_.size() < limit_) {
      const Entry e = self().head_of_queue();
      leave_queue(e);
      self().settle(e, sink);
    }
  }
  void reserve(const Entry& e, Place&& place) {
    const auto behind =
        std::upper_bound(reserved_.begin(), reserved_.end(), e.job.order,
                         [](const QueueKey& k, const Reserved& r) { return k < r.job.order; });
    reserved_.insert(behind, {e.job, e.group, std::move(place)});
  }
  void leave_queue(const Entry& e) {
    self().dequeue(e.group, e.job.order, e.job.gpus);
    --queued_;
  }

  std::vector<Reserved> reserved_;  ///< in queue order; with a limit, all before the queue's jobs
  std::vector<Entry> submitted_;    ///< since the last pass
  std::vector<Entry> unshelved_;    ///< since the last pass
  std::vector<Entry> shelf_;        ///< jobs that nothing can hold: block nobody, wait for a gain
  std::size_t limit_;
  std::size_t queued_ = 0;  ///< jobs in the queue
  std::uint64_t broken_promises_ = 0;

 private:
  Self& self() { return static_cast<Self&>(*this); }
  const Self& self() const { return static_cast<const Self&>(*this); }

  /// Nothing has changed for those who wait, and who is new stands behind all reservations.
  bool quiet() const {
    return !self().freed_ && !self().may_fit_ && self().next_start_ > self().now_ && unshelved_.empty() &&
           reserved_.size() >= limit_ &&
           std::none_of(submitted_.begin(), submitted_.end(),
                        [&](const Entry& e) { return e.job.order < reserved_.back().job.order; });
  }
  /// Reservations of jobs that do not stand among the first `limit` are given up.
  void keep_first() {
    std::vector<Entry> rising;  // queued jobs that stand before the last reservation, for the time being
    while (queued_ > 0 && !reserved_.empty()) {
      const Entry head = self().head_of_queue();
      if (reserved_.back().job.order < head.job.order) break;
      if (reserved_.size() + rising.size() >= limit_) last_gives_way();
      leave_queue(head);
      rising.push_back(head);
    }
    for (const Entry& e : rising) join_queue(e);
  }
  void last_gives_way() {
    Reserved& last = reserved_.back();
    self().give_up(last);
    const Entry e{last.group, last.job};
    reserved_.pop_back();
    join_queue(e);
    self().may_fit_ = self().freed_ = true;
  }
  void join_queue(const Entry& e) {
    self().enqueue(e);
    ++queued_;
  }
  void rank_without_reservation(const Reranked& j) {
    if (self().dequeue(j.group, j.was, j.job.gpus)) {
      self().enqueue({j.group, j.job});
      return;
    }
    for (std::vector<Entry>* entries : {&submitted_, &unshelved_, &shelf_})
      if (const auto it = find_in(*entries, j.was); it != entries->end()) {
        it->job.order = j.job.order;
        return;
      }
  }

  typename std::vector<Reserved>::iterator find_reserved(const QueueKey& key) {
    const auto it = std::lower_bound(reserved_.begin(), reserved_.end(), key,
                                     [](const Reserved& r, const QueueKey& k) { return r.job.order < k; });
    return it != reserved_.end() && it->job.order == key ? it : reserved_.end();
  }
  static typename std::vector<Entry>::iterator find_in(std::vector<Entry>& entries, const QueueKey& key) {
    return std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.job.order == key; });
  }
  static bool erase_from(std::vector<Entry>& entries, const QueueKey& key) {
    const auto it = find_in(entries, key);
    if (it == entries.end()) return false;
    entries.erase(it);
    return true;
  }
};

}  // namespace natgpu::scheduling
