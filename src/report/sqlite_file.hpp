// SPDX-License-Identifier: Apache-2.0
// A SQLite file that appears whole or not at all, with equal bytes for equal content.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <natgpu/core/file.hpp>

struct sqlite3;
struct sqlite3_stmt;

namespace natgpu::report {

/// A cell; a number that is none (NaN, infinity) is stored as NULL.
using Cell = std::variant<std::int64_t, double, std::string_view>;

/// What is written to it in equal order gives equal bytes under one version of SQLite, which writes its
/// version into the file: the page size is fixed, there is one transaction, no page keeps anything of what
/// was deleted, and no cell comes from a clock.
class SqliteFile {
 public:
  /// @throws RunError naming the path, as all of its functions
  explicit SqliteFile(const std::string& path);
  void run(const std::string& sql);
  /// Appends a row to the table, which has as many columns.
  void insert(const std::string& table, const std::vector<Cell>& row);
  void finish();

 private:
  void check(int code, int wanted);
  std::string path_;
  FileInMaking file_;
  std::unique_ptr<sqlite3, void (*)(sqlite3*)> database_;
  std::map<std::string, std::unique_ptr<sqlite3_stmt, void (*)(sqlite3_stmt*)>> inserts_;
};

/// An SQL identifier in its quotes.
std::string sql_name(std::string_view name);

}  // namespace natgpu::report
