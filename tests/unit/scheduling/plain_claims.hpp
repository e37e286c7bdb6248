// SPDX-License-Identifier: Apache-2.0
// Pools of machines whose running jobs lose them to waiting ones, by class or by quota, in plain loops: all
// that accounts hold and all that machines have without somebody is counted anew for each question.
#pragma once

#include <tuple>

#include "plain_machines.hpp"

namespace natgpu::testing {

class PlainClaims : public PlainMachines {
 public:
  struct Traits {
    std::int64_t job_class = 0;
    std::uint32_t account = 0;
    bool firm = false;
  };
  bool by_quota = false;
  std::vector<std::int64_t> shares;  ///< by account
  std::int64_t shield = 0;
  std::vector<Traits> traits;        ///< by slot
  std::vector<std::int64_t> since;   ///< by slot
  std::vector<std::uint32_t> lost;   ///< in the last pass, by slot in rising order
  std::vector<std::uint32_t> began;  ///< the same
  int spared = 0;

  void pass_with_claims(std::int64_t now) {
    now_ = now;
    lost.clear();
    began.clear();
    shut_.clear();
    std::vector<Job> queue, back;
    std::swap(queue, waiting);
    std::stable_sort(queue.begin(), queue.end(), [this](const Job& a, const Job& b) {
      return !by_quota && traits[a.slot].job_class < traits[b.slot].job_class;
    });
    for (std::size_t k = 0; by_quota && k < queue.size();) {
      const Job job = queue[k];
      if (!within_quota(traits[job.slot].account, job.gpus)) {
        ++k;
        continue;
      }
      queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(k));
      serve(job, true);
      k = 0;  // whoever stands before it may have become entitled
    }
    for (const Job& job : queue) serve(job, !by_quota);
    std::sort(waiting.begin(), waiting.end(), [](const Job& a, const Job& b) { return a.slot < b.slot; });
    std::sort(lost.begin(), lost.end());
    std::sort(began.begin(), began.end());
  }
  /// held x sum of the shares <= share x GPUs that are up
  bool within_quota(std::uint32_t account, std::int64_t more) const {
    std::int64_t sum = 0, up = 0, held = more;
    for (const std::int64_t s : shares) sum += s;
    for (const auto& pool : pools)
      for (const Machine& m : pool) up += m.gpus;
    for (const Running& r : running)
      if (traits[r.job.slot].account == account) held += r.job.gpus;
    return held * sum <= shares[account] * up;
  }

 private:
  std::vector<Running> victims_for(const Job& job, std::size_t pool) const {
    std::vector<Running> order, victims;
    for (const Running& r : running)
      if (r.place.pool == pool && !traits[r.job.slot].firm && since[r.job.slot] < now_ &&
          now_ - since[r.job.slot] >= shield)
        order.push_back(r);
    const auto loses_by = [this](const Running& r) {
      return std::tuple(by_quota ? 0 : traits[r.job.slot].job_class, since[r.job.slot], r.job.slot);
    };
    std::sort(order.begin(), order.end(),
              [&](const Running& a, const Running& b) { return loses_by(a) > loses_by(b); });
    for (const Running& r : order) {
      const Traits& t = traits[r.job.slot];
      if (!by_quota && t.job_class <= traits[job.slot].job_class) continue;
      std::int64_t taken = 0;  // of its account
      for (const Running& v : victims)
        if (traits[v.job.slot].account == t.account) taken += v.job.gpus;
      if (by_quota && within_quota(t.account, -taken)) continue;
      victims.push_back(r);
    }
    return victims;
  }
  std::optional<Place> without(const std::vector<Running>& victims, const scheduling::PoolChoice& c,
                               const Job& job) const {
    Pools rest = pools;
    for (const Running& v : victims) hand_back(rest, v.place);
    return find_in(rest, c, job, now_);
  }
  std::optional<Place> claim(const scheduling::PoolChoice& c, const Job& job) {
    const std::vector<Running> all = victims_for(job, c.pool);
    std::vector<Running> victims;
    std::optional<Place> place;
    for (std::size_t n = 0; n < all.size() && !place; ++n) {
      victims.push_back(all[n]);
      place = without(victims, c, job);
    }
    if (!place) return std::nullopt;
    for (std::size_t k = victims.size(); k-- > 0;) {
      std::vector<Running> fewer = victims;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(k));
      if (!without(fewer, c, job)) continue;
      victims = fewer;
      ++spared;
    }
    place = without(victims, c, job);
    for (const Running& v : victims) {
      finish(v.job.slot);
      lost.push_back(v.job.slot);
      waiting.push_back(v.job);
    }
    return place;
  }
  void serve(const Job& job, bool may_claim) {
    std::optional<Place> place = find(pools, job, now_, shut_);
    for (const scheduling::PoolChoice& c : groups[job.group].choices)
      if (!place && may_claim && shut_.count(c.pool) == 0) place = claim(c, job);
    if (place) {
      since[job.slot] = now_;
      return begin(job, *place, now_, began);
    }
    waiting.push_back(job);
    if (rule == Rule::fit || all_shut(job, shut_)) return;
    const std::set<std::size_t> could = pools_for(job);
    shut_.insert(could.begin(), could.end());
  }

  std::int64_t now_ = 0;
  std::set<std::size_t> shut_;
};

}  // namespace natgpu::testing
