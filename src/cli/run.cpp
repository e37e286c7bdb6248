// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include <natgpu/core/file.hpp>
#include <natgpu/core/text.hpp>
#include <natgpu/core/utf8.hpp>
#include <natgpu/experiment/replicate.hpp>
#include <natgpu/experiment/summary.hpp>
#include <natgpu/report/files.hpp>

#include "command.hpp"
#include "command_line.hpp"
#include "run_options.hpp"
#include "scenarios.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

/// results/<scenario>[-policy][-quick], or below --out where there are several scenarios.
std::string folder_for(const scenario::Scenario& s, const Arguments& arguments) {
  std::string name = s.name;
  if (arguments.has("--policy")) name += "-" + s.policy;
  if (arguments.has("--quick")) name += "-quick";
  if (!arguments.has("--out")) return "results/" + slug(name);
  return arguments.positional.size() == 1 ? arguments.text("--out")
                                          : arguments.text("--out") + "/" + slug(name);
}

std::vector<std::string> prepare_folders(const std::vector<scenario::Scenario>& scenarios,
                                         const Arguments& arguments) {
  std::vector<std::string> folders;
  for (const scenario::Scenario& s : scenarios) {
    folders.push_back(folder_for(s, arguments));
    if (std::count(folders.begin(), folders.end(), folders.back()) > 1)
      throw UsageError(fmt::format("two scenarios would write to {}", printable(folders.back())),
                       "run them one at a time, each with its own --out");
  }
  for (const std::string& folder : folders) prepare_folder(folder);
  return folders;
}

struct Plan {
  experiment::ReplicateOptions replicate;
  report::Language language = report::Language::en;
  bool quick = false, central = false, sqlite = false;
  std::vector<std::string> settings;
};

/// `--with`. @throws UsageError naming what cannot be had
bool wants_sqlite(const Arguments& arguments) {
  const std::vector<std::string> known{"sqlite"};
  const std::vector<std::string> asked = parts_of(arguments.text("--with"), ',');
  for (const std::string& name : asked)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw UsageError(fmt::format("--with knows no `{}`{}", printable(name), did_you_mean(name, known)),
                       fmt::format("write --with {}", fmt::join(known, ",")));
  return !asked.empty();
}

Plan plan_for(const scenario::Scenario& s, const Arguments& arguments) {
  Plan plan;
  plan.replicate.seed = static_cast<std::uint64_t>(s.seed);
  plan.replicate.replications = static_cast<std::uint32_t>(s.replications);
  plan.replicate.threads = threads(arguments);
  plan.replicate.stop = &stop_requested();
  plan.language = static_cast<report::Language>(arguments.choice("--lang", {"en", "ko", "both"}, 0));
  plan.quick = arguments.has("--quick");
  plan.sqlite = wants_sqlite(arguments);
  plan.central = arguments.has("--central");
  plan.settings = arguments.list("--set");
  return plan;
}

int run_one(const scenario::Scenario& s, const std::string& folder, Plan plan) {
  report::RunFacts facts;
  facts.command_line = command_line();
  facts.started = utc_now();
  const double began = wall_seconds();
  const std::uint32_t asked = plan.replicate.replications;
  experiment::Replications done;
  {
    ProgressBar bar(printable(s.name));
    plan.replicate.on_progress = [&](double share, std::uint32_t finished) {
      bar.show(share, fmt::format("{} of {} replications", finished, asked));
    };
    done = experiment::replicate(s, plan.replicate);
  }
  if (done.records.empty()) {
    put_err("interrupted before a replication was finished; nothing was written\n");
    return Exit::interrupted;
  }
  report::RunResult result;
  result.scenario = &s;
  result.seed = plan.replicate.seed;
  result.replications_asked = asked;
  result.interrupted = done.interrupted;
  result.quick = plan.quick;
  result.sqlite = plan.sqlite;
  result.central = plan.central;
  result.settings = plan.settings;
  result.language = plan.language;
  result.records = std::move(done.records);
  result.summary = experiment::summarise(s, result.records);
  facts.finished = utc_now();
  facts.wall_seconds = wall_seconds() - began;
  facts.threads = plan.replicate.threads;
  facts.peak_memory_bytes = peak_memory();
  const std::string path = report::write_results(folder, result, facts);
  put_out(report::summary_text(result));
  put_out(path + "\n");
  if (!result.summary.mistakes.empty()) {
    for (const Diagnostic& d : result.summary.mistakes) put_err(format_diagnostic(d));
    put_err("the results are written; these were not judged\n");
    return Exit::invalid;
  }
  return result.interrupted ? Exit::interrupted : Exit::done;
}

int run(const Arguments& arguments) {
  scenario::LoadOptions options;
  options.set = settings(arguments);
  options.policy = arguments.text("--policy");
  options.quick = arguments.has("--quick");
  options.central = arguments.has("--central");
  const std::vector<scenario::Scenario> scenarios = load_all(arguments.positional, options);
  std::vector<Plan> plans;
  for (const scenario::Scenario& s : scenarios) plans.push_back(plan_for(s, arguments));
  const std::vector<std::string> folders = prepare_folders(scenarios, arguments);
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    if (i > 0) put_out("\n");
    if (const int code = run_one(scenarios[i], folders[i], plans[i]); code != Exit::done) return code;
  }
  return Exit::done;
}

}  // namespace

const Command& run_command() {
  static const Command command{
      "run",
      "Simulate scenarios; write results and a report.",
      "SCENARIO...",
      1,
      10000,
      {{"--policy", "P", "a policy block of the scenario, a named scheduling policy, or ./my_order.so"},
       replications_option(),
       seed_option(),
       jobs_option(),
       set_option(),
       central_option(),
       {"--quick", "", "scale capacity and demand down, few replications: a look, not a result"},
       {"--lang", "L", "of report.md: en (default), ko or both"},
       {"--with", "sqlite", "further result files: results.sqlite, one database"},
       {"--out", "DIR", "for the results; by default results/<scenario>[-policy][-quick]"}},
      {"natgpu run scenarios/small-city.yaml", "natgpu run scenarios/korea-2030.yaml --quick --lang both",
       "natgpu run scenarios/korea-2030.yaml --policy fcfs --replications 20 --jobs 8 --out results/fcfs"},
      run};
  return command;
}

}  // namespace natgpu::cli
