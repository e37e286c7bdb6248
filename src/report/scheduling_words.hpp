// SPDX-License-Identifier: Apache-2.0
// How a report names who runs now: in the words of the file, alike in all languages.
#pragma once

#include <string>

#include <natgpu/scenario/scenario.hpp>

namespace natgpu::report {

/// What a field of `scheduling` with a choice of names was set to.
std::string chosen(const scheduling::Scheduling& rules, const char* key);
/// `pool`, or `node (placement best, locality 1.2, MIG a100=A100-80GB, positions most-left)`.
std::string view_in_words(const scenario::Scenario& scenario);
/// `ps (weights train 2)`, `gang (quantum 600 s)`.
std::string sharing_in_words(const scheduling::Scheduling& rules);
/// `quota-reclaim (shield 7200 s, notice 60 s)`, `by order (rounds 360 s)`; empty where nobody loses GPUs to
/// others.
std::string preemption_in_words(const scheduling::Scheduling& rules);

}  // namespace natgpu::report
