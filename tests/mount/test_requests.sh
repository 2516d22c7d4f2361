#!/bin/bash
# What a hub of 10,000 instances costs in requests: names are cheap, one look costs one request.
. "$(dirname "$0")/lib.sh"
need_fuse
need_node
start_azurite
node "$tools/fill.js" CostHub 10000 --history 1
mount_hub CostHub
table() { stat_of requests.table; }

mounted=$(table)
check "cat status" cat "$M/instances/order-004711/status"
equal "one status: one request" $(($(table) - mounted)) 1
check "again" cat "$M/instances/order-004711/status"
equal "a second time: none" $(($(table) - mounted)) 1
check "its output" cat "$M/instances/order-004711/output"
check "at most one more" test $(($(table) - mounted)) -le 2

before=$(table)
equal "ls counts" "$(ls "$M/instances" | wc -l)" 10000
cost=$(($(table) - before))
echo "cold ls of 10000: $cost table requests"
check "at most 60" test "$cost" -le 60

# On a slow machine a walk outlasts the cache's life, and the listing is renewed and looked through for
# deletions meanwhile (about 30 requests). One request an instance would be a hundred and more.
renewals=60
before=$(table) blobs=$(stat_of requests.blob)
equal "find -type f" "$(find "$M/instances/" -path '*/order-0000*' -type f -name status | wc -l)" 100
check "no history, no payload" test $(($(table) - before)) -le $renewals
equal "no blob" "$(stat_of requests.blob)" "$blobs"

ls "$M/instances" >/dev/null
before=$(table)
check "grep over statuses" bash -c "grep -l Failed '$M'/instances/order-0001*/status >/dev/null"
check "costs no request but refreshes" test $(($(table) - before)) -le $renewals

before=$(table) blobs=$(stat_of requests.blob)
check "rm -r" rm -r "$M/instances/order-000008"
cost=$(($(table) - before + $(stat_of requests.blob) - blobs))
echo "rm -r of one instance: $cost requests"
check "at most seven with the first look" test "$cost" -le 7
finish
