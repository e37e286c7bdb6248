// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/target_turns.hpp>

#include <algorithm>
#include <span>

namespace natgpu::scheduling {
namespace {

std::size_t fastest(const GpuTypes& model, const TargetTurns::Present& p) {
  const double best = model.best_speed(p.job_class, p.gpus);
  std::size_t type = 0;
  while (model.speed(p.job_class, type, p.gpus) != best) ++type;
  return type;
}

}  // namespace

void TargetTurns::begin(std::uint32_t slot, std::int64_t now, std::int64_t left, double weight) {
  jobs_.resize(std::max(jobs_.size(), slot + std::size_t{1}));
  jobs_[slot] = {weight, now, left};
  turns_.begin(slot);
}

void TargetTurns::settle(const std::vector<Present>& present) {
  for (const Present& p : present) {
    Job& j = jobs_[p.slot];
    const std::int64_t left = std::max<std::int64_t>(p.left, 1);
    j.isolated = std::max(j.isolated + static_cast<double>(j.left - left) / j.fair_speed, 0.0);
    j.left = left;
    for (std::size_t type = 0; type < types_; ++type)
      turns_.settle(p.slot, type, p.type == type ? p.running : 0);
  }
}

void TargetTurns::share(const GpuTypes& model, const std::vector<Present>& present, std::int64_t now) {
  claims_.clear();
  claimants_.clear();
  double weight_of_all = 0;
  for (std::size_t i = 0; i < present.size(); ++i) {
    const Present& p = present[i];
    if (!(model.best_speed(p.job_class, p.gpus) > 0)) {
      turns_.drop(p.slot);
      continue;
    }
    claimants_.push_back(i);
    weight_of_all += jobs_[p.slot].weight;
  }
  for (const std::size_t i : claimants_) claims_.push_back(claim_of(model, present[i], now, weight_of_all));
  const std::vector<double> shares = type_shares(order_, model, claims_);
  for (std::size_t i = 0; i < claimants_.size(); ++i) {
    const Present& p = present[claimants_[i]];
    turns_.entitle(p.slot, std::span(shares).subspan(i * types_, types_), fastest(model, p));
  }
}

TypedClaim TargetTurns::claim_of(const GpuTypes& model, const Present& p, std::int64_t now,
                                 double weight_of_all) {
  Job& j = jobs_[p.slot];
  TypedClaim c;
  c.job_class = p.job_class;
  c.job.gpus = p.gpus;
  c.job.weight = j.weight;
  j.fair_speed = fair_speed(model, weight_of_all, c);
  c.job.elapsed = static_cast<double>(now - j.joined);
  c.job.remaining = static_cast<double>(j.left);
  c.job.isolated = j.isolated + c.job.remaining / j.fair_speed;
  return c;
}

void TargetTurns::align(const std::vector<Present>& present) {
  slots_.clear();
  for (const Present& p : present) slots_.push_back(p.slot);
  turns_.align(slots_);
}

}  // namespace natgpu::scheduling
