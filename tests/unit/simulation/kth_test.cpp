// SPDX-License-Identifier: Apache-2.0
// The KTH log under EASY, job for job, against the schedule published with Gaussier, Glesser, Reis &
// Trystram, SC 2015.
#include <zlib.h>

#include <algorithm>
#include <sstream>
#include <string>

#include <natgpu/simulation/replay.hpp>
#include <natgpu/workload/swf.hpp>

#include "catch.hpp"
#include "traces.hpp"

using namespace natgpu;

namespace {
std::string read_gz(const std::string& file) {
  gzFile in = gzopen(file.c_str(), "rb");
  REQUIRE(in != nullptr);
  std::string text;
  char buffer[1 << 16];
  for (int n; (n = gzread(in, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  gzclose(in);
  return text;
}
}  // namespace

TEST_CASE(
    "the KTH log replays job for job as published under EASY with a pass per event and arrivals first") {
  NATGPU_TRACE_OR_SKIP(log_file, "KTH-SP2-1996-2-filtered.swf.gz");
  NATGPU_TRACE_OR_SKIP(answer_file, "KTH-SP2-1996-2-filtered.easy.csv.gz");
  const auto log = workload::read_swf(log_file);
  simulation::ReplayOptions options;
  options.semantics = {scheduling::PassRule::event, scheduling::Ties::arrival_first};
  const auto result = simulation::replay(log, options);

  std::istringstream answers(read_gz(answer_file));
  std::string line;
  std::getline(answers, line);
  for (std::size_t i = 0; i < log.jobs.size(); ++i) {
    REQUIRE(std::getline(answers, line));
    const auto start = std::to_string(result.start_s[i]);
    const auto expected = std::to_string(log.jobs[i].id) + "," + std::to_string(log.jobs[i].submit_s) + "," +
                          start + "," + std::to_string(result.start_s[i] - log.jobs[i].submit_s);
    REQUIRE(line == expected);
  }
  CHECK(log.jobs.size() == 28481);
  CHECK(result.mean_wait_s == Approx(6836.872).epsilon(1e-7));
  CHECK(result.mean_bounded_slowdown == Approx(92.57654).epsilon(1e-7));
  CHECK(*std::max_element(result.end_s.begin(), result.end_s.end()) == 29363626);

  SECTION("one reservation, kept from pass to pass, is the same schedule") {
    options.backfill = scheduling::Backfill::reservations;
    options.reservations = 1;
    CHECK(simulation::replay(log, options).start_s == result.start_s);
    options.semantics = {};
    const auto instant = simulation::replay(log, options);
    options.backfill = scheduling::Backfill::easy;
    options.reservations = 0;
    CHECK(instant.start_s == simulation::replay(log, options).start_s);
  }
  SECTION("conservative gives the mean waits of docs/validation.md") {
    options.backfill = scheduling::Backfill::conservative;
    CHECK(simulation::replay(log, options).mean_wait_s == Approx(7310.5511744671885).epsilon(1e-12));
    options.semantics = {};
    CHECK(simulation::replay(log, options).mean_wait_s == Approx(7316.239071661809).epsilon(1e-12));
  }
  SECTION("one pass per instant is another schedule, by 456 waits") {
    options.semantics = {};
    const auto instant = simulation::replay(log, options);
    std::size_t changed = 0;
    for (std::size_t i = 0; i < log.jobs.size(); ++i) changed += instant.start_s[i] != result.start_s[i];
    CHECK(changed == 456);
    CHECK(instant.mean_wait_s == Approx(6834.587).epsilon(1e-7));
  }
}
