#!/usr/bin/env bash
# Runs the end-to-end tests against the programs in FLEXSYNC_BUILD_DIR (default: ../../build/dev).
# Arguments are passed on to node's test runner: ./run.sh --test-name-pattern=hold
# E2E_FILES="faults/kill.test.mjs" runs these files alone.
set -euo pipefail
cd "$(dirname "$0")"

installed=node_modules/.package-lock.json
if [[ ! -x node_modules/.bin/node || ! -f $installed || package-lock.json -nt $installed ]]; then
  npm ci
  touch "$installed"
fi

build_dir=${FLEXSYNC_BUILD_DIR:-../../build/dev}
if [[ ! -x $build_dir/stripe-sim ]]; then
  echo "run.sh: $build_dir/stripe-sim is missing: build it first (cmake --build --preset dev), or say where the" \
    "programs are with FLEXSYNC_BUILD_DIR" >&2
  exit 2
fi
export FLEXSYNC_BUILD_DIR
FLEXSYNC_BUILD_DIR=$(realpath "$build_dir")

# Node 22 from the npm package `node`: the official client needs 20, Debian 12 has 18.
# One file at a time: the fault tests use the whole machine.
read -ra files <<< "${E2E_FILES:-*.test.mjs faults/*.test.mjs}" # node expands them
exec node_modules/.bin/node --test --test-concurrency=1 "$@" "${files[@]}"
