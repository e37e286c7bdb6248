// SPDX-License-Identifier: Apache-2.0
// Words of the command lines that the program prints or writes into scripts.
#pragma once

#include <string>

namespace natgpu::cli {

/// The word as a POSIX shell reads it back, in quotes.
std::string quoted(const std::string& word);

/// Where the running program is, absolute.
std::string own_program();

/// What a user who types it in a shell gets the running program with: `natgpu` if that is what PATH finds,
/// else where it is, in quotes if need be.
std::string own_name();

}  // namespace natgpu::cli
