// SPDX-License-Identifier: Apache-2.0
// The queries of docs/sweeps.md on the sweep of docs/sweeps.md: they give what the page says.
#include "catch.hpp"
#include "pages.hpp"
#include "shell.hpp"
#include "sqlite_query.hpp"

using namespace natgpu::testing;

namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

}  // namespace

TEST_CASE("each query of docs/sweeps.md prints what stands below it") {
  const std::vector<Block> blocks = blocks_of(page("docs/sweeps.md"));
  const Checkout checkout;
  REQUIRE(blocks.front().language == "sh");
  const Outcome swept = checkout.run("set -e\n" + joined(blocks.front().code));
  INFO(swept.err);
  REQUIRE(swept.code == 0);
  const std::string merged = "/results.csv: ";
  const std::size_t end = swept.out.rfind(merged);
  REQUIRE(end != std::string::npos);
  const std::size_t from = swept.out.rfind('\n', end) + 1;
  const std::string file = checkout.folder() + "/" + swept.out.substr(from, end - from) + "/results.sqlite";
  int queries = 0;
  for (std::size_t i = 0; i + 1 < blocks.size(); ++i) {
    if (blocks[i].language != "sql") continue;
    ++queries;
    INFO("docs/sweeps.md:" << blocks[i].line);
    REQUIRE(blocks[i + 1].language == "text");
    CHECK(joined(query(file, joined(blocks[i].code))) == joined(blocks[i + 1].code));
  }
  CHECK(queries == 2);
}
