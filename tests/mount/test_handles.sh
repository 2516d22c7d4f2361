#!/bin/bash
# F62 to F66: two writers, shared handles, locks, maps, attributes, and what is never offered: what is
# refused sends nothing, and what is taken goes once.
. "$(dirname "$0")/lib.sh"
need_fuse
need_node
start_azurite
node "$tools/fill.js" HandleHub 3 --statuses Running
mount_hub HandleHub
check "nothing out of order" python3 "$(dirname "$0")/handles.py" "$M/instances/order-000001/events" "$M/instances/order-000001"
ask HandleHub messages >"$work/messages"
equal "these and no other" "$(python3 -c 'import json,sys
print(*sorted(m["Name"] + "=" + m["Input"] for m in map(json.loads, sys.stdin)))' <"$work/messages")" \
    'SentKept=1 SentRead=1 SentShared=[1,2,3] SentTwice={"a":1} SentTwice={"b":2}'
finish
