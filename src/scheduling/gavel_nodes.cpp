// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/gavel_nodes.hpp>

#include <algorithm>

#include <natgpu/core/ensure.hpp>

namespace natgpu::scheduling {

GavelNodes::GavelNodes(NodeBooks&& books, PreemptiveRule rule, std::vector<std::uint32_t> type_of)
    : PreemptiveNodeBooks(std::move(books)),
      rule_(std::move(rule)),
      type_of_(std::move(type_of)),
      types_(type_of_.empty() ? 0 : *std::max_element(type_of_.begin(), type_of_.end()) + std::size_t{1}),
      turns_(rule_.order, types_, rule_.round),
      firm_milli_(type_of_.size()),
      gpus_(type_of_.size()),
      losses_seen_(~losses()),
      lots_(type_of_.size()) {
  NATGPU_ENSURE(by_target(rule_.order) && rule_.round > 0, "target shares go with rounds");
  NATGPU_ENSURE(rule_.notice == 0, "machines change hands at once");
  NATGPU_ENSURE(type_of_.size() == pools(), "each pool has a type");
}

// --- jobs and machines come and go

void GavelNodes::submit(std::uint32_t kind, const WaitingJob& job, const NodeProgress& progress,
                        std::int64_t now, double weight) {
  make_room_for(job.slot);
  if (job.slot >= jobs_.size()) jobs_.resize(job.slot + std::size_t{1});
  Job& j = jobs_[job.slot];
  if (!j.known || !(j.waiting.order == job.order)) {  // else the slot was another's
    j = {};
    j.known = true;
    turns_.begin(job.slot, now, progress.progress.remaining, weight);
    changed_ = true;
    if (progress.gpu_milli % unit_milli_ != 0) unit_milli_ = 1;
  }
  if (j.stopped_on != nowhere) turns_.receive(job.slot, j.stopped_on, now - j.started);
  j.stopped_on = nowhere;
  j.waiting = job;
  j.progress = progress;
  j.kind = kind;
  j.waits = true;
  j.place = queue_.size();
  queue_.push_back(job.slot);
  NodeBooks::submit(kind, {key_of(j), job.requested, job.gpus, job.slot});
}

void GavelNodes::withdraw_job(std::uint32_t slot) {
  changed_ = true;
  Job& j = jobs_[slot];
  withdraw(j.kind, key_of(j), j.waiting.gpus);
  leave_queue(j);
}

void GavelNodes::finish_job(std::uint32_t slot) {
  changed_ = true;
  Job& j = jobs_[slot];
  if (!j.progress.firm) j.stopped_on = type_of_[j.runs_on];
  end_run(j);
  NodeBooks::finish_job(slot);
}

void GavelNodes::leave_queue(Job& j) {
  j.waits = false;
  queue_[j.place] = queue_.back();
  jobs_[queue_[j.place]].place = j.place;
  queue_.pop_back();
}

void GavelNodes::end_run(Job& j) {
  if (j.progress.firm) firm_milli_[j.runs_on] -= j.progress.gpu_milli;
  slow_ -= j.slow;
  j.slow = false;
  j.runs_on = nowhere;
}

/// The job loses its machines, which are free already.
void GavelNodes::vacate(std::uint32_t slot, std::int64_t now) {
  Job& j = jobs_[slot];
  turns_.receive(slot, type_of_[j.runs_on], now - j.started);
  end_run(j);
  forget_run(slot);
}

/// Who moves from one pool to another may ask for more time than when its place was found: it has lost work.
/// @returns false if machines that leave are none for it now, and there is no other place
bool GavelNodes::is_good_yet(Chosen& c, std::int64_t now) {
  const std::int64_t asked = jobs_[c.job.slot].waiting.requested;
  if (asked == c.job.requested) return true;
  c.job.requested = asked;
  give_back(c.place);
  return place(c.choice, c.job, now, c.place);
}

void GavelNodes::note_run(const Chosen& c, std::int64_t now) {
  const std::uint32_t slot = c.job.slot;
  Job& j = jobs_[slot];
  leave_queue(j);
  j.runs_on = c.place.pool;
  j.speed = c.choice.speed;
  j.started = now;
  note_slow(slot);
  if (!j.progress.firm) return;
  changed_ = true;  // it has no part in what is shared out
  firm_milli_[j.runs_on] += j.progress.gpu_milli;
  turns_.drop(slot);
}

void GavelNodes::note_slow(std::uint32_t slot) {
  Job& j = jobs_[slot];
  j.slow = false;
  const NodeKind& kind = kinds_[j.kind];
  for (std::size_t c = 0; c < kind.size() && !j.progress.firm && !j.slow; ++c)
    j.slow = kind[c].speed > j.speed && holdable(j.kind, c);
  slow_ += j.slow;
}

void GavelNodes::note_machines() {
  if (losses_seen_ == losses()) return;
  losses_seen_ = losses();
  changed_ = true;
  for (std::uint32_t p = 0; p < pools(); ++p) gpus_[p] = gpus_there(p);
  slow_ = 0;
  for (const std::uint32_t slot : running_) note_slow(slot);
}

// --- shares

/// Who waits or runs, but no firm job that runs.
void GavelNodes::list_present(std::int64_t now) {
  present_.clear();
  for (const std::uint32_t slot : queue_)
    note_present(slot, jobs_[slot].progress.progress.remaining, nowhere, 0);
  for (const std::uint32_t slot : running_) {
    const Job& j = jobs_[slot];
    if (j.progress.firm) continue;
    const Progress& p = j.progress.progress;
    const std::int64_t ran = now - j.started;
    note_present(slot, p.remaining - done_in(slot, std::max<std::int64_t>(ran - p.restart, 0), j.speed),
                 type_of_[j.runs_on], ran);
  }
  std::sort(present_.begin(), present_.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
}
void GavelNodes::note_present(std::uint32_t slot, std::int64_t left, std::uint32_t type,
                              std::int64_t running) {
  Job& j = jobs_[slot];
  j.chosen = j.tenant = nowhere;
  j.offered = false;
  present_.push_back(
      {j.waiting.order.id, slot, j.kind, j.progress.gpu_milli / unit_milli_, left, type, running});
}

void GavelNodes::update_shares(std::int64_t now) {
  turns_.settle(present_);
  if (turns_.moves(changed_)) {
    changed_ = false;
    count_gpus();
    turns_.share(model_, present_, now);
  }
  turns_.align(present_);
}

/// GPUs of types that are not held by firm jobs, and how fast kinds are that machines could hold.
void GavelNodes::count_gpus() {
  model_.gpus.assign(types_, 0);
  model_.largest.assign(types_, 0);
  for (std::uint32_t p = 0; p < pools(); ++p) {
    const std::int64_t milli = gpus_[p] * whole_gpu_milli - firm_milli_[p];
    const std::int64_t gpus = std::max<std::int64_t>(milli / unit_milli_, 0);
    model_.gpus[type_of_[p]] += gpus;
    model_.largest[type_of_[p]] = std::max(model_.largest[type_of_[p]], gpus);
  }
  model_.speeds.resize(kinds_.size());
  for (const TargetTurns::Present& p : present_) model_.speeds[p.job_class].clear();
  for (const TargetTurns::Present& p : present_) {
    std::vector<double>& row = model_.speeds[p.job_class];
    if (!row.empty()) continue;  // of an earlier job of the kind
    row.assign(types_, 0.0);
    const NodeKind& kind = kinds_[p.job_class];
    for (std::size_t c = 0; c < kind.size(); ++c)
      if (holdable(p.job_class, c)) row[type_of_[kind[c].pool]] = kind[c].speed;
  }
}

// --- turns

void GavelNodes::choose(std::int64_t now) {
  closed_.assign(types_, false);
  reach_in_.assign(kinds_.size() * pools(), Sieve::any);
  for (const std::uint32_t slot : running_) {
    Job& j = jobs_[slot];
    j.chosen = keeps(j, now) ? j.runs_on : nowhere;
  }
  rank();
  list_tenants();
  begin_turns();
  for (const Turn& t : ranked_)
    if (jobs_[t.slot].chosen == nowhere && !closed_[t.type] && !decide(t.slot, t.type, now))
      closed_[t.type] = !rule_.skips && turns_.has_share(t.slot, t.type);
  for (const Turn& t : ranked_)
    if (types_ > 1 && jobs_[t.slot].chosen == nowhere && !jobs_[t.slot].offered) decide_elsewhere(t, now);
  for (Tenant& t : tenants_)
    if (!t.settled) lose(t, !benches_[t.pool].lifted);
  place_chosen(now);
}

void GavelNodes::rank() {
  ranked_.clear();
  for (const TargetTurns::Present& p : present_) {
    const Job& j = jobs_[p.slot];
    if (j.chosen != nowhere) continue;  // shielded
    const std::size_t before = ranked_.size();
    for (std::uint32_t type = 0; type < types_; ++type)
      if (turns_.has_share(p.slot, type)) ranked_.push_back({{turns_.due(p.slot, type), p.id}, type, p.slot});
    if (ranked_.size() == before)
      ranked_.push_back({{forever, p.id}, type_of_[kinds_[j.kind][0].pool], p.slot});
  }
  std::stable_sort(ranked_.begin(), ranked_.end(),
                   [](const Turn& a, const Turn& b) { return a.place < b.place; });
}

void GavelNodes::list_tenants() {
  tenants_.clear();
  for (std::uint32_t p = 0; p < pools(); ++p) lots_.open(p, pool(p).free_milli());
  const auto add = [this](Job& j, const QueueKey& place, std::size_t turn) {
    j.tenant = static_cast<std::uint32_t>(tenants_.size());
    tenants_.push_back({place, j.waiting.slot, j.runs_on});
    lots_.add_tenant(j.runs_on, turn, j.progress.gpu_milli);
  };
  for (std::size_t turn = 0; turn < ranked_.size(); ++turn) {
    Job& j = jobs_[ranked_[turn].slot];
    if (j.runs_on != nowhere && type_of_[j.runs_on] == ranked_[turn].type) add(j, ranked_[turn].place, turn);
  }
  for (const std::uint32_t slot : running_)
    if (Job& j = jobs_[slot]; j.chosen == nowhere && j.tenant == nowhere)
      add(j, {forever, j.waiting.order.id}, PoolLots::no_turn);
}

/// The job's turn on a type. @returns false if it has no place there
bool GavelNodes::decide(std::uint32_t slot, std::uint32_t type, std::int64_t now) {
  Job& j = jobs_[slot];
  if (j.tenant == nowhere || tenants_[j.tenant].settled || type_of_[j.runs_on] != type)
    return start_on(slot, type, now);
  bool others_moved = false;
  if (!stays(tenants_[j.tenant], now, others_moved)) return start_on(slot, type, now);
  j.chosen = j.runs_on;
  lots_.keep(j.runs_on, j.progress.gpu_milli);
  if (others_moved)
    for (std::uint32_t kind = 0; kind < kinds_.size(); ++kind) reach(kind, j.runs_on) = Sieve::any;
  return true;
}

/// On the fastest type that has room, of those on which it has had no turn. Where the first that found no
/// place ends the choice, it did so for its type.
void GavelNodes::decide_elsewhere(const Turn& t, std::int64_t now) {
  jobs_[t.slot].offered = true;
  std::vector<bool> tried(closed_);
  tried[t.type] = true;
  for (const NodeChoice& c : kinds_[jobs_[t.slot].kind]) {
    const std::uint32_t type = type_of_[c.pool];
    if (tried[type] || turns_.has_share(t.slot, type)) continue;
    if (decide(t.slot, type, now)) return;
    tried[type] = true;
  }
}

bool GavelNodes::start_on(std::uint32_t slot, std::uint32_t type, std::int64_t now) {
  list_choices(slot, type);
  const Job& j = jobs_[slot];
  const WaitingJob job{key_of(j), j.waiting.requested, j.waiting.gpus, slot};
  Attempt found;
  for (const auto& [first_to_go, choice] : options_)
    if (options_.size() > 1 && first_to_go == PoolLots::nobody && find_free_place(choice, job, now, found)) {
      accept(slot, choice, found);
      return true;
    }
  for (const auto& [first_to_go, choice] : options_) {
    if (find_place(choice, job, now, found)) {
      accept(slot, choice, found);
      return true;
    }
    reach(j.kind, choice.pool) = reach_below(j.kind, job, now);
  }
  return false;
}

/// Where it may find a place, whoever must go last first.
void GavelNodes::list_choices(std::uint32_t slot, std::uint32_t type) {
  options_.clear();
  const Job& j = jobs_[slot];
  for (const NodeChoice& c : kinds_[j.kind])
    if (type_of_[c.pool] == type && c.pool != j.runs_on && j.waiting.requested <= reach(j.kind, c.pool))
      options_.emplace_back(PoolLots::nobody, c);
  if (options_.size() < 2) return;
  for (auto& [first_to_go, choice] : options_)
    first_to_go = lots_.first_to_go(choice.pool, j.progress.gpu_milli);
  std::stable_sort(options_.begin(), options_.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
}

/// The place is the job's, which leaves its machines if it has any.
void GavelNodes::accept(std::uint32_t slot, const NodeChoice& choice, Attempt& found) {
  Job& j = jobs_[slot];
  if (j.tenant != nowhere && !tenants_[j.tenant].settled)
    lose(tenants_[j.tenant], !benches_[j.runs_on].lifted);
  chosen_.push_back(
      {{key_of(j), j.waiting.requested, j.waiting.gpus, slot}, j.kind, choice, std::move(found)});
  j.chosen = choice.pool;
  lots_.give(choice.pool, j.progress.gpu_milli);
}

}  // namespace natgpu::scheduling
