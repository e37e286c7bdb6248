// SPDX-License-Identifier: Apache-2.0
// A replay on machines by plain loops over all of them, second by second of what happens: no classes, no
// index, nothing remembered from pass to pass. Shares with natgpu the draws of chance alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <natgpu/core/math.hpp>
#include <natgpu/core/random.hpp>
#include <natgpu/simulation/node_replay.hpp>
#include <natgpu/workload/job_log.hpp>

#include "plain_mig.hpp"

namespace natgpu::testing {

class PlainNodes {
 public:
  virtual ~PlainNodes() = default;
  struct Machine {
    std::int64_t cpu = 0, memory = 0;
    int type = -1;
    std::vector<int> free;
    bool up = true;
    std::int64_t leaves = std::numeric_limits<std::int64_t>::max();  ///< s, as far as is known
    bool barred = false;                                             ///< for who would still be there then
    int mig = -1;                                                    ///< number of the layout
    std::vector<int> taken;                                          ///< slices of each GPU
  };
  struct Task {
    std::int64_t cpu = 0, memory = 0;
    int gpus = 0, milli = 0;
    std::uint32_t types = 0;
    auto key() const { return std::tuple(cpu, memory, gpus, milli, types); }
  };
  struct Held {
    std::size_t machine;
    Task task;
    std::vector<int> gpus;
    int milli = 0;   ///< of each
    int slices = 0;  ///< of the GPU, or of each whole one
  };
  struct Job {
    std::vector<Task> parts;  ///< the last may be smaller
    Task unit;
    int units = 0;  ///< 0: it is not spread
    std::size_t fewest = 0;
    bool fits = false;
    std::int64_t start = -1, first = -1, end = -1, ends = 0, limit_end = 0, saved = 0;
    std::uint32_t starts = 0;
    bool waiting = false, running = false, spread = false;
    std::vector<Held> held;
    std::vector<std::uint32_t> machines;
  };

  PlainNodes(const workload::JobLog& log, const simulation::ReplayOptions& options,
             const simulation::NodeView& view)
      : log_(log),
        options_(options),
        view_(view),
        chance_(Streams(options.seed, 0).open("nodes", "placement")) {
    for (const workload::LogNode& n : view.machines.nodes) {
      Machine m;
      m.cpu = n.cpu_milli;
      m.memory = n.memory_mib;
      m.type = n.gpus > 0 ? std::max<int>(n.gpu_type, 0) : -1;
      m.free.assign(static_cast<std::size_t>(n.gpus), 1000);
      m.taken.assign(static_cast<std::size_t>(n.gpus), 0);
      m.mig = view.mig.layout_of(m.type);
      all_.push_back(m);
    }
    now_ = all_;
    for (const workload::LogJob& j : log.jobs) jobs.push_back(describe(j));
    for (const Job& j : jobs) {
      if (!j.fits) continue;
      for (const Task& t : j.parts) ++expected_[t.key()].second, expected_[t.key()].first = t;
    }
  }

  void run() {
    std::set<std::int64_t> instants;
    for (const workload::LogJob& j : log_.jobs) instants.insert(j.submit_s);
    for (const workload::NodeOutage& o : view_.outages)
      instants.insert({o.from_s, o.until_s, std::min(o.announced_s, o.from_s)});
    std::int64_t first = log_.jobs[0].submit_s, last = 0;
    for (const workload::LogJob& j : log_.jobs) first = std::min(first, j.submit_s);
    double fragmented = 0;
    std::int64_t previous = 0;
    while (!instants.empty()) {
      const std::int64_t t = *instants.begin();
      instants.erase(instants.begin());
      if (t > first) fragmented += f() * static_cast<double>(t - std::max(previous, first));
      previous = t;
      bool happens = false;  // but the end of a job that has lost its machine since
      for (std::size_t i = 0; i < jobs.size(); ++i)
        if (jobs[i].running && jobs[i].ends == t) {
          happens = true;
          release(jobs[i], now_);
          jobs[i].running = false;
          jobs[i].end = last = t;
          fragmented_gpus = fragmented;
        }
      for (const workload::NodeOutage& o : view_.outages)
        if (o.from_s == t) lose(o.node, t);
      for (const workload::NodeOutage& o : view_.outages)
        happens |= o.from_s == t || o.until_s == t || std::min(o.announced_s, o.from_s) == t;
      for (std::size_t m = 0; m < now_.size(); ++m) {
        const bool down = std::any_of(view_.outages.begin(), view_.outages.end(), [&](const auto& o) {
          return o.node == m && o.from_s <= t && t < o.until_s;
        });
        now_[m].up = !down;
      }
      foresee(t);
      for (std::size_t i = 0; i < jobs.size(); ++i)
        if (log_.jobs[i].submit_s == t && jobs[i].fits) jobs[i].waiting = true;
      for (const workload::LogJob& j : log_.jobs) happens |= j.submit_s == t;
      if (happens) pass(t);
      for (const Job& j : jobs)
        if (j.running) instants.insert(j.ends);
    }
    fragmented_gpus /= 1000 * static_cast<double>(last - first);
  }

  std::vector<Job> jobs;
  double fragmented_gpus = 0;  ///< mean over time

 protected:
  /// Who leaves when, as announced by now. Three instants are told apart: what leaves later is taken to leave
  /// at the third.
  void foresee(std::int64_t t) {
    std::set<std::int64_t> instants;
    for (std::size_t m = 0; m < now_.size(); ++m) {
      now_[m].leaves = std::numeric_limits<std::int64_t>::max();
      for (const workload::NodeOutage& o : view_.outages)
        if (o.node == m && o.announced_s <= t && t < o.from_s)
          now_[m].leaves = std::min(now_[m].leaves, o.from_s);
      if (now_[m].leaves != std::numeric_limits<std::int64_t>::max()) instants.insert(now_[m].leaves);
    }
    if (instants.size() <= 3) return;
    const std::int64_t third = *std::next(instants.begin(), 2);
    for (Machine& m : now_)
      if (m.leaves != std::numeric_limits<std::int64_t>::max()) m.leaves = std::min(m.leaves, third);
  }

  // --- what a job asks for

  static Task share(const workload::LogJob& j, int units, int of, std::uint32_t types) {
    Task t;
    const auto up = [&](std::int64_t all) { return (std::max<std::int64_t>(all, 0) * units + of - 1) / of; };
    t.cpu = up(j.cpu_milli);
    t.memory = up(j.memory_mib);
    t.gpus = j.gpus > 0 ? units : 0;
    t.milli = j.gpus == 0 ? 0 : t.gpus > 1 ? 1000 : j.gpu_milli;
    t.types = types;
    return t;
  }
  std::uint32_t types_of(const workload::LogJob& j) const {
    if (j.gpus == 0 || j.gpu_type < 0 || view_.machines.gpu_types.empty()) return 0;
    const std::string names = "|" + std::string(log_.gpu_types[static_cast<std::size_t>(j.gpu_type)]) + "|";
    std::uint32_t types = 0;
    for (std::size_t t = 0; t < view_.machines.gpu_types.size(); ++t)
      if (names.find("|" + std::string(view_.machines.gpu_types[t]) + "|") != std::string::npos)
        types |= 1U << t;
    return types == 0 ? 1U << 31 : types;
  }
  Job describe(const workload::LogJob& j) const {
    const std::uint32_t types = types_of(j);
    const int units = j.gpus > 0 ? j.gpus : std::max<int>(j.nodes, 1);
    const bool stated = j.nodes > 0 || j.gpus == 0;
    const int nodes = std::clamp<int>(j.nodes, 1, units);
    for (int a_part = stated ? (units + nodes - 1) / nodes : std::min(units, 16); a_part > 0; --a_part) {
      Job job;
      for (int left = units; left > 0; left -= a_part)
        job.parts.push_back(share(j, std::min(left, a_part), units, types));
      if (!stated && j.gpus > 1) {
        job.unit = share(j, 1, units, types);
        job.units = units;
      }
      job.fewest = fewest(job);
      job.fits = job.fewest > 0;
      if (job.fits || stated) return job;
    }
    return {};
  }
  /// The fewest machines that hold all, the smaller part tried on each; 0: it does not fit.
  std::size_t fewest(const Job& job) const {
    const bool rest = job.parts.back().key() != job.parts.front().key();
    const int equal = static_cast<int>(job.parts.size()) - (rest ? 1 : 0);
    std::size_t best = 0;
    for (std::size_t holder = 0; holder < (rest ? all_.size() : 1); ++holder) {
      std::vector<Machine> machines = all_;
      if (rest && !fits(machines[holder], job.parts.back())) continue;
      if (rest) {
        const Task& t = job.parts.back();
        take(machines[holder], held_on(machines[holder], holder, t, 0));
      }
      int left = equal - (rest ? room(machines[holder], job.parts[0]) : 0);
      std::vector<int> rooms;
      for (std::size_t m = 0; m < machines.size(); ++m)
        if (!rest || m != holder) rooms.push_back(room(machines[m], job.parts[0]));
      std::sort(rooms.rbegin(), rooms.rend());
      std::size_t used = rest ? 1 : 0;
      for (std::size_t k = 0; left > 0 && k < rooms.size() && rooms[k] > 0; ++k, ++used) left -= rooms[k];
      if (left <= 0 && (best == 0 || used < best)) best = used;
    }
    return best;
  }

  // --- one machine

  static bool fits(const Machine& m, const Task& t) {
    if (!m.up || t.cpu > m.cpu || t.memory > m.memory) return false;
    if (t.gpus == 0) return true;
    if (m.type < 0 || (t.types != 0 && (t.types & 1U << m.type) == 0)) return false;
    int found = 0;
    for (std::size_t g = 0; g < m.free.size(); ++g) found += gpu_fits(m, g, t);
    return found >= t.gpus;
  }
  static bool may(const Machine& m, const Task& t) { return !m.barred && fits(m, t); }
  static bool is_share(const Task& t) { return t.gpus == 1 && t.milli < 1000; }
  static int slices_for(const Machine& m, std::size_t g, const Task& t) {
    const PlainMig mig(m.mig);
    return mig.place(mig.profile_for(t.milli), m.taken[g]);
  }
  static bool gpu_fits(const Machine& m, std::size_t g, const Task& t) {
    return m.mig >= 0 && is_share(t) ? slices_for(m, g, t) != 0 : m.free[g] >= t.milli;
  }
  /// Thousandths of each GPU that the task gets there.
  static int given(const Machine& m, const Task& t) {
    if (m.mig < 0 || !is_share(t)) return t.milli;
    const PlainMig mig(m.mig);
    return mig.milli((1 << mig.profile_for(t.milli).memory) - 1);
  }
  static int lowest_gpu(const Machine& m, const Task& t) {
    for (std::size_t g = 0; g < m.free.size(); ++g)
      if (gpu_fits(m, g, t)) return static_cast<int>(g);
    return 0;
  }
  static Held held_on(const Machine& m, std::size_t at, const Task& t, int gpu) {
    Held h{at, t, gpus_for(m, t, gpu), given(m, t), 0};
    if (m.mig >= 0 && t.gpus > 0)
      h.slices = is_share(t) ? slices_for(m, static_cast<std::size_t>(gpu), t) : PlainMig(m.mig).whole();
    return h;
  }
  static std::vector<int> gpus_for(const Machine& m, const Task& t, int gpu) {
    if (t.gpus == 0) return {};
    if (is_share(t)) return {gpu};
    std::vector<int> gpus;
    for (std::size_t g = 0; g < m.free.size() && static_cast<int>(gpus.size()) < t.gpus; ++g)
      if (m.free[g] >= t.milli) gpus.push_back(static_cast<int>(g));
    return gpus;
  }
  static void take(Machine& m, const Held& h) { change(m, h, -1); }
  static void change(Machine& m, const Held& h, int sign) {
    m.cpu += sign * h.task.cpu;
    m.memory += sign * h.task.memory;
    for (const int g : h.gpus) {
      m.free[static_cast<std::size_t>(g)] += sign * h.milli;
      m.taken[static_cast<std::size_t>(g)] -= sign * h.slices;
    }
  }
  static int room(Machine m, const Task& t) {
    int n = 0;
    for (; n < 1000 && fits(m, t); ++n) take(m, held_on(m, 0, t, lowest_gpu(m, t)));
    return n;
  }
  static void release(Job& j, std::vector<Machine>& machines) {
    for (const Held& h : j.held) change(machines[h.machine], h, 1);
  }
  static std::int64_t total(const Machine& m) {
    return m.up ? std::accumulate(m.free.begin(), m.free.end(), std::int64_t{0}) : 0;
  }

  // --- fragmentation

  static std::int64_t useless(const Machine& m, const Task& t) {
    if (t.gpus == 0 || !fits(m, t)) return total(m);
    std::int64_t sum = 0;
    for (std::size_t g = 0; g < m.free.size(); ++g) sum += gpu_fits(m, g, t) ? 0 : m.free[g];
    return sum;
  }
  std::int64_t useless(const Machine& m) const {  // times the number of tasks expected
    std::int64_t sum = 0;
    for (const auto& [key, entry] : expected_) sum += entry.second * useless(m, entry.first);
    return sum;
  }
  double expected_tasks() const {
    std::int64_t tasks = 0;
    for (const auto& [key, entry] : expected_) tasks += entry.second;
    return static_cast<double>(tasks);
  }
  double f() const {
    double sum = 0;
    for (const Machine& m : now_) sum += static_cast<double>(useless(m));
    return sum / expected_tasks();
  }

  // --- the rules

  using Machines = std::vector<Machine>;

  double left_over(const Machine& m, const Task& t) const {
    double most_cpu = 1, most_gpu = 1;
    for (const Machine& a : all_) {
      most_cpu = std::max(most_cpu, static_cast<double>(a.cpu));
      most_gpu = std::max(most_gpu, static_cast<double>(total(a)));
    }
    return 0.5 * static_cast<double>(m.cpu - t.cpu) / most_cpu +
           0.5 * static_cast<double>(total(m) - t.gpus * given(m, t)) / most_gpu;
  }
  std::pair<int, int> fgd(const Machine& m, const Task& t) const {  // points, and the GPU for a share
    std::pair<int, int> best{-1, 0};
    std::vector<int> gpus(m.free.size());
    std::iota(gpus.begin(), gpus.end(), 0);
    std::stable_sort(gpus.begin(), gpus.end(), [&](int a, int b) {
      const auto x = static_cast<std::size_t>(a), y = static_cast<std::size_t>(b);
      return std::pair(m.free[x], m.taken[x]) < std::pair(m.free[y], m.taken[y]);
    });
    if (!is_share(t)) gpus = {0};
    for (const int g : gpus) {
      if (is_share(t) && !gpu_fits(m, static_cast<std::size_t>(g), t)) continue;
      Machine after = m;
      take(after, held_on(m, 0, t, g));
      const double growth = static_cast<double>(useless(after) - useless(m)) / expected_tasks();
      const int points = static_cast<int>(100 / (1 + portable_exp(growth / 1000)));
      if (points > best.first) best = {points, g};
    }
    return best;
  }

  struct Die {
    std::uint64_t job;
    std::uint32_t index;
  };
  /// -1: none has room.
  int choose(const Machines& machines, const Task& t, Die die, int left) const {
    using scheduling::Placement;
    std::vector<int> room_there;
    for (std::size_t m = 0; m < machines.size(); ++m)
      if (may(machines[m], t)) room_there.push_back(static_cast<int>(m));
    if (room_there.empty()) return -1;
    const auto unit = [&](std::uint32_t sub) { return chance_.block(die.job, die.index, sub).unit(0); };
    if (view_.placement == Placement::first || view_.placement == Placement::lowest_id) return room_there[0];
    if (view_.placement == Placement::random) {
      for (std::uint32_t i = 0; i < 64; ++i) {
        const auto m = pick(machines.size(), unit(i));
        if (may(machines[m], t)) return static_cast<int>(m);
      }
      return room_there[pick(room_there.size(), unit(64))];
    }
    const auto at = [&](int m) -> const Machine& { return machines[static_cast<std::size_t>(m)]; };
    if (view_.placement == Placement::consolidated) {
      int best = -1, best_room = 0;
      for (const int m : room_there) {
        const int r = std::min(room(at(m), t), left);
        if (best >= 0 && (r < best_room || (r == best_room && total(at(m)) >= total(at(best))))) continue;
        best = m;
        best_room = r;
      }
      return best;
    }
    std::map<int, std::vector<int>> by_points;
    for (const int m : room_there) {
      const double rest = left_over(at(m), t);
      by_points[view_.placement == Placement::best    ? static_cast<int>((1 - rest) * 100)
                : view_.placement == Placement::worst ? static_cast<int>(rest * 100)
                                                      : fgd(at(m), t).first]
          .push_back(m);
    }
    const std::vector<int>& equals = by_points.rbegin()->second;
    return equals[pick(equals.size(), unit(0))];
  }
  int choose_gpu(const Machine& m, const Task& t, Die die) const {
    using scheduling::Placement;
    if (!is_share(t)) return 0;
    if (view_.placement == Placement::fgd) return fgd(m, t).second;
    std::vector<int> gpus;
    for (std::size_t g = 0; g < m.free.size(); ++g)
      if (gpu_fits(m, g, t)) gpus.push_back(static_cast<int>(g));
    if (view_.placement == Placement::random)
      return gpus[pick(gpus.size(), chance_.block(die.job, die.index).unit(1))];
    int best = gpus[0];
    for (const int g : gpus) {
      const int here = m.free[static_cast<std::size_t>(g)], there = m.free[static_cast<std::size_t>(best)];
      if (view_.placement == Placement::worst                                                ? here > there
          : view_.placement == Placement::best || view_.placement == Placement::consolidated ? here < there
                                                                                             : false)
        best = g;
    }
    return best;
  }
  bool hold(Machines& machines, const Task& t, int m, Die die, std::vector<Held>& held) const {
    const auto at = static_cast<std::size_t>(m);
    held.push_back(held_on(machines[at], at, t, choose_gpu(machines[at], t, die)));
    take(machines[at], held.back());
    return true;
  }
  bool in_parts(Machines& machines, const Job& job, Die die, std::vector<Held>& held) const {
    const bool fills = view_.placement == scheduling::Placement::consolidated;
    const auto equal = static_cast<std::size_t>(std::count_if(
        job.parts.begin(), job.parts.end(), [&](const Task& t) { return t.key() == job.parts[0].key(); }));
    for (std::size_t p = 0; p < job.parts.size(); ++p, ++die.index) {
      const Task& t = job.parts[p];
      int m = -1;
      if (fills && p > 0 && may(machines[held.back().machine], t))
        m = static_cast<int>(held.back().machine);
      else
        m = choose(machines, t, die, p < equal ? static_cast<int>(equal - p) : 1);
      if (m < 0) return false;
      hold(machines, t, m, die, held);
    }
    return true;
  }
  bool spread(Machines& machines, const Job& job, Die die, std::vector<Held>& held) const {
    for (int left = job.units; left > 0; ++die.index) {
      const int m = choose(machines, job.unit, die, left);
      if (m < 0) return false;
      while (left > 0 && may(machines[static_cast<std::size_t>(m)], job.unit)) {
        hold(machines, job.unit, m, die, held);
        --left;
      }
    }
    return true;
  }
  /// The same for a job that starts at that instant, and must be gone before its machines are.
  /// One that may be spread though it need not be is taken to be.
  bool place_from(std::int64_t from, Machines& machines, std::size_t i, std::vector<Held>& held) const {
    const bool at_will = jobs[i].fewest < jobs[i].parts.size() ||
                         (jobs[i].units > 0 && view_.placement == scheduling::Placement::lowest_id);
    for (std::int64_t until = from + slowed(limit(i), at_will);;) {
      Machines after = machines;
      for (Machine& m : after) m.barred = m.leaves < until;
      if (!place(after, i, held)) return false;
      const std::int64_t end = from + slowed(limit(i), is_spread(jobs[i], held));
      if (std::any_of(machines.begin(), machines.end(),
                      [&](const Machine& m) { return m.leaves >= until && m.leaves < end; })) {
        until = end;  // spread it takes too long for some of these
        continue;
      }
      for (Machine& m : after) m.barred = false;
      machines = after;
      return true;
    }
  }
  /// Takes the place on success alone.
  bool place(Machines& machines, std::size_t i, std::vector<Held>& held) const {
    const Job& job = jobs[i];
    const Die die{i, job.starts << 20};
    const bool may_spread =
        job.units > 0 && (view_.slowdown_milli > 0 || view_.placement == scheduling::Placement::lowest_id);
    const bool first_spread = may_spread && view_.placement == scheduling::Placement::lowest_id;
    for (const bool try_spread : {first_spread, !first_spread}) {
      if (try_spread && !may_spread) continue;
      Machines after = machines;
      held.clear();
      if (try_spread ? !spread(after, job, die, held) : !in_parts(after, job, die, held)) continue;
      machines = after;
      return true;
    }
    return false;
  }

  // --- time

  bool is_spread(const Job& job, const std::vector<Held>& held) const {
    std::set<std::size_t> machines;
    for (const Held& h : held) machines.insert(h.machine);
    return machines.size() > job.fewest;
  }
  std::int64_t slowed(std::int64_t s, bool spread) const {
    const std::int64_t f = std::max<std::int64_t>(view_.slowdown_milli, 1000);
    return spread ? (s * f + 999) / 1000 : s;
  }
  std::int64_t restart(const Job& j) const { return j.starts > 0 ? view_.restart_s : 0; }
  /// Time for the checkpoints of so much work, none of which is its end.
  std::int64_t writing(std::int64_t work) const {
    std::int64_t all = 0;
    for (std::int64_t at = view_.checkpoint_s; at > 0 && at < work; at += view_.checkpoint_s)
      all += view_.checkpoint_cost_s;
    return all;
  }
  std::int64_t limit(std::size_t i) const {
    const std::int64_t left = log_.jobs[i].requested_s - jobs[i].saved;
    return left + restart(jobs[i]) + writing(left);
  }
  void start(std::size_t i, std::int64_t t, const std::vector<Held>& held) {
    Job& j = jobs[i];
    j.spread = is_spread(j, held);
    j.held = held;
    j.start = t;
    if (j.first < 0) j.first = t;
    j.limit_end = t + slowed(limit(i), j.spread);
    const std::int64_t work = std::min(log_.jobs[i].run_s, log_.jobs[i].requested_s) - j.saved;
    j.ends = t + slowed(work + restart(j), j.spread) + writing(work);
    ++j.starts;
    j.waiting = false;
    j.running = true;
    std::set<std::uint32_t> machines;
    for (const Held& h : held) machines.insert(static_cast<std::uint32_t>(h.machine));
    j.machines.assign(machines.begin(), machines.end());
  }
  void lose(std::size_t machine, std::int64_t t) {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      Job& j = jobs[i];
      if (!j.running) continue;
      if (std::none_of(j.held.begin(), j.held.end(), [&](const Held& h) { return h.machine == machine; }))
        continue;
      release(j, now_);
      j.running = false;
      j.waiting = true;
      const std::int64_t before_work = j.starts > 1 ? slowed(view_.restart_s, j.spread) : 0;
      const std::int64_t ran = std::max<std::int64_t>(t - j.start - before_work, 0);
      const std::int64_t before = j.saved;
      for (std::int64_t n = 1; view_.checkpoint_s > 0; ++n) {
        if (slowed(n * view_.checkpoint_s, j.spread) + n * view_.checkpoint_cost_s > ran) break;
        j.saved = before + n * view_.checkpoint_s;
      }
    }
  }

  virtual std::vector<std::size_t> queue() const {
    std::vector<std::size_t> q;
    for (std::size_t i = 0; i < jobs.size(); ++i)
      if (jobs[i].waiting) q.push_back(i);
    std::stable_sort(q.begin(), q.end(), [&](std::size_t a, std::size_t b) {
      const auto &ja = log_.jobs[a], &jb = log_.jobs[b];
      if (options_.order == scheduling::Order::sjf && ja.requested_s != jb.requested_s)
        return ja.requested_s < jb.requested_s;
      return ja.submit_s < jb.submit_s;
    });
    return q;
  }
  bool holdable(std::size_t i) const {
    Machines empty = all_;
    for (std::size_t m = 0; m < empty.size(); ++m) empty[m].up = now_[m].up;
    std::vector<Held> held;
    return place(empty, i, held);
  }

  virtual void pass(std::int64_t t) {
    using scheduling::Backfill;
    std::vector<Held> held;
    std::vector<std::size_t> later;
    bool blocked = false;
    std::size_t head = 0;
    for (const std::size_t i : queue()) {
      if (blocked) {
        later.push_back(i);
        continue;
      }
      if (place_from(t, now_, i, held)) {
        start(i, t, held);
      } else if (options_.backfill != Backfill::fit && holdable(i)) {
        blocked = true;
        head = i;
      }
    }
    if (options_.backfill == Backfill::easy_sjbf)
      std::stable_sort(later.begin(), later.end(),
                       [this](std::size_t a, std::size_t b) { return limit(a) < limit(b); });
    if (blocked && options_.backfill != Backfill::none) backfill(head, later, t);
  }
  void backfill(std::size_t head, const std::vector<std::size_t>& later, std::int64_t t) {
    Reservation r = reserve(head, t);
    for (const std::size_t i : later) start_beside(i, r, t);
  }
  /// What the head's machines have left when it is on them.
  struct Reservation {
    Machines then;
    std::int64_t shadow = 0;
    std::set<std::size_t> machines;
  };
  Reservation reserve(std::size_t head, std::int64_t t) {
    std::set<std::int64_t> ends;
    for (const Job& j : jobs)
      if (j.running) ends.insert(j.limit_end);
    Reservation r;
    r.shadow = std::numeric_limits<std::int64_t>::max();
    std::vector<Held> of_head;
    for (const std::int64_t end : ends) {
      r.then = now_;
      for (Job& j : jobs)
        if (j.running && j.limit_end <= end) release(j, r.then);
      if (!place_from(std::max(end, t), r.then, head, of_head)) continue;
      r.shadow = std::max(end, t);
      break;
    }
    if (r.shadow == std::numeric_limits<std::int64_t>::max()) of_head.clear();
    for (const Held& h : of_head) r.machines.insert(h.machine);
    return r;
  }
  /// @returns false if it does not start
  bool start_beside(std::size_t i, Reservation& r, std::int64_t t) {
    std::vector<Held> held;
    Machines after = now_;
    if (place_from(t, after, i, held) && t + slowed(limit(i), is_spread(jobs[i], held)) <= r.shadow) {
      now_ = after;
      start(i, t, held);
      return true;
    }
    Machines beside = now_;
    for (const std::size_t m : r.machines) {
      beside[m].cpu = std::min(now_[m].cpu, r.then[m].cpu);
      beside[m].memory = std::min(now_[m].memory, r.then[m].memory);
      for (std::size_t g = 0; g < now_[m].free.size(); ++g) {
        beside[m].free[g] = std::min(now_[m].free[g], r.then[m].free[g]);
        if (now_[m].mig < 0) continue;
        beside[m].taken[g] = now_[m].taken[g] | r.then[m].taken[g];
        beside[m].free[g] = 1000 - PlainMig(now_[m].mig).milli(beside[m].taken[g]);
      }
    }
    if (!place_from(t, beside, i, held)) return false;
    for (const Held& h : held) {
      take(now_[h.machine], h);
      if (r.machines.count(h.machine) > 0) take(r.then[h.machine], h);
    }
    start(i, t, held);
    return true;
  }

  const workload::JobLog& log_;
  const simulation::ReplayOptions& options_;
  const simulation::NodeView& view_;
  Stream chance_;
  Machines all_, now_;
  std::map<std::tuple<std::int64_t, std::int64_t, int, int, std::uint32_t>, std::pair<Task, std::int64_t>>
      expected_;
};

}  // namespace natgpu::testing
