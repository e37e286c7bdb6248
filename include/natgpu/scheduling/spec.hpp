// SPDX-License-Identifier: Apache-2.0
// What a scenario or a command line states about who runs now.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/field.hpp>

namespace natgpu::scheduling {

enum class Order : std::uint8_t { fcfs };
enum class Backfill : std::uint8_t {
  none,  ///< the head of the queue blocks
  fit,   ///< skip what does not fit
  easy,  ///< only the head holds a reservation (Lifka, JSSPP 1995)
};
enum class View : std::uint8_t { pool };
enum class PassRule : std::uint8_t {
  instant,  ///< one pass sees all that happened at an instant
  event,    ///< a pass after each arrival and each completion
};
enum class Ties : std::uint8_t {
  release_first,  ///< completions before arrivals
  arrival_first,  ///< arrivals first; a job whose requested end is now counts as gone
};

struct Semantics {
  PassRule pass = PassRule::instant;
  Ties ties = Ties::release_first;
};

struct Scheduling {
  View view = View::pool;
  Order order = Order::fcfs;
  Backfill backfill = Backfill::easy;
  Semantics semantics;
  std::int64_t queue_limit = 0;  ///< submissions beyond so many queued jobs are rejected; 0: no limit
  Duration slowdown_floor = seconds(10);  ///< of bounded slowdown (Feitelson & Rudolph, JSSPP 1998)
};

const FieldTable& fields_of(const Semantics*);
const FieldTable& fields_of(const Scheduling*);
std::vector<Finding> check(const Scheduling& scheduling);

/// A policy that can be named on the command line: a bundle of the parts above.
struct NamedPolicy {
  std::string name;  ///< "fcfs", "fit", "easy"
  Order order;
  Backfill backfill;
  std::string rule;    ///< in one line
  std::string source;  ///< where it was published
};
const std::vector<NamedPolicy>& named_policies();

}  // namespace natgpu::scheduling
