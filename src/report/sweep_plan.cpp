// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/hash.hpp>
#include <natgpu/report/sweep.hpp>

#include "escape.hpp"
#include "json_parts.hpp"

namespace natgpu::report {
namespace {

constexpr std::string_view plan_schema = "natgpu-plan/1";

std::string texts_json(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& t : texts) quoted.push_back(json_text(t));
  return fmt::format("[{}]", fmt::join(quoted, ", "));
}

/// All of the plan but its hash.
std::string body(const SweepPlan& p) {
  return fmt::format(
      "  \"schema\": \"{}\",\n  \"scenario\": {},\n  \"scenario_hash\": {},\n  \"settings\": {},\n  "
      "\"seed\": {},\n"
      "  \"replications\": {},\n  \"metrics\": {},\n  \"paths\": {},\n  \"points\": {}",
      plan_schema, json_text(p.scenario_file), json_text(p.scenario_hash), texts_json(p.settings), p.seed,
      p.replications, texts_json(p.metrics), texts_json(p.paths), array_json(p.points, texts_json));
}

/// Moves each text, since a plan of many points should not stand in memory twice.
std::vector<std::vector<std::string>> take_points(nlohmann::json& points) {
  std::vector<std::vector<std::string>> all;
  for (nlohmann::json& point : points) {
    std::vector<std::string>& values = all.emplace_back();
    for (nlohmann::json& value : point) values.push_back(std::move(value.get_ref<std::string&>()));
    point = nullptr;
  }
  return all;
}

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  refuse_file(path, "E0510", why, "plans are made by `natgpu sweep plan` and never changed");
}

}  // namespace

SweepPlan sealed(SweepPlan plan) {
  plan.hash = sha256_hex(body(plan));
  return plan;
}

std::string plan_json(const SweepPlan& plan) {
  return fmt::format("{{\n{},\n  \"hash\": \"{}\"\n}}\n", body(plan), plan.hash);
}

SweepPlan read_plan(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) refuse(path, "the plan cannot be read");
  SweepPlan p;
  try {
    using Texts = std::vector<std::string>;
    nlohmann::json json = nlohmann::json::parse(in);
    if (json.at("schema") != plan_schema) refuse(path, "not a plan of this version");
    p.scenario_file = json.at("scenario").get<std::string>();
    p.scenario_hash = json.at("scenario_hash").get<std::string>();
    p.settings = json.at("settings").get<Texts>();
    p.paths = json.at("paths").get<Texts>();
    p.points = take_points(json.at("points"));
    p.metrics = json.at("metrics").get<Texts>();
    p.seed = json.at("seed").get<std::uint64_t>();
    p.replications = json.at("replications").get<std::uint32_t>();
    p.hash = json.at("hash").get<std::string>();
  } catch (const nlohmann::json::exception&) {
    refuse(path, "not a plan, or a damaged one");
  }
  if (sha256_hex(body(p)) != p.hash) refuse(path, "the plan was changed after it was made");
  for (const auto& point : p.points)
    if (point.size() != p.paths.size()) refuse(path, "a point lacks values");
  return p;
}

}  // namespace natgpu::report
