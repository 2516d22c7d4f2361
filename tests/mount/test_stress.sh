#!/bin/bash
# Eight readers and eight writers at once, while rows change and go: nothing crashes, nothing is lost,
# every acknowledged event is in a queue exactly once.
. "$(dirname "$0")/lib.sh"
need_fuse
need_node
start_azurite
node "$tools/fill.js" StressHub 300 --history 2 --statuses Running,Completed,Failed
mount_hub --cache-ttl=1 StressHub
I=$M/instances

for r in 1 2 3 4 5 6 7 8; do
    (for _ in 1 2 3; do
        ls -l "$I" >/dev/null
        cat "$I"/order-0000"$r"*/status "$I"/order-0001"$r"*/output "$I"/order-0002"$r"*/history >/dev/null
        find "$M/by-status" -maxdepth 2 >/dev/null
        grep -rl Completed "$M/by-status/Failed" --include=status >/dev/null
        echo >"$M/.taskhubfs/refresh"
    done) 2>>"$work/readers" &
done
for w in 1 2 3 4 5 6 7 8; do
    (for n in $(seq 25); do
        echo "{\"n\":$n}" >"$I/order-00000$(((w % 3) * 3))/events/W$w-$n" && echo "W$w-$n" >>"$work/acknowledged.$w"
    done) 2>>"$work/writers" &
done
(for n in 1 4 7 10 13 16; do rm -r "$I/order-$(printf %06d $n)"; done) 2>>"$work/purges" &
for job in $(jobs -p); do [ "$job" = "$azurite_pid" ] || wait "$job"; done

cat "$work"/acknowledged.* | sort >"$work/sent"
equal "all events were taken" "$(wc -l <"$work/sent")" 200
equal "and are in the queues" "$(ask StressHub count)" 200
equal "six were purged" "$(ask StressHub rows)" 294
check "purges complained of nothing" test ! -s "$work/purges"
check "writers complained of nothing" test ! -s "$work/writers"
check "the mount lives" ls "$I"
pid=$(pgrep -f -- "$TASKHUBFS.* $M\$" | head -1)
kill -TERM "$pid"
check "and ends cleanly" until_true 5 bash -c "! kill -0 $pid 2>/dev/null"
finish
