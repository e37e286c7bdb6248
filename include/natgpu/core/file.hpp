// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace natgpu {

/// Writes a file whole or not at all: temporary file in the same folder, every write checked, fsync, rename,
/// fsync of the folder. A failed fsync is final for that file.
/// @throws RunError with path and reason
void write_file_whole(const std::string& path, std::string_view bytes);

/// Makes the folder and its parents, and checks that a file can be written there.
/// @throws RunError with path and reason
void prepare_folder(const std::string& folder);

}  // namespace natgpu
