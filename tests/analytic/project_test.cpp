// SPDX-License-Identifier: Apache-2.0
// A block is a queue of its own: jobs inside wait as Erlang C says, and the rest of it is reserved.
#include "queue.hpp"

using namespace natgpu::testing;

namespace {

/// One project asks within hours of the start for a block of `servers` of a pool's GPUs, for longer than
/// the run, and gives up at once if it is not granted; its owner submits jobs of mean length 1 at `load`.
/// @param per_node  0: GPUs are counted; else machines have so many
std::string block_of(int servers, int pool, double load, int days, int per_node) {
  std::string text = yaml_of({pool, {{"users", 0}}, days});
  const std::string mix = ", mix: [{name: users, share: 1}]}";
  text.replace(text.find(mix), mix.size(), ", project_rate: 1 /h, projects: [{name: block}]}");
  text.replace(
      text.find("scheduling:"), 0,
      fmt::format("  project:\n    - {{name: block, gpus: {} GPU, duration: 400 d, patience: 0 s, jobs: "
                  "{{rate: {} /s, mix: [{{name: users}}]}}}}\n",
                  servers, load / unit_s));
  if (per_node == 0) return text;
  const std::string one = "per_node: 1", view = "scheduling: {";
  text.replace(text.find(one), one.size(), fmt::format("per_node: {}", per_node));
  return text.insert(text.find(view) + view.size(), "view: node, ");
}

}  // namespace

TEST_CASE("jobs inside a block wait as Erlang C says, and what they leave of it is reserved") {
  struct Case {
    int servers, pool;
    double load;
    int days, per_node;
  };
  for (const Case c : {Case{2, 3, 1.2, 32, 0}, Case{10, 15, 7, 32, 0}, Case{2, 3, 1.2, 32, 1},
                       Case{10, 16, 7, 32, 4}}) {  // of three machines the block has two and a half
    INFO(c.servers << " GPUs of a block at load " << c.load << ", machines of " << c.per_node);
    const Runs runs(block_of(c.servers, c.pool, c.load, c.days, c.per_node));
    const Sample wait = runs.of([](const natgpu::simulation::RunRecord& r) {
      return value_of(r, "jobs.wait.mean", "period=2026;sector=users") / unit_s;
    });
    check_exact("mean wait", wait, [c](double k) { return erlang_c_wait(c.servers, k * c.load); });
    check_exact("share allocated", runs.of("gpu.allocated.share", measured), proportional(c.load / c.pool));
    check_exact("share reserved", runs.of("gpu.reserved.share", measured),
                [c](double k) { return (c.servers - k * c.load) / c.pool; });
  }
}
