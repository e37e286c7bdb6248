// SPDX-License-Identifier: Apache-2.0
// The files of a sweep. A shard begins with a line that names plan and version; each point is a line
// "#point N BYTES DIGEST" and so many bytes of CSV; a finished shard ends with a line that counts and digests
// all before it.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/ensure.hpp>
#include <natgpu/core/file.hpp>
#include <natgpu/core/hash.hpp>
#include <natgpu/report/build_info.hpp>
#include <natgpu/report/sweep.hpp>

#include "escape.hpp"

namespace natgpu::report {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view running = ".part", final_name = ".shard";

std::string digest_of(std::string_view bytes) {
  Digest64 digest;
  digest.add(bytes);
  return hex64(digest.value());
}

std::string stem_of(Shard s) {
  return fmt::format("shard-{:05}-of-{:05}", s.index + 1, s.count);
}

std::string header_of(const SweepPlan& plan, Shard s) {
  return fmt::format("#natgpu-shard/1 plan={} version={} shard={}/{}\n", plan.hash, build_info().version,
                     s.index + 1, s.count);
}

/// Points of the shard, in order.
std::size_t size_of(const SweepPlan& plan, Shard s) {
  return plan.points.size() <= s.index ? 0 : (plan.points.size() - 1 - s.index) / s.count + 1;
}

/// A point's place in a shard's bytes.
struct Record {
  std::size_t point = 0, from = 0, bytes = 0;
  std::string digest;
};

bool read_number(std::string_view text, std::size_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// The record at `at`, which moves behind it. @returns none where no whole one is there
std::optional<Record> next_record(std::string_view bytes, std::size_t& at) {
  constexpr std::string_view mark = "#point ";
  const std::size_t end = bytes.find('\n', at);
  if (end == std::string_view::npos || bytes.substr(at, mark.size()) != mark) return {};
  const std::string_view line = bytes.substr(at + mark.size(), end - at - mark.size());
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  Record r;
  if (second == std::string_view::npos || !read_number(line.substr(0, first), r.point) ||
      !read_number(line.substr(first + 1, second - first - 1), r.bytes))
    return {};
  r.digest = line.substr(second + 1);
  r.from = end + 1;
  if (r.bytes > bytes.size() - r.from || digest_of(bytes.substr(r.from, r.bytes)) != r.digest) return {};
  at = r.from + r.bytes;
  return r;
}

/// Whole records from the header on. @param at  becomes the end of the last one
std::vector<Record> records_of(std::string_view bytes, std::size_t& at) {
  std::vector<Record> all;
  while (std::optional<Record> r = next_record(bytes, at)) all.push_back(std::move(*r));
  return all;
}

std::string footer_of(std::size_t points, std::string_view before) {
  return fmt::format("#end points={} sha256={}\n", points, sha256_hex(before));
}

std::string read_all(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw RunError(fmt::format("cannot read {}", path.string()));
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Records of a finished shard. @throws RunError where it is damaged or of another plan or version
std::vector<Record> checked_records(const fs::path& path, const std::string& bytes, const SweepPlan& plan) {
  const auto refuse = [&](const char* why) { throw RunError(fmt::format("{}: {}", path.string(), why)); };
  const std::string header = bytes.substr(0, bytes.find('\n') + 1);
  if (header.find(fmt::format(" plan={} ", plan.hash)) == std::string::npos)
    refuse("a shard of another plan");
  if (header.find(fmt::format(" version={} ", build_info().version)) == std::string::npos)
    refuse("a shard of another version of natgpu");
  std::size_t at = header.size();
  std::vector<Record> records = records_of(bytes, at);
  if (bytes.substr(at) != footer_of(records.size(), std::string_view(bytes).substr(0, at)))
    refuse("a damaged shard");
  for (const Record& r : records)
    if (r.point >= plan.points.size()) refuse("a damaged shard");
  return records;
}

std::string rows_of(const std::vector<experiment::Estimate>& estimates) {
  std::string rows;
  for (const experiment::Estimate& e : estimates)
    for (std::size_t r = 0; r < e.values.size(); ++r)
      rows += fmt::format("{},{},{},{},{}\n", r, csv_text(e.metric), csv_text(measures::to_string(e.labels)),
                          csv_text(e.unit), csv_number(e.values[r]));
  return rows;
}

/// Files of the folder with this ending, by name.
std::vector<fs::path> files_with(const std::string& folder, std::string_view ending) {
  std::vector<fs::path> all;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed))
    if (entry.path().extension() == ending && entry.path().filename().string().rfind("shard-", 0) == 0)
      all.push_back(entry.path());
  if (failed) throw RunError(fmt::format("cannot read the folder {}", folder));
  std::sort(all.begin(), all.end());
  return all;
}

/// Where each point's rows stand.
struct Places {
  std::vector<fs::path> files;
  struct Place {
    std::size_t file = 0;
    Record record;
    bool known = false;
  };
  std::vector<Place> of_point;
};

Places find_places(const std::string& folder, const SweepPlan& plan) {
  Places places;
  places.files = files_with(folder, final_name);
  places.of_point.resize(plan.points.size());
  for (std::size_t f = 0; f < places.files.size(); ++f)
    for (Record& r : checked_records(places.files[f], read_all(places.files[f]), plan)) {
      Places::Place& place = places.of_point[r.point];
      if (place.known && place.record.digest != r.digest)
        throw RunError(fmt::format("{} and {} differ at point {}", places.files[place.file].string(),
                                   places.files[f].string(), r.point));
      place = {f, std::move(r), true};
    }
  return places;
}

std::string points_csv(const SweepPlan& plan) {
  std::string out = "point";
  for (const std::string& path : plan.paths) out += "," + csv_text(path);
  out += "\n";
  for (std::size_t i = 0; i < plan.points.size(); ++i) {
    out += fmt::format("{}", i);
    for (const std::string& value : plan.points[i]) out += "," + csv_text(value);
    out += "\n";
  }
  return out;
}

/// Means with intervals from a point's rows: those of one metric and labels follow each other.
std::string summary_rows(std::size_t point, std::string_view rows) {
  std::string out, key;
  experiment::Estimate e;
  const auto put = [&] {
    if (key.empty()) return;
    experiment::estimate_from_values(e);
    out += fmt::format("{},{},{},{},{},{}\n", point, key, e.n, csv_number(e.mean),
                       csv_number(e.mean - e.half_width), csv_number(e.mean + e.half_width));
    e.values.clear();
  };
  for (std::size_t from = 0; from < rows.size();) {
    const std::size_t end = rows.find('\n', from);
    const std::string_view line = rows.substr(from, end - from);
    const std::size_t first = line.find(',') + 1, last = line.rfind(',');
    const std::string now(line.substr(first, last - first));
    if (now != key) put();
    key = now;
    const std::string number(line.substr(last + 1));
    e.values.push_back(number.empty() ? std::nan("") : std::stod(number));
    from = end + 1;
  }
  put();
  return out;
}

void write_tables(const std::string& folder, const SweepPlan& plan, const Places& places) {
  FileInMaking results(folder + "/results.csv"), summary(folder + "/summary.csv");
  results.write("point,replication,metric,labels,unit,value\n");
  summary.write("point,metric,labels,unit,n,mean,ci95_low,ci95_high\n");
  std::vector<std::unique_ptr<std::ifstream>> open(places.files.size());
  for (std::size_t i = 0; i < plan.points.size(); ++i) {
    const Places::Place& place = places.of_point[i];
    if (!place.known) continue;
    if (!open[place.file])
      open[place.file] = std::make_unique<std::ifstream>(places.files[place.file], std::ios::binary);
    std::string rows(place.record.bytes, '\0');
    open[place.file]->seekg(static_cast<std::streamoff>(place.record.from));
    open[place.file]->read(rows.data(), static_cast<std::streamsize>(rows.size()));
    if (!*open[place.file] || digest_of(rows) != place.record.digest)
      throw RunError(fmt::format("{} changed while it was read", places.files[place.file].string()));
    for (std::size_t from = 0; from < rows.size();) {
      const std::size_t end = rows.find('\n', from);
      results.write(fmt::format("{},{}\n", i, std::string_view(rows).substr(from, end - from)));
      from = end + 1;
    }
    summary.write(summary_rows(i, rows));
  }
  write_file_whole(folder + "/points.csv", points_csv(plan));
  summary.finish();
  results.finish();
}

SweepStatus status_of(const std::string& folder, const SweepPlan& plan, const Places& places) {
  SweepStatus status;
  status.points = plan.points.size();
  std::vector<char> done(plan.points.size(), 0);
  for (std::size_t i = 0; i < plan.points.size(); ++i) {
    done[i] = places.of_point[i].known;
    if (!places.of_point[i].known) status.missing.push_back(i);
  }
  for (const fs::path& file : places.files) status.finished.push_back(file.filename().string());
  for (const fs::path& file : files_with(folder, running)) {
    const std::string bytes = read_all(file);
    if (bytes.find(fmt::format(" plan={} ", plan.hash)) == std::string::npos) continue;
    std::size_t at = bytes.find('\n') + 1;
    for (const Record& r : records_of(bytes, at))
      if (r.point < done.size()) done[r.point] = 1;
    status.unfinished.push_back(file.filename().string());
  }
  status.done = static_cast<std::size_t>(std::count(done.begin(), done.end(), 1));
  return status;
}

}  // namespace

struct ShardWriter::State {
  std::string final_path;
  std::size_t size = 0;
  Shard shard;
  std::optional<GrowingFile> file;
};

ShardWriter::ShardWriter(const std::string& folder, const SweepPlan& plan, Shard shard) : state_(new State) {
  std::unique_ptr<State> guard(state_);
  const std::string stem = folder + "/" + stem_of(shard);
  state_->final_path = stem + std::string(final_name);
  state_->size = size_of(plan, shard);
  state_->shard = shard;
  state_->file.emplace(stem + std::string(running));
  if (fs::exists(state_->final_path)) {  // looked at while the shard is held: nobody is about to finish it
    checked_records(state_->final_path, read_all(state_->final_path), plan);
    fs::remove(stem + std::string(running));
    finished_ = true;
    done_ = state_->size;
    guard.release();
    return;
  }
  const std::string bytes = state_->file->read();
  const std::string header = header_of(plan, shard);
  std::size_t at = header.size();
  if (bytes.substr(0, header.size()) != header) {
    const bool other = bytes.find('\n') != std::string::npos && !bytes.empty();
    if (other)
      throw RunError(fmt::format("{}{}: of another plan or version; name another folder", stem, running));
    torn_ = !bytes.empty();
    state_->file->cut(0);
    state_->file->append(header);
  } else {
    for (const Record& r : records_of(bytes, at)) {
      if (r.point != shard.index + done_ * shard.count) throw RunError(fmt::format("{}: out of order", stem));
      ++done_;
    }
    torn_ = at < bytes.size();
    state_->file->cut(at);
  }
  guard.release();
}

ShardWriter::~ShardWriter() {
  delete state_;
}

void ShardWriter::add(std::size_t point, const std::vector<experiment::Estimate>& estimates) {
  NATGPU_ENSURE(point == state_->shard.index + done_ * state_->shard.count,
                "points are added in their order");
  const std::string rows = rows_of(estimates);
  state_->file->append(fmt::format("#point {} {} {}\n{}", point, rows.size(), digest_of(rows), rows));
  ++done_;
}

void ShardWriter::sync() {
  state_->file->sync();
}

void ShardWriter::finish() {
  NATGPU_ENSURE(done_ == state_->size, "a finished shard holds all its points");
  const std::string bytes = state_->file->read();
  std::size_t at = bytes.find('\n') + 1;
  records_of(bytes, at);
  state_->file->cut(at);
  state_->file->append(footer_of(done_, std::string_view(bytes).substr(0, at)));
  state_->file->rename(state_->final_path);
  finished_ = true;
}

SweepStatus sweep_status(const std::string& folder, const SweepPlan& plan) {
  return status_of(folder, plan, find_places(folder, plan));
}

SweepStatus merge_sweep(const std::string& folder, const SweepPlan& plan, bool partial) {
  const Places places = find_places(folder, plan);
  SweepStatus status = status_of(folder, plan, places);
  if (status.missing.empty() || partial) write_tables(folder, plan, places);
  return status;
}

}  // namespace natgpu::report
