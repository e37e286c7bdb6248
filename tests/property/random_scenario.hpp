// SPDX-License-Identifier: Apache-2.0
// Small random scenarios: a seed decides every number, a set of features what takes part. Taking a feature
// away leaves all other numbers as they are, so that a failing scenario can be cut down.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <natgpu/core/hash.hpp>

namespace natgpu::testing {

enum class Feature : unsigned char {
  second_device,
  second_site,
  grid,
  tenders,
  retirement,
  private_share,
  failures,
  few_crews,
  early_life,
  maintenance,
  second_sector,
  adoption,
  lapse,
  services,
  patience,
  zero_patience,
  checkpoints,
  user_errors,
  kills,
  rhythm,
  queue_limit,
  pass_per_event,
  ranks_anew,   ///< an order that moves, preempts or goes by account
  machines,     ///< the node view, where the order lets it
  shared_gpus,  ///< jobs that share GPUs
  node_limits,  ///< cores and memory of machines
  sharing,      ///< GPUs shared in time in place of a queue, in one scenario of six
  projects,     ///< blocks with jobs of their own, where nobody takes GPUs back
  last,
};
inline constexpr auto features = static_cast<unsigned>(Feature::last);

struct Recipe {
  std::uint64_t seed = 0;
  std::uint32_t with = 0;  ///< bit per feature

  bool has(Feature f) const { return ((with >> static_cast<unsigned>(f)) & 1U) != 0; }
  Recipe without(unsigned feature) const { return {seed, with & ~(1U << feature)}; }
};

/// Each feature takes part in two of three scenarios.
inline Recipe recipe_of(std::uint64_t seed) {
  Recipe r{seed, 0};
  for (unsigned f = 0; f < features; ++f)
    if (mix64(mix64(seed) + f) % 3 != 0) r.with |= 1U << f;
  return r;
}

/// Writes a recipe down as a scenario file.
class Writer {
 public:
  explicit Writer(const Recipe& recipe) : r_(recipe) {}

  std::string yaml() const {
    return fmt::format(
        "schema: natgpu/1\nname: random\nhorizon: {{start: {}, end: {}}}\nseed: {}\nreplications: "
        "2\n{}{}{}{}",
        day("start", 0, 80), day("end", 90, 120), 1 + number("seed", 1000), hardware(), supply(), demand(),
        scheduling());
  }

 private:
  /// A number below n that depends on the seed and the name alone.
  std::uint64_t number(std::string_view name, std::uint64_t n) const {
    std::uint64_t h = mix64(r_.seed);
    for (const char c : name) h = mix64(h + static_cast<unsigned char>(c));
    return h % n;
  }
  std::uint64_t between(std::string_view name, std::uint64_t low, std::uint64_t high) const {
    return low + number(name, high - low + 1);
  }
  std::string one_of(std::string_view name, const std::vector<std::string>& choices) const {
    return choices[number(name, choices.size())];
  }
  bool has(Feature f) const { return r_.has(f); }
  /// A day of 2026, counted from New Year.
  std::string day(std::string_view name, std::uint64_t low, std::uint64_t high) const {
    static constexpr unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    auto n = static_cast<unsigned>(between(name, low, high));
    unsigned month = 0;
    while (n >= lengths[month]) n -= lengths[month++];
    return fmt::format("2026-{:02}-{:02}", month + 1, n + 1);
  }
  std::string time_law(std::string_view name, std::uint64_t low_min, std::uint64_t high_min) const {
    const std::uint64_t m = between(name, low_min, high_min);
    const std::string key(name);
    return one_of(key + ".law",
                  {fmt::format("{} min", m), fmt::format("{{dist: exponential, mean: {} min}}", m),
                   fmt::format("{{dist: lognormal, median: {} min, sigma: 1.2}}", m),
                   fmt::format("{{dist: uniform, low: {} min, high: {} min}}", m / 2, 2 * m)});
  }

  std::string device(const char* name) const {
    const std::string key(name);
    return fmt::format(
        "  - {{name: {}, bf16: {} TFLOP/s, power: 1 kW, idle_power: 300 W, per_node: {}, speed: {}{}{}{}}}\n",
        name, between(key + ".bf16", 300, 2000), one_of(key + ".node", {"1", "2", "4", "8"}),
        one_of(key + ".speed", {"1", "2", "0.5", "1.3"}),
        has(Feature::shared_gpus) ? one_of(key + ".mig", {"", ", mig: A100-40GB", ", mig: A30-24GB"}) : "",
        has(Feature::node_limits) ? ", node_cores: " + one_of(key + ".cores", {"9", "32"}) +
                                        ", node_memory: " + one_of(key + ".memory", {"40 GB", "1 TB"})
                                  : "",
        one_of(key + ".long",
               {"", ", speeds: [{name: long, speed: 3}]", ", speeds: [{name: long, speed: 0.7}]"}));
  }
  std::string hardware() const {
    return "hardware:\n" + device("one") + (has(Feature::second_device) ? device("two") : "");
  }

  std::string site(const char* name) const {
    const std::string key(name);
    std::string text =
        fmt::format("    - {{name: {}, pue: {}", name, one_of(key + ".pue", {"1", "1.2", "1.5"}));
    if (has(Feature::grid))
      text += fmt::format(
          ", grid: [{{from: 2025-06-01, power: {} kW}}, {{from: {}, power: {} kW, approval: {} %, slip: "
          "{}}}, "
          "{{from: {}, power: {} kW}}]",
          between(key + ".kw1", 0, 30), day(key + ".day2", 0, 60), between(key + ".kw2", 4, 60),
          between(key + ".approval", 30, 100),
          one_of(key + ".slip", {"0 d", "{dist: exponential, mean: 9 d}"}), day(key + ".day3", 61, 118),
          between(key + ".kw3", 0, 60));
    return text + "}\n";
  }
  std::string tranche(const char* name) const {
    const std::string key(name);
    std::string text =
        fmt::format("    - {{name: {}, site: {}, device: {}, units: {} GPU", name,
                    has(Feature::second_site) ? one_of(key + ".site", {"here", "there"}) : "here",
                    has(Feature::second_device) ? one_of(key + ".device", {"one", "two"}) : "one",
                    between(key + ".units", 4, 24));
    if (has(Feature::tenders) && number(key + ".stage", 2) == 0)
      text += fmt::format(
          ", ordered: {}, tender: {{failure: {} %, round: {{dist: uniform, low: 1 d, high: 20 d}}, "
          "max_rounds: 3}}, "
          "delivery: {{dist: exponential, mean: 10 d}}, commissioning: {} d, slip: {}",
          day(key + ".ordered", 0, 60), between(key + ".failure", 0, 80),
          between(key + ".commissioning", 0, 9),
          one_of(key + ".slip", {"0 d", "{dist: triangular, low: 0 d, mode: 1 d, high: 9 d}"}));
    else
      text +=
          ", in_service: " + one_of(key + ".since", {"2025-12-01", "2026-01-01", day(key + ".from", 0, 70)});
    if (has(Feature::retirement))
      text += fmt::format(", service_life: {} d", between(key + ".life", 20, 150));
    if (has(Feature::private_share))
      text += fmt::format(", operator_share: {} %, public_share: {} %, confirmed: {}",
                          between(key + ".own", 0, 40), between(key + ".public", 50, 100),
                          one_of(key + ".confirmed", {"true", "false"}));
    return text + "}\n";
  }
  std::string supply() const {
    std::string text = "supply:\n  sites:\n" + site("here");
    if (has(Feature::second_site)) text += site("there");
    text +=
        "  tranches:\n    - {name: base, site: here, device: one, units: 8 GPU, in_service: 2025-12-01}\n";
    for (const char* name : {"first", "second", "third"}) text += tranche(name);
    if (has(Feature::failures)) {
      text += fmt::format(
          "  failures:\n    victim: {}\n    causes:\n      - {{name: often, mtbf: {} h, repair: {}}}\n"
          "      - {{name: seldom, mtbf: {} h, repair: {}}}\n",
          one_of("victim", {"uniform", "last_started"}), between("mtbf1", 20, 300),
          time_law("repair1", 1, 600), between("mtbf2", 100, 900), time_law("repair2", 60, 3000));
      if (has(Feature::few_crews)) text += fmt::format("    crews: {}\n", between("crews", 1, 2));
      if (has(Feature::early_life)) text += "    early_life_factor: 4\n    early_life: 9 d\n";
    }
    if (has(Feature::maintenance)) {
      text += "  maintenance:\n";
      for (const std::string& at : {std::string("here"), std::string("there")})
        if (at == "here" || has(Feature::second_site))
          text += fmt::format(
              "    - {{name: at-{0}, site: {0}, first: {1}, every: {2} h, length: {3} h, share: {4} %}}\n",
              at, day(at + ".first", 0, 90), between(at + ".every", 30, 300), between(at + ".length", 1, 30),
              between(at + ".share", 10, 100));
    }
    return text;
  }

  std::string sector(const char* name) const {
    const std::string key(name);
    std::string text = fmt::format(
        "    - name: {}\n      organisations: {}\n      activity: {}\n      request_rate: {} /d\n"
        "      mix: [{{name: short, share: {}}}, {{name: long, share: 2}}, {{name: wide, share: 1}}{}]\n",
        name, between(key + ".organisations", 1, 12),
        one_of(key + ".activity", {"1", "{dist: bounded_pareto, low: 1, high: 20, alpha: 1.3}"}),
        one_of(key + ".rate", {"0.5", "1", "2"}), between(key + ".mix", 1, 9),
        has(Feature::shared_gpus) ? ", {name: slice, share: 5}" : "");
    if (has(Feature::adoption))
      text += fmt::format(
          "      non_demanders: 20 %\n      adoption: {{initial: 30 %, market: 90 %, innovation: 0.01 /d, "
          "imitation: 0.03 "
          "/d}}\n      onboarding: {{share: 80 %, initial: 10 %, duration: {}{}}}\n",
          time_law(key + ".onboarding", 100, 9000), has(Feature::lapse) ? ", lapse_rate: 0.02 /d" : "");
    else
      text += fmt::format("      adoption: {{initial: 1}}\n      onboarding: {{initial: 1{}}}\n",
                          has(Feature::lapse) ? ", lapse_rate: 0.02 /d" : "");
    if (has(Feature::services))
      text +=
          "      service_rate: 0.02 /d\n      services: [{name: steady, share: 1}, {name: wavy, share: 2}]\n";
    if (grants_blocks())
      text +=
          "      project_rate: 0.03 /d\n      projects: [{name: block, share: 2}, {name: spill, share: 1}]\n";
    return text;
  }
  std::string batch(const char* name, const std::string& gpus, std::uint64_t low_min,
                    std::uint64_t high_min) const {
    const std::string key(name);
    std::string text = fmt::format(
        "    - {{name: {}, gpus: {}, run_time: {}, overestimate: {}", name, gpus,
        time_law(key + ".run", low_min, high_min),
        has(Feature::kills) ? "{dist: uniform, low: 0.5, high: 3}" : "{dist: uniform, low: 1, high: 4}");
    if (has(Feature::patience))
      text += ", patience: " + (has(Feature::zero_patience) && number(key + ".zero", 3) == 0
                                    ? std::string("0 s")
                                    : time_law(key + ".patience", 60, 3000));
    if (has(Feature::checkpoints))
      text += fmt::format(", checkpoint_every: {} min, restart_cost: {} min", between(key + ".every", 5, 200),
                          between(key + ".restart", 0, 30));
    if (has(Feature::user_errors)) text += ", failed_share: 20 %, cancelled_share: 20 %";
    if (has(Feature::second_device) && number(key + ".picky", 3) == 0) text += ", devices: [one]";
    return text + needs(key) + "}\n";
  }
  std::string needs(const std::string& key) const {
    if (!has(Feature::node_limits)) return "";
    return ", cores_per_gpu: " + one_of(key + ".cores", {"0", "3.5", "8"}) +
           ", memory_per_gpu: " + one_of(key + ".memory", {"0 GB", "7 GB", "30 GB"});
  }
  std::string demand() const {
    std::string text = "demand:\n  sectors:\n" + sector("alpha");
    if (has(Feature::second_sector)) text += sector("beta");
    text += "  batch:\n" +
            batch("short", "{dist: discrete, values: [1 GPU, 2 GPU, 3 GPU], weights: [5, 3, 1]}", 5, 90) +
            batch("long", "{dist: discrete, values: [1 GPU, 4 GPU], weights: [1, 1]}", 100, 3000) +
            batch("wide", "{dist: discrete, values: [8 GPU, 12 GPU, 20 GPU, 40 GPU], weights: [6, 3, 2, 1]}",
                  20, 600);
    if (has(Feature::shared_gpus))
      text += batch("slice", "1 GPU, gpu_share: " + one_of("slice", {"0.1", "0.25", "0.6"}), 30, 900);
    if (has(Feature::services))
      text += fmt::format(
          "  service:\n    - {{name: steady, gpus_per_replica: 2 GPU, floor: 1, peak: 1, duration: 20 d, "
          "patience: 3 d}}\n"
          "    - {{name: wavy, gpus_per_replica: 1 GPU, floor: {}, peak: {}, duration: {}{}}}\n",
          between("floor", 1, 3), between("peak", 3, 9), time_law("contract", 3000, 30000),
          (has(Feature::shared_gpus) ? ", gpu_share: 0.3" : "") + needs("wavy"));
    if (grants_blocks()) text += "  project:\n" + block("block") + block("spill");
    if (has(Feature::rhythm))
      text +=
          "  calendar: {hours: [1, 1, 1, 1, 1, 1, 2, 3, 6, 9, 9, 9, 6, 9, 9, 9, 6, 3, 2, 2, 2, 1, 1, 1], "
          "weekend: 0.5, "
          "holiday: 0, holidays: [2026-02-17, 2026-03-02]}\n";
    return text;
  }
  std::string block(const char* name) const {
    const std::string key(name);
    return fmt::format(
        "    - {{name: {}, gpus: {{dist: discrete, values: [2 GPU, 5 GPU, 12 GPU], weights: [3, 2, 1]}}, "
        "duration: {}, devices: [one], overflow: {}, reclaim_after: {}{},\n       jobs: {{rate: {} /d, mix: "
        "[{{name: short, share: 2}}, {{name: long, share: 1}}, {{name: wide, share: 0.1}}{}]}}}}\n",
        name, time_law(key + ".duration", 4000, 40000), key == "spill" ? "true" : "false",
        one_of(key + ".reclaim", {"0 s", "5 h", "3 d"}),
        has(Feature::patience) ? ", patience: " + time_law(key + ".patience", 2000, 20000) : "",
        between(key + ".rate", 1, 12), has(Feature::shared_gpus) ? ", {name: slice, share: 1}" : "");
  }
  bool takes_back() const { return has(Feature::ranks_anew) && number("family", 4) == 0; }
  bool on_machines() const { return has(Feature::machines) && number("view", 2) == 0; }
  bool in_time() const { return has(Feature::sharing) && number("shared", 4) == 0; }
  bool moves() const { return has(Feature::ranks_anew) && number("family", 4) < 3; }
  std::string moving_order() const {
    return one_of("moving", {"wfp", "unicef", "multifactor", "fairtree", "drf", "maxmin"});
  }
  bool grants_blocks() const {
    const std::string order = moves() ? moving_order() : "";
    return has(Feature::projects) && !takes_back() && !in_time() && order != "drf" && order != "maxmin";
  }
  std::string shared() const {
    const bool in_turns = !has(Feature::services) && number("turns", 2) == 0;
    return in_turns
               ? "scheduling: {sharing: gang, quantum: " + one_of("quantum", {"10 min", "1 h", "7 h"}) + "}\n"
               : "scheduling: {sharing: ps, weights: [{name: long, weight: " +
                     one_of("weight", {"0.3", "1", "2.5"}) + "}]}\n";
  }
  std::string scheduling() const {
    if (in_time()) return shared();
    std::string text = "scheduling: {";
    if (takes_back())
      text += preemption(on_machines());
    else if (moves())
      text += moving();
    else
      text += settled();
    if (on_machines()) text += machines();
    if (has(Feature::queue_limit)) text += fmt::format(", queue_limit: {}", between("limit", 1, 30));
    if (has(Feature::pass_per_event) && !takes_back())
      text += ", semantics: {pass: event, ties: " +
              (on_machines() ? "release-first" : one_of("ties", {"release-first", "arrival-first"})) + "}";
    return text + "}\n";
  }
  std::string machines() const {
    return ", view: node, placement: " +
           one_of("placement", {"first", "best", "worst", "random", "fgd", "consolidated", "lowest-id"}) +
           ", locality: " + one_of("locality", {"0", "1", "1.3"}) +
           ", mig_positions: " + one_of("positions", {"most-left", "first"});
  }
  std::string settled() const {
    const std::string backfill =
        one_of("backfill", {"none", "fit", "easy", "easy-sjbf", "conservative", "reservations"});
    std::string text =
        "order: " + one_of("order", {"fcfs", "fcfs", "sjf", "saf", "lottery"}) + ", backfill: " + backfill;
    if (backfill == "reservations") text += fmt::format(", reservations: {}", between("reservations", 1, 6));
    return text;
  }
  std::string moving() const {
    const std::string order = moving_order();
    const bool by_holding = order == "drf" || order == "maxmin";
    std::string text = "order: " + order + ", backfill: " +
                       (by_holding ? one_of("holding", {"none", "fit", "easy"})
                                   : one_of("rest", {"none", "fit", "easy", "easy-sjbf", "conservative",
                                                     "reservations, reservations: 3"}));
    if (!by_holding) text += ", recalc: " + one_of("recalc", {"0 s", "20 min", "1 d"});
    if (order != "wfp" && order != "unicef")
      text += ", accounts: {level: " + one_of("level", {"organisation", "sector"}) +
              ", shares: [{name: alpha, share: 3}]}";
    if (order == "multifactor")
      text += ", classes: [long, wide], fair_share: {factor: " + one_of("factor", {"classic", "tree"}) + "}";
    return text;
  }
  std::string preemption(bool on_machines) const {
    const std::string backfill = one_of("preempting", {"none", "fit"});
    const std::uint64_t taker = on_machines ? number("machine-taker", 10) : number("taker", 10);
    const bool by_class = taker < 2;  // on machines there is no notice but by class
    const std::string notice = on_machines && !by_class ? "0 s" : one_of("notice", {"0 s", "10 min"});
    const std::string rest =
        ", notice: " + notice + ", rounds: " + one_of("rounds", {"0 s", "0 s", "1 h"}) + "}";
    const std::string shield = ", shield: " + one_of("shield", {"0 s", "2 h"});
    switch (taker) {
      case 0:
        return "order: priority, classes: [short, wide], backfill: " + backfill +
               ", preemption: {mode: by-class" + shield + rest;
      case 1:
        return "backfill: " + backfill + ", preemption: {mode: spot-first, spot: [long, wide]" + shield +
               rest;
      case 2:
        return "order: las, backfill: " + backfill + ", preemption: {quantum: 5 h" + rest;
      case 3:
        return "order: las2d, backfill: " + backfill +
               ", preemption: {thresholds: [2 GPU.h, 30 GPU.h], promote: 3" + rest;
      case 6:
      case 7:
        return "order: " + one_of("quota-order", {"fcfs", "saf"}) + ", backfill: " + backfill +
               ", accounts: {level: " + one_of("level", {"organisation", "sector"}) +
               ", shares: [{name: alpha, share: 3}]}, preemption: {mode: quota-reclaim" + shield + rest;
      case 8:
      case 9:
        return fmt::format(
            "order: gavel-{}, backfill: {}, accounts: {{shares: [{{name: alpha, share: 3}}]}}, "
            "preemption: {{notice: {}, rounds: {}}}",
            taker == 8 ? "las" : "ftf", backfill, on_machines ? "0 s" : one_of("notice", {"0 s", "10 min"}),
            one_of("gavel-rounds", {"1 h", "3 h"}));
      case 4:
        return "order: srtf, backfill: " + backfill + ", preemption: {mode: none" + rest;
      default:
        return "order: srsf, backfill: " + backfill + ", preemption: {mode: none" + rest;
    }
  }

  Recipe r_;
};

inline std::string yaml_of(const Recipe& recipe) {
  return Writer(recipe).yaml();
}

}  // namespace natgpu::testing
