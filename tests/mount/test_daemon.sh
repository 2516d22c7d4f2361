#!/bin/bash
# What may happen to the daemon itself: killed, unmounted under its users, no descriptors left, nobody
# who reads its log (F44, F48, F49, F52, F54, F55).
. "$(dirname "$0")/lib.sh"
need_fuse

pid_of_mount() { pgrep -f -- " $M\$" | head -1; }
gone() { ! kill -0 "$1" 2>/dev/null; }

mount_hub --demo
pid=$(pid_of_mount)
kill -9 "$pid"
check "F44 killed: it is gone" until_true 5 gone "$pid"
refuse "F44 users get an error and do not hang" timeout 5 ls "$M"
check "F44 ENOTCONN" bash -c "ls '$M' 2>&1 | grep -q 'not connected'"
fusermount3 -u "$M"

mount_hub --demo
pid=$(pid_of_mount)
exec 7<"$M/instances/order-17/output"
check "F48 unmounted while a file is open" fusermount3 -uz "$M"
check "F48 the file still reads" test -n "$(cat <&7)"
exec 7<&-
check "F48 then the daemon ends" until_true 5 gone "$pid"

mount_hub --demo
pid=$(pid_of_mount)
cat "$M/instances/approval-1/wait" >"$work/waited" 2>&1 &
waiter=$!
check "F49 somebody waits" until_true 5 grep -q . "/proc/$waiter/stat"
sleep 0.3
if umount -f "$M" 2>/dev/null || umount -fl "$M" 2>/dev/null; then
    check "F49 the wait ends" until_true 5 gone "$waiter"
    check "F49 and the daemon" until_true 5 gone "$pid"
else # only root may
    kill "$waiter"
    unmount
fi
wait "$waiter" 2>/dev/null

# In the foreground its log goes to stderr: full, closed, or a pipe that nobody reads any more.
serve() { # REDIRECTION
    bash -c "exec '$TASKHUBFS' -f --log-level=debug --demo '$M' $1" &
    pid=$!
    check "mounted with $1" until_true 10 test -e "$M/README"
}
for where in '2>/dev/full' '2>&-' '2> >(exit 0)'; do
    serve "$where"
    check "F54 F55 reading with $where" cat "$M/instances/order-17/output"
    refuse "F54 F55 an error to log" sh -c "echo x > '$M/instances/order-17/terminate'"
    check "F54 F55 it lives" ls "$M/instances"
    kill "$pid"
    wait "$pid"
    equal "F43 and ends well" $? 0
done

if command -v node >/dev/null && [ -d "$tools/node_modules/azurite" ]; then
    start_azurite
    node "$tools/fill.js" FewHub 60 --history 3 --statuses Running,Completed
    (
        ulimit -n 12 # what the kernel's side takes, and a few connections
        exec "$TASKHUBFS" --cache-ttl=0 FewHub "$M"
    ) 2>"$work/mount.err" || { cat "$work/mount.err"; exit 1; }
    pid=$(pid_of_mount)
    for _ in 1 2 3 4 5 6 7 8; do
        timeout 60 sh -c "cat '$M'/instances/*/history '$M'/instances/*/input" >/dev/null 2>>"$work/few" &
    done
    for job in $(jobs -p); do [ "$job" = "$azurite_pid" ] || wait "$job"; done
    check "F52 nobody was left waiting" bash -c "! grep -q Terminated '$work/few'"
    sleep 3 # the breaker's probe
    check "F52 and afterwards all is well" until_true 10 bash -c "cat '$M'/instances/order-000001/history"
    ticks=$(awk '{print $14 + $15}' "/proc/$pid/stat")
    sleep 1
    check "F52 without a busy loop" test $(($(awk '{print $14 + $15}' "/proc/$pid/stat") - ticks)) -lt 20
fi
finish
