// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/plugged.hpp>

#include "plugged_books.hpp"
#include "plugged_host.hpp"

namespace natgpu::scheduling {

class PluggedDispatcher::Host : public PluggedHost<PluggedBooks> {
 public:
  using PluggedHost::PluggedHost;
};

PluggedDispatcher::PluggedDispatcher(const PluggedPolicy& policy, const Stream& draws, std::size_t pools,
                                     const std::vector<GroupSpec>& groups, bool arrivals_first,
                                     const PluggedPreemption& preemption)
    : host_(std::make_unique<Host>(policy, draws, preemption, pools, groups, arrivals_first)) {}
PluggedDispatcher::PluggedDispatcher(const PluggedPolicy& policy, const Stream& draws, bool arrivals_first,
                                     const PluggedPreemption& preemption)
    : PluggedDispatcher(policy, draws, 1, {{{PoolChoice{}}}}, arrivals_first, preemption) {}
PluggedDispatcher::PluggedDispatcher(PluggedDispatcher&&) noexcept = default;
PluggedDispatcher::~PluggedDispatcher() = default;

void PluggedDispatcher::submit(const PluggedSubmission& s) {
  host_->submit(s);
}
void PluggedDispatcher::withdraw_job(std::uint32_t slot) {
  host_->withdraw(slot);
}
void PluggedDispatcher::finish_job(std::uint32_t slot) {
  host_->finish(slot);
}
void PluggedDispatcher::extend_job(std::uint32_t slot, std::int64_t new_end) {
  host_->books().move_end(host_->books().at(slot), new_end);
}
void PluggedDispatcher::forget_job(std::uint32_t slot) {
  host_->books().forget(slot);
}
void PluggedDispatcher::change_capacity(std::uint32_t pool, std::int64_t delta) {
  host_->change_capacity(pool, delta);
}
void PluggedDispatcher::foresee(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
  host_->foresee(pool, at, delta);
}
void PluggedDispatcher::withdraw_foreseen(std::uint32_t pool, std::int64_t at, std::int64_t delta) {
  host_->withdraw_foreseen(pool, at, delta);
}
std::int64_t PluggedDispatcher::free(std::uint32_t pool) const {
  return host_->books().free(pool);
}
std::int64_t PluggedDispatcher::capacity(std::uint32_t pool) const {
  return host_->books().capacity(pool);
}
std::size_t PluggedDispatcher::waiting() const {
  return host_->books().waiting();
}
std::int64_t PluggedDispatcher::next_start() const {
  return host_->next_wake();
}
void PluggedDispatcher::run_pass(std::int64_t now, const PluggedDecisions& decisions) {
  host_->pass(now, decisions);
}

}  // namespace natgpu::scheduling
