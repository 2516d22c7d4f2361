#!/bin/bash
# What the pages recommend works as it stands there: docs/recipes.md block by block, docs/migration.md
# command by command, on the demo.
. "$(dirname "$0")/lib.sh"
need_fuse
docs=$here/../../docs
export HOME=$work/home
mkdir "$HOME"
ran=0

# block NAME [SED]: the block of that name, with its numbers of days as the demo's ages need them.
block() {
    awk -v want="\`\`\`sh test $1" '$0 == want { on = 1; next } /^```$/ { on = 0 } on' "$docs/recipes.md" |
        sed "${2:-}" >"$work/block"
    ran=$((ran + 1))
    checks=$((checks + 1))
    [ -s "$work/block" ] || { failed=$((failed + 1)); echo "FAILED: there is no block $1"; return 1; }
    if ! (cd "$M" && bash -eu "$work/block") >"$work/said" 2>"$work/err"; then
        failed=$((failed + 1))
        echo "FAILED: block $1"
        head -c 1000 "$work/said" "$work/err"
        return 1
    fi
    if [ -s "$work/err" ]; then
        failed=$((failed + 1))
        echo "FAILED: block $1 complains"
        head -c 1000 "$work/err"
    fi
}
count() { (cd "$M" && find "$@" | wc -l); }
old() { count "by-status/$1" -mindepth 1 -maxdepth 1 -mtime "$2"; }

mount_hub --demo
unfinished=$(count by-status/{Running,Pending,Suspended} -mindepth 1 -maxdepth 1)

block look
equal "look: how many" "$(tail -n 1 "$work/said")" "$(old Completed +14)"
check "look: there are some" test "$(old Completed +14)" -gt 10
check "look: day and id" grep -qE '^[0-9]{4}-[0-9]{2}-[0-9]{2} order-[0-9]+$' "$work/said"

kept=$(old Completed -14)
block by-age
equal "by age: none is older" "$(old Completed +14)" 0
equal "by age: all others stay" "$(old Completed -14)" "$kept"
equal "by age: failed ones stay" "$(old Failed -60)" 8
block failed-by-age
equal "failed by age: none is so old" "$(old Failed -60)" 8
block in-parallel
equal "in parallel: none is older" "$(old Completed +12)" 0
block by-name
equal "by name: none is older" "$(count by-name/OrderFlow -mindepth 1 -maxdepth 1 -mtime +10)" 0
check "by name: others stay" test "$(count by-name/OrderFlow -mindepth 1 -maxdepth 1)" -gt 50
day=$(date -u -d '-8 days' +%F)
check "by day: there are some" test "$(count "by-created/$day" -mindepth 1 -maxdepth 1)" -gt 2
block by-day
equal "by day: none is left" "$(count "by-created/$day" -mindepth 1 -maxdepth 1)" 0
block family
refuse "family: the parent is gone" test -e "$M/instances/parent-1"
refuse "family: its child too" test -e "$M/instances/parent-1:ship"

block archive
equal "archive: all of them" "$(tar -tzf "$HOME/failed.tgz" | grep -c '/failure$')" 8
block archive-all-formats
equal "archive: other formats" "$(tar -tzf "$HOME/failed-all.tgz" | grep -cE '/(status.json|history.jsonl)$')" 16
equal "archive: with their bytes" "$(tar -xzOf "$HOME/failed-all.tgz" by-status/Failed/failing-1/status.json)" \
    "$(cat "$M/instances/failing-1/status.json")"
block read-archive
half=$(($(wc -l <"$work/said") / 2))
equal "read: the archive says the same" "$(tail -n $half "$work/said")" "$(head -n $half "$work/said")"
check "read: and something" test $half -gt 3
before=$(old Completed +6)
block archive-and-purge
check "archive and purge: there were some" test "$before" -gt 10
equal "archive and purge: they are gone" "$(old Completed +6)" 0
equal "archive and purge: and in the archive" "$(tar -tzf "$HOME/old.tgz" | grep -c '/status$')" "$before"

block alarm
equal "alarm" "$(cat "$work/said")" "8 instances have failed"
block new-failures
equal "new failures: all at first" "$(wc -l <"$work/said")" 8
check "new failures: why" grep -q '^failing-1: .*ERR-17' "$work/said"
block new-failures
equal "new failures: none since" "$(wc -l <"$work/said")" 0
echo '{}' >"$M/start/FailingFlow/failing-9"
equal "one more fails" "$(timeout 20 cat "$M/instances/failing-9/wait")" Failed
block new-failures
equal "new failures: that one" "$(cut -d: -f1 "$work/said")" failing-9
block stuck 's/-mmin +60/-mmin +2/; s/-mmin +5/-mmin -5/'
check "stuck: those that wait for an approval" grep -q 'approval-1$' "$work/said"
refuse "stuck: not what is scheduled" grep -q later-1 "$work/said"
check "stuck: the queues" grep -q control "$work/said"

block rewind-all
check "rewind all: they run again" until_true 20 bash -c "! grep -l ERR-23 '$M'/by-status/Failed/*/failure"
block stop-all
equal "stop all: all have ended" "$(sort "$work/said" | uniq -c | xargs)" "3 Terminated"
block newest
equal "newest: 20 of the name" "$(count by-name/OrderFlow -mindepth 1 -maxdepth 1 ! -name later-1 ! -name paused-1)" 20
check "no unfinished one was purged" test "$(count by-status/{Running,Pending,Suspended} -mindepth 1 -maxdepth 1)" -ge $((unfinished - 4))
equal "every named block ran" "$(grep -c '^```sh test ' "$docs/recipes.md")" $((ran - 2))

# The units are understood, and what the service runs works.
unit() { awk -v want="\`\`\`ini unit $1" '$0 == want { on = 1; next } /^```$/ { on = 0 } on' "$docs/recipes.md" >"$work/$1"; }
unit hub-retention.service
unit hub-retention.timer
check "the service's command" bash -c "cd '$M' && $(sed -n 's/^ExecStart=//p' "$work/hub-retention.service" | sed 's/+30/+1/')"
equal "purged" "$(old Completed +1)" 0
if command -v systemd-analyze >/dev/null && systemd-analyze calendar '*-*-* 03:17' >/dev/null 2>&1; then
    sed -i 's/^User=hub/User=root/' "$work/hub-retention.service"
    check "systemd understands the units" systemd-analyze verify "$work/hub-retention.service" "$work/hub-retention.timer"
fi
unmount

# commands: what the columns "in the mounted hub" say, without those that are a path.
commands() {
    sed 's/\\|/\x01/g' "$docs/migration.md" |
        awk -F '|' '/^<!-- run -->$/ { run = 1; next } !/^\|/ { run = 0 }
            run && /in the mounted hub/ { for (i = 1; i <= NF; i++) if ($i ~ /in the mounted hub/) column = i; next }
            run && match($column, /^ `[^`]*`/) { print substr($column, 3, RLENGTH - 3) }' |
        tr '\001' '|' | grep ' '
}
mount_hub --demo
echo '{"id":17}' >"$HOME/order.json"
commands >"$work/commands"
check "migration: there are commands" test "$(wc -l <"$work/commands")" -gt 55
while IFS= read -r line; do
    check "migration" bash -c "cd '$M' && { $line; } >'$work/said'" </dev/null
    [ -s "$work/err" ] && { failed=$((failed + 1)); echo "FAILED: it complains: $line"; cat "$work/err"; }
done <"$work/commands"
check "migration: they had an effect" test -d "$M/instances/order-903" -a ! -e "$M/instances/order-157"
equal "migration: no failure in the mount" "$(cat "$M/.taskhubfs/errors")" ""
finish
