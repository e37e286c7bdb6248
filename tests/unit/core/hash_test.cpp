// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/file.hpp>
#include <natgpu/core/hash.hpp>
#include <natgpu/core/sha256.hpp>

#include "catch.hpp"
#include "folder.hpp"

using natgpu::Digest64;

namespace {

std::uint64_t digest_of(std::initializer_list<std::string> texts) {
  Digest64 digest;
  for (const std::string& text : texts) digest.add(std::string_view(text));
  return digest.value();
}

}  // namespace

TEST_CASE("SHA-256 gives the known answers of FIPS 180-2") {
  CHECK(natgpu::sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(natgpu::sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("SHA-256 of bytes that come in pieces is that of the whole, and may be asked for on the way") {
  natgpu::Sha256 sha;
  CHECK(sha.hex() == natgpu::sha256_hex(""));
  sha.add("a");
  CHECK(sha.hex() == natgpu::sha256_hex("a"));
  sha.add("bc");
  CHECK(sha.hex() == natgpu::sha256_hex("abc"));
}

TEST_CASE("a file's SHA-256 is that of its bytes, and a missing file is named") {
  const natgpu::testing::Folder folder;
  const std::string bytes(200'000, 'x');
  natgpu::write_file_whole(folder.path("x"), bytes);
  CHECK(natgpu::sha256_file_hex(folder.path("x")) == natgpu::sha256_hex(bytes));
  CHECK_THROWS_AS(natgpu::sha256_file_hex(folder.path("missing")), natgpu::RunError);
  CHECK_THROWS_AS(natgpu::sha256_file_hex(folder.path("")), natgpu::RunError);
}

TEST_CASE("a digest depends on order, length and every byte of its words") {
  CHECK(digest_of({"ab", "c"}) != digest_of({"a", "bc"}));
  CHECK(digest_of({"ab", "c"}) != digest_of({"c", "ab"}));
  CHECK(digest_of({""}) != digest_of({}));
  CHECK(digest_of({std::string(1, '\0')}) != digest_of({std::string(2, '\0')}));
  CHECK(digest_of({"123456789"}) != digest_of({"12345678X"}));
  CHECK(natgpu::hex64(digest_of({"natgpu"})).size() == 16);
  CHECK(natgpu::hex64(0xabc) == "0000000000000abc");
}
