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

namespace natgpu {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    NATGPU_ENSURE(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1,
                  "OpenSSL has SHA-256");
  }
  void add(const char* bytes, std::size_t count) {
    NATGPU_ENSURE(EVP_DigestUpdate(context_.get(), bytes, count) == 1, "SHA-256 takes bytes");
  }
  std::string finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
    unsigned length = 0;
    NATGPU_ENSURE(EVP_DigestFinal_ex(context_.get(), raw.data(), &length) == 1, "SHA-256 ends");
    std::string hex;
    for (unsigned i = 0; i < length; ++i) hex += fmt::format("{:02x}", raw[i]);
    return hex;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

[[noreturn]] void fail_read(const std::string& path) {
  throw RunError(fmt::format("cannot read {}: {}", path, std::generic_category().message(errno)));
}

}  // namespace

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
  sha.add(bytes.data(), bytes.size());
  return sha.finish();
}

std::string sha256_file_hex(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) fail_read(path);
  Sha256 sha;
  std::array<char, 1 << 16> chunk{};
  while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), file.get()))
    sha.add(chunk.data(), got);
  if (std::ferror(file.get()) != 0) fail_read(path);
  return sha.finish();
}

}  // namespace natgpu
