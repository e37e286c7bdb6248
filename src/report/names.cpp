// SPDX-License-Identifier: Apache-2.0
// What measures and labels are called in words. Files keep the English names of docs/metrics.md.
#include <algorithm>
#include <array>

#include "catalogue.hpp"

namespace natgpu::report {
namespace {

struct MetricName {
  std::string_view metric, en, ko;
};

constexpr std::array metric_names{
    MetricName{"capacity.units", "Devices", "장치 수"},
    MetricName{"capacity.h100e", "H100-equivalents", "H100 환산 대수"},
    MetricName{"capacity.eflops", "Peak", "최대 성능"},
    MetricName{"reading.value", "Value of the reading", "해석별 값"},
    MetricName{"reading.target.share", "Share of the target", "목표 대비"},
    MetricName{"supply.unconfirmed.share", "Public GPU-time on unconfirmed supply",
               "확인되지 않은 공급에 기대는 공공 GPU 시간"},
    MetricName{"gpu.allocated.share", "Allocated, of in service", "할당 비율(가동 대비)"},
    MetricName{"gpu.allocated.of_up.share", "Allocated, of up", "할당 비율(정상 대비)"},
    MetricName{"gpu.reserved.share", "Reserved by projects and unused, of in service",
               "사업 블록 미사용 비율(가동 대비)"},
    MetricName{"gpu.busy.share", "Busy (allocated and not stalled), of in service", "사용 비율(가동 대비)"},
    MetricName{"gpu.useful.share", "Useful, of in service", "유효 사용 비율(가동 대비)"},
    MetricName{"gpu.hours", "GPU-time by what became of it", "GPU 시간의 쓰임"},
    MetricName{"fragmentation.gpus", "Idle GPUs of no use to a job to be expected",
               "조각나서 쓸 수 없는 유휴 GPU"},
    MetricName{"fragmentation.share", "The same, of idle GPU-time", "조각난 유휴 GPU 시간의 비중"},
    MetricName{"gpu.queued", "GPUs asked for by waiting jobs", "대기 중인 GPU 수요"},
    MetricName{"share.gpu_hours", "Share of the GPU-time used", "사용된 GPU 시간의 비중"},
    MetricName{"share.gpu_hours.top_groups", "Share of the five largest owner groups",
               "상위 5개 소유 집단의 비중"},
    MetricName{"gpu_hours.sector", "GPU-time used", "사용된 GPU 시간"},
    MetricName{"fairness.gini", "Gini coefficient over organisations", "조직 간 지니 계수"},
    MetricName{"fairness.jain", "Jain's index over organisations", "조직 간 제인 지수"},
    MetricName{"fairness.hhi", "Herfindahl-Hirschman index over owner groups",
               "소유 집단 간 허핀달·허시먼 지수"},
    MetricName{"jobs.submitted.count", "Jobs submitted", "제출된 작업"},
    MetricName{"jobs.finished.count", "Jobs finished", "끝난 작업"},
    MetricName{"jobs.killed.count", "Jobs stopped at their requested time", "요청 시간에 끊긴 작업"},
    MetricName{"jobs.failed.count", "Jobs ended by a user's error", "사용자 오류로 끝난 작업"},
    MetricName{"jobs.cancelled.count", "Jobs ended by their user's will", "사용자가 취소한 작업"},
    MetricName{"jobs.rejected.count", "Jobs refused", "거절된 작업"},
    MetricName{"jobs.gave_up.count", "Jobs given up while waiting", "대기 중 포기한 작업"},
    MetricName{"jobs.left_over.count", "Jobs left over in blocks of projects", "사업 블록 종료 시 남은 작업"},
    MetricName{"jobs.running.count", "Jobs still running at the end", "종료 시 실행 중인 작업"},
    MetricName{"jobs.queued.count", "Jobs still waiting at the end", "종료 시 대기 중인 작업"},
    MetricName{"jobs.censored.count", "Jobs that had not started at the end", "종료 시 시작하지 못한 작업"},
    MetricName{"jobs.censored.wait.mean", "Mean wait so far of jobs that had not started at the end",
               "종료 시 시작하지 못한 작업의 평균 대기"},
    MetricName{"jobs.restarts.count", "Restarts after failure or loss", "고장·회수 뒤 재시작"},
    MetricName{"jobs.spread.count", "Starts on more machines than the fewest",
               "필요보다 많은 노드에 나뉘어 시작한 횟수"},
    MetricName{"jobs.preempted.count", "Times jobs lost their GPUs to others", "다른 작업에 밀린 횟수"},
    MetricName{"promises.broken.count", "Reserved starts put off by a loss", "용량 상실로 미뤄진 예약 시작"},
    MetricName{"jobs.wait.mean", "Mean wait", "평균 대기"},
    MetricName{"jobs.wait.p50", "Median wait", "대기 중앙값"},
    MetricName{"jobs.wait.p95", "95th percentile of waits", "대기 95백분위"},
    MetricName{"jobs.turnaround.mean", "Mean time from submission to end", "평균 반환 시간"},
    MetricName{"jobs.bounded_slowdown.mean", "Mean bounded slowdown", "평균 제한 지연비"},
    MetricName{"warmup.cut.days", "Start-up left out", "제외한 초기 구간"},
    MetricName{"services.entries.count", "Replicas asked for above the floor", "하한을 넘는 복제본 요청"},
    MetricName{"services.lapsed.count", "Of these, lapsed unserved", "그중 제공되지 못한 요청"},
    MetricName{"services.unserved.gpu_hours", "GPU-time of waiting replicas", "대기한 복제본의 GPU 시간"},
    MetricName{"projects.asked.count", "Projects that asked for a block", "블록을 신청한 사업"},
    MetricName{"projects.granted.count", "Of these, granted", "그중 배정"},
    MetricName{"projects.rejected.count", "Of these, refused", "그중 거절"},
    MetricName{"projects.gave_up.count", "Of these, given up while waiting", "그중 대기 중 포기"},
    MetricName{"projects.waiting.count", "Of these, still waiting at the end", "그중 종료 시 대기"},
    MetricName{"projects.wait.mean", "Mean wait for a block", "블록 평균 대기"},
    MetricName{"energy.mwh", "Electricity", "전력량"},
    MetricName{"energy.co2_t", "CO2", "이산화탄소"},
    MetricName{"energy.cost_krw", "Cost of electricity", "전기 요금"},
    MetricName{"failures.count", "Nodes that broke", "고장 난 노드"},
    MetricName{"repairs.wait.mean", "Mean wait for a repair crew", "수리 인력 평균 대기"},
    MetricName{"adoption.any_ai.share", "Organisations that use any AI", "AI를 쓰는 조직"},
    MetricName{"adoption.gpu_user.share", "Organisations that compute on the public pool",
               "공공 풀에서 계산하는 조직"},
    MetricName{"adoption.gpu_user.count", "Organisations that compute on the public pool",
               "공공 풀에서 계산하는 조직 수"},
};

struct Word {
  std::string_view key, value, en, ko;
};

constexpr std::array words{
    Word{"state", "ordered", "ordered", "주문"},
    Word{"state", "delivered", "delivered", "납품"},
    Word{"state", "powered", "powered", "전력 공급"},
    Word{"state", "in_service", "in service", "가동"},
    Word{"state", "public", "public", "공공 사용분"},
    Word{"state", "up", "up", "정상"},
    Word{"state", "allocated", "allocated", "할당"},
    Word{"state", "dark", "delivered, no power", "전력 없음"},
    Word{"state", "down", "down", "고장"},
    Word{"state", "idle", "idle", "유휴"},
    Word{"state", "reserved", "reserved by projects, unused", "사업 블록의 미사용분"},
    Word{"state", "retired", "retired", "퇴역"},
    Word{"state", "useful", "useful", "유효 사용"},
    Word{"state", "stalled", "stalled (restart, reload)", "정체(재시작·재적재)"},
    Word{"state", "lost", "lost", "손실"},
    Word{"state", "unfinished", "unfinished at the end", "종료 시 미완료"},
    Word{"gap", "on_paper", "on paper (ordered)", "서류상(주문)"},
    Word{"gap", "allocated", "allocated", "할당"},
    Word{"gap", "gap", "**gap**", "**차이**"},
    Word{"gap", "allocated_of_paper", "allocated, % of paper", "서류 대비 할당(%)"},
    Word{"step", "ordered", "ordered, not delivered", "주문, 미납품"},
    Word{"step", "delivered", "delivered, no power", "납품, 전력 없음"},
    Word{"step", "powered", "powered, not in service", "전력 공급, 미가동"},
    Word{"step", "in_service", "in service for the operator or outside the pool", "가동, 운영사 몫·풀 밖"},
    Word{"step", "public", "public, down", "공공, 고장"},
    Word{"step", "up", "up, not allocated", "정상, 미할당"},
    Word{"reading", "h100e", "H100-equivalents (headline)", "H100 환산(대표 수치)"},
    Word{"reading", "fp64_strict", "strict FP64 tensor peak", "엄격한 FP64 텐서 성능"},
    Word{"reading", "units", "GPU units", "GPU 장수"},
    Word{"reading", "bf16_15x", "fifteen-fold in dense BF16", "BF16 기준 15배"},
    Word{"reading", "units_52000", "successor plan, GPU units", "후속 계획, GPU 장수"},
    Word{"scope", "h100e", "every device by its dense BF16 peak over that of an H100 (989.4 TFLOP/s)",
         "장치마다 BF16 밀집 최대 성능을 H100(989.4 TFLOP/s)으로 나눈 값"},
    Word{"scope", "fp64_strict", "FP64 tensor peak of the models really installed; newer chips have little",
         "실제 설치된 모델의 FP64 텐서 최대 성능. 최신 칩은 거의 없음"},
    Word{"scope", "units", "devices of any model, one each", "모델과 관계없이 장치 하나를 하나로 셈"},
    Word{"scope", "bf16_15x", "dense BF16 peak, against fifteen times that of 2,000 H100",
         "BF16 밀집 최대 성능, H100 2,000장의 15배 대비"},
    Word{"scope", "units_52000", "devices of any model, against the later plan for 2028",
         "장치 수, 2028년까지의 후속 계획 대비"},
    Word{"cause", "gpu", "GPU", "GPU"},
    Word{"cause", "hbm", "GPU memory (HBM)", "GPU 메모리(HBM)"},
    Word{"cause", "sram", "GPU SRAM", "GPU SRAM"},
    Word{"cause", "network", "network", "네트워크"},
    Word{"cause", "system_processor", "system processor", "시스템 프로세서"},
    Word{"cause", "other", "other", "기타"},
    Word{"cause", "failure", "failure", "고장"},
    Word{"cause", "limit", "stopped at the limit", "시간 제한"},
    Word{"cause", "user_error", "user's error", "사용자 오류"},
    Word{"cause", "preemption", "preemption", "선점"},
    Word{"cause", "cancel", "cancelled", "취소"},
    Word{"sector", "sme", "small firms", "중소기업"},
    Word{"sector", "midsize", "mid-size firms", "중견기업"},
    Word{"sector", "chaebol", "chaebols", "대기업 집단"},
    Word{"sector", "startup", "start-ups", "스타트업"},
    Word{"sector", "public", "public bodies", "공공 기관"},
    Word{"sector", "academia", "academia", "학계"},
    Word{"sector", "institute", "research institutes", "연구 기관"},
    Word{"sector", "national_project", "national projects", "국가 프로젝트"},
    Word{"sector", "supercomputing", "supercomputing", "슈퍼컴퓨팅"},
    Word{"region", "capital", "capital area", "수도권"},
    Word{"region", "other", "elsewhere", "그 밖의 지역"},
    Word{"status", "measured", "measured", "측정"},
    Word{"status", "published", "published", "공표"},
    Word{"status", "assumed", "assumed", "가정"},
    Word{"label", "state", "State", "상태"},
    Word{"label", "gap", "State", "상태"},
    Word{"label", "step", "Stops at", "멈춘 단계"},
    Word{"label", "sector", "Sector", "부문"},
    Word{"label", "region", "Region", "지역"},
    Word{"label", "site", "Site", "사이트"},
    Word{"label", "cause", "Cause", "원인"},
    Word{"label", "reading", "Reading", "해석"},
};

/// "In service", "in-service" and "in_service" are one word.
std::string normal(std::string_view value) {
  std::string word(value);
  for (char& c : word) {
    if (c == ' ' || c == '-') c = '_';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return word;
}

}  // namespace

std::string Catalogue::metric(std::string_view name) const {
  const auto* found = std::find_if(metric_names.begin(), metric_names.end(),
                                   [&](const MetricName& m) { return m.metric == name; });
  if (found == metric_names.end()) return std::string(name);
  return std::string(korean_ ? found->ko : found->en);
}

std::string Catalogue::label(std::string_view key, std::string_view value) const {
  const std::string word = normal(value);
  for (const Word& w : words)
    if (w.key == key && w.value == word) return std::string(korean_ ? w.ko : w.en);
  return std::string(value);
}

}  // namespace natgpu::report
