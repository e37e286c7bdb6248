// SPDX-License-Identifier: Apache-2.0
#include <natgpu/plugin/skeleton.hpp>

#include <cstddef>
#include <utility>

namespace natgpu::plugin {
namespace {

// Made by natgpu_embed of src/plugin/skeleton and of the header itself.
constexpr const char* header =
#include "embedded/policy.h.inc"
    ;
constexpr const char* log =
#include "embedded/log.swf.inc"
    ;
constexpr const char* order_test =
#include "embedded/order_test.c.inc"
    ;
constexpr const char* makefiles[] = {
#include "embedded/order.mk.inc"
    ,
#include "embedded/policy.mk.inc"
};
constexpr const char* sources[][2] = {{
#include "embedded/order.c.inc"
                                          ,
#include "embedded/order.cpp.inc"
                                      },
                                      {
#include "embedded/policy.c.inc"
                                          ,
#include "embedded/policy.cpp.inc"
                                      }};

struct Tools {
  const char *suffix, *compile;
};
constexpr Tools tools[] = {
    {".c", "$(CC) -std=c11 -Wall -Wextra $(CFLAGS)"},
    {".cpp", "$(CXX) -std=c++20 -Wall -Wextra -Wno-missing-field-initializers $(CXXFLAGS)"}};

using Words = std::vector<std::pair<std::string, std::string>>;

/// The text with each of the words replaced.
std::string filled(std::string text, const Words& words) {
  for (const auto& [from, to] : words)
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  return text;
}

}  // namespace

std::vector<SkeletonFile> skeleton(const std::string& name, Level level, Language language) {
  const auto l = static_cast<std::size_t>(level) - 1, c = static_cast<std::size_t>(language);
  const std::string suffix = tools[c].suffix, source = name + suffix, test = name + "_test" + suffix;
  const Words words{{"SOURCE", source}, {"TEST", test}, {"COMPILE", tools[c].compile}, {"my_policy", name}};
  std::vector<SkeletonFile> files{{source, filled(sources[l][c], words)},
                                  {"Makefile", filled(makefiles[l], words)},
                                  {"log.swf", log},
                                  {"natgpu/policy.h", header}};
  if (level == Level::order) files.push_back({test, filled(order_test, words)});
  return files;
}

}  // namespace natgpu::plugin
