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
constexpr const char* class_header =
#include "embedded/policy.hpp.inc"
    ;
constexpr const char* log =
#include "embedded/log.swf.inc"
    ;
constexpr const char* order_tests[] = {
#include "embedded/order_test.c.inc"
    ,
#include "embedded/order_test.cpp.inc"
};
constexpr const char* makefiles[] = {
#include "embedded/order.mk.inc"
    ,
#include "embedded/policy.mk.inc"
};
constexpr const char* cmake_lists[] = {
#include "embedded/order.cmake.inc"
    ,
#include "embedded/policy.cmake.inc"
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
  const char *suffix, *compiler, *headers, *in_cmake;
};
constexpr Tools tools[] = {
    {".c", "$(CC) -std=c11 -Wall -Wextra $(CFLAGS)", "natgpu/policy.h", "C"},
    {".cpp", "$(CXX) -std=c++20 -Wall -Wextra $(CXXFLAGS)", "natgpu/policy.hpp natgpu/policy.h", "CXX"}};

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
  const Tools& t = tools[c];
  const std::string source = name + t.suffix, test = name + "_test" + t.suffix;
  const Words words{{"MY_SOURCE", source},     {"MY_TEST", test},           {"MY_COMPILER", t.compiler},
                    {"MY_HEADERS", t.headers}, {"MY_LANGUAGE", t.in_cmake}, {"my_policy", name}};
  std::vector<SkeletonFile> files{{source, filled(sources[l][c], words)},
                                  {"Makefile", filled(makefiles[l], words)},
                                  {"CMakeLists.txt", filled(cmake_lists[l], words)},
                                  {"log.swf", log},
                                  {"natgpu/policy.h", header}};
  if (language == Language::cpp) files.push_back({"natgpu/policy.hpp", class_header});
  if (level == Level::order) files.push_back({test, filled(order_tests[c], words)});
  return files;
}

}  // namespace natgpu::plugin
