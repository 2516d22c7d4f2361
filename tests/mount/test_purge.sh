#!/bin/bash
# Purging: exactly the named instance, only when finished, never by accident (mount layout 5, R8).
. "$(dirname "$0")/lib.sh"
need_fuse
need_node
start_azurite
node "$tools/fill.js" PurgeHub 120 --history 2 --statuses Completed,Completed,Running,Failed
for b in order-000000/history-1.json.gz order-000000/message-1.json.gz order-0000001/history-1.json.gz; do
    ask PurgeHub put-payload "$b" '"payload"'
done
mount_hub PurgeHub
I=$M/instances
rows() { ask PurgeHub history "$1"; }

equal "there before" "$(rows order-000000)" 9
check "rm -r of a finished instance" rm -r "$I/order-000000"
equal "row" "$(ask PurgeHub row order-000000)" null
equal "history" "$(rows order-000000)" 0
equal "blobs: only of that id" "$(ask PurgeHub blobs)" "order-0000001/history-1.json.gz"
equal "the neighbour's history" "$(rows order-000001)" 9
refuse "gone from the tree" test -e "$I/order-000000"

check "rmdir" rmdir "$I/order-000001"
check "in a view" rm -r "$M/by-status/Failed/order-000003"
check "rm -rf" rm -rf "$I/order-000004"
equal "purged" "$(ask PurgeHub row order-000004)" null
check "find names its instances" bash -c "find '$M/by-status/Failed' -mindepth 1 -maxdepth 1 -name '*00007' -exec rm -r {} +"
equal "purged by find -exec" "$(ask PurgeHub row order-000007)" null

# order-000002 is Running
refuse "unfinished: rmdir" rmdir "$I/order-000002"
refuse "unfinished: rm -r" rm -r "$I/order-000002"
check "says busy" bash -c "rm -r '$I/order-000002' 2>&1 | grep -qi busy"
refuse "unfinished: rm -rf" rm -rf "$I/order-000002"
check "still there" bash -c "[ \"\$(node '$tools/ask.js' PurgeHub row order-000002)\" != null ]"
equal "with its history" "$(rows order-000002)" 8

refuse "plain rm of a file" rm "$I/order-000005/output"
refuse "rm -f of a file" rm -f "$I/order-000005/output"
refuse "rm -r of the files" bash -c "rm -r '$I'/order-000005/*"
check "nothing went" test -e "$I/order-000005/output"

before=$(ask PurgeHub rows)
refuse "rm -rf of the whole mount" bash -c "rm -rf '$M'/*"
refuse "rm -r instances" rm -r "$I"
refuse "find -delete from a view" find "$M/by-status" -delete
refuse "python rmtree of a view" python3 -c "import shutil; shutil.rmtree('$M/by-status/Completed')"
refuse "node rmSync of a view" node -e "require('fs').rmSync('$I', {recursive: true})"
refuse "rmdir of a view directory" rmdir "$M/by-status/Canceled"
equal "nothing was purged" "$(ask PurgeHub rows)" "$before"

check "python rmtree of an instance" python3 -c "import shutil; shutil.rmtree('$I/order-000008')"
check "node rmSync of an instance" node -e "require('fs').rmSync('$I/order-000009', {recursive: true})"
check "busybox rm -r" busybox rm -r "$I/order-000012"
for id in order-000008 order-000009 order-000012; do
    equal "$id purged" "$(ask PurgeHub row $id)" null
done

bash -c "yes n | rm -ri '$I/order-000013'" >/dev/null 2>&1
equal "no to every question purges nothing" "$(rows order-000013)" 9
script -qec "yes n | rm -r '$I/order-000013'" /dev/null </dev/null >/dev/null 2>&1
check "rm -r at a terminal asks root nothing" bash -c "script -qec \"rm -r '$I/order-000016'\" /dev/null </dev/null"
equal "purged at a terminal" "$(ask PurgeHub row order-000016)" null

# Seen as finished in the listing, running again by now.
ls "$I" >/dev/null
ask PurgeHub status order-000017 Running
refuse "running again meanwhile" rmdir "$I/order-000017"
check "unharmed" bash -c "[ \"\$(node '$tools/ask.js' PurgeHub row order-000017)\" != null ]"

# Ids that are prefixes of each other.
for id in a a/b order-1 order-10; do
    ask PurgeHub columns "$id" '{"Name":"X","RuntimeStatus":"Completed"}'
    ask PurgeHub put-payload "$id/message-0123456789abcdef0123456789abcdef-EventRaised.json.gz" "{}"
done
check "purge a" rmdir "$I/a"
check "purge order-1" rmdir "$I/order-1"
equal "blobs of a/b and order-10 stay" "$(ask PurgeHub blobs | grep message | tr '\n' ' ')" \
    "a/b/message-0123456789abcdef0123456789abcdef-EventRaised.json.gz order-10/message-0123456789abcdef0123456789abcdef-EventRaised.json.gz "
check "a/b is there" test -d "$I/a%2Fb"

check "many at once" bash -c "ls '$I' | grep -E 'order-0000[24][048]' | sed 's|^|$I/|' | xargs -P 4 -n 3 rm -r"
unmount
mount_hub --no-purge PurgeHub
refuse "--no-purge" rmdir "$I/order-000021"
unmount
mount_hub -o ro PurgeHub
refuse "read-only" rmdir "$I/order-000021"
unmount
mount_hub --allow-tree-delete PurgeHub
check "--allow-tree-delete" find "$M/by-status/Failed" -mindepth 1 -delete
equal "all failed ones went" "$(ls "$M/by-status/Failed" | wc -l)" 0
finish
