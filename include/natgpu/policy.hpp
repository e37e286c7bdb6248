// SPDX-License-Identifier: Apache-2.0
// natgpu/policy.h for C++20: a scheduling policy as a class. This header holds all of it; a library made with
// it is a library made with natgpu/policy.h, and natgpu tells no difference. docs/policies.md shows one of
// each level; `natgpu policy new NAME --lang c++` writes the first.
//
//   level 1: a class with a static `key`              class SmallestArea {
//                                                      public:
//                                                       static std::int64_t key(const natgpu::Job&) noexcept;
//                                                     };
//   level 2: a class derived from natgpu::Policy      class Fcfs : public natgpu::Policy { ... };
//            (with a static `key`: its queue's order)
//
//   NATGPU_POLICY_CLASS(Fcfs)                         once in a library, outside of any namespace
//
// Codes, instants and lengths are those of natgpu/policy.h, and so is what a policy must hold to. No
// exception crosses over into natgpu: one that leaves a function of a policy of level 2 ends the run with its
// message (exit 4); a `key` must be noexcept.
#ifndef NATGPU_POLICY_HPP
#define NATGPU_POLICY_HPP

#include <natgpu/policy.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <type_traits>

namespace natgpu {

using Job = natgpu_job;
using Account = natgpu_account;

/// What natgpu offers to a policy of level 2: the calls of natgpu_host, which say what each answers. To be
/// passed by value, and no longer of use once the policy's function has returned. `pool` is 0 in a replay;
/// scenarios have several.
class Host {
 public:
  explicit Host(const natgpu_host* calls) : calls_(calls) {}

  std::int64_t next_fit(std::int64_t from, std::int64_t max_gpus = NATGPU_ANY,
                        std::int64_t max_requested = NATGPU_ANY, std::int64_t pool = 0) const {
    return calls_->next_fit(calls_, from, max_gpus, max_requested, pool);
  }
  std::int64_t shadow(std::int64_t job, std::int64_t pool = 0) const {
    return calls_->shadow(calls_, job, pool);
  }
  /// GPUs free during [from, until).
  std::int64_t free(std::int64_t from, std::int64_t until, std::int64_t pool = 0) const {
    return calls_->free(calls_, pool, from, until);
  }
  /// Null where there is none.
  const Job* job(std::int64_t job) const { return calls_->job(calls_, job); }
  const Account* account(std::int64_t account) const { return calls_->account(calls_, account); }
  std::int64_t uniform(std::int64_t entity, std::int64_t index) const {
    return calls_->uniform(calls_, entity, index);
  }
  std::int64_t remaining(std::int64_t job) const { return calls_->remaining(calls_, job); }

  std::int64_t start(std::int64_t job, std::int64_t pool = 0) const {
    return calls_->start(calls_, job, pool);
  }
  std::int64_t preempt(std::int64_t job) const { return calls_->preempt(calls_, job); }
  std::int64_t reject(std::int64_t job) const { return calls_->reject(calls_, job); }
  std::int64_t wake_at(std::int64_t instant) const { return calls_->wake_at(calls_, instant); }
  std::int64_t pools() const { return calls_->pools(calls_); }
  std::int64_t choice(std::int64_t job, std::int64_t rank) const { return calls_->choice(calls_, job, rank); }
  std::int64_t requested_on(std::int64_t job, std::int64_t pool) const {
    return calls_->requested_on(calls_, job, pool);
  }

  /// Gives the run up with this message. To throw does the same.
  void fail(const char* message) const { calls_->fail(calls_, message); }

 private:
  const natgpu_host* calls_;
};

/// A policy of level 2. One object is made for each run, by the default constructor, and gone at its end.
/// Whatever is overridden is called, and nothing else; it has to be public.
class Policy {
 public:
  Policy() = default;
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;
  virtual ~Policy() = default;

  virtual void on_submit(Host, const Job&) {}
  virtual void on_start(Host, const Job&) {}
  virtual void on_end(Host, const Job&) {}
  virtual void on_withdraw(Host, const Job&) {}
  virtual void on_capacity(Host, std::int64_t /*pool*/, std::int64_t /*gpus*/, std::int64_t /*at*/) {}
  virtual void on_timer(Host, std::int64_t /*now*/) {}
  virtual void pass(Host, std::int64_t now) = 0;
};

namespace policy_detail {

/// Calls it; what it throws ends the run. A program from before `fail` cannot be told: there the exception
/// meets this noexcept, and the process ends with its message.
template <class Call>
void guarded(const natgpu_host* host, Call&& call) noexcept {
  constexpr std::size_t with_fail = offsetof(natgpu_host, fail) + sizeof(natgpu_host::fail);
  try {
    call();
  } catch (const std::exception& e) {
    if (host->size < with_fail) std::terminate();
    host->fail(host, e.what());
  } catch (...) {
    if (host->size < with_fail) std::terminate();
    host->fail(host, "it threw something that is no std::exception");
  }
}

/// The functions of a table, each for the member of the same name.
template <class P>
struct Calls {
  static void* create(const natgpu_host* host) noexcept {
    P* made = nullptr;
    guarded(host, [&] { made = new P(); });
    return made;
  }
  static void destroy(void* state) noexcept { delete static_cast<P*>(state); }
  static void on_submit(void* state, const natgpu_host* host, const natgpu_job* job) noexcept {
    guarded(host, [&] { of(state).P::on_submit(Host(host), *job); });
  }
  static void on_start(void* state, const natgpu_host* host, const natgpu_job* job) noexcept {
    guarded(host, [&] { of(state).P::on_start(Host(host), *job); });
  }
  static void on_end(void* state, const natgpu_host* host, const natgpu_job* job) noexcept {
    guarded(host, [&] { of(state).P::on_end(Host(host), *job); });
  }
  static void on_withdraw(void* state, const natgpu_host* host, const natgpu_job* job) noexcept {
    guarded(host, [&] { of(state).P::on_withdraw(Host(host), *job); });
  }
  static void on_capacity(void* state, const natgpu_host* host, std::int64_t pool, std::int64_t gpus,
                          std::int64_t at) noexcept {
    guarded(host, [&] { of(state).P::on_capacity(Host(host), pool, gpus, at); });
  }
  static void on_timer(void* state, const natgpu_host* host, std::int64_t now) noexcept {
    guarded(host, [&] { of(state).P::on_timer(Host(host), now); });
  }
  static void pass(void* state, const natgpu_host* host, std::int64_t now) noexcept {
    guarded(host, [&] { of(state).P::pass(Host(host), now); });
  }

 private:
  static P& of(void* state) { return *static_cast<P*>(state); }
};

template <class P>
struct Key {
  static std::int64_t key(const natgpu_job* job) {
    static_assert(std::is_same_v<decltype(P::key(*job)), std::int64_t>,
                  "a policy's key is `static std::int64_t key(const natgpu::Job&) noexcept`");
    static_assert(noexcept(P::key(*job)), "a policy's key must be noexcept: no exception leaves a policy");
    return P::key(*job);
  }
};

/// The function where the policy has overridden the member, else null, which natgpu does not call.
template <class Function, class Member, class Base>
constexpr Function* if_overridden(Function* function, Member, Base) {
  return std::is_same_v<Member, Base> ? nullptr : function;
}

}  // namespace policy_detail

/// What a library offers to natgpu for this class.
template <class P>
constexpr natgpu_policy policy_table() {
  constexpr bool decides = std::is_base_of_v<Policy, P>;
  constexpr bool orders = requires(const Job& job) {
    P::key(job);
  }
  || requires {
    &P::key;
  };
  static_assert(decides || orders,
                "a policy has a static `key` (an order), or natgpu::Policy as its base (says who starts)");
  natgpu_policy table{};
  table.abi = NATGPU_POLICY_ABI;
  table.size = sizeof(natgpu_policy);
  if constexpr (orders) table.key = &policy_detail::Key<P>::key;
  if constexpr (decides) {
    using Calls = policy_detail::Calls<P>;
    using policy_detail::if_overridden;
    table.create = &Calls::create;
    table.destroy = &Calls::destroy;
    table.on_submit = if_overridden(&Calls::on_submit, &P::on_submit, &Policy::on_submit);
    table.on_start = if_overridden(&Calls::on_start, &P::on_start, &Policy::on_start);
    table.on_end = if_overridden(&Calls::on_end, &P::on_end, &Policy::on_end);
    table.on_withdraw = if_overridden(&Calls::on_withdraw, &P::on_withdraw, &Policy::on_withdraw);
    table.on_capacity = if_overridden(&Calls::on_capacity, &P::on_capacity, &Policy::on_capacity);
    table.on_timer = if_overridden(&Calls::on_timer, &P::on_timer, &Policy::on_timer);
    table.pass = &Calls::pass;
  }
  return table;
}

}  // namespace natgpu

/// Exports a class as the policy of its library.
#define NATGPU_POLICY_CLASS(type)                                                    \
  static constexpr natgpu_policy natgpu_class_table_ = natgpu::policy_table<type>(); \
  NATGPU_POLICY(natgpu_class_table_)

#endif
