#!/bin/bash
# A whole account: hubs side by side, who works on them, deleting one (mount layout 1 and 7, storage messages 5.3 and 6).
. "$(dirname "$0")/lib.sh"
need_fuse
need_node
start_azurite # exports AzureWebJobsStorage
: "${AzureWebJobsStorage:?}"
node "$tools/fill.js" Shop 12 --history 1 --statuses Completed,Failed
node "$tools/fill.js" ShopTwo 6 --history 1
ask Safe create safe
ask Shop put-payload order-000000/history-1.json.gz '"payload"'
ask ShopTwo put-payload order-000000/history-1.json.gz '"payload"'
account=$(echo "$AzureWebJobsStorage" | sed 's/.*AccountName=\([^;]*\).*/\1/')
of_shop() { ask Shop resources | grep -ciE '^(table (shop)(instances|history|partitions)|queue shop-.*|container shop-.*)$'; }

# -- side by side --
mount_hub "$account/"
equal "the root" "$(ls -A "$M" | tr '\n' ' ')" ".taskhubfs Safe Shop ShopTwo "
equal "instances" "$(ls "$M/Shop/instances" | wc -l) $(ls "$M/ShopTwo/instances" | wc -l)" "12 6"
equal "the same id, two instances" "$(ls "$M/Shop/by-status/Running" | wc -l) $(ls "$M/ShopTwo/by-status/Running" | wc -l)" "0 1"
refuse "two inodes" test "$(stat -c %i "$M/Shop/instances/order-000001")" = "$(stat -c %i "$M/ShopTwo/instances/order-000001")"
equal "its own state" "$(grep -h RuntimeStatus "$M/Shop/instances/order-000001/status" | cut -f2)" "Failed"
check "find walks all" bash -c "[ \$(find '$M' -name status | wc -l) -ge 18 ]"
check "a hub's own .taskhubfs" test -e "$M/Shop/.taskhubfs/queues"
refuse "the mount has no queues" test -e "$M/.taskhubfs/queues"
check "stats speak for all" test "$(stat_of instances.Completed)" -ge 10
refuse "no such hub" ls "$M/Nope"
refuse "not a hub's name" ls "$M/no-hub"
check "write in one" sh -c "echo '{\"a\":1}' > '$M/ShopTwo/start/OrderFlow/new-1'"
check "is there" test -d "$M/ShopTwo/instances/new-1"
refuse "and not in the other" test -e "$M/Shop/instances/new-1"
equal "the message is ShopTwo's" "$(ask Shop count) $(ask ShopTwo count)" "0 1"
refuse "an error names its hub" sh -c "echo x > '$M/Shop/instances/order-000000/events/x'"
check "with its path" bash -c "grep -q '\"Shop/instances/order-000000' '$M/.taskhubfs/errors'"
check "purge in one" rm -r "$M/Shop/instances/order-000002"
check "the other's stays" test -d "$M/ShopTwo/instances/order-000002"
node "$tools/fill.js" Later 2
check "a new hub appears" until_true 8 ls "$M/Later/instances/order-000001"
check "refresh" sh -c "echo > '$M/.taskhubfs/refresh'"
equal "all there after it" "$(ls "$M" | tr '\n' ' ')" "Later Safe Shop ShopTwo "
check "config" grep -q "^hub	(all)" "$M/.taskhubfs/config"
check "progress can be read" cat "$M/.taskhubfs/progress"

# -- rmdir of a hub is off by default --
refuse "without the option" rmdir "$M/Shop"
check "says which option" bash -c "tail -1 '$M/.taskhubfs/errors' | grep -q -- --allow-delete-hub"
unmount

# -- queues --
ask ShopTwo own 1 worker-1 60
ask ShopTwo own 2 worker-1 60 worker-2
ask ShopTwo own 3 worker-9 -5
mount_hub --all-hubs --allow-delete-hub
Q=$M/ShopTwo/.taskhubfs/queues
equal "owned" "$(grep control-01 "$Q" | cut -f1,3,4)" "shoptwo-control-01	worker-1	owned"
equal "handed over" "$(grep control-02 "$Q" | cut -f3,4)" "worker-1 > worker-2	handover"
equal "a claim that ran out" "$(grep control-03 "$Q" | cut -f3,4)" "	free"
equal "messages" "$(awk -F'\t' '$1 ~ /control/ { n += $2 } END { print n }' "$Q")" 1
check "work items" grep -q "^shoptwo-workitems	0" "$Q"
equal "no app" "$(grep applease "$Q" | cut -f4)" "available"
equal "alive" "$(grep ^worker "$Q" | cut -f4)" "alive"
equal "nobody" "$(grep ^worker "$M/Shop/.taskhubfs/queues" | cut -f4)" "none"
ask Safe lease ownership/safe-control-02 machine-7
equal "a leased blob" "$(grep control-02 "$M/Safe/.taskhubfs/queues" | cut -f3,4)" "machine-7	owned"
equal "a blob nobody holds" "$(grep control-00 "$M/Safe/.taskhubfs/queues" | cut -f3,4)" "	free"

# -- deleting: refusals --
equal "before" "$(of_shop)" 10
refuse "unfinished instances" rmdir "$M/ShopTwo"
check "busy, and why" bash -c "tail -1 '$M/.taskhubfs/errors' | grep -q 'ShopTwo is in use: partition 1 is held by worker-1'"
for n in 1 2 3; do ask ShopTwo own $n ""; done
refuse "still unfinished" rmdir "$M/ShopTwo"
check "names one" bash -c "tail -1 '$M/.taskhubfs/errors' | grep -qE 'unfinished instances: (order-00000.|new-1) is'"
refuse "leased blob" rmdir "$M/Safe"
check "by whom" bash -c "tail -1 '$M/.taskhubfs/errors' | grep -q machine-7"
ask Shop app-lease on
refuse "an app holds it" rmdir "$M/Shop"
check "which app" bash -c "tail -1 '$M/.taskhubfs/errors' | grep -q 5018c2a8"
ask Shop app-lease off
ask Shop columns extra '{"RuntimeStatus":"Completed","TaskHubName":"Other"}'
refuse "shared tables" rmdir "$M/Shop"
check "with whom" bash -c "tail -1 '$M/.taskhubfs/errors' | grep -q 'instances of hub Other'"
ask Shop delete-row extra
refuse "recursively" rm -r "$M/Shop"
check "from within" bash -c "cd '$M/Shop' && ls >/dev/null"
equal "nothing went" "$(of_shop)" 10
ask Shop columns @counter@x '{"Name":"@counter@x","RuntimeStatus":"Running"}'

# -- deleting --
before=$(ask ShopTwo resources | grep -iE 'shoptwo' | sort)
exec 9<"$M/Shop" # to the kernel a removed directory is dead while somebody has it open
check "rmdir deletes the hub" rmdir "$M/Shop"
equal "nothing of it is left" "$(of_shop)" 0
equal "the neighbour is whole" "$(ask ShopTwo resources | grep -iE 'shoptwo' | sort)" "$before"
equal "with its rows" "$(ask ShopTwo rows)" 7
equal "and payloads" "$(ask ShopTwo blobs)" "order-000000/history-1.json.gz"
equal "it is gone from the root" "$(ls "$M" | tr '\n' ' ')" "Later Safe ShopTwo "
refuse "and cannot be entered" ls "$M/Shop/instances"
refuse "nor deleted again" rmdir "$M/Shop"
check "the neighbour can be read" ls "$M/ShopTwo/instances/order-000001"

# -- what an interrupted deletion left --
node "$tools/fill.js" Broken 3 --statuses Completed
ask Broken put-payload x/y.json.gz '"payload"'
ask Broken drop-tables
check "not listed" bash -c "! ls '$M' | grep -q Broken"
check "but it can be finished" rmdir "$M/Broken"
equal "completely" "$(ask Broken resources | grep -ci broken)" 0
refuse "once" rmdir "$M/Broken"
node "$tools/fill.js" Shop 2
check "a hub of that name again" until_true 8 ls "$M/Shop/instances/order-000001"
equal "with its own instances" "$(ls "$M/Shop/instances" | wc -l)" 2
exec 9<&-
unmount

# -- one hub, and the HTTP addresses --
printf 'k3y==\n' >"$work/key"
chmod 600 "$work/key"
refuse "only with all hubs" "$TASKHUBFS" --allow-delete-hub ShopTwo "$M"
mount_hub --http-url=http://localhost:7071/ --http-key-file="$work/key" ShopTwo
equal "urls" "$(python3 -c "import json; print(json.load(open('$M/instances/order-000001/urls'))['terminatePostUri'])")" \
    "http://localhost:7071/runtime/webhooks/durabletask/instances/order-000001/terminate?reason={text}&taskHub=ShopTwo&connection=Storage&code=k3y=="
refuse "is not listed" bash -c "ls '$M/instances/order-000001' | grep -q urls"
refuse "the key is nowhere else" grep -rq 'k3y==' "$M/.taskhubfs"
unmount
mount_hub ShopTwo
refuse "no urls without an address" test -e "$M/instances/order-000001/urls"
unmount
chmod 644 "$work/key"
"$TASKHUBFS" --http-url=http://localhost:7071 --http-key-file="$work/key" ShopTwo "$M" >"$work/said" 2>&1
equal "B55 a key that others can read" $? 13
check "says so" grep -q "read by others" "$work/said"
refuse "and not the key" grep -q 'k3y' "$work/said"
finish
