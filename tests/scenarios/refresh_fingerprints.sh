#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the scenarios that are pinned in fingerprints.txt and writes their fingerprints anew.
# Only for changes that are meant to move a schedule or a draw; say in the commit which and why.
set -euo pipefail
if [ $# -ne 1 ] || [ ! -x "$1/natgpu" ]; then
  echo "usage: tests/scenarios/refresh_fingerprints.sh BUILD_FOLDER   (one with natgpu in it)" >&2
  exit 2
fi
program=$(cd "$1" && pwd)/natgpu
cd "$(dirname "$0")/../.."
pins=tests/scenarios/fingerprints.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
grep '^#' "$pins" >"$work/pins"
while read -r name _; do
  "$program" run "scenarios/$name.yaml" --quick --replications 1 --out "$work/$name" >/dev/null
  fingerprint=$(sed -n 's/.*"combined": "\([0-9a-f]*\)".*/\1/p' "$work/$name/summary.json")
  echo "$name $fingerprint" >>"$work/pins"
done < <(grep -v '^#' "$pins")
cp "$work/pins" "$pins"
cat "$pins"
# What `.ci/run check` holds, exactly: the same change moves it.
"$program" check scenarios/small-city.yaml --update-baseline
