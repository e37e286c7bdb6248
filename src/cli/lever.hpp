// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace natgpu::cli {

/// Equally spaced values of one path of a scenario, as `--set` takes them: "8 GPU" to "20 GPU", or dates.
class Lever {
 public:
  /// @param step  empty: 1 for whole numbers, 1 d for dates, else a hundredth of the way
  /// @throws UsageError  where the values are no numbers of one unit or no dates, or make fewer than two
  /// points
  Lever(std::string path, const std::string& from, const std::string& to, const std::string& step);

  std::size_t points() const { return points_; }
  /// "8 GPU", "2027-03-01"
  std::string value(std::size_t point) const;
  /// "supply.tranches[servers].units=8 GPU"
  std::string setting(std::size_t point) const { return path_ + "=" + value(point); }
  const std::string& path() const { return path_; }

 private:
  std::string path_, unit_;
  bool is_date_ = false;
  double from_ = 0, step_ = 1;  ///< in the unit, or days
  std::size_t points_ = 0;
};

}  // namespace natgpu::cli
