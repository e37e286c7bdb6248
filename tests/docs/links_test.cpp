// SPDX-License-Identifier: Apache-2.0
// Links of pages, and pages and decisions that the code names.
#include <map>
#include <regex>
#include <set>

#include "catch.hpp"
#include "pages.hpp"

namespace fs = std::filesystem;
using namespace natgpu::testing;

namespace {

const fs::path source = NATGPU_SOURCE_DIR;

/// As GitHub and most viewers make anchors of headings.
std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c : heading) {
    if (c == ' ')
      anchor += '-';
    else if (c >= 'A' && c <= 'Z')
      anchor += static_cast<char>(c - 'A' + 'a');
    else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || (c & 0x80) != 0)
      anchor += c;
  }
  return anchor;
}

bool has_anchor(const Page& p, const std::string& anchor) {
  for (const auto& [number, line] : prose_of(p)) {
    const std::size_t text = line.find_first_not_of('#');
    if (text != 0 && text != std::string::npos && line[text] == ' ' &&
        anchor_of(line.substr(text + 1)) == anchor)
      return true;
  }
  return false;
}

struct Link {
  std::size_t line;
  std::string target;
};

std::vector<Link> links_of(const Page& p) {
  static const std::regex pattern(R"(\]\(([^)\s]+)\))");
  std::vector<Link> all;
  for (const auto& [number, line] : prose_of(p))
    for (std::sregex_iterator at(line.begin(), line.end(), pattern), end; at != end; ++at)
      all.push_back({number, (*at)[1]});
  return all;
}

/// What is wrong with a link, or nothing. Links to the web are not followed.
std::string flaw_of(const Page& p, const std::string& target) {
  if (target.find("://") != std::string::npos || target.rfind("mailto:", 0) == 0) return {};
  const std::size_t hash = target.find('#');
  const fs::path file = hash == 0 ? source / p.name : p.folder() / target.substr(0, hash);
  if (!fs::exists(file)) return "there is no " + file.lexically_normal().lexically_relative(source).string();
  if (hash == std::string::npos) return {};
  const Page to = page(file.lexically_normal().lexically_relative(source).generic_string());
  return has_anchor(to, target.substr(hash + 1))
             ? ""
             : to.name + " has no heading for #" + target.substr(hash + 1);
}

/// Text files of the program, its tests and its build.
std::vector<fs::path> code_files() {
  std::vector<fs::path> all{source / "CMakeLists.txt", source / "CMakePresets.json", source / "bootstrap"};
  for (const char* folder : {"src", "include", "tests", "bench", "cmake", "scenarios", ".ci"})
    for (const auto& entry : fs::recursive_directory_iterator(source / folder))
      if (entry.is_regular_file()) all.push_back(entry.path());
  return all;
}

/// Decision files by number.
std::multimap<std::string, fs::path> decisions() {
  std::multimap<std::string, fs::path> all;
  for (const auto& entry : fs::directory_iterator(source / "docs/decisions"))
    if (entry.path().filename() != "README.md")
      all.emplace(entry.path().filename().string().substr(0, 4), entry.path());
  return all;
}

template <class Visit>
void for_each_match(const std::string& text, const std::string& pattern, Visit visit) {
  const std::regex regex(pattern);
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) visit(*at);
}

}  // namespace

TEST_CASE("every relative link of the docs leads to a file, and to a heading where it names one") {
  std::size_t links = 0;
  for (const Page& p : pages())
    for (const Link& link : links_of(p)) {
      ++links;
      INFO(p.name << ":" << link.line << ": " << link.target);
      INFO(flaw_of(p, link.target));
      CHECK(flaw_of(p, link.target).empty());
    }
  CHECK(links > 20);
}

TEST_CASE("the check of links finds a missing file and a missing heading") {
  const Page readme = page("README.md");
  CHECK_FALSE(flaw_of(readme, "docs/nothing.md").empty());
  CHECK_FALSE(flaw_of(readme, "docs/model.md#no-such-heading").empty());
  CHECK(flaw_of(readme, "docs/model.md#1-purpose-and-patterns").empty());
  CHECK(flaw_of(readme, "https://example.org/nothing").empty());
}

TEST_CASE("every page and decision that the code names is there") {
  std::size_t named = 0;
  const auto known = decisions();
  for (const fs::path& file : code_files()) {
    if (file.parent_path() == source / "tests/docs") continue;  // names pages that are not
    const std::string text = read_bytes(file.string());
    for_each_match(text, R"(docs/[A-Za-z_/0-9-]+\.md)", [&](const std::smatch& m) {
      ++named;
      INFO(file.string() << " names " << m.str());
      CHECK(fs::exists(source / m.str()));
    });
    for_each_match(text, R"(decisions/([0-9]{4}))", [&](const std::smatch& m) {
      ++named;
      INFO(file.string() << " names decision " << m[1]);
      CHECK(known.count(m[1]) == 1);
    });
  }
  CHECK(named > 4);
}

TEST_CASE("decisions have numbers of their own, say so in their heading, and stand in the index") {
  const Page index = page("docs/decisions/README.md");
  for (const auto& [number, file] : decisions()) {
    INFO(file.string());
    CHECK(decisions().count(number) == 1);
    CHECK(std::regex_match(file.filename().string(), std::regex(R"([0-9]{4}-[a-z0-9-]+\.md)")));
    const Page decision = page("docs/decisions/" + file.filename().string());
    CHECK(decision.lines.at(0).rfind("# " + number + ": ", 0) == 0);
    bool listed = false;
    for (const Link& link : links_of(index)) listed |= link.target == file.filename();
    CHECK(listed);
  }
}
