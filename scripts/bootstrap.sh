#!/usr/bin/env bash
# Installs every package that building, running and testing Flexsync needs. Does nothing when all are there.
# For Debian 12, as root or with sudo. BOOTSTRAP=skip turns it off.
set -euo pipefail

packages=(
  build-essential g++ cmake ninja-build ccache mold pkg-config git ca-certificates curl procps
  clang-format clang-tidy
  libcaf-dev libboost1.81-dev nlohmann-json3-dev libpqxx-dev libcurl4-openssl-dev libssl-dev libspdlog-dev
  libtomlplusplus-dev libcli11-dev prometheus-cpp-dev libexpected-dev libhowardhinnant-date-dev
  catch2 librapidcheck-dev
  postgresql postgresql-client
)

if [[ ${BOOTSTRAP:-} == skip ]]; then
  exit 0
fi

by_hand() {
  echo "bootstrap.sh: $1" >&2
  echo "bootstrap.sh: install these by hand (Debian 12 names), then set BOOTSTRAP=skip: ${missing[*]}" >&2
  exit 1
}

# NodeSource's nodejs brings npm along and excludes Debian's npm: only what lacks the command gets a package.
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)

missing=("${packages[@]}")
if command -v dpkg-query >/dev/null; then
  mapfile -t missing < <(comm -23 <(printf '%s\n' "${packages[@]}" | sort -u) \
    <(dpkg-query --show --showformat '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null |
      awk '$2 == "installed" {print $1}' | sort -u))
fi
if [[ ${#missing[@]} -eq 0 ]]; then
  exit 0
fi
command -v apt-get >/dev/null || by_hand "there is no apt-get on this machine"

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || by_hand "installing needs root, and there is no sudo"
  as_root=(sudo)
fi

echo "Installing: ${missing[*]}"
log=$(mktemp /tmp/flexsync-apt-XXXXXX.log)
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null >>"$log" 2>&1
}
# The package lists may be missing or too old to name files that still exist.
if ! { apt update && apt install --no-install-recommends "${missing[@]}"; }; then
  tail -n 15 "$log" >&2
  by_hand "apt-get failed; its whole output is in $log"
fi
rm -f "$log"
