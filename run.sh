#!/usr/bin/env bash
# Builds Flexsync and shows it at work: a private PostgreSQL, a Stripe simulator, the server and a story.
# Stays up for a look around; `./run.sh --once` ends after the story, with 0 only if both sides ended equal.
# Arguments go to `flexsync demo`. JOBS=N limits the compiler processes (default: one per core).
set -euo pipefail
cd "$(dirname "$0")"

scripts/bootstrap.sh

mkdir -p build
log=build/release.log
built() {
  echo "run.sh: the build failed; the end of $log:" >&2
  tail -n 40 "$log" >&2
  exit 1
}
if [[ ! -x build/release/flexsync ]]; then
  echo "Building Flexsync; the first time takes some minutes."
fi
cmake --preset release -DFLEXSYNC_TESTS=OFF >"$log" 2>&1 || built
if [[ -t 1 ]]; then
  cmake --build --preset release --parallel "${JOBS:-$(nproc)}"
else
  cmake --build --preset release --parallel "${JOBS:-$(nproc)}" >>"$log" 2>&1 || built
fi

exec build/release/flexsync demo "$@"
