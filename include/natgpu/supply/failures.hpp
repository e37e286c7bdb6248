// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include <natgpu/core/random.hpp>
#include <natgpu/core/time.hpp>
#include <natgpu/supply/spec.hpp>

namespace natgpu::supply {

/// Failures and repairs of nodes on calendar up-time: they strike whether or not a job runs, and no policy
/// moves them. Knows no event list: each call returns when the next thing happens to that node.
///
/// Availability of one node is MTBF / (MTBF + MTTR) whatever the laws (renewal reward).
class FailureModel {
 public:
  /// @param stream_of_tranche  one stream a tranche, ("failures", tranche name); the entity is the node's
  /// ordinal in it
  FailureModel(const Failures& spec, std::vector<Stream> stream_of_tranche);

  bool active() const { return !spec_->causes.empty(); }

  struct Strike {
    Instant at = never;
    std::uint32_t cause = 0;
  };
  /// When node `node` of `tranche`, up since `now` for the k-th time (k = 0, 1, ...), fails next and of what:
  /// the first of competing exponential causes, the hazard multiplied by early_life_factor until
  /// commissioned_at + early_life. Drawn by inversion; at least one tick after `now`, `never` beyond 30,000
  /// years.
  Strike next_strike(std::uint32_t tranche, std::uint32_t node, std::uint32_t k, Instant now,
                     Instant commissioned_at) const;

  /// Length of the repair of that strike, once a crew is there.
  Duration repair_time(std::uint32_t tranche, std::uint32_t node, std::uint32_t k, std::uint32_t cause) const;

  /// Uniform that picks the first unit hit, keyed like the strike (SEMANTICS: who loses GPUs).
  double victim_uniform(std::uint32_t tranche, std::uint32_t node, std::uint32_t k) const;

 private:
  const Failures* spec_;
  std::vector<Stream> streams_;
  double total_rate_ = 0;  ///< strikes per second of one mature node
  std::vector<double> cause_cumulative_;
};

/// Repair crews: a queue of broken nodes served first come, first served.
class RepairShop {
 public:
  explicit RepairShop(std::int64_t crews) : crews_(crews) {}  ///< 0: as many as needed
  struct Ticket {
    std::uint32_t tranche = 0, node = 0;
    Duration length{};
    Instant broke{};  ///< when the node broke: it may leave service and break again before its turn
  };
  /// A node breaks. @returns true if a crew starts on it now (it is back after `length`), false if it waits.
  bool admit(const Ticket& ticket);
  /// A crew has finished. @returns true and the next ticket if one was waiting; its crew starts now.
  bool finish(Ticket& next);
  std::size_t waiting() const { return waiting_.size(); }

 private:
  std::int64_t crews_;
  std::int64_t busy_ = 0;
  std::deque<Ticket> waiting_;
};

}  // namespace natgpu::supply
