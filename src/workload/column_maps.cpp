// SPDX-License-Identifier: Apache-2.0
// Fields, units and the maps that come with natgpu: tables.
#include <natgpu/workload/column_map.hpp>

namespace natgpu::workload {

const std::vector<LogFieldRow>& log_fields() {
  static const std::vector<LogFieldRow> rows{
      {LogField::id, "id", UnitKind::label, "job number or name; without one, rows are numbered from 1"},
      {LogField::submit, "submit", UnitKind::instant, "submission (required)"},
      {LogField::start, "start", UnitKind::instant,
       "start; with `end` it gives the run time where `run` is not mapped"},
      {LogField::end, "end", UnitKind::instant, "end"},
      {LogField::run, "run", UnitKind::span, "run time; required where `start` and `end` are not mapped"},
      {LogField::requested, "requested", UnitKind::span, "the user's limit; without one, the run time"},
      {LogField::gpus, "gpus", UnitKind::gpus, "GPUs (required); below one: a share of a GPU"},
      {LogField::gpu_share, "gpu_share", UnitKind::gpus, "share of each GPU"},
      {LogField::gpu_type, "gpu_type", UnitKind::label, "GPU model, or allowed models separated by |"},
      {LogField::nodes, "nodes", UnitKind::count, "nodes, or instances, over which the job is spread evenly"},
      {LogField::cpu, "cpu", UnitKind::cores, "CPU cores"},
      {LogField::memory, "memory", UnitKind::memory, "main memory"},
      {LogField::user, "user", UnitKind::label, "who submitted"},
      {LogField::group, "group", UnitKind::label, "group, project or virtual cluster"},
      {LogField::queue, "queue", UnitKind::label, "queue, partition or class"},
      {LogField::status, "status", UnitKind::word,
       "how it ended: COMPLETED, FAILED, CANCELLED and the like"}};
  return rows;
}

const std::vector<LogUnit>& log_units() {
  using Form = LogUnit::Form;
  static const std::vector<LogUnit> rows{{"datetime", UnitKind::instant, Form::datetime},
                                         {"s", UnitKind::instant, Form::scaled},
                                         {"ms", UnitKind::instant, Form::scaled, 1, 1000},
                                         {"s", UnitKind::span, Form::scaled},
                                         {"ms", UnitKind::span, Form::scaled, 1, 1000},
                                         {"us", UnitKind::span, Form::scaled, 1, 1'000'000},
                                         {"min", UnitKind::span, Form::scaled, 60},
                                         {"h", UnitKind::span, Form::scaled, 3600},
                                         {"d", UnitKind::span, Form::scaled, 86400},
                                         {"gpus", UnitKind::gpus, Form::scaled, 1000},
                                         {"percent", UnitKind::gpus, Form::scaled, 10},
                                         {"milli", UnitKind::gpus, Form::scaled},
                                         {"cores", UnitKind::cores, Form::scaled, 1000},
                                         {"percent", UnitKind::cores, Form::scaled, 10},
                                         {"milli", UnitKind::cores, Form::scaled},
                                         {"MiB", UnitKind::memory, Form::scaled},
                                         {"GiB", UnitKind::memory, Form::scaled, 1024},
                                         {"KiB", UnitKind::memory, Form::scaled, 1, 1024},
                                         {"B", UnitKind::memory, Form::scaled, 1, 1024 * 1024},
                                         {"MB", UnitKind::memory, Form::scaled, 1'000'000, 1024 * 1024},
                                         {"GB", UnitKind::memory, Form::scaled, 1'000'000'000, 1024 * 1024},
                                         {"count", UnitKind::count, Form::scaled},
                                         {"name", UnitKind::label, Form::name},
                                         {"number", UnitKind::label, Form::number},
                                         {"word", UnitKind::word, Form::word}};
  return rows;
}

const std::vector<ColumnMap>& shipped_maps() {
  using F = LogField;
  static const std::vector<ColumnMap> maps{
      {"philly",
       "Microsoft Philly, in the CSV form of msr-fiddle/blox",
       "Jeon et al., \"Analysis of Large-Scale Multi-Tenant GPU Clusters for DNN Training Workloads\", "
       "USENIX ATC "
       "2019; msr-fiddle/blox, workload_pollux/traces/philly.csv",
       {{F::submit, "timestamp", "datetime", false, "local wall clock"},
        {F::run, "duration", "s", false, ""},
        {F::gpus, "num_gpus", "gpus", false, "gang size"},
        {F::group, "cluster", "name", false, "virtual cluster"}},
       ""},
      {"helios",
       "SenseTime Helios, cluster_log.csv",
       "Hu et al., \"Characterization and Prediction of Deep Learning Workloads in Large-Scale GPU "
       "Datacenters\", SC "
       "2021; S-Lab-System-Group/HeliosData (its `queue` is a waiting time, so it is not read)",
       {{F::id, "job_id", "number", false, "Slurm's"},
        {F::submit, "submit_time", "datetime", false, "local wall clock"},
        {F::run, "duration", "s", false, "end - start"},
        {F::gpus, "gpu_num", "gpus", false, "of the whole job; 0 for CPU jobs"},
        {F::nodes, "node_num", "count", false, ""},
        {F::cpu, "cpu_num", "cores", false, "of the whole job"},
        {F::user, "user", "name", false, ""},
        {F::group, "vc", "name", false, "virtual cluster"},
        {F::status, "state", "word", false, ""}},
       ""},
      {"acme",
       "Shanghai AI Lab Acme, trace_seren.csv and trace_kalos.csv",
       "Hu et al., \"Characterization of Large Language Model Development in the Datacenter\", NSDI 2024; "
       "InternLM/AcmeTrace (Kalos's `duration` holds the wait as well and its `queue` is a wait: neither is "
       "read)",
       {{F::id, "job_id", "name", false, "a number in Seren, a name in Kalos"},
        {F::submit, "submit_time", "datetime", false, ""},
        {F::start, "start_time", "datetime", false, ""},
        {F::end, "end_time", "datetime", false, ""},
        {F::gpus, "gpu_num", "gpus", false, "of the whole job; 0 for CPU jobs"},
        {F::nodes, "node_num", "count", false, ""},
        {F::cpu, "cpu_num", "cores", false, "of the whole job"},
        {F::memory, "mem_per_pod_GB", "GiB", true, "of a pod, in Kalos alone", false},
        {F::user, "user", "name", false, ""},
        {F::queue, "type", "name", false, "kind of work: Pretrain, Evaluation, ..."},
        {F::status, "state", "word", false, ""}},
       ""},
      {"pai",
       "Alibaba PAI v2020, pai_task_table.csv (one row a task)",
       "Weng et al., \"MLaaS in the Wild: Workload Analysis and Scheduling in Large-Scale Heterogeneous GPU "
       "Clusters\", NSDI 2022; alibaba/clusterdata, cluster-trace-gpu-v2020 (a task's submission is not "
       "published: "
       "its launch stands in)",
       {{F::id, "job_name", "name", false, "the tasks of a job share it"},
        {F::submit, "start_time", "s", false, "launch"},
        {F::start, "start_time", "s", false, ""},
        {F::end, "end_time", "s", false, ""},
        {F::gpus, "plan_gpu", "percent", true, "of an instance"},
        {F::gpu_type, "gpu_type", "name", false, ""},
        {F::nodes, "inst_num", "count", false, "instances"},
        {F::cpu, "plan_cpu", "percent", true, "of an instance"},
        {F::memory, "plan_mem", "GiB", true, "of an instance"},
        {F::queue, "task_name", "name", false, "role: tensorflow, worker, ps, ..."},
        {F::status, "status", "word", false, ""}},
       "job_name,task_name,inst_num,status,start_time,end_time,plan_cpu,plan_mem,plan_gpu,gpu_type"},
      {"pai-jobs",
       "Alibaba PAI v2020, the jobs of its simulator (pai_job_duration_estimate_100K.csv)",
       "alibaba/clusterdata, cluster-trace-gpu-v2020/simulator",
       {{F::id, "job_id", "number", false, ""},
        {F::submit, "submit_time", "s", false, ""},
        {F::run, "duration", "s", false, ""},
        {F::gpus, "num_gpu", "gpus", true, "of an instance"},
        {F::nodes, "num_inst", "count", false, "instances"},
        {F::cpu, "num_cpu", "cores", true, "of an instance"},
        {F::user, "user", "name", false, ""}},
       ""},
      {"openb",
       "Alibaba openb v2023, openb_pod_list_*.csv",
       "Weng et al., \"Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient "
       "Descent\", USENIX ATC 2023; alibaba/clusterdata, cluster-trace-gpu-v2023 (the end of a task still "
       "running is "
       "the end of the recording)",
       {{F::id, "name", "name", false, ""},
        {F::submit, "creation_time", "s", false, ""},
        {F::start, "scheduled_time", "s", false, "empty for tasks still pending"},
        {F::end, "deletion_time", "s", false, ""},
        {F::gpus, "num_gpu", "gpus", false, "0 for CPU tasks"},
        {F::gpu_share, "gpu_milli", "milli", false, "of each GPU"},
        {F::gpu_type, "gpu_spec", "name", false, "allowed models; empty: any"},
        {F::cpu, "cpu_milli", "milli", false, ""},
        {F::memory, "memory_mib", "MiB", false, ""},
        {F::queue, "qos", "name", false, "class of service: LS, BE, Burstable, Guaranteed"},
        {F::status, "pod_phase", "word", false, ""}},
       ""}};
  return maps;
}

}  // namespace natgpu::workload
