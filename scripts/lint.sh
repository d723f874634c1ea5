#!/usr/bin/env bash
# Checks the format of all own code, then runs clang-tidy over the folders that hold the rules (the others are mostly
# other libraries' headers, minutes each). `scripts/lint.sh --fix` formats. Needs build/dev to be configured.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t own < <(find src tools tests -path '*/node_modules' -prune -o -type f \( -name '*.cpp' -o -name '*.hpp' \) -print |
  sort)
if [[ ${1:-} == --fix ]]; then
  clang-format -i "${own[@]}"
  exit 0
fi

if ! clang-format --dry-run -Werror "${own[@]}"; then
  echo "lint.sh: the lines above are not formatted: run scripts/lint.sh --fix" >&2
  exit 1
fi
echo "lint: ${#own[@]} files are formatted"

database=build/dev
if [[ ! -f $database/compile_commands.json ]]; then
  echo "lint.sh: $database/compile_commands.json is missing: run cmake --preset dev first" >&2
  exit 2
fi
mapfile -t checked < <(find src/domain src/sync src/stripe -name '*.cpp' | sort)
if ! printf '%s\0' "${checked[@]}" |
  xargs -0 -n 2 -P "${JOBS:-$(nproc)}" clang-tidy --quiet -p "$database" --warnings-as-errors='*' \
    --extra-arg=-Wno-unknown-warning-option 2>/dev/null; then # GCC's options are not all Clang's
  echo "lint.sh: clang-tidy found the above: repair it, or say NOLINT(check) with the reason beside it" >&2
  exit 1
fi
echo "lint: clang-tidy has nothing to say about ${#checked[@]} files"
