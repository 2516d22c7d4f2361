#!/bin/bash
# Walks over many instances cost pages, not one request an instance; what is no walk reads nothing ahead.
. "$(dirname "$0")/lib.sh"
need_fuse

requests() { tell stats | sed 's/.*"requests":\([0-9]*\).*/\1/'; }
# A slow machine renews the listing meanwhile: a few requests each time.
at_most() { # NAME MOST
    local n
    n=$(requests)
    echo "$1: $n requests"
    check "$1: at most $2 requests" test "$n" -le "$2"
    tell log "{}" >/dev/null
}
fresh() { # a cold mount
    unmount
    mount_hub ReplayHub
    tell log "{}" >/dev/null
}

count=5000 history=10
start_replay --count $count --history $history
tell ids >"$work/ids"
failed_ids=$(awk -F'\t' '$2 == "Failed"' "$work/ids" | wc -l)
renewals=30

# -- a walk --
fresh
grep -rl MARK --include=output "$M/instances" >"$work/found"
equal "grep finds every mark" "$(wc -l <"$work/found")" "$failed_ids"
at_most "grep of outputs" $((count / 1000 * 12 / 10 + 50 + renewals))
read_ahead=$(stat_of cache.readAhead)
check "rows were read ahead" test "$read_ahead" -ge $((count - 10))
equal "none for nothing" "$(stat_of cache.readAheadUsed)" "$read_ahead"

# -- with histories --
fresh
ls "$M/instances" >/dev/null # its size is known from now on, which tar compares
tar cf "$work/tar" -C "$M" --exclude=timeline* --exclude=wait instances 2>"$work/err"
equal "tar says nothing" "$(cat "$work/err")" ""
at_most "tar" $((count * (history + 1) / 1000 * 12 / 10 + 50 + 2 * renewals))
equal "tar has all histories" "$(tar tf "$work/tar" | grep -c /history$)" $count
id=$(sed -n 2500p "$work/ids" | cut -f1)
check "one of them is right" bash -c "tar xOf '$work/tar' 'instances/$id/history' | cmp - '$M/instances/$id/history'"
rm -f "$work/tar"

# -- part of it, and several at once --
fresh
equal "grep in by-status" "$(grep -rl MARK --include=output "$M/by-status/Failed" | wc -l)" "$failed_ids"
at_most "grep of by-status/Failed" $((failed_ids / 4 + renewals))
fresh
# shellcheck disable=SC2016
cut -f1 "$work/ids" | xargs -n 50 -P 4 bash -c 'cd "$0/instances" && for i; do cat "$i/output" 2>/dev/null; done' "$M" |
    grep -c MARK >"$work/found"
equal "names from elsewhere, four at once" "$(cat "$work/found")" "$failed_ids"
fresh
ls "$M/instances" >/dev/null
# shellcheck disable=SC2016
cut -f1 "$work/ids" | xargs -n 50 -P 4 bash -c 'cd "$0/instances" && cat $(printf "%s/input " "$@")' "$M" >"$work/found"
equal "four at once, listed" "$(wc -l <"$work/found")" $count
at_most "four at once" $((count / 10 + renewals))

# -- what is no walk --
fresh
check "cat" cat "$M/instances/$id/output" "$M/instances/$id/history"
equal "one row, one history" "$(requests)" 2
tell log "{}" >/dev/null
check "names" bash -c "find '$M/instances' -maxdepth 2 | wc -l"
check "times" bash -c "find '$M/instances' -maxdepth 1 -newermt 2024-03-02 | wc -l"
check "statuses" bash -c "grep -rl Failed --include=status '$M/instances' | wc -l"
at_most "names, times, statuses" $((count / 1000 + 50 + 2 * renewals))
equal "nothing was read ahead" "$(stat_of cache.readAhead)" 0

# -- when the service spoils it --
fresh
tell rules '[{"match":{"path":"ReplayHubInstances\\(\\)\\?.*PartitionKey%20le","every":1},"do":{"action":"status","code":403}},
             {"match":{"path":"ReplayHubInstances\\(\\)\\?.*PartitionKey le","every":1},"do":{"action":"status","code":403}}]' >/dev/null
equal "without windows everything is found" "$(grep -rl MARK --include=output "$M/instances" | wc -l)" "$failed_ids"
tell rules "[]" >/dev/null
unmount
finish
