// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "replay_model.hpp"

namespace natgpu::simulation {

/// What a replay is made of, beside its dispatcher.
struct ReplayParts {
  const workload::JobLog& log;
  const ArrivalOrder& order;
  const ReplayOptions& options;
  const ReplayAccounts& accounts;
  ReplayResult& result;
};

template <class Dispatcher>
void run_with(Dispatcher dispatcher, const ReplayParts& p) {
  Replay<Dispatcher> model(p.log, p.order, p.options, p.accounts, p.result, std::move(dispatcher));
  run_through(model,
              {p.options.semantics.pass == scheduling::PassRule::event,
               p.options.semantics.ties == scheduling::Ties::arrival_first},
              p.result);
}

/// Orders by what accounts use or hold (replay_by_account.cpp). @pre by_use or by_holding
void run_by_account(const ReplayParts& parts);

}  // namespace natgpu::simulation
