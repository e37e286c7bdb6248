// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/core/time.hpp>
#include <natgpu/demand/population.hpp>

namespace natgpu::demand {

/// Bass adoption of one sector as events. Each organisation adopts when the sector's cumulative hazard
/// H(t) = integral of (p + q A(t) / M) passes its own Exp(1) threshold; A counts adopters (weighted by
/// `represents`), M is the market in organisations. Between adoptions A is constant, so the next adoption is
/// known exactly; a change of hazard from outside (a gate) is a call of `set_factor`. Who belongs to the
/// market is decided by disposition, apart from the thresholds: were it the lowest thresholds, adoption would
/// run ahead of Bass's curve.
class BassAdoption {
 public:
  /// @param organisations  those of this sector; who is any_ai at the start counts as adopted
  BassAdoption(const Adoption& spec, const Organisation* first, std::uint32_t count);

  /// When the next organisation adopts if nothing changes, or `never`. Each is at least a tick after the one
  /// before.
  Instant next_time() const { return next_time_; }
  /// Advances to next_time() and adopts. @returns the ordinal. @pre next_time() != never
  std::uint32_t adopt();
  /// Multiplies the hazard from `now` on (1 = none, 0 = shut). @pre now <= next_time()
  void set_factor(double factor, Instant now);
  /// Share of organisations that are any_ai now.
  double share() const;

 private:
  void schedule();
  double rate() const;  ///< hazard per second now
  Instant earliest_{};  ///< the next adoption is not before

  double p_, q_;
  double market_;  ///< organisations
  double total_;   ///< organisations
  double adopters_ = 0;
  double hazard_ = 0;  ///< H at `since_`
  double factor_ = 1;
  double since_s_ = 0;  ///< seconds; kept apart from ticks so that rounding never stops the clock
  Instant next_time_ = never;
  struct Candidate {
    double threshold;
    std::uint32_t ordinal;
    std::uint32_t weight;
  };
  std::size_t next_ = 0;               ///< into candidates_
  std::vector<Candidate> candidates_;  ///< the market's non-adopters by (threshold, ordinal)
};

}  // namespace natgpu::demand
