// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

#include <natgpu/policy.h>
#include <natgpu/core/random.hpp>
#include <natgpu/scheduling/spec.hpp>
#include <natgpu/scheduling/waiting_queue.hpp>

namespace natgpu::scheduling {

/// The key of a plugged order.
using KeyFunction = std::int64_t (*)(const natgpu_job*);

/// Keys of the orders that are settled at submission; of those that move, the instant of submission. Ties go
/// to the earlier submission, then to the position in the log or the sequence of submissions: `rank`.
class StaticOrder {
 public:
  StaticOrder() = default;
  /// @param lottery  draws of the order lottery, one for each entity
  StaticOrder(Order order, const Stream& lottery) : order_(order), lottery_(lottery) {}
  /// An order of someone else's (natgpu/policy.h, level 1); null: the first come stands first.
  explicit StaticOrder(KeyFunction plugged)
      : order_(plugged != nullptr ? Order::plugged : Order::fcfs), plugged_(plugged) {}

  /// @param submitted  ticks
  /// @param requested  ticks on the reference device, as first asked for
  /// @param rank       rises with submission, unique
  /// @param entity     whose draw the lottery takes; to a plugged order the job's id
  /// @param account    who asks, where that is known: to a plugged order alone
  /// @param job_class  0 is the highest: to the order priority alone
  QueueKey key(std::int64_t submitted, std::int64_t requested, std::int64_t gpus, std::uint64_t rank,
               std::uint64_t entity, std::int64_t account = -1, std::int64_t job_class = 0) const {
    switch (order_) {
      case Order::fcfs:
      case Order::wfp:  // ranked anew by MovingOrder
      case Order::unicef:
      case Order::srtf:  // ranked by PreemptiveDispatcher
      case Order::srsf:
      case Order::las:
      case Order::las2d:
      case Order::gavel_las:  // ranked by GavelDispatcher
      case Order::gavel_ftf:
      case Order::multifactor:
      case Order::fairtree:
      case Order::drf:  // ranked anew by AccountDispatcher
      case Order::maxmin:
        break;
      case Order::priority:
        return {job_class, rank};
      case Order::sjf:
        return {requested, rank};
      case Order::ljf:
        return {-requested, rank};
      case Order::saf:
        return {product(requested, gpus), rank};
      case Order::lottery:
        return {static_cast<std::int64_t>(lottery_.block(entity, 0).wide(0) >> 1), rank};
      case Order::plugged: {
        const natgpu_job job{static_cast<std::int64_t>(entity), submitted, requested, gpus, account, -1, -1};
        return {plugged_(&job), rank};
      }
    }
    return {submitted, rank};
  }

 private:
  static std::int64_t product(std::int64_t a, std::int64_t b) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    return b > 0 && a > most / b ? most : a * b;
  }

  Order order_ = Order::fcfs;
  Stream lottery_;
  KeyFunction plugged_ = nullptr;
};

}  // namespace natgpu::scheduling
