#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Equal bytes on every build: runs two scenarios, one of them also on machines, under target shares and with GPUs shared
# in time, with the first build on one thread and with every build on two, and compares all result files but
# manifest.json, which tells runs apart. Then one log on two types of GPU, whose shares
# come from a library's linear programs.
#
#   tests/determinism/compare_builds.sh                   builds gcc and clang, -O0 and -O3, below build/determinism first
#   tests/determinism/compare_builds.sh BUILD_FOLDER...   compares these builds
#
# Exit code 0: equal; 1: they differ, and where; 2: usage.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)

usage() {
  sed -n 's/^#   //p' "$0" >&2
  exit 2
}

# make_build FOLDER COMPILER FLAGS
make_build() {
  cmake -S "$here" -B "$1" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER="$2" \
    -DCMAKE_CXX_FLAGS_RELEASE="$3" -DNATGPU_TESTS=OFF -DNATGPU_BENCH=OFF >/dev/null
  cmake --build "$1" --target natgpu
}

builds=()
if [ $# -eq 0 ]; then
  for compiler in g++ clang++; do
    for level in -O0 -O3; do
      make_build "$here/build/determinism/$compiler$level" "$compiler" "$level"
      builds+=("$here/build/determinism/$compiler$level")
    done
  done
fi
for folder in "$@"; do
  [ -x "$folder/natgpu" ] || { echo "no natgpu in $folder" >&2; usage; }
  builds+=("$(cd "$folder" && pwd)")
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$here"
differing=0

# same NAME FIRST OTHER: compares two folders of results
same() {
  local path file
  for path in "$2"/*; do
    file=${path##*/}
    if [ "$file" = manifest.json ] || cmp "$path" "$3/$file"; then continue; fi
    echo "DIFFER: $1, $file: ${2#"$work"/} and ${3#"$work"/}" >&2
    differing=1
    return
  done
}

# run BUILD ARGUMENT...: what the program says is shown only if it fails
run() {
  local build=$1
  shift
  "$build/natgpu" run "$@" >"$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }
}

# compare NAME ARGUMENT...: runs natgpu with the arguments in each build
compare() {
  local name=$1 build results
  shift
  run "${builds[0]}" "$@" --jobs 1 --out "$work/$name-one-thread"
  for build in "${builds[@]}"; do
    results=$work/$name$(echo "$build" | tr / -)
    run "$build" "$@" --jobs 2 --out "$results"
    same "$name" "$work/$name-one-thread" "$results"
  done
  echo "$name: ${#builds[@]} builds"
}

compare small-city scenarios/small-city.yaml
compare korea-2030 scenarios/korea-2030.yaml --quick
compare on-machines scenarios/small-city.yaml --policy on-machines
compare gavel scenarios/small-city.yaml --policy gavel-las --set 'scheduling.preemption.rounds=6 h'
compare shared scenarios/small-city.yaml --set scheduling.sharing=ps --set scheduling.backfill=none

# compare_types POLICY: replays a log on two types of GPU in each build
printf 'user,A,B\n1,2,1\n2,1,2\n3,3,1\n4,,1\n*,1.7,0.6\n' >"$work/speeds.csv"
compare_types() {
  local build results
  for build in "${builds[@]}"; do
    results=$work/$1$(echo "$build" | tr / -)
    mkdir "$results"
    "$build/natgpu" replay scenarios/data/replay-log.swf --policy "$1" --gpu-types A=24,B=40 --speeds "$work/speeds.csv" \
      --jobs-csv "$results/jobs.csv" >"$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }
    same "$1" "$work/$1$(echo "${builds[0]}" | tr / -)" "$results"
  done
  echo "$1: ${#builds[@]} builds"
}

compare_types gavel-las
compare_types gavel-ftf
[ "$differing" -eq 0 ] && echo "equal bytes"
exit "$differing"
