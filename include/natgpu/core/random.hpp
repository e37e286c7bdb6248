// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include <Random123/philox.h>

namespace natgpu {

/// Uniform on (0, 1), never 0 or 1, from 64 random bits; the 52 highest count
/// (with 53 the half added to the largest would round up to 1).
constexpr double unit_from_bits(std::uint64_t bits) {
  return (static_cast<double>(bits >> 12) + 0.5) * 0x1.0p-52;
}
/// Uniform on (0, 1) from 32 bits, for choices where a grid of 2^-32 is fine enough.
constexpr double unit_from_bits32(std::uint32_t bits) {
  return (static_cast<double>(bits) + 0.5) * 0x1.0p-32;
}

/// One of 0 ... n - 1, each as likely as any other. @param unit  uniform on (0, 1). @pre n > 0
constexpr std::size_t pick(std::size_t n, double unit) {
  const auto picked = static_cast<std::size_t>(unit * static_cast<double>(n));
  return picked < n ? picked : n - 1;  // from 2^53 on the product may round up to n
}

/// 128 random bits: two wide or four narrow uniforms at fixed positions.
struct Block {
  std::array<std::uint32_t, 4> words{};
  constexpr std::uint64_t wide(int i) const {  ///< i = 0 or 1
    return static_cast<std::uint64_t>(words[static_cast<std::size_t>(2 * i)]) << 32 |
           words[static_cast<std::size_t>(2 * i + 1)];
  }
  constexpr double unit(int i) const { return unit_from_bits(wide(i)); }
  constexpr double unit32(int i) const { return unit_from_bits32(words[static_cast<std::size_t>(i)]); }
};

/// A named source of chance: a pure function from (entity, index, sub-draw) to 128 bits.
/// Philox4x32-10: Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
class Stream {
 public:
  Stream() = default;
  explicit Stream(std::uint64_t key)
      : key_{{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)}} {}

  /// @param entity  the entity's own ordinal inside its named parent, never a global rank
  /// @param index   which draw of that entity
  /// @param sub     which block of that draw (rejection loops, draws that need several blocks)
  Block block(std::uint64_t entity, std::uint32_t index, std::uint32_t sub = 0) const {
    r123::Philox4x32 philox;
    const r123::Philox4x32::ctr_type c{
        {static_cast<std::uint32_t>(entity), static_cast<std::uint32_t>(entity >> 32), index, sub}};
    const auto r = philox(c, key_);
    return Block{{r[0], r[1], r[2], r[3]}};
  }
  double unit(std::uint64_t entity, std::uint32_t index, std::uint32_t sub = 0) const {
    return block(entity, index, sub).unit(0);
  }

 private:
  r123::Philox4x32::key_type key_{};
};

/// Opens streams by name for one replication. Each depends on seed, replication, purpose and name alone,
/// so that a new stream never shifts an old one.
class Streams {
 public:
  Streams(std::uint64_t seed, std::uint32_t replication) : seed_(seed), replication_(replication) {}

  /// @param purpose  what is drawn: "requests", "adoption", "failures"
  /// @param name     whose: "sme", "haenam/center-1"
  /// @throws InvariantError if two different (purpose, name) pairs hash to one key
  Stream open(std::string_view purpose, std::string_view name);
  std::uint64_t seed() const { return seed_; }
  std::uint32_t replication() const { return replication_; }

 private:
  std::uint64_t seed_;
  std::uint32_t replication_;
  std::unordered_map<std::uint64_t, std::string> opened_;  // looked up, never iterated
};

/// Consecutive uniforms of one draw: (entity, index) fixed, blocks counted up from `first_block`.
class Draw {
 public:
  Draw(const Stream& stream, std::uint64_t entity, std::uint32_t index, std::uint32_t first_block = 0)
      : stream_(&stream), entity_(entity), index_(index), used_(2 * first_block) {}
  double unit() {
    if ((used_ & 1) == 0) block_ = stream_->block(entity_, index_, used_ >> 1);
    return block_.unit(static_cast<int>(used_++ & 1));
  }

 private:
  const Stream* stream_;
  std::uint64_t entity_;
  std::uint32_t index_;
  std::uint32_t used_;
  Block block_{};
};

}  // namespace natgpu
