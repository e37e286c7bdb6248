// SPDX-License-Identifier: Apache-2.0
#include "text_source.hpp"

#include <sys/stat.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>

namespace natgpu::workload {
TextSource::TextSource(const std::string& file) : file_(file) {
  struct stat facts {};
  if (::stat(file.c_str(), &facts) != 0)
    refuse_file(file, "E0401", fmt::format("the file cannot be opened: {}", std::strerror(errno)),
                "check the path; it is relative to the current folder");
  if (!S_ISREG(facts.st_mode))
    refuse_file(file, "E0401", "this is no regular file", "name a file on disk, plain or .gz");
  file_bytes_ = static_cast<std::uint64_t>(facts.st_size);
  handle_ = gzopen(file.c_str(), "rb");
  if (handle_ == nullptr)
    refuse_file(file, "E0401", fmt::format("the file cannot be opened: {}", std::strerror(errno)),
                "check that you may read it");
  gzbuffer(handle_, 1U << 18);
}

TextSource::~TextSource() {
  gzclose_r(handle_);
}

std::size_t TextSource::read(char* to, std::size_t room) {
  const int got = gzread(handle_, to, static_cast<unsigned>(room));
  if (got > 0) return static_cast<std::size_t>(got);
  int state = Z_OK;
  const char* reason = gzerror(handle_, &state);
  if (state == Z_ERRNO)
    refuse_file(file_, "E0401", fmt::format("reading failed: {}", std::strerror(errno)),
                "check the disk and try again");
  if (got < 0 || state == Z_BUF_ERROR)
    refuse_file(file_, "E0406", fmt::format("the compressed data is damaged or cut short ({})", reason),
                "fetch the file again and compare its checksum; `gzip -t FILE` tests it");
  return 0;
}

bool TextSource::plain() const {
  return gzdirect(handle_) == 1;
}

}  // namespace natgpu::workload
