// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <set>

#include <natgpu/core/random.hpp>

#include "catch.hpp"
#include "goodness.hpp"

namespace {

using natgpu::Block;
using natgpu::Draw;
using natgpu::Stream;
using natgpu::Streams;
using Words = std::array<std::uint32_t, 4>;

}  // namespace

TEST_CASE("Philox4x32-10 gives the known answers of Random123") {  // ORACLES.md C7
  CHECK(Stream(0).block(0, 0, 0).words == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(Stream(~0ULL).block(~0ULL, ~0U, ~0U).words == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  // Digits of pi: counter words 0 and 1 are the entity's low and high half, key word 0 the key's low half.
  CHECK(Stream(0x299f31d0a4093822ULL).block(0x85a308d3243f6a88ULL, 0x13198a2e, 0x03707344).words ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a block's variates sit at fixed positions") {
  const Block block{{0x01234567, 0x89abcdef, 0xfedcba98, 0x76543210}};
  CHECK(block.wide(0) == 0x0123456789abcdefULL);
  CHECK(block.wide(1) == 0xfedcba9876543210ULL);
  CHECK(block.unit(1) == natgpu::unit_from_bits(0xfedcba9876543210ULL));
  CHECK(block.unit32(3) == natgpu::unit_from_bits32(0x76543210));
}

TEST_CASE("uniforms are never 0 and never 1") {
  CHECK(natgpu::unit_from_bits(0) == 0x1p-53);
  CHECK(natgpu::unit_from_bits(~0ULL) == 1 - 0x1p-53);
  CHECK(natgpu::unit_from_bits(~0ULL) < 1);
  CHECK(natgpu::unit_from_bits32(0) > 0);
  CHECK(natgpu::unit_from_bits32(~0U) < 1);
}

TEST_CASE("a stream depends on seed, replication, purpose and name and on nothing else") {
  const auto first = [](std::uint64_t seed, std::uint32_t replication, const char* purpose,
                        const char* name) {
    Streams streams(seed, replication);
    return streams.open(purpose, name).block(0, 0).wide(0);
  };
  const std::uint64_t base = first(7, 3, "gaps", "sme");
  Streams busy(7, 3);
  busy.open("gaps", "chaebol");
  busy.open("failures", "sme");
  CHECK(busy.open("gaps", "sme").block(0, 0).wide(0) == base);
  CHECK(busy.open("gaps", "sme").block(0, 0).wide(0) == base);  // opened twice: the same stream, no collision
  CHECK(std::set<std::uint64_t>{base, first(8, 3, "gaps", "sme"), first(7, 4, "gaps", "sme"),
                                first(7, 3, "gap", "ssme"), first(7, 3, "gaps", "smes"),
                                first(3, 7, "gaps", "sme")}
            .size() == 6);
}

TEST_CASE("a draw takes its uniforms from consecutive blocks, two from each") {
  const Stream stream(42);
  Draw draw(stream, 5, 9);
  for (std::uint32_t sub = 0; sub < 3; ++sub) {
    CHECK(draw.unit() == stream.block(5, 9, sub).unit(0));
    CHECK(draw.unit() == stream.block(5, 9, sub).unit(1));
  }
}

TEST_CASE("one of n is picked by equal stretches of the unit interval, and never one too many") {
  CHECK(natgpu::pick(1, 0.999) == 0);
  CHECK(natgpu::pick(4, 0.2499) == 0);
  CHECK(natgpu::pick(4, 0.25) == 1);
  CHECK(natgpu::pick(4, natgpu::unit_from_bits(~std::uint64_t{0})) == 3);
  const std::size_t many = std::size_t{1} << 53;
  CHECK(natgpu::pick(many, 1.0) == many - 1);
}

TEST_CASE("uniforms of neighbouring addresses are uniform and unrelated") {
  const Stream stream(99);
  constexpr std::size_t count = 500'000;
  const auto by_entity = natgpu::testing::fit(
      count, [&](std::size_t i) { return stream.unit(i, 0); }, [](double u) { return u; });
  const auto by_index = natgpu::testing::fit(
      count, [&](std::size_t i) { return stream.unit(0, static_cast<std::uint32_t>(i)); },
      [](double u) { return u; });
  CHECK(by_entity.chi_square < natgpu::testing::chi_square_49_limit);
  CHECK(by_index.chi_square < natgpu::testing::chi_square_49_limit);
  double products = 0;
  for (std::size_t i = 0; i < count; ++i)
    products += (stream.unit(i, 0) - 0.5) * (stream.unit(i + 1, 0) - 0.5);
  // The product of two independent centred uniforms has standard deviation 1/12.
  CHECK(std::fabs(products / count) < 4.5 / 12 / std::sqrt(static_cast<double>(count)));
}
