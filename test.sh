#!/usr/bin/env bash
# Builds everything and runs every test; exits 0 only when all passed. The last line is "N passed, N failed".
#
# Knobs, by environment:
#   PRESET=dev      the CMake preset: dev, release, asan, tsan
#   LABELS=         ctest labels to run, as a regular expression: "unit|actor"; empty runs all
#   TARGETS=        what to build, separated by blanks; empty builds all
#   E2E=on          off leaves out tests/e2e
#   JOBS=           compiler processes and tests at once; default: one per core
# Arguments go to ctest: ./test.sh -R config
set -euo pipefail
cd "$(dirname "$0")"

preset=${PRESET:-dev}
jobs=${JOBS:-$(nproc)}

scripts/bootstrap.sh
cmake --preset "$preset" -DFLEXSYNC_TESTS=ON
# shellcheck disable=SC2086  # TARGETS is a list
cmake --build --preset "$preset" --parallel "$jobs" ${TARGETS:+--target $TARGETS}

passed=0
failed=0
log=$(mktemp /tmp/flexsync-tests-XXXXXX.log)
failures=$(mktemp /tmp/flexsync-failures-XXXXXX.log)  # what failed, and where: shown again at the end
trap 'rm -f "$log" "$failures"' EXIT

# --- the C++ tests ---
status=0
ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --parallel "$jobs" ${LABELS:+-L "$LABELS"} "$@" \
  2>&1 | tee "$log" || status=$?
# "83% tests passed, 1 tests failed out of 6"
read -r lost total < <(sed -nE 's/.*tests passed, ([0-9]+) tests? failed out of ([0-9]+).*/\1 \2/p' "$log") || true
passed=$((passed + ${total:-0} - ${lost:-0}))
failed=$((failed + ${lost:-0}))
if [[ $status -ne 0 && ${lost:-0} -eq 0 ]]; then
  failed=$((failed + 1)) # ctest itself could not run
fi
if [[ $status -ne 0 ]]; then
  grep -E -A 8 ': FAILED:|\(Failed\)|\(Timeout\)|ERROR: ' "$log" >> "$failures" || true
fi

# --- end to end ---
if [[ ${E2E:-on} == on && -x tests/e2e/run.sh ]]; then
  status=0
  FLEXSYNC_BUILD_DIR="$PWD/build/$preset" tests/e2e/run.sh 2>&1 | tee "$log" || status=$?
  # node's runner ends with "# pass 12" or "ℹ pass 12"
  lost=$(sed -nE 's/^[^a-z0-9]* ?fail ([0-9]+)$/\1/p' "$log" | tail -n 1)
  won=$(sed -nE 's/^[^a-z0-9]* ?pass ([0-9]+)$/\1/p' "$log" | tail -n 1)
  passed=$((passed + ${won:-0}))
  failed=$((failed + ${lost:-0}))
  if [[ $status -ne 0 && ${lost:-0} -eq 0 ]]; then
    failed=$((failed + 1)) # the runner could not start, or a hook failed
  fi
  if [[ $status -ne 0 ]]; then
    grep -E -A 16 '^ *not ok ' "$log" >> "$failures" || true
  fi
fi

if [[ -s $failures ]]; then
  printf '\n--- what failed ---\n'
  cat "$failures"
fi
echo
echo "$passed passed, $failed failed"
[[ $failed -eq 0 && $passed -gt 0 ]]
