// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>
#include <vector>

#include <natgpu/conformance/check.hpp>

namespace natgpu::conformance {
namespace {

/// Trials that one search may take: each lasts well below a millisecond.
constexpr int most_trials = 4000;

class Search {
 public:
  Search(const Candidate& candidate, Failure failure) : candidate_(candidate), best_(std::move(failure)) {}

  Failure run() {
    bool smaller = true;
    while (smaller && left_ > 0) {
      smaller = leave_out(&TrialWorkload::jobs);
      smaller |= leave_out(&TrialWorkload::outages);
      smaller |= make_smaller();
    }
    return std::move(best_);
  }

 private:
  /// Whether the workload still shows the flaw; if so it is the best so far.
  bool shows(const TrialWorkload& w) {
    if (left_ <= 0) return false;
    --left_;
    const TrialResult result = run_twice(candidate_, w);
    if (!result.violation || result.violation->flaw != best_.violation.flaw) return false;
    best_.workload = w;
    best_.violation = *result.violation;
    return true;
  }
  /// Half of the list at a time, then a quarter, and so on down to single ones.
  template <class Item>
  bool leave_out(std::vector<Item> TrialWorkload::*list) {
    bool any = false;
    for (std::size_t chunk = std::max<std::size_t>((best_.workload.*list).size() / 2, 1);; chunk /= 2) {
      for (std::size_t from = 0; from < (best_.workload.*list).size();) {
        TrialWorkload w = best_.workload;
        auto& items = w.*list;
        const std::size_t until = std::min(from + chunk, items.size());
        items.erase(items.begin() + static_cast<std::ptrdiff_t>(from),
                    items.begin() + static_cast<std::ptrdiff_t>(until));
        if (shows(w))
          any = true;
        else
          from += chunk;
      }
      if (chunk == 1) return any;
    }
  }
  static bool valid(const TrialWorkload& w) {
    for (const TrialJob& j : w.jobs)
      if (j.gpus > w.gpus) return false;
    for (const Outage& o : w.outages)
      if (o.until <= o.from || o.gpus > w.gpus || (o.announced && o.from < 1)) return false;
    return std::is_sorted(w.jobs.begin(), w.jobs.end(),
                          [](const TrialJob& a, const TrialJob& b) { return a.submit < b.submit; });
  }
  /// Tries the least value, then half of the way to it, then one less.
  template <class Item>
  bool lower(std::vector<Item> TrialWorkload::*list, std::size_t i, std::int64_t Item::*field,
             std::int64_t least) {
    bool any = false;
    for (;;) {
      const std::int64_t value = (best_.workload.*list)[i].*field;
      bool lowered = false;
      for (const std::int64_t next : {least, (value + least) / 2, value - 1}) {
        if (next >= value || next < least) continue;
        TrialWorkload w = best_.workload;
        (w.*list)[i].*field = next;
        if (!valid(w) || !shows(w)) continue;
        lowered = any = true;
        break;
      }
      if (!lowered) return any;
    }
  }
  /// Whatever comes at `at` or later comes so much earlier.
  static TrialWorkload sooner(TrialWorkload w, std::int64_t at, std::int64_t by) {
    const auto move = [&](std::int64_t& t) { t -= t >= at ? by : 0; };
    for (TrialJob& j : w.jobs) move(j.submit);
    for (Outage& o : w.outages) {
      move(o.from);
      move(o.until);
    }
    return w;
  }
  /// Takes out time in which nothing comes.
  bool close_gaps() {
    bool any = false;
    for (std::size_t i = 0; i < best_.workload.jobs.size(); ++i)
      for (;;) {
        const std::int64_t at = best_.workload.jobs[i].submit;
        const std::int64_t gap = at - (i > 0 ? best_.workload.jobs[i - 1].submit : 0);
        bool closed = false;
        for (const std::int64_t by : {gap, gap / 2, std::int64_t{1}}) {
          if (by < 1 || by > gap) continue;
          const TrialWorkload w = sooner(best_.workload, at, by);
          if (!valid(w) || !shows(w)) continue;
          closed = any = true;
          break;
        }
        if (!closed) break;
      }
    return any;
  }
  bool make_smaller() {
    bool any = close_gaps();
    for (std::size_t i = 0; i < best_.workload.jobs.size(); ++i) {
      any |= lower(&TrialWorkload::jobs, i, &TrialJob::submit, 0);
      any |= lower(&TrialWorkload::jobs, i, &TrialJob::requested, 1);
      any |= lower(&TrialWorkload::jobs, i, &TrialJob::run, 1);
      any |= lower(&TrialWorkload::jobs, i, &TrialJob::gpus, 1);
      any |= lower(&TrialWorkload::jobs, i, &TrialJob::account, 0);
    }
    for (std::size_t i = 0; i < best_.workload.outages.size(); ++i) {
      any |= lower(&TrialWorkload::outages, i, &Outage::from, 0);
      any |= lower(&TrialWorkload::outages, i, &Outage::until, 1);
      any |= lower(&TrialWorkload::outages, i, &Outage::gpus, 1);
    }
    TrialWorkload w = best_.workload;
    while (--w.gpus >= 1 && valid(w) && shows(w)) any = true;
    return any;
  }

  const Candidate& candidate_;
  Failure best_;
  int left_ = most_trials;
};

}  // namespace

Failure shrink(const Candidate& candidate, Failure failure) {
  return Search(candidate, std::move(failure)).run();
}

}  // namespace natgpu::conformance
