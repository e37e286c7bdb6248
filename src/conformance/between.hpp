// SPDX-License-Identifier: Apache-2.0
// What a rule does at instants at which the policy sleeps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <natgpu/conformance/subject.hpp>

namespace natgpu::conformance {

/// Decisions that are written down and not carried out.
class Notes : public Decisions {
 public:
  void start(std::uint32_t slot) override { started.push_back(slot); }
  void reject(std::uint32_t) override {}
  void preempt(std::uint32_t slot) override { preempted.push_back(slot); }

  std::vector<std::uint32_t> started, preempted;  ///< slots
};

struct Slept {
  std::int64_t at = 0;  ///< ticks; the first instant at which the rule acts
  std::string does;     ///< for people
};

/// Whether the rule acts between a pass and the next one of the policy, with nothing happening in between.
/// What it would do at one instant it would do at each later one of the stretch, so that the last one tells.
/// What a second pass right behind the first would do is no matter of waking.
/// @param round  ticks; the rule acts at multiples of this alone; 0: at any instant
/// @returns nothing too where the rule cannot be copied
std::optional<Slept> slept_through(const Subject& rule, std::int64_t pass, std::int64_t next,
                                   std::int64_t round);

/// "none", or the jobs with commas.
std::string listed(const std::vector<std::uint32_t>& jobs);

}  // namespace natgpu::conformance
