#!/bin/bash
# poll, select and epoll on wait and history: on Azurite with the test worker, and on the demo.
. "$(dirname "$0")/lib.sh"
need_fuse
need_node
daemon() { pgrep -f -- "$TASKHUBFS.* $M\$" | head -1; }

start_azurite
ask PollHub create
start_worker PollHub
for n in 1 2 3 4; do ask PollHub start poll-$n WaitFor '"Go"'; done
for ttl in 5 0; do
    mount_hub --cache-ttl=$ttl PollHub
    id=poll-$((ttl == 5 ? 1 : 2))
    check "it runs" until_true 10 grep -q Running "$M/instances/$id/status"
    checks=$((checks + 1))
    python3 "$here/poll.py" "$M" $id Go "$(daemon)" || failed=$((failed + 1))
    unmount
done

# Purged by somebody else while it is polled: the read says so.
mount_hub PollHub
checks=$((checks + 1))
python3 - "$M/instances/poll-3/wait" "$tools/ask.js" <<'PYTHON' || failed=$((failed + 1))
import os, select, subprocess, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
p = select.poll()
p.register(fd, select.POLLIN)
assert p.poll(0) == []
subprocess.run(["node", sys.argv[2], "PollHub", "delete-row", "poll-3"], check=True)
assert p.poll(15000) == [(fd, select.POLLIN)]
try:
    os.read(fd, 10)
    sys.exit("the read succeeded")
except FileNotFoundError:
    pass
PYTHON

# The mount ends while somebody polls.
python3 -c 'import os, select, sys
p = select.poll()
p.register(os.open(sys.argv[1], os.O_RDONLY), select.POLLIN)
print(p.poll(20000))' "$M/instances/poll-4/wait" >"$work/ended" 2>&1 &
poller=$!
sleep 1.5
kill -TERM "$(daemon)"
check "F43 unmounted" until_true 4 bash -c "! grep -q ' $M fuse' /proc/mounts"
wait $poller
check "its poll has ended" test -s "$work/ended"
stop_worker

mount_hub --demo
checks=$((checks + 1))
python3 "$here/poll.py" "$M" approval-1 Approve "$(daemon)" || failed=$((failed + 1))
finish
