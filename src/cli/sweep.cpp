// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include <natgpu/core/file.hpp>
#include <natgpu/core/text.hpp>
#include <natgpu/core/units.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/experiment/compare.hpp>
#include <natgpu/report/sweep.hpp>

#include "command.hpp"
#include "run_options.hpp"
#include "scenarios.hpp"
#include "shell_words.hpp"
#include "sweep_axes.hpp"
#include "sweep_run.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

namespace fs = std::filesystem;
using report::SweepPlan;

scenario::Scenario load_point(const SweepPlan& plan, const std::vector<std::string>& values) {
  scenario::LoadOptions options;
  options.set = plan.settings;
  for (std::size_t i = 0; i < plan.paths.size(); ++i)
    if (plan.paths[i] == "policy")
      options.policy = values[i];
    else
      options.set.push_back(plan.paths[i] + "=" + values[i]);
  return load_all({plan.scenario_file}, options).front();
}

scenario::Scenario load_base(const SweepPlan& plan) {
  scenario::LoadOptions options;
  options.set = plan.settings;
  return load_all({plan.scenario_file}, options).front();
}

/// Reads each value of each path once, the others as at the first point.
void try_values(const SweepPlan& plan) {
  std::vector<Diagnostic> mistakes;
  const auto attempt = [&](const std::vector<std::string>& values) {
    try {
      load_point(plan, values);
    } catch (const ScenarioError& e) {
      for (const Diagnostic& d : e.diagnostics())
        if (std::none_of(mistakes.begin(), mistakes.end(),
                         [&](const Diagnostic& m) { return m.message == d.message; }))
          mistakes.push_back(d);
    }
  };
  attempt(plan.points.front());
  for (std::size_t path = 0; path < plan.paths.size(); ++path) {
    std::vector<std::string> seen{plan.points.front()[path]};
    for (const auto& point : plan.points) {
      if (seen.size() > 1000) break;
      if (std::find(seen.begin(), seen.end(), point[path]) != seen.end()) continue;
      seen.push_back(point[path]);
      std::vector<std::string> values = plan.points.front();
      values[path] = point[path];
      attempt(values);
    }
  }
  if (!mistakes.empty()) throw ScenarioError(std::move(mistakes));
}

int plan(const Arguments& arguments) {
  SweepPlan made;
  made.scenario_file = arguments.positional[1];
  made.settings = settings(arguments);
  made.metrics = parts_of(arguments.text("--metrics"), ',');
  const scenario::Scenario base = load_base(made);
  made.scenario_hash = base.hash;
  made.seed = static_cast<std::uint64_t>(base.seed);
  made.replications = static_cast<std::uint32_t>(base.replications);
  questions_of(made.metrics, base);
  std::vector<Axis> axes;
  for (const std::string& text : arguments.list("--axis")) axes.push_back(list_axis(text));
  for (const std::string& text : arguments.list("--zip")) axes.push_back(zipped_axis(text));
  if (arguments.has("--range") != arguments.has("--sample"))
    throw UsageError("--range and --sample go together", "write `--range 'path=1..2' --sample lhs:100`");
  if (arguments.has("--range"))
    axes.push_back(sampled_axis(arguments.list("--range"), arguments.text("--sample"), made.seed));
  if (axes.empty())
    throw UsageError("nothing varies", "name an axis: `--axis 'supply.sites[a].pue=1.1,1.2'`");
  Axis all = product(axes);
  for (const std::string& path : all.paths)
    if (path == "seed" || path == "replications")
      throw UsageError(fmt::format("`{}` cannot be an axis", path), "all points share their draws");
  made.paths = std::move(all.paths);
  made.points = std::move(all.rows);
  try_values(made);
  made = report::sealed(std::move(made));
  const std::string out = arguments.text("--out", slug(base.name + "-sweep") + ".json");
  write_file_whole(out, report::plan_json(made));
  put_out(fmt::format("{}: {} points x {} replications, plan {}\n", printable(out), made.points.size(),
                      made.replications, made.hash.substr(0, 16)));
  return Exit::done;
}

std::string folder_of(const Arguments& arguments, const SweepPlan& plan) {
  return arguments.text("--out", "results/sweep-" + plan.hash.substr(0, 16));
}

/// "3/40", or `--shards 40` with the number from the batch system's environment.
report::Shard shard_of(const Arguments& arguments) {
  const auto parse = [](const std::string& text, const std::string& whole) {
    long long value = 0;
    if (parse_integer(text, value) != QuantityError::none || value < 1 || value > 99999)
      throw UsageError(fmt::format("`{}` is no shard", printable(whole)), "write --shard 3/40");
    return static_cast<std::size_t>(value);
  };
  report::Shard shard;
  if (arguments.has("--shard")) {
    const std::string text = arguments.text("--shard");
    const std::size_t slash = std::min(text.find('/'), text.size());
    shard = {parse(text.substr(0, slash), text) - 1,
             parse(text.substr(std::min(slash + 1, text.size())), text)};
  } else if (arguments.has("--shards")) {
    shard.count = static_cast<std::size_t>(arguments.whole("--shards", 1, 1, 99999));
    const char* number = nullptr;
    for (const char* name : {"SLURM_ARRAY_TASK_ID", "PBS_ARRAY_INDEX", "PARALLEL_SEQ"})
      if (number == nullptr) number = std::getenv(name);
    if (number == nullptr) throw UsageError("--shards without a batch system", "say which one: --shard 3/40");
    shard.index = parse(number, number) - 1;
  }
  if (shard.index >= shard.count)
    throw UsageError("there is no such shard", "the first of 40 is 1/40, the last 40/40");
  return shard;
}

SweepPlan checked_plan(const std::string& path) {
  SweepPlan plan = report::read_plan(path);
  if (load_base(plan).hash == plan.scenario_hash) return plan;
  refuse_file(plan.scenario_file, "E0511", "the scenario was changed since the plan was made",
              "make a new plan");
}

int run(const Arguments& arguments) {
  const SweepPlan plan = checked_plan(arguments.positional[1]);
  const report::Shard shard = shard_of(arguments);
  const std::string folder = folder_of(arguments, plan);
  prepare_folder(folder);
  report::ShardWriter writer(folder, plan, shard);
  if (writer.is_finished()) {
    put_out(fmt::format("shard {}/{} was finished before\n", shard.index + 1, shard.count));
    return Exit::done;
  }
  if (writer.was_torn()) put_err("note: a torn end was cut off; its point is run again\n");
  if (writer.done() > 0) put_err(fmt::format("note: {} points were done before\n", writer.done()));
  const auto questions = questions_of(plan.metrics, load_base(plan));
  const auto load = [&plan](std::size_t point) { return load_point(plan, plan.points[point]); };
  ShardRun run(plan, shard, writer, load, questions);
  if (!run.go(threads(arguments))) {
    put_err(fmt::format("interrupted; {} of {} points are kept\n", writer.done(), run.points()));
    return Exit::interrupted;
  }
  writer.finish();
  for (const experiment::Question& q : run.unanswered())
    put_err(fmt::format("warning: {} {} has no value at any of these points\n", q.metric,
                        measures::to_string(q.labels)));
  put_out(fmt::format("{}: shard {}/{} finished, {} points\n", printable(folder), shard.index + 1,
                      shard.count, writer.done()));
  return Exit::done;
}

std::string shortened(const std::vector<std::size_t>& points) {
  constexpr std::size_t shown = 10;
  std::vector<std::size_t> first(
      points.begin(), points.begin() + static_cast<std::ptrdiff_t>(std::min(shown, points.size())));
  return fmt::format("{}{}", fmt::join(first, ", "), points.size() > shown ? ", ..." : "");
}

int status(const Arguments& arguments) {
  const SweepPlan plan = report::read_plan(arguments.positional[1]);
  const report::SweepStatus s = report::sweep_status(folder_of(arguments, plan), plan);
  put_out(fmt::format("plan {}: {} of {} points done; {} shards finished, {} unfinished\n",
                      plan.hash.substr(0, 16), s.done, s.points, s.finished.size(), s.unfinished.size()));
  for (const std::string& file : s.unfinished) put_out(fmt::format("  unfinished: {}\n", printable(file)));
  return s.missing.empty() ? Exit::done : Exit::inconclusive;
}

int merge(const Arguments& arguments) {
  const SweepPlan plan = report::read_plan(arguments.positional[1]);
  const std::string folder = folder_of(arguments, plan);
  const bool partial = arguments.has("--allow-partial");
  const report::SweepStatus s = report::merge_sweep(folder, plan, partial);
  if (!s.missing.empty())
    put_err(fmt::format("{} of {} points are in no finished shard: {}\n", s.missing.size(), s.points,
                        shortened(s.missing)));
  if (!s.missing.empty() && !partial) return Exit::inconclusive;
  put_out(fmt::format("{}/results.csv: {} points{}\n", printable(folder), s.points - s.missing.size(),
                      s.missing.empty() ? "" : ", PARTIAL"));
  return s.missing.empty() ? Exit::done : Exit::inconclusive;
}

struct Script {
  std::string name, text;
};

/// A job array of the shards and a merge that waits for all of them.
std::vector<Script> slurm_scripts(const std::string& natgpu, const std::string& sweep,
                                  const std::string& folder, std::int64_t shards, const std::string& name) {
  const std::string here = quoted(fs::current_path().string());
  const std::string common = fmt::format("--parsable --chdir={} --job-name={}", here, name);
  return {
      {"shard.sh",
       fmt::format("#!/bin/sh\nexec {} sweep run {} --shards {} --jobs \"${{SLURM_CPUS_PER_TASK:-1}}\"\n",
                   natgpu, sweep, shards)},
      {"merge.sh", fmt::format("#!/bin/sh\nexec {} sweep merge {}\n", natgpu, sweep)},
      {"submit.sh",
       fmt::format(
           "#!/bin/sh\nset -e\n"
           "id=$(sbatch {} --array=1-{} --requeue --open-mode=append --output={} {})\n"
           "merge=$(sbatch {} --dependency=afterok:\"$id\" --kill-on-invalid-dep=yes --output={} {})\n"
           "echo \"submitted: array $id, merge $merge\"\n",
           common, shards, quoted(folder + "/slurm-%A_%a.log"), quoted(folder + "/shard.sh"), common,
           quoted(folder + "/slurm-merge.log"), quoted(folder + "/merge.sh"))},
  };
}

std::vector<Script> parallel_scripts(const std::string& natgpu, const std::string& sweep,
                                     const std::string& folder, std::int64_t shards) {
  return {{"submit.sh",
           fmt::format("#!/bin/sh\nset -e\ncd {}\nmkdir -p {}\n"
                       "seq {} | parallel --joblog {} --resume-failed {}\nexec {} sweep merge {}\n",
                       quoted(fs::current_path().string()), quoted(folder), shards,
                       quoted(folder + "/parallel.log"),
                       quoted(fmt::format("{} sweep run {} --shard {{}}/{} --jobs 1", natgpu, sweep, shards)),
                       natgpu, sweep)}};
}

int submit(const Arguments& arguments) {
  const SweepPlan plan = checked_plan(arguments.positional[1]);
  if (!arguments.has("--engine") || !arguments.has("--shards"))
    throw UsageError("sweep submit needs --engine and --shards", "write `--engine slurm --shards 40`");
  const std::int64_t shards = arguments.whole("--shards", 1, 1, 99999);
  const bool slurm = arguments.choice("--engine", {"slurm", "parallel"}, 0) == 0;
  const std::string folder = fs::absolute(folder_of(arguments, plan)).string();
  const std::string natgpu = quoted(own_program());
  const std::string sweep =
      quoted(fs::absolute(arguments.positional[1]).string()) + " --out " + quoted(folder);
  const std::vector<Script> scripts =
      slurm ? slurm_scripts(natgpu, sweep, folder, shards, "natgpu-" + plan.hash.substr(0, 8))
            : parallel_scripts(natgpu, sweep, folder, shards);
  if (arguments.has("--dry-run")) {
    for (const Script& s : scripts) put_out(fmt::format("# {}/{}\n{}\n", printable(folder), s.name, s.text));
    return Exit::done;
  }
  prepare_folder(folder);
  for (const Script& s : scripts) write_file_whole(folder + "/" + s.name, s.text);
  if (std::system(("sh " + quoted(folder + "/submit.sh")).c_str()) != 0)
    throw RunError(fmt::format("{}/submit.sh failed; what it says stands above", folder));
  return Exit::done;
}

constexpr const char* file = "a file";
constexpr Action actions[] = {{"plan", plan, file},
                              {"run", run, file},
                              {"status", status, file},
                              {"merge", merge, file},
                              {"submit", submit, file}};

int sweep(const Arguments& arguments) {
  return run_action("sweep", actions, arguments);
}

}  // namespace

const Command& sweep_command() {
  static const Command command{
      "sweep",
      "Run a scenario at many points: plan, shards that survive a kill, merged tables.",
      "plan SCENARIO | run PLAN | status PLAN | merge PLAN | submit PLAN",
      1,
      2,
      {{"--axis", "PATH=V,V,...", "plan: values of a path (`policy` is one); axes are combined", true},
       {"--zip", "PATH=V,V;PATH=V,V", "plan: paths that step together", true},
       {"--range", "PATH=LOW..HIGH", "plan: a range to sample", true},
       {"--sample", "lhs:N|sobol:N", "plan: Latin hypercube or Sobol's points over the ranges"},
       {"--metrics", "M,M:LABELS,...", "plan: what to keep; by default headlines and targets"},
       {"--replications", "N", "plan: at each point; by default as the scenario says"},
       seed_option(),
       set_option(),
       {"--shard", "K/N", "run: the K-th of N parts; by default all"},
       {"--shards", "N",
        "run: part of N that SLURM_ARRAY_TASK_ID, PBS_ARRAY_INDEX or PARALLEL_SEQ says; submit: how many"},
       jobs_option(),
       {"--engine", "slurm|parallel",
        "submit: a Slurm job array with a merge behind it, or GNU parallel here"},
       {"--dry-run", "", "submit: print the scripts, run nothing"},
       {"--allow-partial", "", "merge: write what is there"},
       {"--out", "PATH", "plan: its file; else the folder, by default results/sweep-<hash>"}},
      {"natgpu sweep plan scenarios/small-city.yaml --axis policy=fcfs,easy --axis "
       "'supply.sites[hill].pue=1.2,1.4' --out "
       "plan.json",
       "natgpu sweep run plan.json --shard 1/2", "natgpu sweep merge plan.json"},
      sweep};
  return command;
}

}  // namespace natgpu::cli
