// SPDX-License-Identifier: Apache-2.0
#include "preemption_options.hpp"

#include <iterator>
#include <string>

#include <fmt/format.h>

#include <natgpu/core/text.hpp>
#include <natgpu/core/time.hpp>

#include "length_option.hpp"

namespace natgpu::cli {
namespace {

using scheduling::Order;

constexpr std::int64_t most_promote = 1'000'000;
constexpr std::size_t most_thresholds = 100;
constexpr std::int64_t usual_quantum = 3600 * ticks_per_second;
constexpr std::int64_t usual_shield = 7200 * ticks_per_second;  ///< of the modes of preemption
constexpr std::int64_t usual_thresholds[] = {3600 * ticks_per_second, 36000 * ticks_per_second};

std::vector<Area> thresholds_of(const Arguments& arguments) {
  std::vector<Area> limits;
  if (!arguments.has("--thresholds")) limits.assign(std::begin(usual_thresholds), std::end(usual_thresholds));
  for (const std::string& part : parts_of(arguments.text("--thresholds"), ',')) {
    limits.push_back(length_of("--thresholds", part));
    if (limits.back() <= (limits.size() > 1 ? limits[limits.size() - 2] : 0))
      throw UsageError("--thresholds rise, and the first is above zero",
                       "write for instance `--thresholds 1h,10h`");
  }
  if (limits.size() > most_thresholds)
    throw UsageError(fmt::format("--thresholds takes {} at most", most_thresholds), "leave some out");
  return limits;
}

/// The option that goes with one order alone.
void refuse_beside(const Arguments& arguments, const char* option, bool goes, const char* order) {
  if (arguments.has(option) && !goes)
    throw UsageError(fmt::format("{} has no meaning for this order", option),
                     fmt::format("choose `--policy {}`, or leave {} out", order, option));
}

/// Machines that fail stop jobs as well.
bool is_of_segments(const std::string& option) {
  return option == "--checkpoint" || option == "--restart-cost";
}

/// What is said beside a policy of level 2, which decides by itself when it preempts.
bool goes_with_level_2(const std::string& option) {
  return is_of_segments(option) || option == "--shield" || option == "--notice";
}
void refuse_beside_level_2(const Arguments& arguments, const simulation::ReplayOptions& options) {
  for (const Option& o : preemption_options()) {
    if (!arguments.has(o.name)) continue;
    if (!goes_with_level_2(o.name))
      throw UsageError(
          fmt::format("{} has no meaning for a policy that decides by itself when it takes GPUs back",
                      o.name),
          "leave it out; --shield, --notice, --checkpoint and --restart-cost go with it");
    if (options.semantics.pass == scheduling::PassRule::event)
      throw UsageError(fmt::format("{}: with a pass for each event nobody is preempted", o.name),
                       fmt::format("leave --pass out, or {}", o.name));
  }
}

void refuse_senseless(const Arguments& arguments, const simulation::ReplayOptions& options) {
  if (options.plugged && options.plugged.decides()) return refuse_beside_level_2(arguments, options);
  const bool by_class = options.by_class;
  if (by_class && !simulation::has_classes(options))
    throw UsageError("preemption by class needs an order whose keys are classes",
                     "choose `--policy priority`, or `--order ./my_order.so` (docs/policies.md)");
  if (options.quota_reclaim && (moves(options.order) || preempts(options.order)))
    throw UsageError("quota-reclaim serves jobs in an order that is settled at submission",
                     "choose --order fcfs, sjf, ljf, saf, lottery or priority, or leave --preemption out");
  if (!preempts(options.order) && !by_class && !options.quota_reclaim) {
    for (const Option& o : preemption_options())
      if (arguments.has(o.name) && o.name != "--preemption" &&
          !(arguments.has("--nodes") && is_of_segments(o.name)))
        throw UsageError(
            fmt::format("{} has no meaning for an order that leaves running jobs their GPUs", o.name),
            fmt::format("choose `--policy srtf`, srsf, las, las2d, gavel-las or gavel-ftf, or leave {} out",
                        o.name));
    return;
  }
  if (options.backfill != scheduling::Backfill::fit && options.backfill != scheduling::Backfill::none)
    throw UsageError(
        "an order that takes GPUs back keeps no reservations: who comes first takes the GPUs of others",
        "choose --backfill fit or none");
  if (options.semantics.pass == scheduling::PassRule::event)
    throw UsageError("an order that takes GPUs back sees all that happened at an instant",
                     "leave --pass out, and --dialect pyss or cqsim");
  refuse_beside(arguments, "--quantum", options.order == Order::las, "las");
  refuse_beside(arguments, "--thresholds", options.order == Order::las2d, "las2d");
  refuse_beside(arguments, "--promote", options.order == Order::las2d, "las2d");
}

}  // namespace

const std::vector<Option>& preemption_options() {
  static const std::vector<Option> options{
      {"--preemption", "P",
       "none (default); by-class: waiting jobs take GPUs of running ones whose key in the order is larger; "
       "or quota-reclaim: accounts within their quotas take those of accounts beyond theirs"},
      {"--quantum", "T",
       "of las: time on GPUs between two ranks, 1h by default; of --sharing gang: length of a turn"},
      {"--thresholds", "T,T", "of las2d: GPU time at which a job leaves each queue; 1h,10h by default"},
      {"--promote", "K",
       "of las2d: a wait of K times its service leads a job to the first queue; never by default"},
      {"--rounds", "T",
       "of preemptive orders: they act at multiples of T alone; 6min by default in gavel-las and gavel-ftf"},
      {"--shield", "T",
       "of preemptive orders and policies: nobody is preempted so soon after a start; 0s by default, with "
       "--preemption 2h"},
      {"--notice", "T",
       "of preemptive orders and policies: from a preemption to the return of the GPUs; 0s by default"},
      {"--checkpoint", "T",
       "of preemptive orders and outages: always, all work is kept; never; or work between two checkpoints; "
       "always by default, for outages beside other orders never"},
      {"--restart-cost", "T",
       "of preemptive orders and outages: each start after the first takes so long; 0s by default"}};
  return options;
}

void choose_preemption(const Arguments& arguments, simulation::ReplayOptions& options) {
  const std::size_t mode = arguments.choice("--preemption", {"none", "by-class", "quota-reclaim"}, 0);
  options.by_class = mode == 1;
  options.quota_reclaim = mode == 2;
}

void read_preemption(const Arguments& arguments, simulation::ReplayOptions& options) {
  refuse_senseless(arguments, options);
  const bool level_2 = options.plugged && options.plugged.decides();
  const bool by_mode = options.by_class || options.quota_reclaim;
  if (!preempts(options.order) && !by_mode && !level_2) return;
  const auto length = [&](const char* option, std::int64_t otherwise) {
    return arguments.has(option) ? length_of(option, arguments.text(option)) : otherwise;
  };
  scheduling::PreemptiveRule& p = options.preemption;
  if (options.order == Order::las) {
    p.quantum = length("--quantum", usual_quantum);
    if (p.quantum == 0) throw UsageError("--quantum is above zero", "write for instance `--quantum 10min`");
  }
  if (options.order == Order::las2d) p.limits = thresholds_of(arguments);
  p.promote = arguments.whole("--promote", 0, 1, most_promote);
  p.round = length("--rounds", by_target(options.order) ? scheduling::usual_round.count() : 0);
  if (by_target(options.order) && p.round == 0)
    throw UsageError("this order shares out the time of rounds: --rounds is above zero",
                     "write for instance `--rounds 6min`");
  p.shield = length("--shield", by_mode ? usual_shield : 0);
  p.notice = length("--notice", 0);
  const std::string checkpoint = arguments.text("--checkpoint", "always");
  options.segments.checkpoint = checkpoint == "always"  ? 0
                                : checkpoint == "never" ? simulation::no_checkpoint
                                                        : length_of("--checkpoint", checkpoint);
  options.segments.restart = length("--restart-cost", 0);
}

}  // namespace natgpu::cli
