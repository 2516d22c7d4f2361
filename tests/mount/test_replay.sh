#!/bin/bash
# A listing is complete or an error (R3): a hub of 5000 instances behind a service that throttles, breaks
# off, cuts, lies and changes while it is looked at.
. "$(dirname "$0")/lib.sh"
need_fuse

ids() { tell ids | cut -f1 | sort; }
names() { # what readdir gives, all of it
    # shellcheck disable=SC2010
    ls -f "$M/instances" | grep -vx '\.\.\?' | sort
}
same_names() { # NAME FILE
    names >"$work/names" 2>"$work/names.err"
    equal "$1: no error" "$(cat "$work/names.err")" ""
    equal "$1: the hub's names" "$(md5sum <"$work/names")" "$(md5sum <"$2")"
}
is_listed() { names | grep -qx -- "$1"; }
is_gone() { ! is_listed "$1"; }

pages='ReplayHubInstances\\(\\)'
# As many as the retry budget allows (L9: ten, and a tenth of the requests): more is an error, rightly.
sprinkled="[
 {\"match\":{\"path\":\"$pages\",\"every\":3,\"times\":2},\"do\":{\"action\":\"status\",\"code\":503}},
 {\"match\":{\"path\":\"$pages\",\"every\":3,\"times\":1},\"when\":\"before\",\"do\":{\"action\":\"reset\",\"at\":\"first\"}},
 {\"match\":{\"path\":\"$pages\",\"every\":3,\"times\":2},\"do\":{\"action\":\"reset\",\"at\":\"body\"}},
 {\"match\":{\"path\":\"$pages\",\"every\":3,\"times\":2},\"do\":{\"action\":\"truncate\",\"how\":\"length\"}},
 {\"match\":{\"path\":\"$pages\",\"every\":3,\"times\":2},\"do\":{\"action\":\"truncate\",\"how\":\"chunked\"}},
 {\"match\":{\"path\":\"$pages\",\"every\":3,\"times\":2},\"do\":{\"action\":\"json\",\"how\":\"string\"}},
 {\"match\":{\"path\":\"$pages\",\"every\":2},\"do\":{\"action\":\"emptyPage\"}}]"

# -- faults in between: the same names, whatever the ids look like --
for kind in rand prefix time; do
    start_replay --ids "$kind" --count 5000 --framing mixed --short-pages 0.5
    ids >"$work/wanted"
    tell rules "$sprinkled" >/dev/null
    mount_hub ReplayHub
    same_names "F07-F13 F35 ids $kind" "$work/wanted"
    tell log >"$work/log"
    for action in status reset truncate json emptyPage; do
        check "$kind: a page with $action was met" grep -q "\"rule\":\"$action\"" "$work/log"
    done
    unmount
    stop_replay
done

# -- changes and deletions while it is mounted --
start_replay --count 5000
ids >"$work/wanted"
gone=$(sed -n 100p "$work/wanted") changed=$(sed -n 200p "$work/wanted")
mount_hub ReplayHub --cache-ttl=1
same_names "before the changes" "$work/wanted"
tell change "{\"update\":[\"$changed\"],\"insert\":[\"zz-new\"],\"delete\":[\"$gone\"]}" >/dev/null
check "F38 a new instance appears" until_true 15 is_listed zz-new
check "F38 a changed one moves" until_true 15 test -d "$M/by-status/Failed/$changed"
check "F38 its status says so" grep -q "RuntimeStatus:.Failed" "$M/instances/$changed/status"
check "F38 a deleted one goes" until_true 90 is_gone "$gone"
refuse "F38 and is not found" cat "$M/instances/$gone/status"
{ grep -vx -- "$gone" "$work/wanted"; echo zz-new; } | sort >"$work/wanted.now"
same_names "after the changes" "$work/wanted.now"
unmount

# -- what must end in an error --
tell rules "[{\"match\":{\"path\":\"$pages\"},\"do\":{\"action\":\"selfToken\"}}]" >/dev/null
# Alone, the walk has to follow the token; several may split a range instead of following it, and then
# come to the end after all.
mount_hub ReplayHub
if names >"$work/names" 2>"$work/names.err" && [ ! -s "$work/names.err" ]; then
    equal "F36 no error, so all names" "$(md5sum <"$work/names")" "$(md5sum <"$work/wanted.now")"
else
    check "F36 else the reason is told" grep -q "circles\|order of their keys" "$M/.taskhubfs/errors"
fi
unmount
mount_hub ReplayHub --connections=1
refuse "F36 a token that points to itself is no silent end" ls -f "$M/instances"
check "F36 the reason is told" grep -q "circles\|order of their keys" "$M/.taskhubfs/errors"
unmount

tell rules "[{\"match\":{\"path\":\"$pages\"},\"do\":{\"action\":\"html\"}}]" >/dev/null
mount_hub ReplayHub
refuse "F24 a portal's page is no empty list" ls -f "$M/instances"
check "F24 the reason is told" grep -q "not an Azure Storage answer" "$M/.taskhubfs/errors"
tell rules "[]" >/dev/null
check "F24 the hub is back when the service is" until_true 15 is_listed zz-new
unmount

# -- removals from one directory --
stop_replay
start_replay --count 200 --history 3 --latency 100
mount_hub ReplayHub
tell ids | awk '$2 == "Completed" { print $1 }' >"$work/done"
ls "$M/by-status/Completed" >/dev/null
tell log clear >/dev/null
check "eight at once" bash -c "head -8 '$work/done' | sed 's|^|$M/by-status/Completed/|' | xargs -n 1 -P 8 rm -r"
peak=$(tell stats | sed 's/.*"peakBusy":\([0-9]*\).*/\1/')
echo "requests in flight at once: $peak"
check "they go side by side" test "$peak" -ge 3
check "a name in the working directory" bash -c "cd '$M/by-status/Completed' && rmdir $(sed -n 9p "$work/done")"
check "by an absolute path from within" bash -c "cd '$M/by-status/Completed' && rmdir '$M/instances/$(sed -n 10p "$work/done")'"
for id in $(head -10 "$work/done"); do
    refuse "gone: $id" test -e "$M/by-status/Completed/$id"
    refuse "everywhere: $id" test -e "$M/instances/$id"
done
# The same one, through two views and twice in each: one of them did it.
same=$(sed -n 12p "$work/done")
tell log clear >/dev/null
check "asked four times at once" bash -c "printf '%s\n' by-status/Completed instances by-status/Completed instances |
    xargs -P 4 -I{} sh -c 'rmdir $M/{}/$same 2>>$work/refusals && echo done >>$work/removed; true'"
equal "one removed it" "$(cat "$work/removed")" "done"
# Their lines may run into each other.
equal "three were told that it is gone" "$(grep -o 'No such file' "$work/refusals" | wc -l)" 3
asked=$(tell stats | sed 's/.*"requests":\([0-9]*\).*/\1/')
check "one purge and a look of each ($asked requests)" test "$asked" -le 10
tell ids | awk '$2 == "Running" { print $1 }' >"$work/running"
refuse "EBUSY comes back from a detour" rmdir "$M/instances/$(head -1 "$work/running")"
check "with its reason" grep -q "only finished ones\|not finished\|is Running" "$M/.taskhubfs/errors"
check "and it stays" test -e "$M/instances/$(head -1 "$work/running")/status"
kept=$(sed -n 11p "$work/done")
bash -c "exec rmdir '$M/by-status/Completed/$kept'" & killed=$!
until_true 5 bash -c "[ \"\$(cat /proc/$killed/comm 2>/dev/null)\" = rmdir ] || ! kill -0 $killed 2>/dev/null"
kill -9 $killed
wait $killed 2>/dev/null
check "who was killed on the way may try again" bash -c "[ ! -e '$M/by-status/Completed/$kept' ] || rmdir '$M/by-status/Completed/$kept'"
refuse "and then it is gone" test -e "$M/by-status/Completed/$kept"
unmount

# -- a service that fails nearly every second request: more than the retry budget pays for (L9) --
stop_replay
start_replay --count 3000 --history 30
tell ids | awk '$2 == "Completed" { print $1 }' >"$work/done"
failing() { # SEED
    local where="\"match\":{\"probability\":0.2,\"seed\":$1"
    printf '[%s,%s,%s]' \
        "{${where}1},\"when\":\"before\",\"do\":{\"action\":\"status\",\"code\":503}}" \
        "{${where}2},\"when\":\"before\",\"do\":{\"action\":\"reset\",\"at\":\"first\"}}" \
        "{${where}3},\"do\":{\"action\":\"reset\",\"at\":\"body\"}}"
}
in_stats() { # sum of what is called so
    grep -o "\"$1\": *[0-9]*" "$M/.taskhubfs/stats" | awk '{ n += $NF } END { print n + 0 }'
}
purge_four() { # FILE OF IDS; those that are said to be gone are added to the file told
    # shellcheck disable=SC2016
    xargs -n 1 -P 4 sh -c 'rmdir "$0/instances/$2" && echo "$2" >>"$1"' "$M" "$work/told" <"$1" 2>/dev/null
}
stored() { # those IDs of a FILE whose row the server still has
    node -e 'const [url, file] = process.argv.slice(1);
        for (const id of require("fs").readFileSync(file, "utf8").split("\n").filter(Boolean))
            fetch(`${url}/replay/ReplayHubInstances(PartitionKey=%27${id}%27,RowKey=%27%27)?sig=x`)
                .then((r) => r.status === 404 || console.log(r.status === 200 ? id : `${id}: HTTP ${r.status}`))' "$REPLAY" "$1"
}
complete=0 purged=0
: >"$work/told"
ids >"$work/wanted"
for seed in 1 2 3 4 5 6; do
    sed -n "$((seed * 4 + 1)),$((seed * 4 + 4))p" "$work/done" >"$work/four"
    mount_hub ReplayHub
    tell rules "$(failing "$seed")" >/dev/null
    if names >"$work/names" 2>"$work/names.err" && [ ! -s "$work/names.err" ]; then
        complete=$((complete + 1))
        equal "seed $seed: no error, so all names" "$(md5sum <"$work/names")" "$(md5sum <"$work/wanted")"
    fi
    purge_four "$work/four"
    requests=$(($(in_stats table) + $(in_stats blob)))
    check "L9 seed $seed: $(in_stats retries) retries for $requests requests" \
        test "$(in_stats retries)" -le $((requests / 10 + 20))
    tell rules "[]" >/dev/null
    stored "$work/four" >"$work/rest"
    purged=$((purged + 4 - $(wc -l <"$work/rest")))
    equal "seed $seed: who was told so is gone" "$(grep -xFf "$work/told" "$work/rest")" ""
    # What failed halfway is a whole instance to whoever tries again.
    [ ! -s "$work/rest" ] || check "seed $seed: the rest is purged" purge_four "$work/rest"
    equal "seed $seed: none of them is left" "$(stored "$work/four")" ""
    grep -vxFf "$work/four" "$work/wanted" >"$work/wanted.now"
    mv "$work/wanted.now" "$work/wanted"
    unmount
done
echo "of 6 listings $complete were complete, of 24 purges $purged were done at once"
finish
