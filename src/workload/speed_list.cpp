// SPDX-License-Identifier: Apache-2.0
#include <natgpu/workload/speed_list.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "csv_reader.hpp"
#include "log_value.hpp"

namespace natgpu::workload {
namespace {

constexpr const char* code = "E0422";
constexpr std::int64_t millionths = 1'000'000;
constexpr std::int64_t most_speed = 1'000'000;
constexpr std::string_view all_others = "*";

/// A column that may be the key, where a job says which row is its own, and the log its names.
struct Key {
  const char* name;
  std::int32_t (*of)(const LogJob&);
  const Texts& (*names)(const JobLog&);
};
constexpr std::array keys{
    // in the order of SpeedKey
    Key{"queue", [](const LogJob& j) { return j.queue; },
        [](const JobLog& log) -> const Texts& { return log.queues; }},
    Key{"group", [](const LogJob& j) { return j.group; },
        [](const JobLog& log) -> const Texts& { return log.groups; }},
    Key{"user", [](const LogJob& j) { return j.user; },
        [](const JobLog& log) -> const Texts& { return log.users; }},
    Key{"gpu_type", [](const LogJob& j) { return static_cast<std::int32_t>(j.gpu_type); },
        [](const JobLog& log) -> const Texts& { return log.gpu_types; }},
};

class SpeedReader {
 public:
  SpeedReader(const std::string& file, const std::vector<std::string>& types)
      : types_(types), mistakes_(file), csv_(file, mistakes_) {
    list_.file = file;
  }
  SpeedList read() {
    if (!csv_.next())
      mistakes_.add(1, code, "an empty list of speeds", "it begins with the line " + wanted());
    mistakes_.throw_if_any();
    header();
    while (csv_.next()) row();
    if (list_.rows.empty()) mistakes_.add(csv_.lines_read(), code, "no row of speeds", "such as `*,1,0.5`");
    mistakes_.throw_if_any();
    return std::move(list_);
  }

 private:
  static constexpr std::size_t is_key = static_cast<std::size_t>(-1);

  std::string wanted() const { return fmt::format("queue,{}", fmt::join(types_, ",")); }
  /// What the column says: is_key, or a type.
  bool meaning(const std::string& name, std::size_t& means) {
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const Key& k) { return name == k.name; });
    const auto type = std::find(types_.begin(), types_.end(), name);
    if (type != types_.end()) {
      means = static_cast<std::size_t>(type - types_.begin());
      return true;
    }
    if (key == keys.end()) return false;
    list_.key = static_cast<SpeedKey>(key - keys.begin());
    means = is_key;
    return true;
  }
  void header() {
    const std::string columns = fmt::format(
        "the columns are one of queue, group, user and gpu_type, and the types {}", fmt::join(types_, ", "));
    std::set<std::size_t> seen;
    for (std::size_t i = 0; i < csv_.fields(); ++i) {
      const std::string name(without_blanks(csv_.text(i)));
      std::size_t means = 0;
      if (!meaning(name, means))
        csv_.mistake(i, code, "neither what jobs go by nor a type of GPU", columns);
      else if (!seen.insert(means).second)
        csv_.mistake(i, code,
                     means == is_key ? "a second column that jobs go by" : "a second column of the type",
                     columns);
      columns_.push_back(means);
    }
    if (seen.count(is_key) == 0)
      csv_.mistake(csv_.fields(), code, "nothing says which jobs a row is of", columns);
    for (std::size_t t = 0; t < types_.size(); ++t)
      if (seen.count(t) == 0)
        csv_.mistake(csv_.fields(), code, fmt::format("no column of the type {}", types_[t]), columns);
    mistakes_.throw_if_any();
  }
  void row() {
    if (!csv_.has_fields(columns_.size())) return;
    SpeedRow entry;
    entry.speeds.assign(types_.size(), 0);
    std::size_t key = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string text(without_blanks(csv_.text(i)));
      if (columns_[i] == is_key) {
        key = i;
        entry.name = text;
      } else if (!speed(text, entry.speeds[columns_[i]])) {
        return csv_.mistake(
            i, code, "no speed",
            "a number from 0 to a million with six decimals at most, such as 2.5; 0 or nothing: "
            "cannot run there");
      }
    }
    if (entry.name.empty())
      return csv_.mistake(key, code, "a row of no jobs", "a name as the log has it, or `*` for all others");
    if (!known_.insert(entry.name).second)
      return csv_.mistake(key, code, "a row stated twice", "keep one of them");
    if (std::all_of(entry.speeds.begin(), entry.speeds.end(), [](std::int64_t s) { return s == 0; }))
      return csv_.mistake(key, code, "jobs that can run nowhere", "state a speed on one type at least");
    list_.rows.push_back(std::move(entry));
  }
  static bool speed(const std::string& text, std::int64_t& out) {
    out = 0;
    if (text.empty()) return true;
    const std::size_t point = text.find('.');
    if (point != std::string::npos && text.size() - point - 1 > 6) return false;
    Decimal value;
    if (read_decimal(text, value) != Read::ok || value.whole < 0 || value.whole > most_speed) return false;
    out = value.whole * millionths + value.micros;
    return out <= most_speed * millionths;
  }

  const std::vector<std::string>& types_;
  Mistakes mistakes_;
  CsvReader csv_;
  SpeedList list_;
  std::vector<std::size_t> columns_;
  std::set<std::string> known_;
};

}  // namespace

SpeedList read_speed_list(const std::string& file, const std::vector<std::string>& types) {
  return SpeedReader(file, types).read();
}

std::vector<std::uint32_t> speed_rows(const JobLog& log, const SpeedList& list) {
  const Key& key = keys[static_cast<std::size_t>(list.key)];
  std::map<std::string, std::uint32_t, std::less<>> known;
  for (std::size_t r = 0; r < list.rows.size(); ++r)
    known.emplace(list.rows[r].name, static_cast<std::uint32_t>(r));
  const auto others = known.find(all_others);
  const Texts& names = key.names(log);
  std::map<std::int32_t, std::uint32_t> row_of;
  std::vector<std::uint32_t> rows;
  rows.reserve(log.jobs.size());
  for (const LogJob& job : log.jobs) {
    const std::int32_t number = key.of(job);
    auto found = row_of.find(number);
    if (found == row_of.end()) {
      const std::string name = names.empty() || number < 0
                                   ? std::to_string(number)
                                   : std::string(names[static_cast<std::size_t>(number)]);
      auto row = known.find(name);
      if (row == known.end()) row = others;
      if (row == known.end())
        Mistakes(list.file).give_up(
            code,
            number < 0
                ? fmt::format("job {} has no {}, and no row is for all others", log.id_of(job), key.name)
                : fmt::format("no row for the {} {} of job {}", key.name, name, log.id_of(job)),
            "add the row, or one of `*` for all others");
      found = row_of.emplace(number, row->second).first;
    }
    rows.push_back(found->second);
  }
  return rows;
}

}  // namespace natgpu::workload
