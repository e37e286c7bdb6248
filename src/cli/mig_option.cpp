// SPDX-License-Identifier: Apache-2.0
#include "mig_option.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <natgpu/core/text.hpp>
#include <natgpu/core/utf8.hpp>

namespace natgpu::cli {
namespace {

using scheduling::mig_layout;
using scheduling::mig_positions;
using scheduling::mig_tables;
using scheduling::MigPosition;
using simulation::MigUse;

std::vector<std::string> table_names() {
  std::vector<std::string> names;
  for (const scheduling::MigTable& t : mig_tables()) names.emplace_back(t.gpu);
  return names;
}
std::vector<std::string> position_names() {
  std::vector<std::string> names;
  for (const scheduling::MigPositionRule& p : mig_positions()) names.emplace_back(p.name);
  return names;
}
std::vector<std::string> types_of(const workload::NodeList& machines) {
  std::vector<std::string> types;
  for (std::size_t t = 0; t < machines.gpu_types.size(); ++t) types.emplace_back(machines.gpu_types[t]);
  return types;
}

/// @throws UsageError with the nearest name
std::size_t place_of(const std::string& word, const std::vector<std::string>& names, const char* what,
                     const std::string& help) {
  const auto found = std::find(names.begin(), names.end(), word);
  if (found == names.end())
    throw UsageError(fmt::format("--mig: no {} `{}`{}", what, printable(word), did_you_mean(word, names)),
                     help);
  return static_cast<std::size_t>(found - names.begin());
}
std::int8_t layout_named(const std::string& word, MigPosition position) {
  const std::size_t table = place_of(word, table_names(), "MIG table",
                                     fmt::format("there are {}; `natgpu policy list` shows them. GPUs of "
                                                 "other models are not cut: leave them out",
                                                 fmt::join(table_names(), ", ")));
  return scheduling::mig_layout_number(table, position);
}

/// One table for all GPUs, which are of one type.
MigUse one_table(const std::string& word, MigPosition position, const workload::NodeList& machines) {
  const std::int8_t layout = layout_named(word, position);
  const std::vector<std::string> types = types_of(machines);
  if (types.size() > 1)
    throw UsageError(
        fmt::format("--mig: {} has GPUs of the types {}, and {} is the table of one",
                    printable(machines.file), printable(fmt::format("{}", fmt::join(types, ", "))), word),
        fmt::format("say which are cut: `--mig {}={}`; the others are shared in thousandths",
                    printable(types[0]), word));
  return {{layout}};
}

/// TYPE=TABLE,TYPE=TABLE
MigUse by_type(const std::string& text, MigPosition position, const workload::NodeList& machines) {
  const std::vector<std::string> types = types_of(machines);
  MigUse use;
  use.layouts.assign(std::max<std::size_t>(types.size(), 1), -1);
  for (const std::string& part : parts_of(text, ',')) {
    const std::size_t equals = part.rfind('=');
    if (equals == std::string::npos)
      throw UsageError(fmt::format("--mig: `{}` names no GPU type", printable(part)),
                       "write TYPE=TABLE for each type that is cut, with commas");
    const std::string help =
        types.empty()
            ? std::string("the list names no types: give the table alone")
            : fmt::format("{} has {}", machines.file, printable(fmt::format("{}", fmt::join(types, ", "))));
    const std::size_t type = place_of(part.substr(0, equals), types, "GPU type", help);
    if (use.layouts[type] >= 0)
      throw UsageError(fmt::format("--mig: `{}` stands there twice", printable(types[type])),
                       "give each type one table");
    use.layouts[type] = layout_named(part.substr(equals + 1), position);
  }
  return use;
}

/// "0,2,4"
std::string starts_of(const scheduling::MigProfile& p) {
  std::string out;
  for (std::uint32_t rest = p.starts; rest != 0; rest &= rest - 1)
    out += fmt::format("{}{}", out.empty() ? "" : ",", std::countr_zero(rest));
  return out;
}

}  // namespace

std::vector<Option> mig_options() {
  return {{"--mig", "TABLE",
           fmt::format("shares of a GPU are instances cut by MIG: {}; or TYPE=TABLE,... where the list has "
                       "several types",
                       fmt::join(table_names(), ", "))},
          {"--mig-positions", "R",
           fmt::format("with --mig: where an instance goes on its GPU, {} (default {})",
                       fmt::join(position_names(), " or "), position_names()[0])}};
}

MigUse mig_use_of(const Arguments& arguments, const workload::NodeList& machines) {
  if (!arguments.has("--mig")) {
    if (arguments.has("--mig-positions"))
      throw UsageError("--mig-positions goes with MIG", "add `--mig TABLE`, or leave it out");
    return {};
  }
  const MigPosition position =
      mig_positions()[arguments.choice("--mig-positions", position_names(), 0)].position;
  const std::string text = arguments.text("--mig");
  return text.find('=') == std::string::npos ? one_table(text, position, machines)
                                             : by_type(text, position, machines);
}

std::string in_words(const std::vector<simulation::MigStarts>& starts) {
  std::string out;
  for (const simulation::MigStarts& s : starts)
    out += fmt::format("{}{} x {}", out.empty() ? "" : ", ", s.starts,
                       mig_layout(s.layout).table().profiles[s.profile].name);
  return out.empty() ? "none" : out;
}

nlohmann::ordered_json mig_json(const MigUse& use, const workload::NodeList& machines,
                                const std::vector<simulation::MigStarts>& starts) {
  if (!use.any()) return {};
  nlohmann::ordered_json json{{"tables", nlohmann::ordered_json::array()},
                              {"positions", nullptr},
                              {"instances", nlohmann::ordered_json::array()}};
  for (std::size_t type = 0; type < use.layouts.size(); ++type) {
    if (use.layouts[type] < 0) continue;
    const scheduling::MigLayout& layout = mig_layout(use.layouts[type]);
    json["tables"].push_back({{"type", type < machines.gpu_types.size()
                                           ? nlohmann::ordered_json(std::string(machines.gpu_types[type]))
                                           : nlohmann::ordered_json()},
                              {"table", layout.table().gpu}});
    json["positions"] = mig_positions()[static_cast<std::size_t>(layout.position())].name;
  }
  for (const simulation::MigStarts& s : starts) {
    const scheduling::MigTable& table = mig_layout(s.layout).table();
    json["instances"].push_back(
        {{"table", table.gpu}, {"profile", table.profiles[s.profile].name}, {"starts", s.starts}});
  }
  return json;
}

std::string mig_list() {
  std::string out = "\nMIG tables (--mig of replay --nodes and of pack, hardware[].mig)\n";
  for (const scheduling::MigTable& t : mig_tables()) {
    out +=
        fmt::format("  {:<13} {} slices of compute, {} of memory; profile: slices at first slice of memory\n",
                    t.gpu, t.compute, t.memory);
    for (const scheduling::MigProfile& p : t.profiles)
      out += fmt::format("  {:<13} {:<9} {} and {} at {}\n", "", p.name, p.compute, p.memory, starts_of(p));
  }
  out += "  source: NVIDIA Multi-Instance GPU User Guide, Supported MIG Profiles; nvidia-smi mig -lgipp\n";
  out += "\nMIG positions (--mig-positions, scheduling.mig_positions)\n";
  for (const scheduling::MigPositionRule& p : mig_positions())
    out += fmt::format("  {:<13} {}\n  {:<13} source: {}\n", p.name, p.rule, "", p.source);
  return out;
}

}  // namespace natgpu::cli
