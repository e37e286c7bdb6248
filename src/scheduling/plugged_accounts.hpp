// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>

#include <natgpu/policy.h>
#include <natgpu/core/time.hpp>

namespace natgpu::scheduling {

/// What plugged policies are told of accounts. Instants are ticks.
class PluggedAccounts {
 public:
  void queue(std::int64_t account) { ++of(account).seen.waiting; }
  void leave_queue(std::int64_t account) { --of(account).seen.waiting; }
  /// A job takes GPUs, or (sign -1) hands them back.
  void hold(const natgpu_job& job, int sign, std::int64_t now) {
    Account& a = of(job.account);
    settle(a, now);
    a.seen.running += sign;
    a.seen.gpus += sign * job.gpus;
  }
  /// Null: nobody asked for this account yet.
  const natgpu_account* settled(std::int64_t account, std::int64_t now) {
    const auto it = accounts_.find(account);
    if (it == accounts_.end()) return nullptr;
    settle(it->second, now);
    return &it->second.seen;
  }

 private:
  struct Account {
    natgpu_account seen{};
    Area used = 0;             ///< GPU-ticks up to `settled`
    std::int64_t settled = 0;  ///< instant
  };
  Account& of(std::int64_t account) {
    Account& a = accounts_[account];
    a.seen.account = account;
    return a;
  }
  static void settle(Account& a, std::int64_t now) {
    a.used += static_cast<Area>(now - a.settled) * a.seen.gpus;
    a.settled = now;
    a.seen.used = static_cast<std::int64_t>(a.used / ticks_per_second);
  }

  std::map<std::int64_t, Account> accounts_;
};

}  // namespace natgpu::scheduling
