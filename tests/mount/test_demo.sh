#!/bin/bash
# The demo does what the README promises, without Node or network.
. "$(dirname "$0")/lib.sh"
need_fuse
mount_hub --demo

equal "the root" "$(ls "$M" | tr '\n' ' ')" "README by-created by-name by-status entities instances start "
equal "eight statuses" "$(ls "$M/by-status" | tr '\n' ' ')" "Canceled Completed ContinuedAsNew Failed Pending Running Suspended Terminated "
check "README says what to try" grep -q by-status "$M/README"
check "status of everything" bash -c "cat '$M'/instances/*/status | grep -c InstanceId | grep -qE '^[12][0-9][0-9]$'"
equal "first line" "$(head -1 "$M/instances/order-17/status")" "InstanceId:	order-17"

check "approve" sh -c "echo '{\"ok\":true}' > '$M/instances/approval-1/events/Approve'"
equal "wait" "$(timeout 20 cat "$M/instances/approval-1/wait")" "Completed"
equal "its output" "$(cat "$M/instances/approval-1/output")" '{"ok":true}'

check "terminate" sh -c "echo stop > '$M/instances/loop-1/terminate'"
equal "wait for the end" "$(timeout 20 cat "$M/instances/loop-1/wait")" "Terminated"
equal "reason" "$(cat "$M/instances/loop-1/output")" "stop"

echo enough >"$work/reason"
check "F65 cp -p: nothing fails after the message has gone" cp -p "$work/reason" "$M/instances/loop-2/terminate"
equal "and it has" "$(timeout 20 cat "$M/instances/loop-2/wait")" "Terminated"
check "grep finds the failed ones" bash -c "grep -rl ERR-17 '$M/by-status/Failed' | grep -q failing-1/"
check "failure has a stack with line breaks" bash -c "grep -q '^ *at Shop.ReserveStock' '$M/instances/failing-1/failure'"
check "and the inner cause" grep -q '^Caused by: .*warehouse did not answer' "$M/instances/failing-1/failure"

refuse "a running instance stays" rm -r "$M/instances/approval-2"
check "it is still there" test -d "$M/instances/approval-2"
check "purge" rm -r "$M/instances/loop-1"
refuse "purged" test -e "$M/instances/loop-1"

equal "a large payload: size = bytes" "$(stat -c %s "$M/instances/big-1/output")" "$(wc -c <"$M/instances/big-1/output")"
equal "parent" "$(cat "$M/instances/parent-1:ship/parent")" "parent-1"
equal "children" "$(cat "$M/instances/parent-1/children")" "parent-1:ship"
check "an odd name" test -d "$M/instances/odd%2Fname 50%25 #1"
equal "an entity" "$(cat "$M/entities/counter/steps/state")" "42"
check "a signal" sh -c "echo 5 > '$M/entities/counter/steps/signal/add'"
check "acts" until_true 10 grep -q 47 "$M/entities/counter/steps/state"

check "start" sh -c "echo '{\"id\":1}' > '$M/start/OrderFlow/new-1'"
check "is there at once" test -d "$M/instances/new-1"
equal "and completes" "$(timeout 20 cat "$M/instances/new-1/wait")" "Completed"
finish
