// SPDX-License-Identifier: Apache-2.0
// A small demand that the tests of this room share.
#pragma once

#include <string>
#include <vector>

#include <natgpu/demand/spec.hpp>

namespace natgpu::demand::testing {

inline Sector sector(const std::string& name, std::int64_t organisations) {
  Sector s;
  s.name = name;
  s.organisations = organisations;
  s.activity = Law::bounded_pareto(1, 1000, 1.2);
  s.request_rate = 1.0 / 86400;
  s.adoption = {0.3, 0.9, 0.01 / 31557600, 0.3 / 31557600};
  s.onboarding.initial = 0.1;
  s.onboarding.duration = Law::erlang(2, 30 * 86400.0);
  s.onboarding.lapse_rate = 0.1 / 31557600;
  s.non_demanders = 0.4;
  s.regions = {{"seoul", 3}, {"jeonnam", 1}};
  s.mix.resize(2);
  s.mix[0].name = "small";
  s.mix[0].share = 3;
  s.mix[1].name = "large";
  s.service_rate = 1.0 / (30 * 86400.0);
  s.services.resize(1);
  s.services[0].name = "chat";
  return s;
}

inline Demand demand() {
  Demand d;
  d.sectors = {sector("sme", 2000), sector("academia", 300)};
  BatchClass small;
  small.name = "small";
  small.gpus = Law::discrete({1, 2, 4, 8}, {8, 4, 2, 1});
  small.run_time = Law::lognormal_mean_cv(7200, 2);
  small.overestimate = Law::uniform(1, 4);
  small.requested_max = hours(24);
  small.failed_share = 0.1;
  small.cancelled_share = 0.05;
  BatchClass large;
  large.name = "large";
  large.gpus = Law::constant(64);
  large.run_time = Law::erlang(3, 36000);
  large.patience = Law::exponential(86400);
  d.batch = {small, large};
  ServiceClass chat;
  chat.name = "chat";
  chat.floor = 2;
  chat.peak = 10;
  chat.duration = Law::uniform(30 * 86400.0, 90 * 86400.0);
  d.service = {chat};
  d.calendar.weekend = 0.4;
  d.calendar.holiday = 0.3;
  return d;
}

}  // namespace natgpu::demand::testing
