// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <natgpu/workload/job_log.hpp>

namespace natgpu::workload {

/// What the accounts of a log are: its users, under their groups where it has any, or its groups.
struct AccountLevels {
  bool groups = false;
  bool users = false;
  bool any() const { return groups || users; }
};

/// What the log names. @param groups_alone  the groups are the accounts, whether it names users or not
AccountLevels levels_of(const JobLog& log, bool groups_alone);

/// What one account is entitled to, against its siblings.
struct ShareRow {
  std::string group, user;  ///< as the log has them; without a user, of the group as a whole
  double share = 1;
  friend bool operator==(const ShareRow&, const ShareRow&) = default;
};

/// Shares as stated; accounts that are not named have one share each.
struct ShareList {
  std::string file;
  std::vector<ShareRow> rows;
  friend bool operator==(const ShareList&, const ShareList&) = default;
};

/// Reads a CSV file with the columns group, user and share, in any order: those of group and user as the
/// log's accounts have them. A row without a user states the share of a group as a whole.
/// @throws ScenarioError with line and column, up to 20 mistakes: E0401, E0403, E0404, E0406 and E0408 as
/// logs; E0420 a column that is missing or unknown, a share that is not above 0, an account stated twice
ShareList read_share_list(const std::string& file, const AccountLevels& levels);

}  // namespace natgpu::workload
