#!/usr/bin/env bash
# Runs the benches once and writes what they print into docs/performance.md, between its two markers.
#
# REACHPROOF_INTERFACES names sizes other than the usual ones, divided by commas; BENCHES names other benches.
# Measurements beside other work are worth little: the load of the machine is written down with them.
set -euo pipefail
cd "$(dirname "$0")/.."

page=docs/performance.md
printed=$(mktemp)
table=$(mktemp)
trap 'rm -f "$printed" "$table"' EXIT

profile='the bench profile'
[ -z "${CARGO_PROFILE_BENCH_LTO:-}" ] || profile="$profile with lto = $CARGO_PROFILE_BENCH_LTO"
benches=${BENCHES:-ingest compiled matrix what_if check certificate}
usual() {
    case $1 in
        ingest | compiled) echo 1000,10000,100000 ;;
        matrix | what_if) echo 1000,10000 ;;
        *) echo 1000 ;;
    esac
}
# shellcheck disable=SC2046
cargo bench --no-run $(printf -- '--bench %s ' $benches)
load=$(cut -d ' ' -f 1 /proc/loadavg)
for bench in $benches; do
    REACHPROOF_INTERFACES=${REACHPROOF_INTERFACES:-$(usual "$bench")} cargo bench --bench "$bench" | tee -a "$printed"
done

machine() {
    model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
    memory=$(awk '/^MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo)
    echo "Measured by \`benches/report.sh\` on $(date -u +%F), revision $(git rev-parse --short HEAD):" \
        "$(nproc) cores (${model:-unknown model}), $memory GiB, Linux $(uname -r | cut -d - -f 1)," \
        "$(rustc --version | cut -d ' ' -f 1,2), $profile; load before the first bench $load."
}

{
    echo
    machine
    echo
    echo '| what | interfaces | classes | rules | group sets | service sets | threads | time | rate | peak memory |'
    echo '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |'
    grep '^| ' "$printed"
    echo
    echo 'In the same run:'
    echo
    grep '^- ' "$printed"
    echo
} >"$table"

awk -v table="$table" '
    /^<!-- measured -->$/ { print; while ((getline line < table) > 0) print line; skip = 1; next }
    /^<!-- end of measured -->$/ { skip = 0 }
    !skip' "$page" >"$printed"
cat "$printed" >"$page"
