#!/bin/bash
# Exactly once: 32 processes raise numbered events at the same time; what the queues have held in the
# end is what was acknowledged, nothing is lost and nothing was there twice. EVENTS: how many each raises.
. "$(dirname "$0")/lib.sh"
need_fuse
need_node
: "${EVENTS:=100}"
mkdir "$work/azurite"
start_azurite --location "$work/azurite" # in memory every message makes the next look slower
node "$tools/fill.js" EventHub 8 --statuses Running
mount_hub EventHub
mkdir "$work/outcomes"

# In rounds, and drained meanwhile: the emulator needs seconds for a look at a queue of thousands.
for ((first = 0; first < EVENTS; first += 100)); do
    many=$((EVENTS - first < 100 ? EVENTS - first : 100))
    rm -f "$work/written"
    node "$tools/drain.js" EventHub "$work/written" >>"$work/queues" &
    drain=$!
    checks=$((checks + 1))
    # Some write to one instance at the same time, and all partitions are met.
    python3 "$here/events.py" write "$M" "$work/outcomes" 32 $first $many order-00000{0,1,2,3,4} || failed=$((failed + 1))
    touch "$work/written"
    wait $drain || failed=$((failed + 1))
done
echo "requests: $(stat_of requests)"
checks=$((checks + 1))
python3 "$here/events.py" compare "$work/outcomes" "$work/queues" || failed=$((failed + 1))
equal "all were acknowledged" "$(cat "$work"/outcomes/acknowledged-* | wc -l)" $((32 * EVENTS))
equal "all partitions were met" "$(grep -o 'control-..' "$work/queues" | sort -u | wc -l)" 4
equal "no failure" "$(grep -c . "$M/.taskhubfs/errors")" 0
finish
