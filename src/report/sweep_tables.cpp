// SPDX-License-Identifier: Apache-2.0
#include "sweep_tables.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/file.hpp>

#include "escape.hpp"
#include "shard_file.hpp"
#include "sweep_database.hpp"

namespace natgpu::report {
namespace {

namespace fs = std::filesystem;

/// Shards of the folder with this ending, by name.
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
  places.files = files_with(folder, shard_ending);
  places.of_point.resize(plan.points.size());
  for (std::size_t f = 0; f < places.files.size(); ++f)
    for (const Record& r : checked_records(places.files[f], plan)) {
      Places::Place& place = places.of_point[r.point];
      if (place.known && place.record.digest != r.digest)
        throw RunError(fmt::format("{} and {} differ at point {}", places.files[place.file].string(),
                                   places.files[f].string(), r.point));
      place = {f, r, true};
    }
  return places;
}

std::string points_csv(const SweepPlan& plan) {
  std::string out = "point";
  for (const std::string& path : plan.paths) out += fmt::format(",{}", csv_text(path));
  out += "\n";
  for (std::size_t i = 0; i < plan.points.size(); ++i) {
    out += fmt::format("{}", i);
    for (const std::string& value : plan.points[i]) out += fmt::format(",{}", csv_text(value));
    out += "\n";
  }
  return out;
}

/// The cell that begins at `at`, which moves behind the comma that ends it.
std::string next_cell(std::string_view line, std::size_t& at) {
  std::string cell;
  bool quoted = false;
  for (; at < line.size() && (quoted || line[at] != ','); ++at) {
    if (line[at] != '"') {
      cell += line[at];
    } else if (quoted && at + 1 < line.size() && line[at + 1] == '"') {
      cell += line[at++];
    } else {
      quoted = !quoted;
    }
  }
  ++at;
  return cell;
}

template <class Number>
Number number_of(std::string_view text, Number otherwise) {
  Number value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Each file is opened when its first point comes.
class OpenShards {
 public:
  explicit OpenShards(const Places& places) : places_(places), open_(places.files.size()) {}
  const std::string& rows_of(const Places::Place& place) {
    std::optional<ShardReader>& reader = open_[place.file];
    if (!reader) reader.emplace(places_.files[place.file]);
    return reader->rows_at(place.record);
  }

 private:
  const Places& places_;
  std::vector<std::optional<ShardReader>> open_;
};

void write_tables(const std::string& folder, const SweepPlan& plan, const Places& places,
                  std::size_t missing) {
  FileInMaking results(folder + "/results.csv"), summary(folder + "/summary.csv");
  SweepDatabase database(folder + "/results.sqlite", plan, missing);
  results.write("point,replication,metric,labels,unit,value\n");
  summary.write("point,metric,labels,unit,n,mean,ci95_low,ci95_high\n");
  OpenShards shards(places);
  for (std::size_t i = 0; i < plan.points.size(); ++i) {
    if (!places.of_point[i].known) continue;
    const std::string& rows = shards.rows_of(places.of_point[i]);
    for (std::size_t from = 0; from < rows.size();) {
      const std::size_t end = rows.find('\n', from);
      results.write(fmt::format("{},{}\n", i, std::string_view(rows).substr(from, end - from)));
      from = end + 1;
    }
    const std::vector<PointSeries> all = series_of(rows);
    for (const PointSeries& s : all)
      summary.write(fmt::format("{},{},{},{},{},{}\n", i, s.key, s.estimate.n, csv_number(s.estimate.mean),
                                csv_number(s.estimate.mean - s.estimate.half_width),
                                csv_number(s.estimate.mean + s.estimate.half_width)));
    database.add(i, all);
  }
  write_file_whole(folder + "/points.csv", points_csv(plan));
  summary.finish();
  database.finish();
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
  for (const fs::path& file : files_with(folder, part_ending)) {
    ShardReader reader(file);
    if (!reader.is_of(plan)) continue;
    for (Record r; reader.next(r);)
      if (r.point < done.size()) done[r.point] = 1;
    status.unfinished.push_back(file.filename().string());
  }
  status.done = static_cast<std::size_t>(std::count(done.begin(), done.end(), 1));
  return status;
}

}  // namespace

std::vector<PointSeries> series_of(std::string_view rows) {
  std::vector<PointSeries> all;
  for (std::size_t from = 0; from < rows.size();) {
    const std::size_t end = rows.find('\n', from);
    const std::string_view line = rows.substr(from, end - from);
    const std::size_t first = line.find(',') + 1, last = line.rfind(',');
    const std::string_view key = line.substr(first, last - first);
    if (all.empty() || all.back().key != key) {
      all.emplace_back();
      all.back().key = key;
      std::size_t at = 0;
      for (std::string* cell : {&all.back().metric, &all.back().labels, &all.back().unit})
        *cell = next_cell(key, at);
    }
    all.back().replications.push_back(number_of<std::int64_t>(line.substr(0, first - 1), 0));
    all.back().estimate.values.push_back(
        number_of(line.substr(last + 1), std::numeric_limits<double>::quiet_NaN()));
    from = end + 1;
  }
  for (PointSeries& s : all) experiment::estimate_from_values(s.estimate);
  return all;
}

SweepStatus sweep_status(const std::string& folder, const SweepPlan& plan) {
  return status_of(folder, plan, find_places(folder, plan));
}

SweepStatus merge_sweep(const std::string& folder, const SweepPlan& plan, bool partial) {
  const Places places = find_places(folder, plan);
  SweepStatus status = status_of(folder, plan, places);
  if (status.missing.empty() || partial) write_tables(folder, plan, places, status.missing.size());
  return status;
}

}  // namespace natgpu::report
