// SPDX-License-Identifier: Apache-2.0
#include <natgpu/workload/share_list.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <natgpu/core/units.hpp>

#include "csv_reader.hpp"
#include "log_value.hpp"

namespace natgpu::workload {
namespace {

enum Part : std::size_t { group, user, share, parts };
constexpr std::array<const char*, parts> part_names{"group", "user", "share"};
constexpr std::size_t absent = static_cast<std::size_t>(-1);
constexpr double most_shares = 1e9;

class ShareReader {
 public:
  ShareReader(const std::string& file, const AccountLevels& levels)
      : levels_{levels.groups, levels.users, true}, mistakes_(file), csv_(file, mistakes_) {
    list_.file = file;
  }

  ShareList read() {
    if (!csv_.next())
      mistakes_.add(1, "E0420", "an empty list of shares",
                    fmt::format("it begins with the line {}", wanted()));
    mistakes_.throw_if_any();
    header();
    while (csv_.next()) row();
    mistakes_.throw_if_any();
    return std::move(list_);
  }

 private:
  std::string wanted() const {
    std::vector<std::string> names;
    for (std::size_t p = 0; p < parts; ++p)
      if (levels_[p]) names.emplace_back(part_names[p]);
    return fmt::format("{}", fmt::join(names, ","));
  }
  void header() {
    width_ = csv_.fields();
    place_.fill(absent);
    for (std::size_t i = 0; i < width_; ++i) {
      const std::string name(without_blanks(csv_.text(i)));
      const auto found = std::find(part_names.begin(), part_names.end(), name);
      const auto part = static_cast<std::size_t>(found - part_names.begin());
      if (part == parts || place_[part] != absent)
        csv_.mistake(i, "E0420", part == parts ? "not a column of a list of shares" : "a second such column",
                     fmt::format("the columns are {}", wanted()));
      else if (!levels_[part])
        csv_.mistake(i, "E0420", fmt::format("the log's accounts have no {}s", name),
                     fmt::format("the columns are {}", wanted()));
      else
        place_[part] = i;
    }
    for (std::size_t p = 0; p < parts; ++p)
      if (levels_[p] && place_[p] == absent && p != user)
        csv_.mistake(width_, "E0420", fmt::format("a list of shares needs the column `{}`", part_names[p]),
                     fmt::format("the columns are {}", wanted()));
    if (place_[group] == absent && place_[user] == absent && !levels_[group])
      csv_.mistake(width_, "E0420", "a list of shares needs the column `user`",
                   fmt::format("the columns are {}", wanted()));
    mistakes_.throw_if_any();
  }
  std::string text(Part part) {
    return place_[part] == absent ? std::string() : std::string(without_blanks(csv_.text(place_[part])));
  }
  void row() {
    if (!csv_.has_fields(width_)) return;
    ShareRow entry{text(group), text(user), 0};
    if (levels_[group] && entry.group.empty())
      return csv_.mistake(place_[group], "E0420", "no group", "name the group, as the log has it");
    if (!levels_[group] && entry.user.empty())
      return csv_.mistake(place_[user], "E0420", "no user", "name the user, as the log has it");
    const std::string number = text(share);
    if (parse_number(number, entry.share) != QuantityError::none || !(entry.share > 0) ||
        entry.share > most_shares)
      return csv_.mistake(place_[share], "E0420", "no share", "a number above 0, at most a billion: 30, 0.5");
    if (!known_.emplace(entry.group, entry.user).second)
      return csv_.mistake(place_[entry.user.empty() ? group : user], "E0420", "an account stated twice",
                          "keep one of its rows");
    list_.rows.push_back(std::move(entry));
  }

  std::array<bool, parts> levels_;
  Mistakes mistakes_;
  CsvReader csv_;
  ShareList list_;
  std::array<std::size_t, parts> place_{};
  std::size_t width_ = 0;
  std::set<std::pair<std::string, std::string>> known_;
};

}  // namespace

AccountLevels levels_of(const JobLog& log, bool groups_alone) {
  AccountLevels levels;
  for (const LogJob& job : log.jobs) {
    levels.groups |= job.group >= 0;
    levels.users |= job.user >= 0;
    if (levels.groups && levels.users) break;
  }
  if (groups_alone) levels.users = false;
  return levels;
}

ShareList read_share_list(const std::string& file, const AccountLevels& levels) {
  return ShareReader(file, levels).read();
}

}  // namespace natgpu::workload
