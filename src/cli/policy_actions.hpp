// SPDX-License-Identifier: Apache-2.0
// What `natgpu policy` does beside listing, each in its own file.
#pragma once

#include "command.hpp"

namespace natgpu::cli {

int new_policy(const Arguments& arguments);
int check_policy(const Arguments& arguments);

}  // namespace natgpu::cli
