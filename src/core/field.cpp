// SPDX-License-Identifier: Apache-2.0
#include <natgpu/core/field.hpp>

namespace natgpu {

const Field* FieldTable::find(std::string_view name) const {
  for (const Field& f : fields_)
    if (f.name == name) return &f;
  return nullptr;
}

std::vector<std::string> FieldTable::names() const {
  std::vector<std::string> all;
  all.reserve(fields_.size());
  for (const Field& f : fields_) all.push_back(f.name);
  return all;
}

}  // namespace natgpu
