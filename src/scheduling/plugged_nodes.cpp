// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/plugged_nodes.hpp>

#include <utility>

#include <natgpu/core/ensure.hpp>

#include "plugged_host.hpp"
#include "plugged_node_books.hpp"

namespace natgpu::scheduling {

class PluggedNodes::Host : public PluggedHost<PluggedNodeBooks> {
 public:
  using PluggedHost::PluggedHost;
};

PluggedNodes::PluggedNodes(NodeBooks&& books, const PluggedPolicy& policy, const Stream& draws,
                           const PluggedPreemption& preemption)
    : NodeBooks(std::move(books)), host_(std::make_unique<Host>(policy, draws, preemption)) {
  NATGPU_ENSURE(preemption.notice == 0, "on machines GPUs come free at once");
  keeps_ends_ = true;
  host_->books().look_at(*this);
  for (std::uint32_t p = 0; p < sites_.size(); ++p)
    if (const std::int64_t gpus = sites_[p].pool.free_milli() / whole_gpu_milli; gpus > 0)
      host_->change_capacity(p, gpus);
}
PluggedNodes::PluggedNodes(PluggedNodes&& other) noexcept
    : NodeBooks(std::move(other)), host_(std::move(other.host_)) {
  host_->books().look_at(*this);
}
PluggedNodes::~PluggedNodes() = default;

void PluggedNodes::submit(std::uint32_t kind, PluggedSubmission s) {
  s.group = kind;
  host_->submit(s);
}
void PluggedNodes::withdraw_job(std::uint32_t slot) {
  host_->withdraw(slot);
}
void PluggedNodes::finish_job(std::uint32_t slot) {
  host_->finish(slot);
}
void PluggedNodes::extend_job(std::uint32_t slot, std::int64_t new_end) {
  host_->books().move_end(host_->books().at(slot), new_end);
}
void PluggedNodes::forget_job(std::uint32_t slot) {
  host_->books().forget(slot);
}
std::vector<std::uint32_t> PluggedNodes::fail(const Machine& machine) {
  const Site& site = sites_[machine.pool];
  if (site.lost[machine.node] == 0) host_->change_capacity(machine.pool, -site.whole[machine.node].gpus);
  const std::vector<std::uint32_t> hit = NodeBooks::fail(machine);
  NATGPU_ENSURE(hit.empty(), "a machine is emptied before it goes");
  return hit;
}
void PluggedNodes::repair(const Machine& machine) {
  const Site& site = sites_[machine.pool];
  if (site.lost[machine.node] == 1) host_->change_capacity(machine.pool, site.whole[machine.node].gpus);
  NodeBooks::repair(machine);
}
std::int64_t PluggedNodes::next_start() const {
  return host_->next_wake();
}
void PluggedNodes::run_pass(std::int64_t now, const PluggedDecisions& decisions) {
  host_->pass(now, decisions);
}

}  // namespace natgpu::scheduling
