// SPDX-License-Identifier: Apache-2.0
// What a scenario or a command line states about who runs now.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <natgpu/core/diagnostic.hpp>
#include <natgpu/core/field.hpp>
#include <natgpu/scheduling/mig.hpp>
#include <natgpu/scheduling/order_settings.hpp>
#include <natgpu/scheduling/placement_rule.hpp>
#include <natgpu/scheduling/sharing_settings.hpp>

namespace natgpu::scheduling {

/// Who stands before whom in the queue; ties go to the earlier submission.
enum class Order : std::uint8_t {
  fcfs,         ///< by submission
  sjf,          ///< shortest requested time first
  ljf,          ///< longest requested time first
  saf,          ///< smallest requested time x GPUs first
  lottery,      ///< in a random order, drawn for each job
  wfp,          ///< by (wait / requested)^3 x GPUs, which moves with time
  unicef,       ///< by wait / (log2(GPUs) x requested), which moves with time
  srtf,         ///< shortest remaining time first, running jobs too
  srsf,         ///< smallest remaining time x GPUs first, running jobs too
  las,          ///< least time on GPUs so far first, in quanta
  las2d,        ///< by the queue that time on GPUs x GPUs has led to (Tiresias)
  gavel_las,    ///< by target shares of time that divide GPUs max-min fairly (Gavel)
  gavel_ftf,    ///< by target shares of time that make finish times fair (Themis, Gavel)
  priority,     ///< by class, as the log's queue says
  multifactor,  ///< by Slurm's priority (age, fair share, size, queue), which moves with time
  fairtree,     ///< by the place of the user in Slurm's Fair Tree, which moves with time
  drf,          ///< least dominant share first, which moves with every start
  maxmin,       ///< least GPUs held over weight first, which moves with every start
  plugged,      ///< by a key that a shared library gives (natgpu/policy.h); has no name among `orders`
};
/// Whether keys of the order change while jobs wait.
constexpr bool moves(Order order) {
  return order == Order::wfp || order == Order::unicef || order == Order::multifactor ||
         order == Order::fairtree || order == Order::drf || order == Order::maxmin;
}
/// Of these, by what accounts have used: ranked anew at each pass or in each period.
constexpr bool by_use(Order order) {
  return order == Order::multifactor || order == Order::fairtree;
}
/// By what accounts hold now: ranked anew after each start.
constexpr bool by_holding(Order order) {
  return order == Order::drf || order == Order::maxmin;
}
/// By what jobs have received of target shares, in rounds.
constexpr bool by_target(Order order) {
  return order == Order::gavel_las || order == Order::gavel_ftf;
}
/// Whether it matters who asks.
constexpr bool by_account(Order order) {
  return by_use(order) || by_holding(order);
}
/// Whether running jobs are ranked beside waiting ones, and may lose their GPUs.
constexpr bool preempts(Order order) {
  return order == Order::srtf || order == Order::srsf || order == Order::las || order == Order::las2d ||
         by_target(order);
}
enum class Backfill : std::uint8_t {
  none,          ///< the head of the queue blocks
  fit,           ///< skip what does not fit
  easy,          ///< only the head holds a reservation (Lifka, JSSPP 1995)
  easy_sjbf,     ///< easy, the others by shortest request first
  conservative,  ///< every waiting job holds one (Mu'alem & Feitelson, TPDS 2001)
  reservations,  ///< the first Scheduling::reservations jobs of the queue hold one
};
/// Waiting jobs behind the first blocked one hold reservations too.
constexpr bool keeps_reservations(Backfill backfill) {
  return backfill == Backfill::conservative || backfill == Backfill::reservations;
}
enum class View : std::uint8_t {
  pool,  ///< GPUs are counted by site and type
  node,  ///< machines one by one: gangs, packing, locality, fragmentation
};
enum class PassRule : std::uint8_t {
  instant,  ///< one pass sees all that happened at an instant
  event,    ///< a pass after each arrival and each completion
};
enum class Ties : std::uint8_t {
  release_first,  ///< completions before arrivals
  arrival_first,  ///< arrivals first; a job whose requested end is now counts as gone
};

/// What published simulators do differently under the name of EASY.
struct EasyRule {
  enum class Spare : std::uint8_t { used, unused };
  enum class Shadow : std::uint8_t { refreshed, fixed };
  enum class Compare : std::uint8_t { at_most, less };
  enum class Waiting : std::uint8_t { requested, exact };
  Spare spare = Spare::used;             ///< whether a job that outlives the shadow may take spare GPUs
  Shadow shadow = Shadow::refreshed;     ///< worked out at each pass, or once when the head blocks
  Compare compare = Compare::at_most;    ///< an end at the shadow is in time, or is not
  Waiting waiting = Waiting::requested;  ///< a waiting job's length; a running one ends as requested
  friend constexpr bool operator==(const EasyRule&, const EasyRule&) = default;
};

struct Semantics {
  PassRule pass = PassRule::instant;
  Ties ties = Ties::release_first;
};

struct Scheduling {
  View view = View::pool;
  Placement placement = Placement::best;  ///< in the node view
  /// In the node view: how many times longer a gang on more machines than the fewest takes; 0: it waits for
  /// these.
  double locality = 0;
  MigPosition mig_positions = MigPosition::most_left;  ///< in the node view
  Order order = Order::fcfs;
  Backfill backfill = Backfill::easy;
  std::int64_t reservations = 0;  ///< jobs that hold one, with Backfill::reservations; 0: not stated
  Sharing sharing = Sharing::exclusive;
  Duration quantum{0};                 ///< of Sharing::gang: the length of a turn; 0: not stated
  std::vector<SharingWeight> weights;  ///< of Sharing::ps; classes that are not named have 1
  Semantics semantics;
  Duration recalc = hours(1);        ///< of orders that move: how often they rank anew; 0: at each pass
  std::vector<std::string> classes;  ///< of jobs, the highest first; those not named come last, in one class
  AccountSettings accounts;          ///< of orders by account, and of quotas
  FairShareSettings fair_share;      ///< of multifactor and fairtree
  PreemptionSettings preemption;
  std::int64_t queue_limit = 0;  ///< submissions beyond so many queued jobs are rejected; 0: no limit
  Duration slowdown_floor = seconds(10);  ///< of bounded slowdown (Feitelson & Rudolph, JSSPP 1998)
};

/// Whether it matters who asks: the order ranks accounts, or they have quotas.
constexpr bool by_account(const Scheduling& s) {
  return by_account(s.order) || s.preemption.mode == PreemptionSettings::Mode::quota_reclaim;
}
/// Whether jobs share GPUs in time, and have no queue.
constexpr bool shares(const Scheduling& s) {
  return s.sharing != Sharing::exclusive;
}
/// Whether running jobs may lose their GPUs to others.
constexpr bool preempts(const Scheduling& s) {
  return preempts(s.order) || s.preemption.mode != PreemptionSettings::Mode::none;
}

const FieldTable& fields_of(const Semantics*);
const FieldTable& fields_of(const Scheduling*);
/// Parts that contradict each other.
std::vector<Finding> check(const Scheduling& scheduling);
/// The same, of sharing alone.
std::vector<Finding> check_sharing(const Scheduling& scheduling);
/// What is stated and has no part in what was chosen: a mistake in a file, but not where a policy has taken
/// the place of what the file chose.
std::vector<Finding> without_meaning(const Scheduling& scheduling);

/// An order or a backfill that can be chosen, by its name in files and on the command line.
template <class E>
struct Choice {
  std::string name;
  E value;
  std::string rule;    ///< in one line
  std::string source;  ///< where it was published
  std::string needs;   ///< what must be known or stated, or empty
};
const std::vector<Choice<Order>>& orders();
const std::vector<Choice<Backfill>>& backfills();
const std::vector<Choice<Sharing>>& sharings();
const std::vector<Choice<PreemptionSettings::Mode>>& preemptions();

/// A policy that can be named on the command line: a bundle of the parts above.
struct NamedPolicy {
  std::string name;  ///< "fcfs", "easy", "sjf"
  Order order;
  Backfill backfill;
  std::string rule;    ///< in one line
  std::string source;  ///< where it was published
};
const std::vector<NamedPolicy>& named_policies();

}  // namespace natgpu::scheduling
