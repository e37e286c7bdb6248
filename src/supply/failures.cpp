// SPDX-License-Identifier: Apache-2.0
#include <natgpu/supply/failures.hpp>

#include <algorithm>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/math.hpp>

namespace natgpu::supply {
namespace {

/// A node that outlives this is taken never to fail; keeps instants far from the end of time.
constexpr double longest_life_s = 1e12;  // 31,688 years

/// High word of a repair's entity, apart from the node's strikes (high word 0). Part of the meaning of a
/// seed.
constexpr std::uint64_t repairs = std::uint64_t{1} << 32;

/// Blocks of one strike's draw.
enum StrikeBlock : std::uint32_t { time_and_cause = 0, victim = 1 };

}  // namespace

FailureModel::FailureModel(const Failures& spec, std::vector<Stream> stream_of_tranche)
    : spec_(&spec), streams_(std::move(stream_of_tranche)) {
  for (const FailureCause& cause : spec.causes) {
    total_rate_ += 1.0 / in_seconds(cause.mtbf);
    cause_cumulative_.push_back(total_rate_);
  }
}

FailureModel::Strike FailureModel::next_strike(std::uint32_t tranche, std::uint32_t node, std::uint32_t k,
                                               Instant now, Instant commissioned_at) const {
  if (!active()) return {};
  const Block block = streams_[tranche].block(node, k, time_and_cause);
  const double hazard = -portable_log(block.unit(0));  // the integrated hazard at which it breaks, Exp(1)
  // Duration arithmetic in doubles: `commissioned_at` may lie far back and early life may be endless.
  const double young_s = std::max(0.0, in_seconds(commissioned_at - now) + in_seconds(spec_->early_life));
  const double young_rate = total_rate_ * spec_->early_life_factor;
  const double young_hazard = young_rate * young_s;
  const double life_s =
      hazard < young_hazard ? hazard / young_rate : young_s + (hazard - young_hazard) / total_rate_;
  if (!(life_s < longest_life_s)) return {};

  const double pick = block.unit(1) * total_rate_;
  const auto cause = std::upper_bound(cause_cumulative_.begin(), cause_cumulative_.end() - 1, pick);
  return {now + ticks_from_seconds(life_s), static_cast<std::uint32_t>(cause - cause_cumulative_.begin())};
}

Duration FailureModel::repair_time(std::uint32_t tranche, std::uint32_t node, std::uint32_t k,
                                   std::uint32_t cause) const {
  Draw draw(streams_[tranche], repairs + node, k);
  return ticks_from_seconds(std::min(spec_->causes[cause].repair.sample(draw), longest_life_s));
}

double FailureModel::victim_uniform(std::uint32_t tranche, std::uint32_t node, std::uint32_t k) const {
  return streams_[tranche].unit(node, k, victim);
}

bool RepairShop::admit(const Ticket& ticket) {
  if (crews_ > 0 && busy_ >= crews_) {
    waiting_.push_back(ticket);
    return false;
  }
  ++busy_;
  return true;
}

bool RepairShop::finish(Ticket& next) {
  NATGPU_ENSURE(busy_ > 0, "a crew that finishes was at work");
  if (waiting_.empty()) {
    --busy_;
    return false;
  }
  next = waiting_.front();
  waiting_.pop_front();
  return true;
}

}  // namespace natgpu::supply
