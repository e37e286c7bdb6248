// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace natgpu {

/// Mixes 64 bits to 64 bits, one to one. Source: Steele, Lea & Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014 (SplitMix64's finaliser, variant 13 of Stafford).
constexpr std::uint64_t mix64(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// Order-sensitive digest of a sequence of integers: two multiplications a word. For fingerprints, not for security.
class Digest64 {
 public:
  constexpr void add(std::uint64_t word) { state_ = mix64(state_ + word + 0x9e3779b97f4a7c15ULL); }
  void add(std::string_view text);  ///< length and bytes
  constexpr std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0x6e61746770750001ULL;  // "natgpu", version 1: any change is a change of every fingerprint
};

std::string hex64(std::uint64_t value);      ///< 16 lower-case digits
std::string sha256_hex(std::string_view bytes);
std::string sha256_file_hex(const std::string& path);  ///< @throws RunError if it cannot be read

}  // namespace natgpu
