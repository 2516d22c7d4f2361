# Shared by the tests that drive real tools against a real mount. Each test is a bash program that sources
# this file and ends with `finish`. Exit status 77 = skipped, with the reason on the last line.
# TASKHUBFS names the program under test.
# shellcheck shell=bash

set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=$here/../tools
data=$here/../data
: "${TASKHUBFS:?names the program under test}"

work=$(mktemp -d)
M=$work/mnt
mkdir "$M"
failed=0 checks=0
azurite_pid="" worker_pid="" replay_pid=""

skip() {
    echo "SKIPPED: $*"
    rm -rf "$work"
    trap - EXIT
    exit 77
}

need_fuse() {
    [ -e /dev/fuse ] || skip "/dev/fuse is missing"
    command -v fusermount3 >/dev/null || skip "fusermount3 is missing"
}

need_node() {
    command -v node >/dev/null || skip "Node is missing"
    [ -d "$tools/node_modules/azurite" ] || skip "the test tools are not installed (scripts/setup --tools)"
}

cleanup() {
    unmount
    stop_replay
    [ -n "$worker_pid" ] && kill "$worker_pid" 2>/dev/null
    [ -n "$azurite_pid" ] && kill "$azurite_pid" 2>/dev/null
    wait 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# SERVER [ARGS]: of the test tools; exports the settings with which it is reached. Its process is $!.
start_server() {
    local server=$1
    shift
    rm -f "$work/settings"
    node "$tools/$server.js" --settings-file "$work/settings" "$@" >"$work/$server.log" 2>&1 &
    for _ in $(seq 200); do [ -f "$work/settings" ] && break; sleep 0.05; done
    [ -f "$work/settings" ] || { cat "$work/$server.log"; echo "$server did not start"; kill $!; exit 1; }
    # shellcheck disable=SC1091
    . "$work/settings"
}

start_azurite() { # [ARGS OF azurite.js]
    start_server azurite "$@"
    azurite_pid=$!
}

start_replay() { # [ARGS OF replay.js]: it needs Node alone
    command -v node >/dev/null || skip "Node is missing"
    start_server replay "$@"
    replay_pid=$!
}

stop_replay() {
    [ -n "$replay_pid" ] && kill "$replay_pid" 2>/dev/null && wait "$replay_pid" 2>/dev/null
    replay_pid=""
}

tell() { # PAGE [JSON]: of the replay server
    node -e 'fetch(process.argv[1], process.argv[2] ? { method: "POST", body: process.argv[2] } : {})
        .then((r) => r.text()).then((t) => process.stdout.write(t))' "$REPLAY/__$1" "${2:-}"
}

start_worker() { # HUB [ARGS]
    node "$tools/worker.js" "$@" >"$work/worker.log" 2>&1 &
    worker_pid=$!
    for _ in $(seq 200); do grep -q working "$work/worker.log" && return; sleep 0.05; done
    cat "$work/worker.log"
    exit 1
}

stop_worker() {
    kill "$worker_pid" 2>/dev/null
    wait "$worker_pid" 2>/dev/null
    worker_pid=""
}

mount_hub() { # arguments of taskhubfs but the mount point
    "$TASKHUBFS" "$@" "$M" 2>"$work/mount.err" || { cat "$work/mount.err"; echo "mount failed: $*"; exit 1; }
}

unmount() {
    if grep -qs " $M fuse" /proc/mounts; then
        fusermount3 -u "$M" 2>/dev/null || fusermount3 -uz "$M"
        for _ in $(seq 100); do pgrep -f -- " $M\$" >/dev/null || return 0; sleep 0.05; done
    fi
}

ask() { node "$tools/ask.js" "$@"; }

# check NAME COMMAND...: the command must succeed.
check() {
    local name=$1
    shift
    checks=$((checks + 1))
    if ! "$@" >"$work/out" 2>"$work/err"; then
        failed=$((failed + 1))
        echo "FAILED: $name: $*"
        head -c 2000 "$work/out" "$work/err"
    fi
}

# refuse NAME COMMAND...: the command must fail (and not by a signal).
refuse() {
    local name=$1
    shift
    checks=$((checks + 1))
    "$@" >"$work/out" 2>"$work/err"
    local status=$?
    if [ $status -eq 0 ] || [ $status -ge 126 ]; then
        failed=$((failed + 1))
        echo "FAILED: $name: exit status $status of: $*"
        head -c 2000 "$work/out" "$work/err"
    fi
}

# equal NAME GOT WANTED
equal() {
    checks=$((checks + 1))
    if [ "$2" != "$3" ]; then
        failed=$((failed + 1))
        printf 'FAILED: %s: got "%s", wanted "%s"\n' "$1" "$2" "$3"
    fi
}

# until_true SECONDS COMMAND...: polls.
until_true() {
    local end=$((SECONDS + $1))
    shift
    while [ $SECONDS -le $end ]; do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    return 1
}

# stat_of FIELD...: a number from .taskhubfs/stats, as requests.table
stat_of() {
    python3 -c 'import json,sys
v = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."): v = v[k]
print(v)' "$M/.taskhubfs/stats" "$1"
}

finish() {
    echo "$checks checks, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}
