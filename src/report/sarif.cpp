// SPDX-License-Identifier: Apache-2.0
// Mistakes of scenario files for editors and code scanning. Source: OASIS, SARIF 2.1.0, 2020.
#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include <natgpu/core/hash.hpp>
#include <natgpu/report/build_info.hpp>
#include <natgpu/report/check.hpp>

#include "writers.hpp"

namespace natgpu::report {
namespace {

using Json = nlohmann::ordered_json;

Json location_of(const Place& place) {
  Json physical{{"artifactLocation", {{"uri", public_file_name(place.file)}}}};
  if (place.line > 0)
    physical["region"] = {{"startLine", place.line}, {"startColumn", std::max(place.column, 1)}};
  return {{"physicalLocation", physical}};
}

Json result_of(const Diagnostic& d) {
  const std::string text = d.help.empty() ? d.message : d.message + "; " + d.help;
  return {{"ruleId", d.code},
          {"level", "error"},
          {"message", {{"text", text}}},
          {"locations", Json::array({location_of(d.place)})},
          {"partialFingerprints",
           {{"natgpu/v1", sha256_hex(d.code + d.place.file + d.message + d.source_line)}}}};
}

}  // namespace

std::string sarif(const std::vector<Diagnostic>& diagnostics) {
  std::set<std::string> codes;
  Json results = Json::array(), rules = Json::array();
  for (const Diagnostic& d : diagnostics) {
    codes.insert(d.code);
    results.push_back(result_of(d));
  }
  for (const std::string& code : codes) rules.push_back({{"id", code}});
  const Json driver{{"name", "natgpu"}, {"version", build_info().version}, {"rules", rules}};
  const Json log{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                 {"version", "2.1.0"},
                 {"runs", Json::array({Json{{"tool", {{"driver", driver}}},
                                            {"columnKind", "unicodeCodePoints"},
                                            {"results", results}}})}};
  return log.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace natgpu::report
