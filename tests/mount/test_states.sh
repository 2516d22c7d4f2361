#!/bin/bash
# Every verb meets an instance in every state (mount layout 4, 5; faults and limits B28): the errno or
# the outcome is that of one table, on Azurite and on the demo.
. "$(dirname "$0")/lib.sh"
need_fuse
need_node
start_azurite
ask StateHub create
mount_hub StateHub
checks=$((checks + 1))
python3 "$here/states.py" "$M" azurite StateHub || failed=$((failed + 1))
unmount
mount_hub --demo --cache-ttl=0
checks=$((checks + 1))
python3 "$here/states.py" "$M" demo || failed=$((failed + 1))
finish
