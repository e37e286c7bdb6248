// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include <natgpu/core/utf8.hpp>
#include <natgpu/scenario/scenario.hpp>

#include "command.hpp"
#include "terminal.hpp"

namespace natgpu::cli {
namespace {

/// Codes of the rooms that know no scenario: job logs (04), targets and baselines (05), policies (06).
const std::vector<scenario::CodeRow>& further_codes() {
  static const std::vector<scenario::CodeRow> rows{
      {"E0401", "the job log cannot be read",
       "The file is not there, is no regular file (a folder, a pipe, a device), or the disk failed. Logs are "
       "read from "
       "plain or gzip files."},
      {"E0402", "a value that cannot be read",
       "A row of the Standard Workload Format holds 18 numbers, -1 for unknown, separated by blanks; "
       "comments begin "
       "with `;`. In a CSV log each column holds what its map says: numbers are written 12 or 12.5, dates "
       "2017-09-04 10:30:41 with Z or an offset where they have one, and unknown values are empty. Fractions "
       "of a "
       "second are cut off and counted, in SWF fractions of a processor are refused. Exponents, signs other "
       "than a "
       "minus and group marks are not read."},
      {"E0403", "too few or too many fields",
       "A row of the Standard Workload Format has exactly 18 fields, a row of a CSV log as many as its first "
       "line. A "
       "short row is often a cut file, a long one another format or, in CSV, a comma inside a field without "
       "quotes."},
      {"E0404", "this is no text log",
       "The file holds a NUL byte or a line of more than 64 KiB, or its first rows hold words where SWF has "
       "numbers: it is probably no job log but, say, an archive, a scenario, or a log of another format "
       "(--format)."},
      {"E0405", "a value out of range",
       "Times lie within 10^10 s (317 years), dates in the calendar, processors, users, groups and queues "
       "within 2^31, "
       "nodes and types of GPUs within 2^15, a share of a GPU within the GPU. Larger numbers come from "
       "damaged logs or "
       "other units, such as milliseconds."},
      {"E0406", "damaged gzip data",
       "The compressed file is cut short or its checksum does not agree. Fetch it again; `gzip -t FILE` "
       "tests it. A "
       "damaged log is refused as a whole, for half a log looks like a quiet machine."},
      {"E0407", "no usable job",
       "Every row of the log has a run time below one second, no processors, more processors than the "
       "machine has, "
       "lacks a submission, a start or an end, or was submitted before second 0. Check `--gpus` and, in SWF, "
       "the log's "
       "MaxProcs."},
      {"E0408", "broken quotes",
       "A field of a CSV log that holds a comma, a quote or a line break stands in quotes as a whole, and "
       "quotes "
       "inside it are doubled: \"a \"\"b\"\", c\"."},
      {"E0409", "the columns are not those of the format",
       "The format of a log is told from its header line, or named with `--format`. The file lacks a column "
       "that the "
       "format needs, has it twice, or belongs to no format known. `natgpu trace formats` lists what each "
       "needs, and "
       "`--format FILE` takes a map of your own."},
      {"E0410", "a column map that cannot be used",
       "A column map is a CSV file with the columns field, column, unit and, where wanted, per, needed and "
       "meaning. It "
       "names the submission, the GPUs, and the run time or start and end. `natgpu trace formats helios` "
       "writes one to "
       "start from."},
      {"E0411", "machines or tasks that the node view cannot hold",
       "Tasks are placed on machines of at most 16 GPUs, of at most 31 types. Each machine states its cores "
       "and "
       "memory, at least one has a GPU, and at least one task asks for one."},
      {"E0412", "an outage of a machine that is not there",
       "`--node-outages` names machines as the list given to `--nodes` does, or by their number in it, from "
       "0."},
      {"E0413", "a JSON log that cannot be read",
       "Philly's `cluster_job_log` is one JSON array of jobs, each with `submitted_time` and `attempts`; an "
       "attempt has `start_time`, `end_time` and `detail`, a list of machines with their `gpus`. The file "
       "breaks "
       "off, is no JSON from this line on, or has something else in one of these places."},
      {"E0420", "a list of shares that cannot be used",
       "`--shares FILE` is a CSV file with the columns group, user and share, as far as the log names groups "
       "and users. A share is a number above 0; a row without a user states the share of a group as a whole; "
       "an account stands in one row, and one without a row has one share (docs/orders.md)."},
      {"E0421", "the log lacks what the order ranks by",
       "Orders by account need a log that names users or groups, `--classes` names queues of the log, and "
       "`--cpus` and `--memory` need a log that says how much of them a job takes. A column map says where a "
       "CSV log has them (docs/traces.md)."},
      {"E0422", "a list of speeds that cannot be used",
       "The file of `--speeds` is CSV: a column `queue`, `group`, `user` or `gpu_type`, which says what of a "
       "job "
       "its speeds go by, and one for each type of `--gpu-types`. A speed is a number from 0 to a million, 1 "
       "being "
       "that of the log's times; 0 or nothing: such jobs cannot run on the type. A row `*` is for all jobs "
       "that no "
       "other row names; without it every job needs one (docs/gpu-types.md)."},
      {"E0501", "not a bar",
       "`expect` of a target is a comparison, a number and the metric's unit: `>= 30000 H100e`. Comparisons "
       "are >=, >, "
       "<= and <."},
      {"E0502", "unknown metric",
       "A target on a metric that does not exist would never be judged, so it is refused. docs/metrics.md "
       "lists the "
       "metrics with unit and labels."},
      {"E0503", "the unit of the bar is not the metric's",
       "The bar of a target is stated in the metric's own unit, so that nobody reads seconds as hours. Only "
       "shares and counts may be written without one."},
      {"E0504", "labels that match nothing",
       "`where` of a target names the labels of one figure: `at=2030-12-31;state=in_service`. All labels of "
       "the figure "
       "must be given, and the figure must have been measured."},
      {"E0505", "not a margin",
       "A margin is what a metric may be worse by: a number in the metric's unit, or a share of the "
       "baseline's "
       "mean: `0.01`, `600 s`, `2 % of baseline`. It is not negative."},
      {"E0506", "the baseline cannot be used",
       "The file is not there, is no JSON, or is no baseline of this version of natgpu. Baselines are "
       "written by "
       "`natgpu check --update-baseline`; they may be edited by hand (margins), but each check keeps one "
       "value a "
       "replication."},
      {"E0507", "not in the baseline",
       "The baseline holds no values of this scenario under this policy, or not of this metric with these "
       "labels. "
       "A check without values to compare with would always pass, so that it is refused. Record them with "
       "`--update-baseline`."},
      {"E0508", "nothing to check",
       "The scenario has neither targets, reality checks nor a baseline. A check that judges nothing would "
       "always pass, so "
       "that "
       "it is refused."},
      {"E0509", "the manifest cannot be used",
       "The file is not there, or is no manifest.json that `natgpu run` of this version has written."},
      {"E0510", "the plan cannot be used",
       "The file is not there, is no plan, or was changed: a plan is made by `natgpu sweep plan` and carries "
       "the hash "
       "of its own contents, so that results of two plans cannot mix. Make a new one."},
      {"E0511", "the scenario differs from the plan's",
       "The scenario's values are others than when the plan was made. Its points would not belong to one "
       "sweep. Make a "
       "new plan, or take back the change."},
      {"E0601", "the policy's library cannot be read",
       "The file is not there, is no regular file, or may not be read. A word with a slash, or one that ends "
       "in `.so`, names a library; all others name a policy of natgpu (`natgpu policy list`)."},
      {"E0602", "not a shared library that can be loaded",
       "The system's loader refused the file; the message gives its reason. A policy is built with "
       "`cc -shared -fPIC`, for the machine it runs on. Symbols that it needs and does not define come from "
       "libraries it must be linked with."},
      {"E0603", "the library holds no policy",
       "A policy exports one function, `natgpu_policy_entry`. The macros NATGPU_ORDER and NATGPU_POLICY of "
       "natgpu/policy.h write it. A C++ namespace around them, `static`, or a linker script may hide it."},
      {"E0604", "the policy was made for another natgpu/policy.h",
       "The version of the interface, or the size of its natgpu_policy, is not this program's. Called "
       "nevertheless, it would read other fields than were meant. Build it with the header of this program; "
       "`natgpu policy new` writes it."},
      {"E0605", "the policy does nothing",
       "A policy sets `key`, and is an order (level 1), or `pass`, and decides who starts (level 2). One "
       "that sets neither has no effect."},
  };
  return rows;
}

/// Breaks between words, so that lines keep to a terminal's width.
std::string wrapped(const std::string& text) {
  constexpr std::size_t width = 80;
  std::string out;
  std::size_t column = 0;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find(' ', from), text.size());
    if (column > 0 && column + 1 + (to - from) > width) {
      out += '\n';
      column = 0;
    } else if (column > 0) {
      out += ' ';
      ++column;
    }
    out.append(text, from, to - from);
    column += to - from;
    from = to + 1;
  }
  return out;
}

std::vector<scenario::CodeRow> all_codes() {
  std::vector<scenario::CodeRow> rows = scenario::error_codes();
  rows.insert(rows.end(), further_codes().begin(), further_codes().end());
  return rows;
}

int explain(const Arguments& arguments) {
  const std::vector<scenario::CodeRow> codes = all_codes();
  if (arguments.positional.empty()) {
    std::string out;
    for (const scenario::CodeRow& row : codes) out += fmt::format("{}  {}\n", row.code, row.title);
    put_out(out);
    return Exit::done;
  }
  std::string wanted = arguments.positional[0];
  for (char& c : wanted)
    if (c == 'e') c = 'E';
  const auto found =
      std::find_if(codes.begin(), codes.end(), [&](const auto& row) { return row.code == wanted; });
  if (found == codes.end()) {
    std::vector<std::string> names;
    for (const scenario::CodeRow& row : codes) names.push_back(row.code);
    throw UsageError(fmt::format("unknown code `{}`{}", printable(wanted), did_you_mean(wanted, names)),
                     "`natgpu explain` lists them all");
  }
  put_out(fmt::format("{}: {}\n\n{}\n", found->code, found->title, wrapped(found->text)));
  return Exit::done;
}

}  // namespace

const Command& explain_command() {
  static const Command command{"explain",
                               "Tell more about an error code; without one, list them.",
                               "[CODE]",
                               0,
                               1,
                               {},
                               {"natgpu explain E0213"},
                               explain};
  return command;
}

}  // namespace natgpu::cli
