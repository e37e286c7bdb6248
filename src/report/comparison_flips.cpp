// SPDX-License-Identifier: Apache-2.0
// Whether a ranking holds when inputs are shaken, in words and JSON.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "comparison.hpp"
#include "escape.hpp"
#include "futures.hpp"
#include "json_parts.hpp"

namespace natgpu::report {
namespace {

using experiment::Flips;
using experiment::PairFlip;

Style style_for(const Flips& flips) {
  double largest = 0;
  for (const PairFlip& p : flips.pairs)
    largest = std::max({largest, std::abs(p.first_mean), std::abs(p.second_mean)});
  return style_of(flips.asked.metric, flips.asked.unit, largest);
}

std::string mean_text(double mean, const Style& style) {
  experiment::Estimate e;
  e.mean = mean;
  e.half_width = std::nan("");
  return figure(e, style.factor, std::min(style.decimals, 4));
}

std::string counts_text(const experiment::Share& futures, const experiment::Share& chance) {
  return fmt::format("in {} futures ({}), in {} by chance alone", count_text(futures), share_text(futures),
                     count_text(chance));
}

std::string pair_json(const PairFlip& p) {
  return fmt::format(
      "{{\"first\": {}, \"second\": {}, \"first_mean\": {}, \"second_mean\": {}, \"futures\": {}, "
      "\"chance\": {}}}",
      json_text(p.first), json_text(p.second), json_number(p.first_mean), json_number(p.second_mean),
      share_json(p.futures, "flipped"), share_json(p.chance, "flipped"));
}

}  // namespace

std::string flips_title(const Flips& flips) {
  const std::string labels = measures::to_string(flips.asked.labels);
  return flips.asked.metric + (labels.empty() ? "" : "  " + labels);
}

std::vector<std::string> flip_lines(const Flips& flips) {
  const Style style = style_for(flips);
  const char* order = flips.better == measures::Better::neither ? "above" : "before";
  std::vector<std::string> lines;
  if (flips.pairs.empty()) lines.emplace_back("equal as stated: there is no order to flip");
  for (const PairFlip& p : flips.pairs)
    lines.push_back(fmt::format("{} {} {} as stated ({} and {} {}): flips {}", p.first, order, p.second,
                                mean_text(p.first_mean, style), mean_text(p.second_mean, style), style.unit,
                                counts_text(p.futures, p.chance)));
  if (flips.pairs.size() > 1)
    lines.push_back("any of these flips " + counts_text(flips.any, flips.any_chance));
  return lines;
}

std::string flips_json(const std::vector<Flips>& all) {
  return array_json(all, [](const Flips& f) {
    std::vector<std::string> pairs;
    for (const PairFlip& p : f.pairs) pairs.push_back(pair_json(p));
    return fmt::format(
        "{{\"metric\": {}, \"labels\": {}, \"unit\": {}, \"pairs\": [{}], \"any\": {}, \"any_chance\": {}}}",
        json_text(f.asked.metric), labels_json(f.asked.labels), json_text(f.asked.unit),
        fmt::join(pairs, ", "), share_json(f.any, "flipped"), share_json(f.any_chance, "flipped"));
  });
}

}  // namespace natgpu::report
