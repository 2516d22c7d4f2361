#!/bin/bash
# Ordinary tools on a real hub: copying, archiving, searching, following; sizes are exact.
. "$(dirname "$0")/lib.sh"
need_fuse
need_node
start_azurite
node "$tools/load-fixture.js" "$data/genuine-hub" v2.9.1 5-final >/dev/null
mount_hub GenuineHub
I=$M/instances

# cat is the reference: reading to the end is always right.
truth() { find "$1" -type f | sort | while IFS= read -r f; do case $f in */events/* | */terminate | */suspend | */resume | */rewind | */restart) continue ;; esac; printf '%s %s\n' "$(sha256sum <"$f" | cut -c1-64)" "${f#"$1"}"; done; }
truth "$I" >"$work/truth"
check "there is something to compare" test "$(wc -l <"$work/truth")" -gt 300
unmount

for tool in "cp -r" "rsync -rt" tar "busybox cp -r"; do
    rm -rf "$work/copy"
    mkdir "$work/copy"
    mount_hub GenuineHub # each tool meets a cold mount
    case $tool in
    tar) check "tar" bash -c "tar -C '$M' -cf - instances | tar -C '$work/copy' -xf -" ;;
    rsync*) check "rsync" rsync -rt "$I" "$work/copy" ;;
    *) check "$tool" $tool "$I" "$work/copy" ;;
    esac
    truth "$work/copy/instances" >"$work/got"
    check "$tool copies the same bytes" diff "$work/truth" "$work/got"
    unmount
done

mount_hub GenuineHub
check "find -size agrees with wc" bash -c "for f in \$(find '$I/big-out' -type f -size +10k); do [ \$(stat -c %s \$f) = \$(wc -c <\$f) ] || exit 1; done"
check "grep -rl" bash -c "grep -rl 'Hello Tokyo' '$M/by-name/HelloSequence' | grep -q hello-1/output"
check "grep -l over status" bash -c "grep -l 'RuntimeStatus:.Failed' '$I'/*/status | grep -q fail-1"
check "find by time" bash -c "[ \$(find '$I' -mindepth 1 -maxdepth 1 -newermt '2026-11-24 14:00:00 UTC' | wc -l) -ge 40 ]"
equal "find none later" "$(find "$I" -mindepth 1 -maxdepth 1 -newermt '2030-01-01' | wc -l)" 0
equal "mtime is LastUpdatedTime" "$(stat -c %Y "$I/hello-1")" "$(date -d "$(awk -F'\t' '/^LastUpdatedTime/{print $2}' "$I/hello-1/status")" +%s)"
equal "mtime of input is CreatedTime" "$(stat -c %Y "$I/hello-1/input")" "$(date -d "$(awk -F'\t' '/^CreatedTime/{print $2}' "$I/hello-1/status")" +%s)"
check "du" du -s "$I/big-out"
check "ls -lR" bash -c "ls -lR '$M/by-status' >/dev/null"
check "jq" jq -e .instanceId "$I/hello-1/status.json"
check "sizes of views are counts" bash -c "ls '$M/by-status' >/dev/null; [ \$(stat -c %s '$M/by-status/Failed') = \$(ls '$M/by-status/Failed' | wc -l) ]"
check "df" df "$M"
refuse "mkdir" mkdir "$I/new"
refuse "create" touch "$M/new"
refuse "rename" mv "$I/hello-1" "$I/hello-2"
refuse "chmod" chmod 600 "$I/hello-1/input"
refuse "symlink" ln -s x "$I/x"
refuse "B8 a non-canonical name" test -e "$I/a%2fb"
check "a day without instances can be entered" test -d "$M/by-created/2001-01-01"
refuse "an unknown name" test -e "$M/by-name/Nobody"
check "stats is JSON" jq -e .requests.table "$M/.taskhubfs/stats"
check "config names no key" bash -c "! grep -q Eby8 '$M/.taskhubfs/config'"
check "version" grep -q '^[0-9]' "$M/.taskhubfs/version"
check "refresh" bash -c "echo > '$M/.taskhubfs/refresh'"

# tail -f sees what comes.
unmount
node "$tools/ask.js" Live create
start_worker Live
ask Live start follow-1 WaitFor '"Approve"'
mount_hub --cache-ttl=1 Live
check "running" until_true 10 grep -q Running "$I/follow-1/status"
tail -f -n +1 "$I/follow-1/history" >"$work/tail" 2>/dev/null &
tail_pid=$!
sleep 1
check "approve" bash -c "echo '{\"ok\":1}' > '$I/follow-1/events/Approve'"
check "tail -f shows the event" until_true 15 grep -q 'EventRaised.Approve.*{"ok":1}' "$work/tail"
kill $tail_pid
equal "wait" "$(timeout 20 cat "$I/follow-1/wait")" Completed
refuse "wait can be interrupted" bash -c "node '$tools/ask.js' Live start wait-2 WaitFor '\"Go\"'; timeout -s INT 2 cat '$I/wait-2/wait'"
check "a name that is new is found at once" test -d "$I/wait-2"
finish
