// SPDX-License-Identifier: Apache-2.0
#include "catalogue.hpp"

#include <algorithm>
#include <array>

namespace natgpu::report {
namespace {

struct Sentence {
  Say id;
  std::string_view en, ko;
};

constexpr std::array sentences{
    Sentence{Say::title, "Simulation report: {}", "시뮬레이션 보고서: {}"},
    Sentence{Say::policy_line, "Policy {} · {} replications · seed {}", "정책 {} · 반복 {}회 · 시드 {}"},
    Sentence{Say::quick_banner,
             "**Quick run: capacity and demand are scaled to {} of the real size, and replications are few. "
             "The figures "
             "show that the scenario runs; they are no result.**",
             "**간이 실행: 용량과 수요를 실제 규모의 {}배로 하고 반복을 줄였습니다. 시나리오가 실행되는지만 "
             "보여 주며 결과로 "
             "쓸 수 없습니다.**"},
    Sentence{Say::interrupted_banner,
             "**Interrupted: {} of {} replications were finished and are reported.**",
             "**중단됨: 반복 {1}회 중 {0}회만 끝났고, 그 결과만 실었습니다.**"},
    Sentence{
        Say::reading_hint,
        "Each figure is the mean over replications ± the half-width of its 95 % interval; n is the number of "
        "replications behind it.",
        "모든 수치는 반복 실행의 평균 ± 95 % 신뢰구간의 반너비이며, n은 그 수치에 쓰인 반복 횟수입니다."},
    Sentence{Say::differs, "Differs from the scenario file in:", "시나리오 파일과 다른 점:"},
    Sentence{Say::findings, "Main figures", "주요 수치"},
    Sentence{Say::finding_gap,
             "On {0}, {1} EFLOP/s ({2}) stand on paper, {3} are open to public users, "
             "and {4} are "
             "allocated: {5} % of the paper.",
             "{0} 기준 서류상 용량은 {1} EFLOP/s({2})이고, 공공 이용자에게 열린 용량은 {3}, 실제 할당된 "
             "용량은 {4}로 "
             "서류의 {5} %입니다."},
    Sentence{Say::finding_target,
             "Headline reading: {1} H100e are open to the government's users on {0}, {2} % of the "
             "target of "
             "{3} H100e.",
             "대표 해석: {0} 기준 정부 사용자에게 열린 용량은 {1} H100e로 목표 {3} H100e의 {2} %입니다."},
    Sentence{Say::finding_use,
             "In {0}, {1} % of the public GPU-time in service is allocated and {2} % is useful.",
             "{0}년 가동 중인 공공 GPU 시간의 {1} %가 할당되고 {2} %가 유효하게 쓰입니다."},
    Sentence{Say::finding_unconfirmed,
             "{1} % of the public GPU-time of {0} rests on supply that is not confirmed.",
             "{0}년 공공 GPU 시간의 {1} %는 이행이 확인되지 않은 공급에 기댑니다."},
    Sentence{Say::finding_assumed, "{0} of the {1} stated values are merely assumed.",
             "명시된 값 {1}개 가운데 {0}개는 가정일 뿐입니다."},
    Sentence{Say::targets, "Targets", "목표 달성 여부"},
    Sentence{Say::target, "Target", "목표"},
    Sentence{Say::bar, "Bar", "기준"},
    Sentence{Say::estimate, "Estimate (95 % CI)", "추정값(95 % 신뢰구간)"},
    Sentence{Say::verdict, "Verdict", "판정"},
    Sentence{Say::pass, "PASS", "충족"},
    Sentence{Say::fail, "FAIL", "미달"},
    Sentence{Say::inconclusive, "INCONCLUSIVE", "판정 불가"},
    Sentence{Say::warn_only, "warning only", "경고만"},
    Sentence{Say::verdict_note,
             "PASS: the whole interval meets the bar. FAIL: all of it misses the bar. INCONCLUSIVE: the bar "
             "lies inside, "
             "or there is no interval; more replications may tell.",
             "충족: 신뢰구간 전체가 기준을 만족합니다. 미달: 신뢰구간 전체가 기준에 못 미칩니다. 판정 불가: "
             "기준이 구간 "
             "안에 있거나 구간을 구할 수 없습니다. 반복을 늘리면 판정될 수 있습니다."},
    Sentence{Say::futures_note,
             "Replications are futures: the verdict is in how many of them the bar is met, with Clopper and "
             "Pearson's 95 % interval of their share. The estimate is the mean over futures.",
             "반복 하나가 하나의 미래입니다. 판정 칸은 기준을 만족하는 미래의 수와 그 비율의 "
             "클로퍼·피어슨 95 % 구간이고, 추정값은 미래들의 평균입니다."},
    Sentence{Say::not_judged,
             "A scaled quick run is no result and is not judged; bars that count capacity are scaled as the "
             "run is.",
             "규모를 줄인 간이 실행은 결과가 아니므로 판정하지 않습니다. 용량을 세는 기준은 실행과 같이 "
             "줄였습니다."},
    Sentence{Say::targets_unjudged, "Could not be judged:", "판정할 수 없는 목표:"},
    Sentence{Say::reality, "Reality checks", "현실 대조"},
    Sentence{
        Say::reality_text,
        "Published figures beside what the model comes to. PASS: the whole 95 % interval lies within the "
        "bounds that still count as agreement. FAIL: it lies outside them. A failed row is where the "
        "model is not to be believed.",
        "공표된 수치와 모형의 결과를 나란히 놓았습니다. 충족: 95 % 구간 전체가 일치로 보는 범위 안에 "
        "있습니다. 미달: 구간 전체가 범위 밖에 있습니다. 미달인 항목에서는 모형을 믿을 수 없습니다."},
    Sentence{Say::reality_check, "Reality check", "대조 항목"},
    Sentence{Say::published, "Published", "공표값"},
    Sentence{Say::agrees, "Agrees from – to", "일치 범위"},
    Sentence{Say::futures, "What is uncertain", "불확실한 값"},
    Sentence{
        Say::futures_text,
        "Each replication is one future: it draws one value of each of these, the same under every policy. "
        "p5 to p95 is where nine of ten futures lie; it needs {} of them. The 95 % interval is that of the "
        "mean over futures.",
        "반복 하나가 하나의 미래입니다. 아래 값은 미래마다 하나씩 뽑으며 어떤 정책에서도 같습니다. "
        "p5–p95는 미래 열 가운데 아홉이 놓이는 범위로 미래 {}개가 필요합니다. 95 % 구간은 미래들의 "
        "평균에 대한 것입니다."},
    Sentence{Say::uncertain, "Uncertain", "불확실한 값"},
    Sentence{Say::distribution, "Distribution", "분포"},
    Sentence{Say::known, "Known from", "값의 출처(뽑지 않음)"},
    Sentence{Say::period, "Period", "기간"},
    Sentence{Say::outcomes, "p5 to p95 over futures", "미래들의 p5–p95"},
    Sentence{Say::readings, "The national target, read in different ways", "국가 목표를 읽는 여러 방식"},
    Sentence{
        Say::readings_text,
        "The headline is H100-equivalents (H100e: dense BF16 peak over 989.4 TFLOP/s) that the "
        "government's users can reach; the other readings count the same devices differently. Private fleets "
        "are in none of them. The base of 2,000 H100 counts all of Korea and lies outside this pool. Stocks "
        "at the end of each year.",
        "대표 수치는 정부 사용자가 실제로 쓸 수 있는 H100 환산 대수(H100e: BF16 밀집 최대 성능 ÷ 989.4 "
        "TFLOP/s)이며, 나머지 해석은 같은 장치를 달리 셉니다. 민간이 보유한 장치는 어디에도 들어 있지 "
        "않습니다. "
        "기준이 되는 H100 2,000장은 우리나라 전체를 센 것으로 이 풀에 들어 있지 않습니다. 매년 말 "
        "보유량입니다."},
    Sentence{Say::readings_scaled, "Targets in these tables are scaled by {}, as the run is.",
             "이 표의 목표는 실행과 같이 {}배로 줄였습니다."},
    Sentence{Say::readings_end, "All five on {}", "{}의 다섯 해석"},
    Sentence{Say::readings_by_year, "open to the government's users, by year",
             "정부 사용자에게 열린 용량, 연도별"},
    Sentence{Say::counts, "What counts", "세는 것"},
    Sentence{Say::of_target, "public, of target", "목표 대비 공공"},
    Sentence{Say::waterfall, "From paper to use", "계획에서 실제 사용까지"},
    Sentence{Say::waterfall_text,
             "What is ordered need not be delivered, what is delivered may stand without power, and what is "
             "up may be "
             "idle. Stocks on the last day of each year, or of the run; the gap between the first and the "
             "last row of a table is capacity "
             "on paper only. What has been retired or given back is in no row.",
             "주문했다고 납품된 것이 아니고, 납품됐다고 전력이 들어온 것이 아니며, 가동 중이라고 쓰이는 것은 "
             "아닙니다. 매년 "
             "마지막 날(또는 실행 마지막 날)의 보유량이며, 각 표의 첫 줄과 마지막 줄의 차이가 서류상으로만 "
             "있는 용량입니다. "
             "퇴역하거나 반납한 장치는 세지 않습니다."},
    Sentence{Say::gap_title, "on paper and allocated, at the end of the year", "서류와 실제 할당, 연말"},
    Sentence{Say::losses_title, "where the gap arises, at the end of the year; the rows add up to the gap",
             "차이가 생기는 곳, 연말. 모두 더하면 차이가 됩니다"},
    Sentence{Say::stocks_title, "at the end of the year", "연말"},
    Sentence{Say::means_title, "mean over the year", "연평균"},
    Sentence{Say::waterfall_means,
             "Means over the year. Useful is the part spent on work that was finished or kept.",
             "연평균입니다. 유효 사용은 끝까지 마쳤거나 보존된 작업에 쓰인 몫입니다."},
    Sentence{Say::who, "Who gets the GPU-hours", "누가 GPU 시간을 쓰는가"},
    Sentence{Say::who_text, "By sector and year. Shares are of all GPU-hours used in the year.",
             "부문별·연도별 수치입니다. 비중은 그해에 쓰인 전체 GPU 시간에 대한 것입니다."},
    Sentence{Say::waits_text,
             "Waits belong to the year of submission. Where jobs of that year were still waiting at the end "
             "(censored), "
             "the mean is a lower bound and marked ≥.",
             "대기 시간은 제출한 해에 속합니다. 시뮬레이션이 끝날 때까지 기다리던 작업(중도 절단)이 있는 "
             "해의 평균은 하한이며 "
             "≥로 표시합니다."},
    Sentence{Say::use, "How well the capacity is used", "용량은 얼마나 쓰이는가"},
    Sentence{Say::use_text,
             "Ratios of GPU-time over the year; what is in service, down time included, is the denominator "
             "unless the "
             "row says otherwise.",
             "연간 GPU 시간의 비율입니다. 따로 적지 않은 한 고장 시간을 포함한 가동 용량이 분모입니다."},
    Sentence{Say::jobs, "Jobs and waits", "작업과 대기 시간"},
    Sentence{Say::jobs_text, "All sectors together, by year of submission.",
             "전체 부문, 제출한 해 기준입니다."},
    Sentence{Say::energy, "Energy", "에너지"},
    Sentence{Say::energy_text,
             "At the meter, for public units in service: power of the devices, idle and busy, times PUE.",
             "계량기 기준, 가동 중인 공공 사용분: 장치의 유휴·사용 전력에 PUE를 곱한 값입니다."},
    Sentence{Say::failures, "Failures and repairs", "고장과 수리"},
    Sentence{Say::failures_text, "Nodes that broke, by cause, and how long they waited for a repair crew.",
             "원인별로 고장 난 노드 수와, 수리 인력을 기다린 시간입니다."},
    Sentence{Say::adoption, "Adoption", "AI 도입"},
    Sentence{
        Say::adoption_text,
        "`any_ai` is the survey's definition, to which the national goals refer; `gpu_user` is the part that "
        "computes on the public pool.",
        "`any_ai`는 국가 목표가 쓰는 실태 조사의 정의이고, `gpu_user`는 그 가운데 공공 풀에서 계산하는 "
        "조직입니다."},
    Sentence{Say::measure, "Measure", "측정 항목"},
    Sentence{Say::unit, "Unit", "단위"},
    Sentence{Say::total, "Whole run", "전체 기간"},
    Sentence{Say::replications_column, "n", "n"},
    Sentence{Say::not_estimable, "not estimable", "추정 불가"},
    Sentence{Say::assumptions, "Assumptions and sources", "가정과 출처"},
    Sentence{
        Say::assumptions_text,
        "{} stated values: {} measured, {} published, **{} merely assumed**, {} without a stated status.",
        "명시된 값 {}개: 측정 {}개, 공표 {}개, **가정 {}개**, 근거 구분 없음 {}개."},
    Sentence{Say::path, "Value of", "항목"},
    Sentence{Say::value, "Value", "값"},
    Sentence{Say::range, "Range", "범위"},
    Sentence{Say::source, "Source", "출처"},
    Sentence{Say::as_of, "As of", "기준일"},
    Sentence{Say::status, "Status", "근거"},
    Sentence{Say::method, "Method", "방법"},
    Sentence{Say::method_replications,
             "Replications: {} finished of {} asked, each with its own streams of chance.",
             "반복: 요청한 {1}회 중 {0}회 완료, 반복마다 난수 흐름이 다릅니다."},
    Sentence{Say::method_seed, "Seed: {}.", "시드: {}."},
    Sentence{Say::method_streams,
             "Chance is counter-based (Philox4x32-10), each draw addressed by seed, replication, purpose, "
             "name, entity "
             "and index; equal scenario, seed and version give equal bytes.",
             "난수는 계수기 방식(Philox4x32-10)이며 시드·반복·용도·이름·개체·순번으로 정해집니다. 시나리오, "
             "시드, 버전이 "
             "같으면 결과 파일도 바이트까지 같습니다."},
    Sentence{Say::method_semantics,
             "Scheduling: order {}, backfill {}, view {}; pass {}, ties {}; bounded slowdown with a floor of "
             "{} s.",
             "스케줄링: 순서 {}, 백필 {}, 자원 보기 {}, 패스 {}, 동시 사건 {}, 제한 지연비의 하한 {}초."},
    Sentence{Say::method_sharing,
             "Scheduling: sharing {}, no queue, view pool; bounded slowdown with a floor of {} s.",
             "스케줄링: GPU 시간 공유 {}, 대기열 없음, 자원 보기 pool, 제한 지연비의 하한 {}초."},
    Sentence{Say::method_intervals,
             "Intervals: Student t, 95 %, over replications, not adjusted for their number. They measure "
             "chance within "
             "the stated assumptions, not doubt about the assumptions.",
             "구간: 반복 실행에 대한 스튜던트 t 95 % 구간이며 개수에 따른 보정은 하지 않았습니다. 주어진 "
             "가정 아래의 우연만 "
             "나타내며 가정 자체의 불확실성은 나타내지 않습니다."},
    Sentence{
        Say::method_futures,
        "Intervals: Student-t 95 % of the mean over replications, unadjusted for their number. Each "
        "replication is a future with its own draws of the uncertain values, so that the spread holds both "
        "chance and doubt about those; not doubt about other assumptions.",
        "구간: 반복 평균의 스튜던트 t 95 % 구간이며 개수에 따른 보정은 하지 않았습니다. 반복마다 "
        "불확실한 값을 새로 뽑으므로 우연과 그 값들의 불확실성을 함께 나타내지만, 다른 가정의 "
        "불확실성은 나타내지 않습니다."},
    Sentence{Say::method_horizon,
             "Horizon: {} to {} (the last day is not simulated), from the stated initial state, no warm-up "
             "cut; as of {}.",
             "기간: {}부터 {}까지(마지막 날 제외), 주어진 초기 상태에서 시작하며 초기 구간을 잘라 내지 "
             "않습니다. 기준일 {}."},
    Sentence{Say::method_horizon_steady,
             "Horizon: {} to {} (the last day is not simulated), a steady state: the first {} days are left "
             "out of each "
             "replication (MSER-5 on the GPUs held and waited for at midnight, mean of the replications); as "
             "of {}.",
             "기간: {}부터 {}까지(마지막 날 제외), 정상 상태: 각 반복의 처음 {}일은 제외합니다(자정에 "
             "점유되거나 기다리는 "
             "GPU 수의 반복 평균에 대한 MSER-5). 기준일 {}."},
    Sentence{
        Say::method_runoff,
        "Run-off: arrivals go on for {} days behind the horizon, unmeasured, so that jobs submitted before "
        "it may end.",
        "연장: 기간이 끝난 뒤에도 {}일 동안 요청이 측정 없이 계속되어 그 전에 제출된 작업이 끝날 수 "
        "있습니다."},
    Sentence{Say::method_access, "Access: open, no entitlement.", "접근 규칙: 개방, 별도의 자격 없음."},
    Sentence{Say::method_fingerprint, "Fingerprint over all executed events: `{}`.",
             "실행된 모든 사건의 지문: `{}`."},
    Sentence{Say::method_demand_hash, "Demand table: `{}` (equal under every scheduling policy).",
             "수요 표: `{}`(스케줄링 정책과 관계없이 같음)."},
    Sentence{Say::method_failure_hash, "Failure table: `{}` (equal under every scheduling policy).",
             "고장 표: `{}`(스케줄링 정책과 관계없이 같음)."},
    Sentence{Say::method_scenario_hash, "Resolved scenario, SHA-256: `{}`.",
             "확정된 시나리오의 SHA-256: `{}`."},
    Sentence{Say::method_version, "natgpu {}.", "natgpu {}."},
    Sentence{Say::limits, "What this says nothing about", "이 보고서가 말하지 않는 것"},
    Sentence{Say::limits_text,
             "The model leaves out what is listed here; no conclusion about it may be drawn.",
             "아래 항목은 모형에 없으므로 이에 대한 결론을 내릴 수 없습니다."},
    Sentence{Say::includes, "Included", "포함"},
    Sentence{Say::excludes, "Excluded", "제외"},
    Sentence{Say::warnings, "Warnings", "경고"},
    Sentence{Say::warning_times, "in {} of {} replications", "반복 {1}회 중 {0}회"},
    Sentence{Say::reproduce, "Reproduce", "재현"},
    Sentence{Say::reproduce_text,
             "The same version gives the same bytes with:", "같은 버전에서 같은 결과를 얻는 명령:"},
    Sentence{Say::files_text,
             "All figures with every replication: `summary.json`, `metrics.csv`; by date: `timeseries.csv`; "
             "inputs, "
             "versions and checksums: `manifest.json`.",
             "반복별 전체 수치: `summary.json`, `metrics.csv`, 날짜별: `timeseries.csv`, 입력·버전·체크섬: "
             "`manifest.json`."},
};

constexpr bool complete() {
  if (sentences.size() != static_cast<std::size_t>(Say::count)) return false;
  for (std::size_t i = 0; i < sentences.size(); ++i)
    if (sentences[i].id != static_cast<Say>(i) || sentences[i].en.empty() || sentences[i].ko.empty())
      return false;
  return true;
}
static_assert(complete(), "each sentence stands once, in order, in every language");

}  // namespace

std::string_view Catalogue::operator()(Say sentence) const {
  const Sentence& s = sentences[static_cast<std::size_t>(sentence)];
  return korean_ ? s.ko : s.en;
}

const std::string& Catalogue::local(const scenario::LocalText& text) const {
  const std::string& wanted = korean_ ? text.ko : text.en;
  return wanted.empty() ? (korean_ ? text.en : text.ko) : wanted;
}

}  // namespace natgpu::report
