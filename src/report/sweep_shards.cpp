// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/ensure.hpp>
#include <natgpu/core/file.hpp>
#include <natgpu/report/sweep.hpp>

#include "escape.hpp"
#include "shard_file.hpp"

namespace natgpu::report {
namespace {

namespace fs = std::filesystem;

std::string rows_of(const std::vector<experiment::Estimate>& estimates) {
  std::string rows;
  for (const experiment::Estimate& e : estimates)
    for (std::size_t r = 0; r < e.values.size(); ++r)
      rows += fmt::format("{},{},{},{},{}\n", r, csv_text(e.metric), csv_text(measures::to_string(e.labels)),
                          csv_text(e.unit), csv_number(e.values[r]));
  return rows;
}

}  // namespace

struct ShardWriter::State {
  std::string part_path, final_path;
  std::size_t size = 0;
  Shard shard;
  std::optional<GrowingFile> file;
};

ShardWriter::ShardWriter(const std::string& folder, const SweepPlan& plan, Shard shard)
    : state_(std::make_unique<State>()) {
  const std::string stem = folder + "/" + stem_of(shard);
  state_->part_path = stem + std::string(part_ending);
  state_->final_path = stem + std::string(shard_ending);
  state_->size = size_of(plan, shard);
  state_->shard = shard;
  state_->file.emplace(state_->part_path);
  if (fs::exists(state_->final_path)) {  // looked at while the shard is held: nobody is about to finish it
    checked_records(state_->final_path, plan);
    fs::remove(state_->part_path);
    finished_ = true;
    done_ = state_->size;
    return;
  }
  const std::string header = header_of(plan, shard);
  ShardReader reader(state_->part_path);
  if (reader.header() != header) {
    if (!reader.header().empty())
      throw RunError(fmt::format("{}: of another plan or version; name another folder", state_->part_path));
    torn_ = reader.size() > 0;
    state_->file->cut(0);
    state_->file->append(header);
    return;
  }
  for (Record r; reader.next(r); ++done_)
    if (r.point != shard.index + done_ * shard.count) throw RunError(fmt::format("{}: out of order", stem));
  torn_ = reader.end() < reader.size();
  state_->file->cut(reader.end());
}

ShardWriter::~ShardWriter() = default;

void ShardWriter::add(std::size_t point, const std::vector<experiment::Estimate>& estimates) {
  NATGPU_ENSURE(point == state_->shard.index + done_ * state_->shard.count,
                "points are added in their order");
  state_->file->append(record_of(point, rows_of(estimates)));
  ++done_;
}

void ShardWriter::sync() {
  state_->file->sync();
}

void ShardWriter::finish() {
  NATGPU_ENSURE(done_ == state_->size, "a finished shard holds all its points");
  ShardReader reader(state_->part_path);
  for (Record r; reader.next(r);) {
  }
  state_->file->cut(reader.end());
  state_->file->append(footer_of(done_, reader.sha256()));
  state_->file->rename(state_->final_path);
  finished_ = true;
}

}  // namespace natgpu::report
