#!/usr/bin/env bash
# Measures what docs/benchmarks.md states: webhook acknowledgement beside PostgreSQL's own insert ceiling, application
# of a backlog, memory, restart, usage intake beside COPY, the closing of a window. One run, one machine, one table;
# results in build/bench/.
#
#   tests/bench/run.sh            everything, about five minutes
#   tests/bench/run.sh ack        only the named parts: paced, ack (and PostgreSQL's ceiling), apply (and restart,
#                                 memory), mixed, visible, million, usage; --statements: where PostgreSQL's time went
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/bootstrap.sh
cmake --preset release -DFLEXSYNC_TESTS=ON > /dev/null
cmake --build --preset release --target flexsync webhook_load usage_load
exec node tests/bench/run.mjs "$@"
