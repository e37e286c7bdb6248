// SPDX-License-Identifier: Apache-2.0
// Jobs in rows, and in each row by kind, so that kinds that find no room are passed without a look at their
// jobs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// Rows of jobs, each row in queue order: what waits of an account, or the next jobs of all accounts. The
/// jobs of a row that are of one kind form a lane, which exists while it has any. O(log n) but for searches.
class AccountLanes {
 public:
  explicit AccountLanes(std::size_t rows) : fronts_(rows) {}

  void insert(std::uint32_t row, std::uint32_t kind, const WaitingJob& job);
  /// @param gpus  of the job that has this key  @returns false if it is not there
  bool erase(std::uint32_t row, std::uint32_t kind, const QueueKey& key, std::int32_t gpus);
  bool empty(std::uint32_t row) const { return fronts_[row].empty(); }

  struct Found {
    const WaitingJob* job = nullptr;  ///< void after any change
    std::uint32_t kind = 0;
  };
  /// The first job of the row, behind `after` if that is given, that requests no more than `longest(kind)`
  /// does of its kind; 0: none of it. O(lanes of the row), and O(log n) for those that may come first.
  template <class Longest>
  Found find(std::uint32_t row, const QueueKey* after, Longest&& longest) const {
    Found first;
    for (const auto& [front, place] : fronts_[row]) {
      if (first.job != nullptr && first.job->order < front) break;
      const Lane& lane = lanes_[place];
      const WaitingJob* job = first_within(lane.jobs, after, longest(lane.kind));
      if (job != nullptr && (first.job == nullptr || job->order < first.job->order)) first = {job, lane.kind};
    }
    return first;
  }

 private:
  struct Lane {
    WaitingQueue jobs;
    QueueKey front;
    std::uint32_t kind = 0;
  };
  void move_front(std::uint32_t row, std::uint32_t place);

  std::vector<std::set<std::pair<QueueKey, std::uint32_t>>> fronts_;           ///< by row: first job, lane
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> place_of_;  ///< by row and kind: the lane
  std::vector<Lane> lanes_;
  std::vector<std::uint32_t> spare_;  ///< lanes without jobs
};

}  // namespace natgpu::scheduling
