// SPDX-License-Identifier: Apache-2.0
// Projects: a block of GPUs that is granted for months, and the jobs that its owner runs inside.
#pragma once

#include <cstdint>
#include <vector>

#include <natgpu/demand/profile.hpp>
#include <natgpu/demand/requests.hpp>

#include "block_desk.hpp"
#include "block_units.hpp"
#include "world.hpp"

namespace natgpu::simulation {

/// A block is a private pool with its own queue, first come first served. Its units stand in a line; a job
/// takes the first idle ones, and a unit that leaves closes the gap. A job starts if enough units are idle
/// and its requested end is not behind the block's. One that asks for more units than there are, or cannot
/// end in the block, stands aside and blocks nobody; with `overflow` it goes to the common pool.
class ProjectProcess final : public BlockListener {
 public:
  ProjectProcess(World& world, BlockDesk& desk, const JobGroups& groups, const demand::Population& population,
                 const demand::ArrivalProfile& profile, const demand::ProjectStreams& streams)
      : world_(world),
        desk_(desk),
        groups_(groups),
        population_(population),
        profile_(profile),
        streams_(streams) {}

  /// Project k of the organisation asks for its block. @returns its number
  std::uint32_t ask(std::uint32_t organisation, std::uint32_t k, const demand::ProjectRequest& wish);
  /// The owner of a block submits the next job of its stream.
  void next_job(std::uint32_t project);
  void submit(std::uint32_t project, const demand::Request& request);
  /// Units of a block have been idle for long enough to be taken back.
  void reclaim(std::uint32_t project);

  /// What the block of a project holds.
  const BlockUnits& units_of(std::uint32_t project) const { return projects_[project].units; }

  void pass() override;
  void granted(std::uint32_t project, std::uint32_t slot) override;
  void over(std::uint32_t project) override;
  void job_ended(std::uint32_t project, std::uint32_t slot) override;
  void job_leaves(std::uint32_t project, std::uint32_t slot) override;
  void lose(std::uint32_t project, std::int64_t first, std::int64_t count) override;
  void lose_machine(std::uint32_t project, std::uint32_t node) override;

 private:
  struct Project {
    std::uint32_t organisation = 0, k = 0, project_class = 0;
    std::uint32_t block = no_index;  ///< slot of its job, once granted
    std::int64_t end = 0;            ///< of the block
    BlockUnits units;
    std::vector<std::uint32_t> queue;  ///< slots in order of submission
    std::vector<std::uint32_t> aside;  ///< of jobs that the block cannot hold any more
    demand::RequestCursor jobs;        ///< the owner's next job
    engine::EventHandle next_job, next_reclaim;
    std::int64_t reclaim_at = -1;  ///< -1: nothing is scheduled
    bool touched = false;          ///< since the last pass
  };

  const demand::ProjectClass& spec(const Project& p) const {
    return world_.scenario.demand.project[p.project_class];
  }
  JobDesk::Submission submission(std::uint32_t project, JobKind kind, std::size_t job_class) const;
  void forget(std::uint32_t project);
  void touch(std::uint32_t project);
  bool can_hold(const Project& p, std::uint32_t slot) const;
  void enqueue(Project& p, std::uint32_t slot);
  void turn_away(Project& p, std::uint32_t slot);
  void run(std::uint32_t project);
  void schedule_job(std::uint32_t project);
  void schedule_reclaim(std::uint32_t project);

  World& world_;
  BlockDesk& desk_;
  const JobGroups& groups_;
  const demand::Population& population_;
  const demand::ArrivalProfile& profile_;
  const demand::ProjectStreams& streams_;
  std::vector<Project> projects_;
  std::vector<std::uint32_t> spare_, touched_;
};

}  // namespace natgpu::simulation
