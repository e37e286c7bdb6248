// SPDX-License-Identifier: Apache-2.0
// The pages that users read, taken apart: lines, blocks of code, tables.
#pragma once

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "bytes.hpp"

namespace natgpu::testing {

struct Page {
  std::string name;  ///< relative to the source folder: "docs/model.md"
  std::vector<std::string> lines;
  std::filesystem::path folder() const {
    return (std::filesystem::path(NATGPU_SOURCE_DIR) / name).parent_path();
  }
};

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::string line;
  for (const char c : text) {
    if (c != '\n') {
      line += c;
      continue;
    }
    lines.push_back(line);
    line.clear();
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

/// A page by its name. A page that is not there has no lines.
inline Page page(const std::string& name) {
  const std::filesystem::path file = std::filesystem::path(NATGPU_SOURCE_DIR) / name;
  return {name,
          std::filesystem::exists(file) ? lines_of(read_bytes(file.string())) : std::vector<std::string>{}};
}

/// README.md, CHANGELOG.md and all of docs/, by name.
inline std::vector<Page> pages() {
  namespace fs = std::filesystem;
  const fs::path source = NATGPU_SOURCE_DIR;
  std::vector<std::string> names{"README.md", "CHANGELOG.md"};
  for (const auto& entry : fs::recursive_directory_iterator(source / "docs"))
    if (entry.path().extension() == ".md")
      names.push_back(entry.path().lexically_relative(source).generic_string());
  std::sort(names.begin(), names.end());
  std::vector<Page> all;
  for (const std::string& name : names) all.push_back(page(name));
  return all;
}

inline std::string trimmed(const std::string& text) {
  const std::size_t from = text.find_first_not_of(" \t\r");
  if (from == std::string::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

/// Lines between fences, or indented by four blanks after an empty line.
struct Block {
  std::string language;   ///< of a fence; "indented" for the other kind
  std::size_t line = 0;   ///< of the first line of code, from one
  bool adjacent = false;  ///< nothing but blank lines lie between it and the block before
  std::vector<std::string> code;
};

inline std::vector<Block> blocks_of(const Page& p) {
  std::vector<Block> all;
  bool fenced = false, prose = true, blank = true, in_list = false;
  for (std::size_t i = 0; i < p.lines.size(); ++i) {
    const std::string& line = p.lines[i];
    if (trimmed(line).rfind("```", 0) == 0) {
      if (!fenced) all.push_back({trimmed(line).substr(3), i + 2, !prose, {}});
      fenced = !fenced;
      prose = false;
      continue;
    }
    if (fenced) {
      all.back().code.push_back(line);
      continue;
    }
    const bool indented = line.rfind("    ", 0) == 0;
    if (trimmed(line).empty()) {
      blank = true;
    } else if (indented && !in_list &&
               (blank || (!all.empty() && all.back().language == "indented" && !prose))) {
      const bool goes_on = !all.empty() && all.back().language == "indented" && !prose && !blank;
      if (!goes_on) all.push_back({"indented", i + 1, !prose, {}});
      all.back().code.push_back(trimmed(line));
      prose = blank = false;
    } else {
      in_list = indented ? in_list : line.find_first_of("-*1") == 0;
      prose = true;
      blank = false;
    }
  }
  if (fenced) throw std::runtime_error(p.name + ": a fence without an end");
  return all;
}

/// Lines outside fences.
inline std::vector<std::pair<std::size_t, std::string>> prose_of(const Page& p) {
  std::vector<std::pair<std::size_t, std::string>> all;
  bool fenced = false;
  for (std::size_t i = 0; i < p.lines.size(); ++i) {
    if (trimmed(p.lines[i]).rfind("```", 0) == 0)
      fenced = !fenced;
    else if (!fenced)
      all.emplace_back(i + 1, p.lines[i]);
  }
  return all;
}

/// Cells of the rows of all tables whose header begins with `first`, header and rule left out.
inline std::vector<std::vector<std::string>> table_rows(const Page& p, const std::string& first) {
  std::vector<std::vector<std::string>> rows;
  bool inside = false;
  for (const auto& [number, line] : prose_of(p)) {
    if (line.rfind("|", 0) != 0) {
      inside = false;
      continue;
    }
    std::vector<std::string> cells;
    for (std::size_t from = 1, to; (to = line.find('|', from)) != std::string::npos; from = to + 1)
      cells.push_back(trimmed(line.substr(from, to - from)));
    if (!inside) {
      inside = !cells.empty() && cells[0] == first;
      if (!inside) cells.clear();
      continue;
    }
    if (cells.empty() || cells[0].rfind("---", 0) == 0) continue;
    rows.push_back(cells);
  }
  return rows;
}

/// What stands in backquotes in a line.
inline std::vector<std::string> code_spans(const std::string& line) {
  std::vector<std::string> spans;
  for (std::size_t from = line.find('`'); from != std::string::npos;) {
    const std::size_t to = line.find('`', from + 1);
    if (to == std::string::npos) break;
    spans.push_back(line.substr(from + 1, to - from - 1));
    from = line.find('`', to + 1);
  }
  return spans;
}

}  // namespace natgpu::testing
