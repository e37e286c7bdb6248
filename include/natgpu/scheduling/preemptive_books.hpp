// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <natgpu/scheduling/job_group.hpp>
#include <natgpu/scheduling/preemptive_rule.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// Who asks for no more than so many GPUs, whatever time they ask for.
inline Sieve up_to(std::int64_t gpus) {
  Sieve sieve;
  sieve.largest = gpus;
  for (std::size_t size = 0; size < size_classes && std::int64_t{1} << size <= gpus; ++size)
    sieve.admit(size, Sieve::any);
  return sieve;
}

/// What dispatchers share that take GPUs back: pools and the groups of jobs that accept them, who waits, who
/// runs where, and who hands GPUs back under notice. A preempted job keeps its GPUs for the notice.
class PreemptiveBooks {
 public:
  static constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();

  /// One pool that all jobs accept.
  explicit PreemptiveBooks(PreemptiveRule rule) : PreemptiveBooks(std::move(rule), 1, {{{{0, 1.0}}}}) {}
  PreemptiveBooks(PreemptiveRule rule, std::size_t pools, std::vector<GroupSpec> groups)
      : rule_(std::move(rule)), pools_(pools), groups_(std::move(groups)), queues_(groups_.size()) {}

  /// The job in this slot hands its GPUs back: it is done, it lost them, or its notice is over.
  void finish_job(std::uint32_t slot) {
    Hand& hand = hands_[slot];
    std::vector<Run>& list = hand.stops ? stopping_ : running_;
    const Run r = list[hand.place];
    pools_[r.pool].free += r.gpus;
    if (hand.stops) pools_[r.pool].under_notice -= r.gpus;
    list[hand.place] = list.back();
    hands_[list[hand.place].slot].place = hand.place;
    list.pop_back();
  }
  void change_capacity(std::uint32_t pool, std::int64_t delta) {
    pools_[pool].free += delta;
    pools_[pool].capacity += delta;
  }
  /// Who comes first takes the GPUs of others: nothing is planned ahead, and what is announced tells nothing.
  void foresee(std::uint32_t, std::int64_t, std::int64_t) {}
  void withdraw_foreseen(std::uint32_t, std::int64_t, std::int64_t) {}
  void keep_profile() {}
  void extend(std::uint32_t, std::int64_t, std::int64_t, std::int64_t) {}

  std::int64_t free(std::uint32_t pool) const { return pools_[pool].free; }
  std::int64_t capacity(std::uint32_t pool) const { return pools_[pool].capacity; }
  std::size_t waiting() const { return waiting_; }
  /// The next instant at which it wants a pass, or `forever`.
  std::int64_t next_start() const { return waiting_ > 0 ? wake_ : forever; }

 protected:
  struct Pool {
    std::int64_t free = 0, capacity = 0;
    std::int64_t under_notice = 0;  ///< GPUs of jobs that were preempted and still hold them
    std::int64_t left = 0;          ///< what a pass has still to give
    bool closed = false;            ///< to all that come behind a job that did not fit (`skips` false)
  };
  struct Run {
    QueueKey place;
    std::uint32_t slot, pool;
    std::int32_t gpus;
    std::int64_t started;
    double speed;
    bool firm;            ///< nobody takes its GPUs
    bool chosen = false;  ///< it keeps its GPUs in this pass
  };

  /// Whether passes at this instant decide; if not, the next round wakes it.
  bool begin_pass(std::int64_t now) {
    wake_ = rule_.round > 0 ? (now / rule_.round + 1) * rule_.round : forever;
    for (Pool& p : pools_) p.closed = false;
    return rule_.round == 0 || now % rule_.round == 0;
  }
  /// Whether nobody may take its GPUs now.
  bool keeps(const Run& r, std::int64_t now) const { return r.firm || now - r.started < rule_.shield; }
  void note_wake(std::int64_t at) {
    if (rule_.round == 0) wake_ = std::min(wake_, at);
  }
  void note_shields(std::int64_t now) {
    for (const Run& r : running_)
      if (!r.firm && keeps(r, now)) note_wake(r.started + rule_.shield);
  }

  void begin_run(const WaitingJob& job, const PoolChoice& where, std::int64_t now, const QueueKey& place,
                 bool firm, bool chosen) {
    pools_[where.pool].free -= job.gpus;
    note_hand(job.slot, running_.size(), false);
    running_.push_back({place, job.slot, where.pool, job.gpus, now, where.speed, firm, chosen});
  }
  /// Of the pools that a group accepts and that are open, the most that one of them can still give.
  template <class Amount>
  std::int64_t most_in(std::uint32_t group, Amount&& amount) const {
    std::int64_t most = 0;
    for (const PoolChoice& c : groups_[group].choices)
      if (!pools_[c.pool].closed) most = std::max(most, amount(c.pool));
    return most;
  }
  bool has_open_pool(std::uint32_t group) const {
    return std::any_of(groups_[group].choices.begin(), groups_[group].choices.end(),
                       [this](const PoolChoice& c) { return !pools_[c.pool].closed; });
  }
  /// Nobody behind a job that does not fit gets GPUs of the pools that it accepts.
  void close_pools_of(std::uint32_t group) {
    for (const PoolChoice& c : groups_[group].choices) pools_[c.pool].closed = true;
  }

  /// Running jobs that are not chosen lose their GPUs, at once or after the notice.
  /// @param tell  told of each, in the order of `running_`
  template <class Tell>
  void take_back(Tell&& tell) {
    lost_.clear();
    std::size_t kept = 0;
    for (const Run& r : running_)
      if (r.chosen)
        running_[kept++] = r;
      else
        lost_.push_back(r);
    running_.resize(kept);
    renumber();
    for (const Run& r : lost_) {
      if (rule_.notice > 0) {
        pools_[r.pool].under_notice += r.gpus;
        note_hand(r.slot, stopping_.size(), true);
        stopping_.push_back(r);
      } else {
        pools_[r.pool].free += r.gpus;
      }
    }
    for (const Run& r : lost_) tell(r);
  }
  /// After running jobs have changed places.
  void renumber() {
    for (std::size_t i = 0; i < running_.size(); ++i) hands_[running_[i].slot].place = i;
  }

  PreemptiveRule rule_;
  std::vector<Pool> pools_;
  std::vector<GroupSpec> groups_;
  std::vector<WaitingQueue> queues_;  ///< by group
  std::vector<Run> running_, stopping_;
  std::int64_t wake_ = forever;
  std::size_t waiting_ = 0;

 private:
  /// Where a job that holds GPUs stands.
  struct Hand {
    std::size_t place = 0;
    bool stops = false;
  };
  void note_hand(std::uint32_t slot, std::size_t place, bool stops) {
    if (slot >= hands_.size()) hands_.resize(slot + std::size_t{1});
    hands_[slot] = {place, stops};
  }

  std::vector<Hand> hands_;  ///< by slot
  std::vector<Run> lost_;
};

}  // namespace natgpu::scheduling
