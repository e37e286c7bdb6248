// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <natgpu/core/field.hpp>

namespace natgpu::scheduling {

/// Whether jobs have GPUs to themselves.
enum class Sharing : std::uint8_t {
  exclusive,  ///< a job has its GPUs to itself, and others wait
  ps,         ///< all run at once at a part of their pace: ProcessorSharing
  gang,       ///< all run in turns: GangSharing
};

/// What a class of jobs weighs where GPUs are divided.
struct SharingWeight {
  std::string name;
  double weight = 1;
};
const FieldTable& fields_of(const SharingWeight*);

}  // namespace natgpu::scheduling
