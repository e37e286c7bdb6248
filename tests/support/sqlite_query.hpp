// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <array>
#include <charconv>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace natgpu::testing {

/// The rows of a query with | between their cells, as sqlite3's own shell prints them, but numbers to the
/// last bit. NULL is nothing.
inline std::vector<std::string> query(const std::string& file, const std::string& sql) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> database(opened, sqlite3_close);
  const auto fail = [&] { throw std::runtime_error(file + ": " + sqlite3_errmsg(opened) + " in " + sql); };
  sqlite3_stmt* prepared = nullptr;
  if (code != SQLITE_OK || sqlite3_prepare_v2(opened, sql.c_str(), -1, &prepared, nullptr) != SQLITE_OK)
    fail();
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, sqlite3_finalize);
  const auto cell = [&](int column) -> std::string {
    if (sqlite3_column_type(prepared, column) == SQLITE_FLOAT) {
      std::array<char, 64> digits{};
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                     sqlite3_column_double(prepared, column));
      const std::string number(digits.data(), end.ptr);
      return number + (number.find_first_of(".e") == std::string::npos ? ".0" : "");
    }
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(prepared, column));
    return text == nullptr ? "" : text;
  };
  std::vector<std::string> rows;
  int step = SQLITE_ROW;
  while ((step = sqlite3_step(prepared)) == SQLITE_ROW) {
    rows.push_back(cell(0));
    for (int i = 1; i < sqlite3_column_count(prepared); ++i) rows.back().append("|").append(cell(i));
  }
  if (step != SQLITE_DONE) fail();
  return rows;
}

}  // namespace natgpu::testing
