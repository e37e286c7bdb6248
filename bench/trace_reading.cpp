// SPDX-License-Identifier: Apache-2.0
// Speed of the log readers: bytes of text a second, from a file in the page cache (to reach: 100 MB/s).
#include <benchmark/benchmark.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include <natgpu/core/hash.hpp>
#include <natgpu/workload/trace.hpp>

namespace {

using namespace natgpu;  // NOLINT: a program of one file

constexpr std::uint64_t rows = 500'000;

/// A file for the time of one benchmark.
class LogFile {
 public:
  LogFile(const std::string& name, const std::string& text)
      : path_((std::filesystem::temp_directory_path() / ("natgpu-bench-" + name)).string()) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::uint64_t draw(std::uint64_t row, std::uint64_t what, std::uint64_t below) {
  return mix64(8 * row + what) % below;
}

std::string helios() {
  std::string text =
      "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n";
  for (std::uint64_t i = 0; i < rows; ++i)
    text += fmt::format(
        "{},u{:04},vc{:02},{},{},{},COMPLETED,2020-{:02}-{:02} {:02}:{:02}:41,2020-06-09 18:41:01,2020-06-10 "
        "04:55:09,{},{}\n",
        1425511 + i, draw(i, 0, 400), draw(i, 1, 25), 1 + draw(i, 2, 8), 4 + draw(i, 3, 60), 1,
        4 + i * 5 / rows, 1 + draw(i, 4, 28), draw(i, 5, 24), draw(i, 6, 60), 1 + draw(i, 7, 500000),
        draw(i, 5, 1000));
  return text;
}

std::string openb() {
  std::string text =
      "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,"
      "scheduled_time\n";
  for (std::uint64_t i = 0; i < rows; ++i)
    text += fmt::format("openb-pod-{:04},{},{},1,{},,LS,Running,{},{},{}\n", i, 1000 * draw(i, 0, 96),
                        1024 * draw(i, 1, 256), 1 + draw(i, 2, 1000), 25 * i, 25 * i + 1 + draw(i, 3, 90000),
                        25 * i);
  return text;
}

std::string swf() {
  std::string text = "; MaxProcs: 1024\n";
  for (std::uint64_t i = 0; i < rows; ++i)
    text += fmt::format("{} {} -1 {} {} -1 -1 {} {} -1 1 {} {} -1 {} -1 -1 -1\n", i + 1, 25 * i,
                        1 + draw(i, 0, 90000), 1 + draw(i, 1, 64), 1 + draw(i, 1, 64), 90000, draw(i, 2, 400),
                        draw(i, 3, 25), draw(i, 4, 5));
  return text;
}

void read(benchmark::State& state, const char* name, std::string (*make)()) {
  const LogFile file(name, make());
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    const workload::JobLog log = workload::read_log(file.path());
    benchmark::DoNotOptimize(log.jobs.data());
    bytes += log.bytes;
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

BENCHMARK_CAPTURE(read, helios, "cluster_log.csv", helios)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read, openb, "openb.csv", openb)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read, swf, "log.swf", swf)->Unit(benchmark::kMillisecond);

}  // namespace
