#!/bin/bash
# F33, F57: the account's key is changed under the mount, as an operator does it.
. "$(dirname "$0")/lib.sh"
need_fuse
need_node

old=$(printf 'the old key of this test, 32 byte' | base64 -w0)
new=$(printf 'the new key of this test, 32 byte' | base64 -w0)
mkdir "$work/data"

# The emulator knows these keys from its start on.
serve() { # KEYS [PORTS]
    export AZURITE_ACCOUNTS="devstoreaccount1:$1"
    rm -f "$work/settings"
    start_azurite --location "$work/data" ${2:+--ports "$2"}
    unset AZURITE_ACCOUNTS
}

stop_azurite() {
    kill "$azurite_pid"
    wait "$azurite_pid" 2>/dev/null
}

put_key() { # KEY
    sed "s|AccountKey=[^;]*|AccountKey=$1|" <<<"$AzureWebJobsStorage" >"$work/connection"
    chmod 600 "$work/connection"
}

serve "$old:$new"
ports=$(grep -oE '127\.0\.0\.1:[0-9]+' <<<"$AzureWebJobsStorage" | cut -d: -f2 | paste -sd,)
put_key "$old"
AzureWebJobsStorage=$(cat "$work/connection")
node "$tools/fill.js" KeyHub 3 --history 1
unset AzureWebJobsStorage
cd "$work" || exit 1
mount_hub --connection-file=connection --cache-ttl=0 KeyHub # and leaves this directory
cd "$OLDPWD" || exit 1
pid=$(pgrep -f -- "KeyHub $M\$" | head -1)
check "reads with the first key" ls "$M/instances/order-000001"

stop_azurite
serve "$new" "$ports"
refuse "refused" ls "$M/instances"
check "says so" bash -c "ls '$M/instances' 2>&1 | grep -qi 'key was rejected'"
check "and why" grep -q '"errno":"EKEYREJECTED"' "$M/.taskhubfs/errors"
check "the mount stays" cat "$M/.taskhubfs/version"

echo 'AccountName=devstoreaccount1;AccountKey' >"$work/connection"
refuse "a broken file changes nothing" ls "$M/instances"
put_key "$new"
check "the changed key is taken" ls "$M/instances/order-000001"
check "and acts" mkdir -p "$M/start/OrderFlow"
check "a start" bash -c "echo 1 > '$M/start/OrderFlow/after-the-key'"
check "is there" cat "$M/instances/after-the-key/status"

stop_azurite
serve "$old" "$ports"
put_key "$old"
kill -HUP "$pid"
check "SIGHUP reads it" until_true 5 ls "$M/instances/order-000002"

unmount
mount_hub --connection-file="$work/connection" --cache-ttl=1 devstoreaccount1/
pid=$(pgrep -f -- "devstoreaccount1/ $M\$" | head -1)
check "all hubs: reads" ls "$M/KeyHub/instances/order-000002"
stop_azurite
serve "$new" "$ports"
put_key "$new"
sleep 1.1
check "all hubs: finds them with the changed key" bash -c "ls '$M' | grep -qx KeyHub"
check "and reads one that was open" ls "$M/KeyHub/instances/order-000000"
kill -HUP "$pid"
check "and one that is opened anew" ls "$M/KeyHub/instances/order-000001"

for secret in "$old" "$new"; do
    equal "no key in .taskhubfs" "$(cat "$M"/.taskhubfs/{config,errors,stats} | grep -cF -- "$secret")" 0
    equal "none in the arguments" "$(tr '\0' ' ' <"/proc/$pid/cmdline" | grep -cF -- "$secret")" 0
done
finish
