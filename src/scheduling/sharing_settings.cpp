// SPDX-License-Identifier: Apache-2.0
#include <natgpu/scheduling/sharing_settings.hpp>

#include <natgpu/scheduling/spec.hpp>

namespace natgpu::scheduling {

const std::vector<Choice<Sharing>>& sharings() {
  static const std::vector<Choice<Sharing>> table = {
      {"exclusive", Sharing::exclusive, "a job has its GPUs to itself, and others wait in the queue",
       "textbook", ""},
      {"ps", Sharing::ps, "all run at once; GPUs are divided by weight, to none more than it asks for",
       "Kleinrock, J. ACM 14(2), 1967; Fayolle, Mitrani & Iasnogorodski, J. ACM 27(3), 1980", "no queue"},
      {"gang", Sharing::gang, "all run in turns of a quantum, in rows that fit the GPUs",
       "Ousterhout, ICDCS 1982", "a quantum; no queue"},
  };
  return table;
}

const FieldTable& fields_of(const SharingWeight*) {
  static const FieldTable table =
      Fields<SharingWeight>("weight of a class", "What a class of jobs weighs where GPUs are divided.")
          .text("name", &SharingWeight::name, "A batch or service class, or `log`.")
          .required()
          .quantity("weight", &SharingWeight::weight, Dimension::count, between(0.001, 1000),
                    "Its weight; a class that is not named has 1.")
          .required();
  return table;
}

std::vector<Finding> check_sharing(const Scheduling& s) {
  std::vector<Finding> findings;
  const auto refuse = [&](bool there, const char* path, const char* message, const char* help) {
    if (there) findings.push_back({std::string("scheduling.") + path, message, help});
  };
  refuse(s.sharing == Sharing::gang && s.quantum == Duration{0}, "sharing",
         "gang scheduling needs the length of a turn", "write `quantum: 1 h` beside it");
  if (!shares(s)) return findings;
  refuse(s.view == View::node, "view",
         "GPUs are shared in time where they are counted, not machine by machine",
         "write `view: pool`, or leave `sharing` out");
  refuse(s.order != Order::fcfs, "order",
         "ranks jobs of a queue, and jobs that share GPUs in time have none: all run at once, or in turns",
         "leave `order` out, or `sharing`; weights by class go with `sharing: ps`");
  refuse(s.preemption.mode != PreemptionSettings::Mode::none, "preemption.mode",
         "jobs that share GPUs in time take none from others: all have a part",
         "leave `preemption` out, or `sharing`");
  refuse(s.queue_limit > 0, "queue_limit", "limits a queue, and jobs that share GPUs in time have none",
         "leave it out, or `sharing`");
  refuse(s.semantics.pass == PassRule::event, "semantics.pass",
         "who shares GPUs sees all that happened at an instant", "leave `pass` at instant");
  return findings;
}

}  // namespace natgpu::scheduling
