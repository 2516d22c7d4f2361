#!/bin/bash
# The twelve operations of instance management with nothing but sh, coreutils, findutils and grep:
# on Azurite with the test worker, where each result is checked in storage, and on the demo, where it is
# checked in the tree.
. "$(dirname "$0")/lib.sh"
need_fuse
need_node

# The operations themselves; $M is the mount, $1.. the names this hub has.
operations() {
    local flow=$1 waiting=$2 event=$3 failing=$4
    check "1 start" sh -c "echo '{\"n\":1}' > '$M/start/$flow/op-1'"
    check "start: with no input" sh -c "echo > '$M/start/$flow/op-2'"
    refuse "start: an id in use" sh -c "echo '{}' > '$M/start/$flow/op-1'"
    refuse "start: an id the framework refuses" sh -c "echo '{}' > '$M/start/$flow/@op'"
    equal "7 wait" "$(timeout 30 cat "$M/instances/op-1/wait")" Completed
    equal "wait for the other" "$(timeout 30 cat "$M/instances/op-2/wait")" Completed
    check "2 query one" grep -q "RuntimeStatus:.Completed" "$M/instances/op-1/status"
    check "3 list" sh -c "ls '$M/instances' | grep -qx op-1"
    check "4 filter by status" sh -c "ls '$M/by-status/Completed' | grep -qx op-1"
    check "filter by name" sh -c "ls '$M/by-name/$flow' | grep -qx op-1"
    check "filter by time" sh -c "find '$M/instances' -mindepth 1 -maxdepth 1 -mmin -10 | grep -q /op-1\$"
    check "filter by day" sh -c "ls '$M/by-created/$(date -u +%F)' | grep -qx op-1"
    check "5 history" grep -q "ExecutionStarted.$flow" "$M/instances/op-1/history"
    check "6 start one that waits" sh -c "echo '\"$event\"' > '$M/start/$waiting/op-3'"
    check "it runs" until_true 20 grep -q Running "$M/instances/op-3/status"
    check "raise an event" sh -c "echo '{\"ok\":true}' > '$M/instances/op-3/events/$event'"
    equal "it completes" "$(timeout 30 cat "$M/instances/op-3/wait")" Completed
    equal "with the event's data" "$(cat "$M/instances/op-3/output")" '{"ok":true}'
    check "8 another one that waits" sh -c "echo '\"$event\"' > '$M/start/$waiting/op-4'"
    check "it runs" until_true 20 grep -q Running "$M/instances/op-4/status"
    check "suspend" sh -c "echo maintenance > '$M/instances/op-4/suspend'"
    check "it is suspended" until_true 20 grep -q Suspended "$M/instances/op-4/status"
    check "suspend is no longer offered" sh -c "! ls '$M/instances/op-4' | grep -qx suspend"
    refuse "nor taken" sh -c "echo again > '$M/instances/op-4/suspend'"
    check "9 resume" sh -c "echo back > '$M/instances/op-4/resume'"
    check "it runs again" until_true 20 grep -q Running "$M/instances/op-4/status"
    check "10 terminate" sh -c "echo 'no longer needed' > '$M/instances/op-4/terminate'"
    equal "it ends" "$(timeout 30 cat "$M/instances/op-4/wait")" Terminated
    equal "with the reason" "$(cat "$M/instances/op-4/output")" "no longer needed"
    refuse "an event to it" sh -c "echo '{}' > '$M/instances/op-4/events/$event'"
    check "11 one that fails" sh -c "echo '{}' > '$M/start/$failing/op-5'"
    equal "it fails" "$(timeout 30 cat "$M/instances/op-5/wait")" Failed
    check "failure says why" test -s "$M/instances/op-5/failure"
    check "rewind" sh -c "echo 'fixed the cause' > '$M/instances/op-5/rewind'"
    equal "it completes" "$(timeout 30 cat "$M/instances/op-5/wait")" Completed
    check "12 restart under a new id" sh -c "echo op-6 > '$M/instances/op-1/restart'"
    equal "the same name" "$(grep '^Name' "$M/instances/op-6/status")" "Name:	$flow"
    equal "the same input" "$(cat "$M/instances/op-6/input")" '{"n":1}'
    equal "it completes" "$(timeout 30 cat "$M/instances/op-6/wait")" Completed
    check "restart under its own id" sh -c "echo op-6 > '$M/instances/op-6/restart'"
    check "it completes again" until_true 20 sh -c "grep -q Completed '$M/instances/op-6/status'"
    check "restart with a generated id" sh -c "echo > '$M/instances/op-2/restart'"
    refuse "restart under an id in use" sh -c "echo op-1 > '$M/instances/op-2/restart'"
    check "13 purge one" rm -r "$M/instances/op-2"
    refuse "gone" test -e "$M/instances/op-2"
    check "14 purge many" sh -c "find '$M/by-status/Completed' -mindepth 1 -maxdepth 1 -name 'op-[136]' -exec rm -r {} +"
    check "all gone" sh -c "! ls '$M/instances' | grep -qx 'op-[1236]'"
}

start_azurite
ask OpHub create
start_worker OpHub
mount_hub --cache-ttl=1 OpHub
operations Echo WaitFor Approve Flaky
equal "storage: purged" "$(ask OpHub row op-1)" null
equal "storage: its history too" "$(ask OpHub history op-1)" 0
check "storage: terminated with the reason" bash -c "node '$tools/ask.js' OpHub row op-4 | grep -q '\"Output\":\"no longer needed\"'"
check "storage: rewound and completed" bash -c "node '$tools/ask.js' OpHub row op-5 | grep -q '\"RuntimeStatus\":\"Completed\"'"
check "entity: a signal makes one" sh -c "echo 5 > '$M/entities/counter/steps/signal/add'"
check "its state" until_true 20 grep -qx 5 "$M/entities/counter/steps/state"
check "again" sh -c "echo 37 > '$M/entities/counter/steps/signal/add'"
check "its state" until_true 20 grep -qx 42 "$M/entities/counter/steps/state"
check "delete" sh -c "echo > '$M/entities/counter/steps/signal/delete'"
check "a deleted one is not listed after a refresh" until_true 20 bash -c "echo > '$M/.taskhubfs/refresh'; ! ls '$M/entities/counter' 2>/dev/null | grep -qx steps"
equal "worker met no poison" "$(grep -c poison "$work/worker.log")" 0
check "64 readers of wait" bash -c "
    echo '\"Go\"' > '$M/start/WaitFor/crowd'
    for i in \$(seq 64); do cat '$M/instances/crowd/wait' >> '$work/crowd' & done
    sleep 2
    before=\$(ls /proc/\$(pgrep -f -- '$TASKHUBFS.* $M\$' | head -1)/task | wc -l)
    ls '$M/instances' > /dev/null
    echo 1 > '$M/instances/crowd/events/Go'
    timeout 20 bash -c 'while [ \$(wc -l < $work/crowd) -lt 64 ]; do sleep 0.1; done'
    echo threads \$before
    [ \$before -lt 60 ]"
equal "all of them return" "$(grep -c Completed "$work/crowd")" 64
unmount
stop_worker

mount_hub --demo
operations OrderFlow ApprovalFlow Approve FailingFlow
finish
