// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/hash.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include <fmt/format.h>
#include <openssl/evp.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/ensure.hpp>
#include <natgpu/core/sha256.hpp>

namespace natgpu {
namespace {

using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

EVP_MD_CTX* in(void* context) {
  return static_cast<EVP_MD_CTX*>(context);
}

[[noreturn]] void fail_read(const std::string& path) {
  throw RunError(fmt::format("cannot read {}: {}", path, std::generic_category().message(errno)));
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new(), [](void* context) { EVP_MD_CTX_free(in(context)); }) {
  NATGPU_ENSURE(context_ && EVP_DigestInit_ex(in(context_.get()), EVP_sha256(), nullptr) == 1,
                "OpenSSL has SHA-256");
}

void Sha256::add(std::string_view bytes) {
  NATGPU_ENSURE(EVP_DigestUpdate(in(context_.get()), bytes.data(), bytes.size()) == 1, "SHA-256 takes bytes");
}

std::string Sha256::hex() const {
  const Context so_far(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned length = 0;
  NATGPU_ENSURE(so_far && EVP_MD_CTX_copy_ex(so_far.get(), in(context_.get())) == 1 &&
                    EVP_DigestFinal_ex(so_far.get(), raw.data(), &length) == 1,
                "SHA-256 ends");
  std::string hex;
  for (unsigned i = 0; i < length; ++i) hex += fmt::format("{:02x}", raw[i]);
  return hex;
}

void Digest64::add(std::string_view text) {
  add(static_cast<std::uint64_t>(text.size()));
  for (std::size_t i = 0; i < text.size(); i += 8) {
    std::uint64_t word = 0;  // little-endian, whatever the processor
    for (std::size_t j = i; j < text.size() && j < i + 8; ++j)
      word |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[j])) << (8 * (j - i));
    add(word);
  }
}

std::string hex64(std::uint64_t value) {
  return fmt::format("{:016x}", value);
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 sha;
  sha.add(bytes);
  return sha.hex();
}

std::string sha256_file_hex(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) fail_read(path);
  Sha256 sha;
  std::array<char, 1 << 16> chunk{};
  while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), file.get()))
    sha.add({chunk.data(), got});
  if (std::ferror(file.get()) != 0) fail_read(path);
  return sha.hex();
}

}  // namespace natgpu
