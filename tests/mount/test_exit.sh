#!/bin/bash
# Mounting that cannot work: exit status, sentence, nothing left mounted.
. "$(dirname "$0")/lib.sh"
need_fuse
need_node
start_azurite
node "$tools/fill.js" ExitHub 3
node "$tools/fill.js" ExitHubTwo 3
good=$AzureWebJobsStorage

tries() { # NAME STATUS PATTERN ARGUMENTS...
    local name=$1 status=$2 pattern=$3
    shift 3
    checks=$((checks + 1))
    "$TASKHUBFS" "$@" >"$work/out" 2>&1
    local got=$?
    if [ $got -ne "$status" ] || ! grep -qiE "$pattern" "$work/out"; then
        failed=$((failed + 1))
        echo "FAILED: $name: exit status $got instead of $status, or no '$pattern' in:"
        cat "$work/out"
    fi
    if grep -q " $M fuse" /proc/mounts; then
        failed=$((failed + 1))
        echo "FAILED: $name: something is mounted"
        unmount
    fi
    if grep -q 'Eby8vdM02' "$work/out"; then
        failed=$((failed + 1))
        echo "FAILED: $name: the key was printed"
    fi
}

tries "no such hub" 10 'ExitHub' ExitHubb "$M"
tries "near names are printed" 10 'ExitHubTwo' ExitHubTow "$M"
AzureWebJobsStorage=$(echo "$good" | sed 's/Eby8vdM02/Eby8vdM03/')
tries "bad key" 12 'key|signature|Authentication|Authorization' ExitHub "$M"
AzureWebJobsStorage='DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:1/devstoreaccount1;QueueEndpoint=http://127.0.0.1:1/devstoreaccount1;TableEndpoint=http://127.0.0.1:1/devstoreaccount1'
tries "dead port" 11 '127.0.0.1' ExitHub "$M"
AzureWebJobsStorage='AccountName=a;AccountKey'
tries "broken connection string" 13 'connection' ExitHub "$M"
unset AzureWebJobsStorage
tries "no connection string" 13 'AzureWebJobsStorage' ExitHub "$M"
export AzureWebJobsStorage=$good
tries "bad hub name" 13 'alphanumeric' my-hub "$M"
tries "another account than the connection's" 13 'devstoreaccount1' prod/ExitHub "$M"
tries "no mount point" 14 'nowhere' ExitHub "$work/nowhere"
touch "$work/file"
tries "mount point is a file" 14 'file' ExitHub "$work/file"
mkdir "$work/full"
touch "$work/full/x"
tries "mount point not empty" 14 'empty' ExitHub "$work/full"
tries "no arguments" 1 'OPTIONS'
tries "unknown option" 1 'partitions' --partition=3 ExitHub "$M"
tries "value out of range" 1 'partitions' --partitions=17 ExitHub "$M"
tries "a secret on the command line" 1 'environment|--connection' "AccountName=a;AccountKey=Eby8vdM02xNO" "$M"

mount_hub ExitHub
checks=$((checks + 1))
"$TASKHUBFS" ExitHub "$M" >"$work/out" 2>&1
equal "busy mount point" $? 14
check "the first mount lives" ls "$M/instances"
unmount
mount_hub exithub
equal "spelt as the tables spell it" "$(awk '{print $1}' <(grep " $M fuse" /proc/mounts) | cut -d@ -f1)" ExitHub
pid=$(pgrep -f -- "$TASKHUBFS exithub" | head -1)
kill -9 "$pid" && sleep 0.2
mount_hub ExitHub
check "F45 our own dead mount is cleaned" ls "$M/instances"
pid=$(pgrep -f -- "$TASKHUBFS ExitHub" | head -1)
kill -TERM "$pid"
check "F43 SIGTERM unmounts within two seconds" until_true 3 bash -c "! grep -q ' $M fuse' /proc/mounts"
check "--version" bash -c "'$TASKHUBFS' --version | grep -q '^taskhubfs [0-9]'"
check "--help names options" bash -c "'$TASKHUBFS' --help | grep -q -- --partitions"
finish
