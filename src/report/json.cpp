// SPDX-License-Identifier: Apache-2.0
// summary.json and manifest.json.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <natgpu/core/hash.hpp>
#include <natgpu/report/build_info.hpp>

#include <natgpu/scenario/futures.hpp>

#include "escape.hpp"
#include "futures.hpp"
#include "json_parts.hpp"
#include "writers.hpp"

namespace natgpu::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view summary_schema = "natgpu-summary/1";
constexpr std::string_view manifest_schema = "natgpu-manifest/1";

std::string dump(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string target_json(const experiment::TargetResult& t) {
  return fmt::format(
      "{{\"name\": {}, \"expect\": {}, \"level\": \"{}\", \"verdict\": \"{}\", \"explanation\": {}, {}{}}}",
      json_text(t.target.name), json_text(t.target.expect),
      t.target.level == scenario::Level::error ? "error" : "warn", name_of(t.verdict),
      json_text(t.explanation), t.futures ? "\"futures\": " + share_json(*t.futures) + ", " : "",
      estimate_json(t.estimate));
}

std::string reality_json(const experiment::RealityResult& r) {
  const scenario::RealityCheck& c = r.check;
  return fmt::format(
      "{{\"name\": {}, \"published\": {}, \"low\": {}, \"high\": {}, \"source\": {}, \"as_of\": {}, "
      "\"level\": \"{}\", \"verdict\": \"{}\", \"explanation\": {}, {}{}}}",
      json_text(c.name), json_text(c.published), json_text(c.low), json_text(c.high), json_text(c.source),
      json_text(c.as_of), c.level == scenario::Level::error ? "error" : "warn", name_of(r.verdict),
      json_text(r.explanation), r.futures ? "\"futures\": " + share_json(*r.futures) + ", " : "",
      estimate_json(r.estimate));
}

std::string hashes_json(const std::vector<simulation::RunRecord>& records,
                        std::uint64_t simulation::RunRecord::*member) {
  std::vector<std::string> texts;
  for (const simulation::RunRecord& r : records) texts.push_back('"' + hex64(r.*member) + '"');
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

}  // namespace

std::string combined_fingerprint(const std::vector<simulation::RunRecord>& records) {
  Digest64 digest;
  for (const simulation::RunRecord& r : records) digest.add(r.fingerprint);
  return hex64(digest.value());
}

std::string combined_fingerprint(const RunResult& result) {
  return combined_fingerprint(result.records);
}

std::vector<std::pair<std::string, std::size_t>> counted_warnings(const RunResult& result) {
  std::vector<std::pair<std::string, std::size_t>> counted;
  for (const simulation::RunRecord& record : result.records)
    for (std::size_t i = 0; i < record.warnings.size(); ++i) {
      const std::string& text = record.warnings[i];
      const auto first = record.warnings.begin();
      if (std::find(first, first + static_cast<std::ptrdiff_t>(i), text) !=
          first + static_cast<std::ptrdiff_t>(i))
        continue;  // twice in one replication
      const auto found =
          std::find_if(counted.begin(), counted.end(), [&](const auto& c) { return c.first == text; });
      if (found == counted.end())
        counted.emplace_back(text, 1);
      else
        ++found->second;
    }
  return counted;
}

std::string public_file_name(const std::string& file) {
  const std::filesystem::path path(file);
  return path.is_absolute() ? path.filename().string() : path.generic_string();
}

std::string reproduce_command(const RunResult& result) {
  const scenario::Scenario& s = *result.scenario;
  std::string out = "natgpu run " + shell_word(public_file_name(s.file));
  if (!s.policy.empty() && s.policy != "base") out += " --policy " + shell_word(s.policy);
  out += fmt::format(" --replications {} --seed {}", result.replications_asked, result.seed);
  for (const std::string& setting : result.settings) out += " --set " + shell_word(setting);
  if (result.central) out += " --central";
  return result.quick ? out + " --quick" : out;
}

std::vector<std::string> run_arguments(const RunResult& result) {
  constexpr std::array<const char*, 3> languages{"en", "ko", "both"};
  const scenario::Scenario& s = *result.scenario;
  std::vector<std::string> words{public_file_name(s.file)};
  const auto add = [&](const char* option, const std::string& value) {
    words.emplace_back(option);
    words.push_back(value);
  };
  if (!s.policy.empty() && s.policy != "base") add("--policy", s.policy);
  add("--replications", fmt::format("{}", result.replications_asked));
  add("--seed", fmt::format("{}", result.seed));
  for (const std::string& setting : result.settings) add("--set", setting);
  add("--lang", languages[static_cast<std::size_t>(result.language)]);
  if (result.central) words.emplace_back("--central");
  if (result.quick) words.emplace_back("--quick");
  if (result.sqlite) add("--with", "sqlite");
  return words;
}

std::string summary_json(const RunResult& result) {
  const scenario::Scenario& s = *result.scenario;
  std::vector<std::uint32_t> numbers;
  for (const simulation::RunRecord& r : result.records) numbers.push_back(r.replication);
  std::string out = "{\n";
  const auto put = [&](std::string_view key, const std::string& value, bool last = false) {
    out += fmt::format("  \"{}\": {}{}\n", key, value, last ? "" : ",");
  };
  put("schema", json_text(summary_schema));
  put("version", json_text(build_info().version));
  put("scenario",
      fmt::format("{{\"name\": {}, \"title\": {{\"en\": {}, \"ko\": {}}}, \"hash\": {}}}", json_text(s.name),
                  json_text(s.title.en), json_text(s.title.ko), json_text(s.hash)));
  put("policy", json_text(s.policy));
  put("quick", result.quick ? "true" : "false");
  put("scale", json_number(s.quick_scale));
  put("seed", fmt::format("{}", result.seed));
  put("replications", fmt::format("{}", result.records.size()));
  put("replications_asked", fmt::format("{}", result.replications_asked));
  put("replication_numbers", fmt::format("[{}]", fmt::join(numbers, ", ")));
  put("interrupted", result.interrupted ? "true" : "false");
  const bool futures = scenario::has_futures(s);
  std::vector<const scenario::Uncertainty*> uncertain;
  for (const scenario::Uncertainty& u : s.uncertainties) uncertain.push_back(&u);
  if (!uncertain.empty()) put("uncertainties", uncertainties_json(uncertain, result.records));
  put("targets", array_json(result.summary.targets, target_json));
  if (!result.summary.reality.empty())
    put("reality_checks", array_json(result.summary.reality, reality_json));
  put("metrics", array_json(result.summary.estimates, [&](const experiment::Estimate& e) {
        return fmt::format(
            "{{{}{}}}", estimate_json(e),
            futures ? ", \"outcomes\": " + outcomes_json(experiment::outcome_range(e.values)) : "");
      }));
  put("fingerprint",
      fmt::format("{{\"combined\": \"{}\", \"replications\": {}}}", combined_fingerprint(result),
                  hashes_json(result.records, &simulation::RunRecord::fingerprint)));
  put("demand_hash", hashes_json(result.records, &simulation::RunRecord::demand_hash));
  put("failure_hash", hashes_json(result.records, &simulation::RunRecord::failure_hash));
  put("warnings",
      array_json(counted_warnings(result),
                 [](const auto& w) {
                   return fmt::format("{{\"text\": {}, \"replications\": {}}}", json_text(w.first), w.second);
                 }),
      true);
  return out + "}\n";
}

std::string manifest_json(const RunResult& result, const RunFacts& facts,
                          const std::vector<std::pair<std::string, std::string>>& digests) {
  const scenario::Scenario& s = *result.scenario;
  const BuildInfo& build = build_info();
  Json inputs = Json::array();
  std::vector<std::string> files{s.file};
  files.insert(files.end(), s.extended.begin(), s.extended.end());
  if (!s.demand.trace.file.empty())
    files.push_back((std::filesystem::path(s.folder) / s.demand.trace.file).string());
  if (s.plugged_order) files.push_back(s.plugged_order.file);
  for (const std::string& file : files)
    if (std::filesystem::is_regular_file(file))
      inputs.push_back({{"file", public_file_name(file)}, {"sha256", sha256_file_hex(file)}});
  Json outputs = Json::array();
  for (const auto& [name, digest] : digests) outputs.push_back({{"file", name}, {"sha256", digest}});
  std::uint64_t events = 0, jobs = 0;
  for (const simulation::RunRecord& r : result.records) {
    events += r.events;
    jobs += r.jobs;
  }
  const Json manifest{
      {"schema", manifest_schema},
      {"tool", "natgpu"},
      {"version", build.version},
      {"commit", build.commit},
      {"build", {{"compiler", build.compiler}, {"flags", build.flags}, {"type", build.type}}},
      {"command_line", facts.command_line},
      {"reproduce", reproduce_command(result)},
      {"arguments", run_arguments(result)},
      {"scenario", {{"name", s.name}, {"policy", s.policy}, {"hash", s.hash}}},
      {"seed", result.seed},
      {"random", "Philox4x32-10"},
      {"replications", {{"asked", result.replications_asked}, {"finished", result.records.size()}}},
      {"interrupted", result.interrupted},
      {"fingerprint", combined_fingerprint(result)},
      {"inputs", inputs},
      {"outputs", outputs},
      {"started", facts.started},
      {"finished", facts.finished},
      {"wall_seconds", facts.wall_seconds},
      {"threads", facts.threads},
      {"peak_memory_bytes", facts.peak_memory_bytes},
      {"events", events},
      {"jobs", jobs},
      {"resolved_scenario", s.resolved},
  };
  return dump(manifest, 2) + "\n";
}

}  // namespace natgpu::report
