// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <natgpu/core/time.hpp>
#include <natgpu/engine/run_loop.hpp>
#include <natgpu/simulation/interrupted.hpp>
#include <natgpu/simulation/replay.hpp>

namespace natgpu::simulation {

/// Looks up now and then from a replay: how far it is, and whether it is to stop.
class ReplayWatch {
 public:
  explicit ReplayWatch(const ReplayOptions& options) : options_(options) {}
  /// Asked at each instant. @throws Interrupted
  void look(std::uint64_t started) {
    if ((++looks_ & 0xfff) != 0) return;
    if (options_.jobs_done != nullptr) options_.jobs_done->store(static_cast<std::int64_t>(started));
    if (options_.stop != nullptr && options_.stop->load()) throw Interrupted{};
  }

 private:
  const ReplayOptions& options_;
  std::uint64_t looks_ = 0;
};

/// Runs a model to its end, and has it report.
template <class Model>
void run_through(Model& model, engine::LoopRules rules, ReplayResult& result) {
  engine::RunLoop<Model> loop(model, rules);
  loop.run(never);
  model.report();
  result.fingerprint = loop.fingerprint().value();
  result.events = loop.fingerprint().events();
}

}  // namespace natgpu::simulation
