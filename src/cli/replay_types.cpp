// SPDX-License-Identifier: Apache-2.0
#include "replay_types.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>

#include <fmt/format.h>

#include <natgpu/core/text.hpp>
#include <natgpu/core/units.hpp>
#include <natgpu/core/utf8.hpp>

#include "replay_options.hpp"

namespace natgpu::cli {
namespace {

constexpr std::size_t most_types = 32;

/// Names stand in the heads of columns.
bool is_name(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-' || c == '.';
  });
}

void add_type(const std::string& part, simulation::TypeOptions& types) {
  const std::size_t equals = part.rfind('=');
  const std::string name = part.substr(0, equals);
  double gpus = 0;
  if (equals == std::string::npos || !is_name(name) ||
      parse_number(std::string_view(part).substr(equals + 1), gpus) != QuantityError::none || gpus < 1 ||
      gpus > most_gpus || gpus != static_cast<double>(static_cast<std::int64_t>(gpus)))
    throw UsageError(fmt::format("--gpu-types: `{}` is no type with its GPUs", printable(part)),
                     "write `--gpu-types V100=1200,K80=300`: letters, digits, _, - and . in names");
  if (std::count(types.names.begin(), types.names.end(), name) > 0)
    throw UsageError(fmt::format("--gpu-types: `{}` stands twice", printable(name)), "keep one of them");
  types.names.push_back(name);
  types.gpus.push_back(static_cast<std::int64_t>(gpus));
}

}  // namespace

std::vector<Option> type_options() {
  return {
      {"--gpu-types", "LIST",
       "of gavel-las and gavel-ftf: types of GPU and how many there are, `V100=1200,K80=300`; with --speeds"},
      {"--speeds", "FILE",
       "with --gpu-types: CSV of speeds on each type by the log's queue, group, user or gpu_type; 1: as in "
       "the log"}};
}

void choose_types(const Arguments& arguments, simulation::ReplayOptions& options) {
  const bool types = arguments.has("--gpu-types"), speeds = arguments.has("--speeds");
  if (!types && !speeds) return;
  if (!by_target(options.order) || options.sharing != scheduling::Sharing::exclusive)
    throw UsageError(fmt::format("{} has no meaning for an order that takes all GPUs for alike",
                                 types ? "--gpu-types" : "--speeds"),
                     "choose `--policy gavel-las` or gavel-ftf, or leave --gpu-types and --speeds out");
  if (!types || !speeds)
    throw UsageError(
        types ? "types of GPU need the speeds of jobs on them" : "--speeds are those on types of GPU",
        types ? "add `--speeds FILE`" : "add `--gpu-types V100=1200,K80=300`");
  if (arguments.has("--gpus"))
    throw UsageError("--gpu-types says how many GPUs there are", "leave --gpus out");
  for (const std::string& part : parts_of(arguments.text("--gpu-types"), ',')) add_type(part, options.types);
  if (options.types.names.empty() || options.types.names.size() > most_types)
    throw UsageError(fmt::format("--gpu-types takes 1 to {} types", most_types),
                     "write `--gpu-types V100=1200,K80=300`");
  const std::vector<std::int64_t>& gpus = options.types.gpus;
  options.gpus = std::accumulate(gpus.begin(), gpus.end(), std::int64_t{0});
  if (options.gpus > most_gpus)
    throw UsageError(fmt::format("--gpu-types: more than {} GPUs", most_gpus), "state fewer");
  options.types.speeds = workload::read_speed_list(arguments.text("--speeds"), options.types.names);
}

}  // namespace natgpu::cli
