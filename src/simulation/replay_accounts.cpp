// SPDX-License-Identifier: Apache-2.0
#include "replay_accounts.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/units.hpp>
#include <natgpu/scheduling/quota.hpp>

namespace natgpu::simulation {
namespace {

constexpr std::int64_t last = std::numeric_limits<std::int64_t>::max();

[[noreturn]] void lacks(const workload::JobLog& log, std::string message, std::string help) {
  refuse_file(log.file, "E0421", std::move(message), std::move(help));
}

/// Users, groups or queues of a log by their place in name order; numbers are their own place.
class Names {
 public:
  explicit Names(const workload::Texts& texts) : texts_(texts), order_(texts.size()), place_(texts.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(),
              [&](std::size_t a, std::size_t b) { return texts[a] < texts[b]; });
    for (std::size_t i = 0; i < order_.size(); ++i) place_[order_[i]] = static_cast<std::int64_t>(i);
  }
  /// @param number  as jobs have it; -1: it has no name, and comes last
  std::int64_t place(std::int32_t number) const {
    if (number < 0) return last;
    return texts_.empty() ? number : place_[static_cast<std::size_t>(number)];
  }
  /// What jobs have for that name, or -1 if the log has it not.
  std::int32_t number(const std::string& name) const {
    const auto found = std::lower_bound(order_.begin(), order_.end(), name,
                                        [&](std::size_t i, const std::string& n) { return texts_[i] < n; });
    if (found != order_.end() && texts_[*found] == name) return static_cast<std::int32_t>(*found);
    long long value = -1;
    if (!texts_.empty() || parse_integer(name, value) != QuantityError::none || value < 0 ||
        value > std::numeric_limits<std::int32_t>::max())
      return -1;
    return static_cast<std::int32_t>(value);
  }
  std::string name(std::int32_t number) const {
    return texts_.empty() ? std::to_string(number) : std::string(texts_[static_cast<std::size_t>(number)]);
  }

 private:
  const workload::Texts& texts_;
  std::vector<std::size_t> order_;   ///< places among the texts, by name
  std::vector<std::int64_t> place_;  ///< in that order, by place among the texts
};

using Path = std::pair<std::int64_t, std::int64_t>;  // places of group and user

/// Builds the tree in name order, with the shares that are stated.
class TreeBuilder {
 public:
  TreeBuilder(const workload::JobLog& log, const AccountOptions& options)
      : log_(log), groups_(log.groups), users_(log.users), levels_(levels_of(log, options.by_group)) {
    for (const workload::ShareRow& row : options.shares.rows) note(row);
  }

  void build(ReplayAccounts& accounts) {
    for (const workload::LogJob& job : log_.jobs) nodes_.emplace(path_of(job), 0);
    accounts.weights.push_back(1.0);
    std::uint32_t group = scheduling::AccountTree::root;
    std::int64_t group_place = -1;
    for (auto& [path, node] : nodes_) {
      if (levels_.groups && path.first != group_place) {
        group_place = path.first;
        group = add(accounts, scheduling::AccountTree::root, group_shares_, {path.first, -1});
      }
      node = levels_.users ? add(accounts, group, user_shares_, path) : group;
    }
    for (const workload::LogJob& job : log_.jobs) accounts.node_of.push_back(nodes_.at(path_of(job)));
    for (const auto* stated : {&group_shares_, &user_shares_})
      for (const auto& [path, s] : *stated)
        if (!s.used) accounts.without_jobs.push_back(s.name);
    accounts.without_jobs.insert(accounts.without_jobs.end(), unknown_.begin(), unknown_.end());
  }

 private:
  struct Stated {
    double share = 1;
    std::string name;
    bool used = false;
  };
  using Shares = std::map<Path, Stated>;

  Path path_of(const workload::LogJob& job) const {
    return {levels_.groups ? groups_.place(job.group) : -1, levels_.users ? users_.place(job.user) : -1};
  }
  void note(const workload::ShareRow& row) {
    const std::string name = row.user.empty()    ? row.group
                             : row.group.empty() ? row.user
                                                 : row.group + "/" + row.user;
    const std::int32_t group = row.group.empty() ? -1 : groups_.number(row.group);
    const std::int32_t user = row.user.empty() ? -1 : users_.number(row.user);
    if ((!row.group.empty() && group < 0) || (!row.user.empty() && user < 0)) {
      unknown_.push_back(name);
      return;
    }
    const Path path{levels_.groups ? groups_.place(group) : -1, row.user.empty() ? -1 : users_.place(user)};
    (row.user.empty() ? group_shares_ : user_shares_)[path] = {row.share, name};
  }
  static std::uint32_t add(ReplayAccounts& accounts, std::uint32_t parent, Shares& shares, const Path& path) {
    const auto stated = shares.find(path);
    const double share = stated != shares.end() ? stated->second.share : 1.0;
    if (stated != shares.end()) stated->second.used = true;
    accounts.weights.push_back(accounts.weights[parent] * share);
    return accounts.tree.add(parent, share);
  }

  const workload::JobLog& log_;
  Names groups_, users_;
  workload::AccountLevels levels_;
  Shares group_shares_, user_shares_;
  std::vector<std::string> unknown_;
  std::map<Path, std::uint32_t> nodes_;
};

std::vector<std::int32_t> queues_in_order(const workload::JobLog& log, const Names& names,
                                          const std::vector<std::string>& classes) {
  std::map<std::int64_t, std::int32_t> present;  // by place
  for (const workload::LogJob& job : log.jobs)
    if (job.queue >= 0) present.emplace(names.place(job.queue), job.queue);
  std::vector<std::int32_t> order;
  if (classes.empty())
    for (const auto& [place, queue] : present) order.push_back(queue);
  for (const std::string& name : classes) {
    const std::int32_t queue = names.number(name);
    if (present.count(names.place(queue)) > 0) {
      order.push_back(queue);
      continue;
    }
    std::vector<std::string> all;
    for (const auto& [place, there] : present) all.push_back(names.name(there));
    const std::string near = nearest_name(name, all);
    constexpr std::size_t listed = 20;
    const bool more = all.size() > listed;
    if (more) all.resize(listed);
    lacks(log, fmt::format("the log has no queue `{}` to rank as a class", name),
          all.empty()    ? "it names no queues at all: leave --classes out"
          : near.empty() ? fmt::format("its queues: {}{}", fmt::join(all, ", "), more ? ", ..." : "")
                         : fmt::format("did you mean `{}`?", near));
  }
  return order;
}

void note_classes(const workload::JobLog& log, const ReplayOptions& options, ReplayAccounts& accounts) {
  const std::vector<std::string>& classes = options.accounts.classes;
  const Names names(log.queues);
  std::map<std::int32_t, std::int32_t> class_of;  // by queue
  for (const std::int32_t queue : queues_in_order(log, names, classes))
    class_of.emplace(queue, static_cast<std::int32_t>(class_of.size()));
  const auto unstated = static_cast<std::int32_t>(class_of.size());
  for (std::int32_t c = 0; c < unstated; ++c)
    accounts.queue_factor.push_back(static_cast<double>(unstated - c) / static_cast<double>(unstated));
  accounts.queue_factor.push_back(0);
  for (const workload::LogJob& job : log.jobs) {
    const auto found = class_of.find(job.queue);
    accounts.class_of.push_back(found != class_of.end() ? found->second : unstated);
  }
}

void refuse_unstated(const workload::JobLog& log, const ReplayOptions& options) {
  const auto stated = [&](auto member) {
    return std::any_of(log.jobs.begin(), log.jobs.end(),
                       [&](const workload::LogJob& j) { return j.*member >= 0; });
  };
  if (!levels_of(log, options.accounts.by_group).any())
    lacks(log,
          fmt::format("the log names no {}, and {}", options.accounts.by_group ? "groups" : "users or groups",
                      options.quota_reclaim ? "quotas are those of accounts" : "the order ranks accounts"),
          options.quota_reclaim
              ? "leave --preemption out, or choose a column map that names them (`natgpu "
                "trace formats`)"
              : "choose another --order, or a column map that names them (`natgpu trace formats`)");
  if (options.accounts.cpu_milli > 0 && !stated(&workload::LogJob::cpu_milli))
    lacks(log, "the log states no CPUs", "leave --cpus out");
  if (options.accounts.memory_mib > 0 && !stated(&workload::LogJob::memory_mib))
    lacks(log, "the log states no memory", "leave --memory out");
}

}  // namespace

ReplayAccounts accounts_of(const workload::JobLog& log, const ReplayOptions& options) {
  ReplayAccounts accounts;
  if (by_account(options)) {
    refuse_unstated(log, options);
    TreeBuilder(log, options.accounts).build(accounts);
  }
  if (options.quota_reclaim)
    if (const std::string flaw = scheduling::quota_flaw(accounts.tree); !flaw.empty())
      refuse_file(options.accounts.shares.file, "E0420", "quotas cannot be counted: " + flaw,
                  "state shares from 0.000001 on, and a hundred million together at most");
  if (options.order == scheduling::Order::priority ||
      (options.order == scheduling::Order::multifactor && !options.accounts.classes.empty()))
    note_classes(log, options, accounts);
  return accounts;
}

}  // namespace natgpu::simulation
