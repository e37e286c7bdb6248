// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/quota.hpp>

#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include <natgpu/core/ensure.hpp>

namespace natgpu::scheduling {
namespace {

std::int64_t millionths(double share) {
  return std::llround(share * 1e6);
}

}  // namespace

std::string quota_flaw(const AccountTree& tree) {
  for (std::uint32_t n = 0; n < tree.size(); ++n) {
    double sum = 0;
    for (const std::uint32_t child : tree[n].children) {
      if (tree[child].share < least_quota_share)
        return fmt::format("a share of {:g}, less than a millionth", tree[child].share);
      sum += tree[child].share;
    }
    if (sum > most_quota_shares)
      return fmt::format("shares that add up to {:g}, more than a hundred million", sum);
  }
  return {};
}

std::vector<Quota> quotas_of(const AccountTree& tree) {
  NATGPU_ENSURE(quota_flaw(tree).empty(), "quotas are counted in millionths of shares");
  std::vector<Quota> quotas(tree.size());
  quotas[AccountTree::root] = {1, 1};
  for (std::uint32_t n = 0; n < tree.size(); ++n) {
    std::int64_t common = 0, sum = 0;
    for (const std::uint32_t child : tree[n].children) {
      common = std::gcd(common, millionths(tree[child].share));
      sum += millionths(tree[child].share);
    }
    for (const std::uint32_t child : tree[n].children)
      quotas[child] = {quotas[n].part * (millionths(tree[child].share) / common),
                       quotas[n].whole * (sum / common)};
    if (!tree[n].children.empty()) quotas[n] = {};
  }
  return quotas;
}

}  // namespace natgpu::scheduling
