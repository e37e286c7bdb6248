// SPDX-License-Identifier: Apache-2.0
#include <natgpu/workload/node_outages.hpp>

#include <charconv>
#include <optional>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "column_binding.hpp"
#include "csv_reader.hpp"
#include "log_value.hpp"

namespace natgpu::workload {
namespace {

enum Column : std::size_t { node_column, from_column, until_column, announced_column };

class OutageReader {
 public:
  OutageReader(const std::string& file, const NodeList& machines)
      : mistakes_(file), csv_(file, mistakes_), machines_(machines) {
    for (std::uint32_t i = 0; i < machines.names.size(); ++i) by_name_.try_emplace(machines.names[i], i);
  }

  std::vector<NodeOutage> read() {
    std::vector<std::string> names{"node", "from", "until"};
    const std::vector<std::string> header = csv_.next() ? texts_of(csv_) : std::vector<std::string>{};
    if (header.size() > names.size()) names.emplace_back("announced");
    if (header != names) {
      mistakes_.add(1, "E0409", "the header line is not that of outages",
                    "write `node,from,until`, or `node,from,until,announced`");
      mistakes_.throw_if_any();
    }
    columns_ = names.size();
    while (csv_.next()) row();
    mistakes_.throw_if_any();
    return std::move(outages_);
  }

 private:
  void row() {
    if (csv_.fields() != columns_) {
      csv_.mistake(columns_, "E0403", fmt::format("{} fields where there are {}", csv_.fields(), columns_),
                   "write machine, first second and end of the outage, and what else the header names");
      return;
    }
    const std::optional<std::uint32_t> node = machine();
    const std::optional<std::int64_t> from = second(from_column), until = second(until_column);
    const bool announced =
        columns_ > announced_column && !without_blanks(csv_.text(announced_column)).empty();
    const std::optional<std::int64_t> known = announced ? second(announced_column) : unknown;
    if (!node || !from || !until || !known) return;
    if (*until <= *from)
      csv_.mistake(until_column, "E0405", "the outage ends before it begins", "`until` comes after `from`");
    else if (announced && *known >= *from)
      csv_.mistake(announced_column, "E0405", "the outage begins before it is announced",
                   "`announced` comes before `from`; leave it empty where nobody knows");
    else
      outages_.push_back({*node, *from, *until, *known});
  }
  std::optional<std::uint32_t> machine() {
    const std::string_view written = without_blanks(csv_.text(node_column));
    if (const auto it = by_name_.find(written); it != by_name_.end()) return it->second;
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), number);
    if (error == std::errc{} && end == written.data() + written.size() && number < machines_.nodes.size())
      return number;
    csv_.mistake(node_column, "E0412", "no such machine in the list",
                 fmt::format("give its name there, or its number from 0 to {}",
                             static_cast<std::int64_t>(machines_.nodes.size()) - 1));
    return {};
  }
  std::optional<std::int64_t> second(std::size_t column) {
    const std::string_view written = without_blanks(csv_.text(column));
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), value);
    if (error == std::errc{} && end == written.data() + written.size() && value >= 0 && value <= max_seconds)
      return value;
    csv_.mistake(column, error == std::errc{} && end == written.data() + written.size() ? "E0405" : "E0402",
                 "not a second of the log", fmt::format("write whole seconds from 0 to {}", max_seconds));
    return {};
  }

  static constexpr std::int64_t unknown = NodeOutage{}.announced_s;

  std::size_t columns_ = 0;
  Mistakes mistakes_;
  CsvReader csv_;
  const NodeList& machines_;
  std::unordered_map<std::string_view, std::uint32_t> by_name_;  ///< looked up, never iterated
  std::vector<NodeOutage> outages_;
};

}  // namespace

std::vector<NodeOutage> read_node_outages(const std::string& file, const NodeList& machines) {
  return OutageReader(file, machines).read();
}

}  // namespace natgpu::workload
