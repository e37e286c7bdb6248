// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/random.hpp>

#include <natgpu/core/ensure.hpp>
#include <natgpu/core/hash.hpp>

namespace natgpu {

Stream Streams::open(std::string_view purpose, std::string_view name) {
  Digest64 digest;
  digest.add(seed_);
  digest.add(std::uint64_t{replication_});
  digest.add(purpose);
  digest.add(name);
  std::string label{purpose};
  label += '\0';  // keeps ("a", "bc") and ("ab", "c") apart
  label += name;
  const auto [at, is_new] = opened_.try_emplace(digest.value(), label);
  NATGPU_ENSURE(is_new || at->second == label, "two random streams hash to one key: choose another seed");
  return Stream{digest.value()};
}

}  // namespace natgpu
