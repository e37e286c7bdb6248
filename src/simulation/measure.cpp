// SPDX-License-Identifier: Apache-2.0
#include "measure.hpp"

#include <string>
#include <vector>

#include "measurer.hpp"

namespace natgpu::simulation {
namespace {

/// Quarters, then years, then all of the measured time.
std::vector<Span> spans_of(const Books& books) {
  std::vector<Span> spans, years;
  const auto& quarters = books.world.quarters;
  const Stretch& measured = books.world.stretch;
  for (std::size_t q = measured.first; q <= measured.last; ++q) {
    const double hours = in_hours(quarters[q].to - quarters[q].from);
    spans.push_back({quarters[q].label, q, q, hours});
    const std::string year = std::to_string(quarters[q].year);
    if (years.empty() || years.back().label != year) years.push_back({year, q, q, 0});
    years.back().last = q;
    years.back().hours += hours;
  }
  Span all{"all", measured.first, measured.last, 0};
  for (const Span& y : years) all.hours += y.hours;
  spans.insert(spans.end(), years.begin(), years.end());
  spans.push_back(all);
  return spans;
}

}  // namespace

std::vector<measures::Measurement> measure(const Books& books) {
  std::vector<measures::Measurement> all;
  UseMeasurer use(books, all);
  CapacityMeasurer capacity(books, all);
  JobMeasurer jobs(books, all);
  for (const Span& s : spans_of(books)) {
    use.use_of_gpus(s);
    use.fragmentation(s);
    capacity.over(s);
    jobs.sectors(s);
    jobs.jobs_by_sector(s);
    jobs.broken_promises(s);
    if (s.label.find('Q') != std::string::npos) continue;
    use.energy(s);
    use.failures(s);
    use.repairs(s);
  }
  jobs.regions_and_groups();
  jobs.jobs_by_class();
  jobs.services();
  jobs.projects();
  capacity.stocks();
  return all;
}

}  // namespace natgpu::simulation
