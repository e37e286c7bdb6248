// SPDX-License-Identifier: Apache-2.0
#include <natgpu/report/manifest.hpp>

#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include <natgpu/core/diagnostic.hpp>

namespace natgpu::report {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  refuse_file(path, "E0509", why);
}

std::vector<std::pair<std::string, std::string>> files_of(const Json& list) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const Json& file : list)
    files.emplace_back(file.at("file").get<std::string>(), file.at("sha256").get<std::string>());
  return files;
}

}  // namespace

Manifest read_manifest(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) refuse(path, "the manifest cannot be read");
  const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  try {
    const Json json = Json::parse(bytes);
    if (json.at("schema") != "natgpu-manifest/1") refuse(path, "not a manifest of this version");
    Manifest m;
    m.version = json.at("version").get<std::string>();
    m.commit = json.at("commit").get<std::string>();
    m.scenario = json.at("scenario").at("name").get<std::string>();
    m.hash = json.at("scenario").at("hash").get<std::string>();
    m.fingerprint = json.at("fingerprint").get<std::string>();
    m.interrupted = json.at("interrupted").get<bool>();
    m.arguments = json.at("arguments").get<std::vector<std::string>>();
    m.inputs = files_of(json.at("inputs"));
    m.outputs = files_of(json.at("outputs"));
    return m;
  } catch (const Json::exception&) {
    refuse(path, "not a manifest of a run, or a damaged one");
  }
}

}  // namespace natgpu::report
