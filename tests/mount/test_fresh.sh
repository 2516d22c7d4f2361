#!/bin/bash
# What the kernel was told for hours is not believed when it is no longer so: rows changed and deleted behind
# the mount's back, our own actions, in every view and by every kind of cached path. And an idle mount sleeps.
. "$(dirname "$0")/lib.sh"
need_fuse
need_node
start_azurite
node "$tools/fill.js" FreshHub 40 --history 1
mount_hub --cache-ttl=2 FreshHub

views() { # ID STATUS NAME: its directory in every view
    echo "$M/instances/$1" "$M/by-status/$2/$1" "$M/by-name/$3/$1" "$M/by-created/2026-11-01/$1"
}

# Everything a tool can make the kernel remember: names that are there and names that are not, listings,
# attributes, contents.
remember() {
    local d
    for d in "$@"; do
        ls -l "$d" && cat "$d/status" "$d/output" "$d/custom-status"
        stat "$d/status" "$d/failure" "$d/terminate" "$d/rewind" "$d/restart" "$d/events" "$d/nothing"
    done >/dev/null 2>&1
}

# Read, not asked for.
# shellcheck disable=SC2002
size_is() { [ "$(stat -c %s "$1")" -eq "$(cat "$1" | wc -c)" ]; }
state() { grep -s RuntimeStatus "$1/status" | cut -f 2; }

# -- a finished row changes elsewhere: shown by whatever comes after the next refresh --
x=order-000000 # Completed
ls "$M/instances" "$M/by-status/Completed" "$M/by-name/OrderFlow" "$M/by-created/2026-11-01" >/dev/null
for _ in 1 2; do
    # shellcheck disable=SC2046
    remember $(views $x Completed OrderFlow)
done
before=$(stat_of requests.table)
# shellcheck disable=SC2046
remember $(views $x Completed OrderFlow)
equal "what is remembered is not asked for" $(($(stat_of requests.table) - before)) 0
cd "$M/instances/$x" || exit 1
ask FreshHub columns $x '{"RuntimeStatus":"Failed","Output":"no stock at all","LastUpdatedTime":"2026-11-24T01:02:03Z"}'
sleep 2.2
ls "$M/instances" >/dev/null
refuse "it left its group" stat "$M/by-status/Completed/$x"
check "it is in the other" stat "$M/by-status/Failed/$x"
for d in $(views $x Failed OrderFlow); do
    check "failure appeared in $d" test -e "$d/failure"
    check "rewind, too" stat "$d/rewind"
    check "and is listed" sh -c "ls '$d' | grep -qx rewind"
    equal "status says so in $d" "$(state "$d")" Failed
    check "with its size" size_is "$d/status"
    equal "output" "$(cat "$d/output")" "no stock at all"
    check "with its size" size_is "$d/output"
    equal "time" "$(stat -c %y "$d/status" | cut -c 1-19)" "$(date -d 2026-11-24T01:02:03Z '+%F %T')"
done
equal "who stands in it stays there" "$(/bin/pwd)" "$M/instances/$x"
check "and sees what is new" test -e failure
equal "by a relative name" "$(stat -c %s output)" 16
cd "$work" || exit 1

# -- an unfinished row changes elsewhere: within the time to live, with nothing opened but itself --
y=order-000005 # Running
for _ in 1 2; do
    # shellcheck disable=SC2046
    remember $(views $y Running Invoice)
done
ask FreshHub columns $y '{"RuntimeStatus":"Completed","Output":"{\"ok\":1}","CompletedTime":"2026-11-24T01:02:03Z"}'
sleep 2.2
for d in $(views $y Completed Invoice); do
    equal "finished in $d" "$(stat -c %s "$d/output")" 9
    refuse "no verb of a running one" stat "$d/terminate"
    check "but one of a finished one" stat "$d/restart"
    equal "status" "$(state "$d")" Completed
done
refuse "it left Running" stat "$M/by-status/Running/$y"

# -- our own actions: at once --
z=order-000008
w=$(echo "$M"/by-name/OrderFlow/$z)
for _ in 1 2; do
    # shellcheck disable=SC2046
    remember $(views $z Completed OrderFlow)
done
count() { ls -ld "$M/by-status/Completed" | awk '{ print $5 }'; }
ls "$M/by-status" >/dev/null
completed=$(count)
check "purge in one view" rm -r "$M/by-status/Completed/$z"
for d in $(views $z Completed OrderFlow); do
    refuse "gone from $d" stat "$d"
    refuse "its file, too" stat "$d/status"
    refuse "and cannot be read" cat "$d/status"
done
ls "$M/by-status" >/dev/null
equal "one less is counted" "$(count)" $((completed - 1))
check "start it again" sh -c "echo '{\"again\":1}' > '$M/start/OrderFlow/$z'"
equal "it is found by the name it had" "$(state "$w")" Pending
equal "with its new input" "$(cat "$w/input")" '{"again":1}'
check "among those that wait" stat "$M/by-status/Pending/$z"
check "and in the listing" sh -c "ls '$M/instances' | grep -qx $z"

before=$(stat -c %s "$M/by-name/Cleanup/order-000010/restart" "$M/instances/order-000010/restart" | tr '\n' ' ')
equal "restart reads as empty" "$before" "0 0 "
check "restart under another id" sh -c "echo again-10 > '$M/instances/order-000010/restart'"
equal "in the other view, too, it reads as that id" "$(stat -c %s "$M/by-name/Cleanup/order-000010/restart")" 9
equal "which is there" "$(state "$M/by-name/Cleanup/again-10")" Pending

# -- everything dropped --
v=order-000001
for _ in 1 2; do
    # shellcheck disable=SC2046
    remember $(views $v Completed Invoice)
done
ask FreshHub delete-row $v
echo >"$M/.taskhubfs/refresh"
for d in $(views $v Completed Invoice); do
    refuse "deleted elsewhere, gone after a refresh: $d" stat "$d"
    refuse "and what is in it" cat "$d/status"
done

# -- idle --
pid=$(pgrep -f -- " $M\$")
switches() { cat /proc/"$pid"/task/*/status | awk '/^voluntary_ctxt_switches/ { n += $2 } END { print n }'; }
# shellcheck disable=SC2046
remember $(views $x Failed OrderFlow)
sleep 1
requests=$(stat_of requests.table)
sleep 0.5
woken=$(switches)
sleep 5
# The thread sanitizer has a clock of its own.
grep -q __tsan_init "/proc/$pid/exe" || equal "an idle mount does not wake up" "$(switches)" "$woken"
equal "and asks nothing" "$(stat_of requests.table)" "$requests"

# -- deleted elsewhere, without a word: once a minute of use --
u=order-000002
for _ in 1 2; do
    # shellcheck disable=SC2046
    remember $(views $u Completed Cleanup)
done
ask FreshHub delete-row $u
gone() { ls "$M/instances" >/dev/null; ! stat "$1"; }
check "noticed within a minute or so" until_true 75 gone "$M/by-name/Cleanup/$u"
for d in $(views $u Completed Cleanup); do
    refuse "gone from $d" stat "$d/status"
done
finish
