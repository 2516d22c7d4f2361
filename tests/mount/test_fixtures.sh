#!/bin/bash
# A hub recorded from the genuine engine, every stage of both engine lines, file by file.
. "$(dirname "$0")/lib.sh"
need_fuse
need_node
genuine=$data/genuine-hub
for line in v2.9.1 v1.17.5; do
    for stage in 1-pending 3-first-run 4-client-ops 5-final; do
        start_azurite
        hub=$(node "$tools/load-fixture.js" "$genuine" $line $stage | python3 -c 'import json,sys; print(json.load(sys.stdin)["hub"])')
        mount_hub "$hub"
        checks=$((checks + 1))
        echo "$line $stage:"
        node "$tools/compare.js" "$genuine" $line $stage "$M" || failed=$((failed + 1))
        unmount
        kill "$azurite_pid"
        wait "$azurite_pid" 2>/dev/null
        rm -f "$work/settings"
    done
done
finish
