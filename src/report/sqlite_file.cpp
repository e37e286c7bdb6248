// SPDX-License-Identifier: Apache-2.0
#include "sqlite_file.hpp"

#include <cmath>

#include <fmt/format.h>
#include <sqlite3.h>

#include <natgpu/core/diagnostic.hpp>

namespace natgpu::report {
namespace {

/// All that SQLite's bytes depend on beside its version and the statements; no journal, since the file is
/// thrown away unless it gets its name; 256 KiB of cache whatever the size of the file, which grows at its
/// end.
constexpr const char* settings =
    "PRAGMA page_size = 4096; PRAGMA encoding = 'UTF-8'; PRAGMA auto_vacuum = NONE; PRAGMA secure_delete = "
    "ON;"
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA cache_size = -256; PRAGMA temp_store = MEMORY; BEGIN";

int bind(sqlite3_stmt* statement, int column, const Cell& cell) {
  if (const auto* whole = std::get_if<std::int64_t>(&cell))
    return sqlite3_bind_int64(statement, column, *whole);
  if (const auto* number = std::get_if<double>(&cell))
    return std::isfinite(*number) ? sqlite3_bind_double(statement, column, *number)
                                  : sqlite3_bind_null(statement, column);
  const auto text = std::get<std::string_view>(cell);
  return sqlite3_bind_text64(statement, column, text.data() == nullptr ? "" : text.data(), text.size(),
                             SQLITE_TRANSIENT, SQLITE_UTF8);
}

}  // namespace

SqliteFile::SqliteFile(const std::string& path)
    : path_(path), file_(path), database_(nullptr, [](sqlite3* d) { sqlite3_close_v2(d); }) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(file_.temporary().c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);
  database_.reset(database);
  check(code, SQLITE_OK);
  run(settings);
}

void SqliteFile::check(int code, int wanted) {
  if (code != wanted)
    throw RunError(fmt::format("cannot write {}: {}", path_,
                               database_ ? sqlite3_errmsg(database_.get()) : sqlite3_errstr(code)));
}

void SqliteFile::run(const std::string& sql) {
  check(sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
}

void SqliteFile::insert(const std::string& table, const std::vector<Cell>& row) {
  const auto [found, is_new] =
      inserts_.try_emplace(table, nullptr, [](sqlite3_stmt* s) { sqlite3_finalize(s); });
  if (is_new) {
    std::string sql = fmt::format("INSERT INTO {} VALUES (?", sql_name(table));
    for (std::size_t i = 1; i < row.size(); ++i) sql += ", ?";
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(database_.get(), (sql + ")").c_str(), -1, &statement, nullptr), SQLITE_OK);
    found->second.reset(statement);
  }
  sqlite3_stmt* statement = found->second.get();
  int column = 0;
  for (const Cell& cell : row) check(bind(statement, ++column, cell), SQLITE_OK);
  check(sqlite3_step(statement), SQLITE_DONE);
  check(sqlite3_reset(statement), SQLITE_OK);
}

void SqliteFile::finish() {
  inserts_.clear();
  run("COMMIT");
  check(sqlite3_close(database_.release()), SQLITE_OK);
  file_.finish();
}

std::string sql_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace natgpu::report
