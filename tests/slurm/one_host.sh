#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A sweep of 40 shards on a real Slurm: one host, four slurmd, one of them killed while the array runs. The merged
# tables must be those of one process.
#   tests/slurm/one_host.sh PROGRAM SCENARIO
# Ends with 77 (skipped) unless run as root with slurmctld, slurmd, sbatch and munged there, or where these daemons
# cannot be brought up, with the reason. From then on nothing is excused.
set -eu

program=$(readlink -f "$1")
scenario=$(readlink -f "$2")
for tool in slurmctld slurmd sbatch munged; do
  command -v "$tool" >/dev/null || { echo "skipped: there is no $tool (apt-get install slurm-wlm munge)"; exit 77; }
done
[ "$(id -u)" -eq 0 ] || { echo "skipped: needs root"; exit 77; }

# up LOG COMMAND...: starts a daemon, or skips with what it said last
up() {
  log=$1
  shift
  "$@" >"$s/said" 2>&1 && return
  echo "skipped: $1 does not start here: $(cat "$s/said" "$log" 2>/dev/null | tail -n 1)"
  exit 77
}

s=$(mktemp -d /tmp/natgpu-slurm-XXXXXX)
chmod 755 "$s"
stop() {
  for pid in "$s"/*.pid; do
    [ -s "$pid" ] && kill "$(cat "$pid")" 2>/dev/null || true
  done
  sleep 1
  rm -rf "$s"
}
trap stop EXIT

# munge with a key and a socket of its own
mkdir "$s/munge" "$s/ctld" "$s/spool"
dd if=/dev/urandom of="$s/munge/key" bs=128 count=1 2>/dev/null
chmod 700 "$s/munge"; chmod 400 "$s/munge/key"
chown -R munge "$s/munge"
mkdir "$s/socket"; chown munge "$s/socket"; chmod 755 "$s/socket"
up "$s/munge/log" su munge -s /bin/sh -c "munged --key-file=$s/munge/key --socket=$s/socket/munge --pid-file=$s/munge/munged.pid --log-file=$s/munge/log --seed-file=$s/munge/seed"
ln -s "$s/munge/munged.pid" "$s/munged.pid"

# Short timeouts, so that a killed slurmd is missed in seconds and its tasks start again soon after.
cat >"$s/slurm.conf" <<CONF
ClusterName=natgputest
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$s/socket/munge,cred_expire=10
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=8
SchedulerParameters=sched_interval=1,sched_min_interval=100000,batch_sched_delay=1,bf_interval=1
KillWait=1
MessageTimeout=8
MaxArraySize=10001
MaxJobCount=20000
StateSaveLocation=$s/ctld
SlurmctldPidFile=$s/slurmctld.pid
SlurmctldLogFile=$s/slurmctld.log
SlurmdSpoolDir=$s/spool/%n
SlurmdPidFile=$s/slurmd.%n.pid
SlurmdLogFile=$s/slurmd.%n.log
NodeName=n[1-4] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[17001-17004] CPUs=1 RealMemory=500
PartitionName=debug Nodes=n[1-4] Default=YES State=UP
CONF
export SLURM_CONF="$s/slurm.conf"
up "$s/slurmctld.log" slurmctld -f "$SLURM_CONF" -c
for n in 1 2 3 4; do
  mkdir -p "$s/spool/n$n"
  up "$s/slurmd.n$n.log" slurmd -N "n$n" -f "$SLURM_CONF"
done
began=$(date +%s)
until [ "$(sinfo -h -N -t idle 2>/dev/null | wc -l)" -eq 4 ]; do
  [ $(($(date +%s) - began)) -lt 60 ] ||
    { echo "skipped: the four nodes do not come up here: $(tail -n 1 "$s/slurmctld.log")"; exit 77; }
  sleep 0.2
done

# The same plan here and there.
cp "$scenario" "$s/city.yaml"
mkdir -p "$s/baselines"
cd "$s"
"$program" sweep plan city.yaml --range 'demand.sectors[labs].request_rate=100..300 /month' --sample lhs:80 \
  --replications 2 --metrics jobs.wait.mean,energy.mwh --out plan.json
"$program" sweep run plan.json --out local 2>/dev/null
"$program" sweep merge plan.json --out local

"$program" sweep submit plan.json --engine slurm --shards 40 --out array
began=$(date +%s)
until [ "$(ls array/*.shard 2>/dev/null | wc -l)" -ge 4 ]; do
  [ $(($(date +%s) - began)) -lt 120 ] || { echo "the array does not start"; squeue; tail -5 ./*.log; exit 1; }
  sleep 0.2
done
echo "killing slurmd of n2 with $(ls array/*.shard | wc -l) of 40 shards finished"
kill -9 "$(cat slurmd.n2.pid)"
rm slurmd.n2.pid
until [ -e array/results.csv ]; do
  [ $(($(date +%s) - began)) -lt 400 ] || { echo "the merge does not come"; squeue; sinfo; exit 1; }
  sleep 1
done
sleep 1
cat array/slurm-merge.log
for table in points.csv results.csv summary.csv results.sqlite; do cmp "local/$table" "array/$table"; done
echo "40 shards under Slurm, one slurmd killed: tables equal to the last byte"
