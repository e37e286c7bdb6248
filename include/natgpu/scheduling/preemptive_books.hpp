// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <natgpu/scheduling/preemptive_rule.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// What dispatchers share that take GPUs back: one pool, who runs in it, and who hands GPUs back under
/// notice.
class PreemptiveBooks {
 public:
  static constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();

  explicit PreemptiveBooks(PreemptiveRule rule) : rule_(std::move(rule)) {}

  /// The job in this slot hands its GPUs back: it is done, it lost them, or its notice is over.
  void finish_job(std::uint32_t slot) {
    for (auto* list : {&running_, &stopping_}) {
      const auto it = std::find_if(list->begin(), list->end(), [=](const Run& r) { return r.slot == slot; });
      if (it == list->end()) continue;
      free_ += it->gpus;
      return void(list->erase(it));
    }
  }
  void change_capacity(std::uint32_t, std::int64_t delta) { free_ += delta; }

  std::int64_t free(std::uint32_t) const { return free_; }
  std::size_t waiting() const { return waiting_; }
  /// The next instant at which it wants a pass, or `forever`.
  std::int64_t next_start() const { return waiting_ > 0 ? wake_ : forever; }

 protected:
  struct Run {
    QueueKey place;
    std::uint32_t slot;
    std::int32_t gpus;
    std::int64_t started;
    bool chosen = false;  ///< it keeps its GPUs in this pass
  };

  /// Whether passes at this instant decide; if not, the next round wakes it.
  bool begin_pass(std::int64_t now) {
    wake_ = rule_.round > 0 ? (now / rule_.round + 1) * rule_.round : forever;
    return rule_.round == 0 || now % rule_.round == 0;
  }
  bool shielded(const Run& r, std::int64_t now) const { return now - r.started < rule_.shield; }
  void note_wake(std::int64_t at) {
    if (rule_.round == 0) wake_ = std::min(wake_, at);
  }
  void note_shields(std::int64_t now) {
    for (const Run& r : running_)
      if (shielded(r, now)) note_wake(r.started + rule_.shield);
  }
  std::int64_t under_notice() const {
    std::int64_t gpus = 0;
    for (const Run& r : stopping_) gpus += r.gpus;
    return gpus;
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
    for (const Run& r : lost_) {
      if (rule_.notice > 0)
        stopping_.push_back(r);
      else
        free_ += r.gpus;
    }
    for (const Run& r : lost_) tell(r);
  }

  PreemptiveRule rule_;
  std::vector<Run> running_, stopping_;
  std::int64_t free_ = 0;
  std::int64_t wake_ = forever;
  std::size_t waiting_ = 0;

 private:
  std::vector<Run> lost_;
};

/// Who asks for no more than so many GPUs, whatever time they ask for.
inline Sieve up_to(std::int64_t gpus) {
  Sieve sieve;
  sieve.largest = gpus;
  for (std::size_t size = 0; size < size_classes && std::int64_t{1} << size <= gpus; ++size)
    sieve.admit(size, Sieve::any);
  return sieve;
}

}  // namespace natgpu::scheduling
