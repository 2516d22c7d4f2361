#!/bin/bash
# What shells write: refused with a status and nothing in any queue, or exactly one message with the
# same bytes (B16-B21; faults and limits R1).
. "$(dirname "$0")/lib.sh"
need_fuse
need_node
start_azurite
node "$tools/fill.js" WriteHub 8 --statuses Running
mount_hub WriteHub
E=$M/instances/order-000001/events

bad=('hello' '{a:1}' "'x'" '007' '+1' '.5' 'NaN' 'Infinity' '-Infinity' $'"a\tb"' $'"\xff"' $'\xef\xbb\xbf{}' '{} {}'
    '1 2' '{}x' '[1,]' '{"a":1,}' 'nul' '"\x"' '"\ud8"' '[1 2]' 'True' '01' '-01' '1e' '1.x')
for sh in bash dash; do
    for text in "${bad[@]}"; do
        refuse "B16-B20 $sh refuses $text" $sh -c 'printf "%s\n" "$1" > "$2"' - "$text" "$E/Bad"
    done
done
equal "nothing was sent" "$(ask WriteHub count)" 0
check "the reason names byte and place" grep -q 'byte' "$M/.taskhubfs/errors"

good=('{"ok":true}' '"x"' '[1,2]' '12345678901234567890' '1.0' '1e400' '{"a":1,"a":2}' '"\u0000"' '"\ud800"' 'null' 'true'
    '  {"a" : 1 }  ' '"世 🌍"' '-0' '1.50' '{"$type":"x"}')
n=0
for sh in bash dash; do
    for text in "${good[@]}"; do
        n=$((n + 1))
        check "B19-B21 $sh sends $text" $sh -c 'printf "%s\n" "$1" > "$2"' - "$text" "$E/Good$n"
    done
done
ask WriteHub messages >"$work/messages"
equal "one message each" "$(ask WriteHub count)" $n
python3 - "$work/messages" <<'P' || failed=$((failed + 1))
import json, sys
rows = [json.loads(l) for l in open(sys.argv[1])]
names = [r["Name"] for r in rows]
assert len(set(names)) == len(names), "a name came twice"
assert all(r["$type"].endswith("EventRaisedEvent") and r["id"] == "order-000001" for r in rows)
P
for text in '{"a" : 1 }' '1e400' '{"a":1,"a":2}' '"\ud800"'; do
    check "bytes unchanged: $text" python3 -c 'import json,sys
assert any(json.loads(l)["Input"] == sys.argv[2] for l in open(sys.argv[1]))' "$work/messages" "$text"
done
ask WriteHub clear

# Cut off at close: nothing is sent, and the errors say so although the shell does not.
for text in '{"a":' '1.' '"abc' '[1,'; do
    bash -c 'printf "%s" "$1" > "$2"' - "$text" "$E/Cut" 2>/dev/null
done
equal "B17 unfinished values send nothing" "$(ask WriteHub count)" 0
check "and are told" bash -c "grep -c 'events/Cut' '$M/.taskhubfs/errors' | grep -qE '[1-4]'"

check "a bare number without newline is sent at close" bash -c "printf 42 > '$E/Number'"
equal "once" "$(ask WriteHub count)" 1
ask WriteHub clear
check "a lone newline is null" bash -c "echo > '$E/Null'"
equal "text null" "$(ask WriteHub messages | python3 -c 'import json,sys; print(json.loads(sys.stdin.readline())["Input"])')" null
ask WriteHub clear
check "touch does nothing" touch "$M/instances/order-000002/terminate"
check ": > does nothing" bash -c ": > '$M/instances/order-000002/terminate'"
equal "nothing sent" "$(ask WriteHub count)" 0
refuse "two values in one write" bash -c "printf '1 2\n' > '$E/Two'"
refuse "a second value after the first" bash -c "{ echo '{}'; echo '{}'; } > '$E/Twice'"
equal "only the first of them" "$(ask WriteHub count)" 1
ask WriteHub clear

python3 -c 'print("\"" + "x" * 200000 + "\"")' >"$work/large"
check "B24 a large value goes through a blob" cp "$work/large" "$E/Large"
check "its blob" bash -c "node '$tools/ask.js' WriteHub blobs order-000001/ | grep -q 'message-.*-EventRaised.json.gz'"
equal "one wrapper" "$(ask WriteHub count)" 1
ask WriteHub clear
python3 -c 'print("\"" + "y" * 30000 + "\"")' >"$work/middle"
check "B24 many small writes, one value" bash -c "while IFS= read -r -N 4096 part; do printf %s \"\$part\"; done <'$work/middle' >'$E/Pieces'; true"
check "dd in pieces" dd if="$work/middle" of="$E/Pieces2" bs=1000 conv=notrunc status=none
check "at least one of them is whole" bash -c "[ \$(node '$tools/ask.js' WriteHub count) -ge 1 ]"
ask WriteHub clear

check "terminate" bash -c "echo 'because of \"x\"' > '$M/instances/order-000003/terminate'"
equal "its reason" "$(ask WriteHub messages | python3 -c 'import json,sys; m=json.loads(sys.stdin.readline()); print(m["$type"].split(".")[-1], m["Input"])')" 'ExecutionTerminatedEvent because of "x"'
ask WriteHub clear
refuse "B26 NUL in a reason" bash -c "printf 'a\0b\n' > '$M/instances/order-000003/terminate'"
refuse "B26 a reason above 4096 bytes" bash -c "head -c 5000 /dev/zero | tr '\0' x | dd of='$M/instances/order-000003/terminate' bs=5000 iflag=fullblock conv=notrunc status=none"
equal "nothing sent" "$(ask WriteHub count)" 0

# B28: the state is read afresh.
ask WriteHub status order-000004 Completed
refuse "B28 an event to a finished instance" bash -c "echo '{}' > '$M/instances/order-000004/events/Approve'"
refuse "B28 terminate of a finished instance" bash -c "echo x > '$M/instances/order-000004/terminate'"
refuse "an instance that is not there" bash -c "echo '{}' > '$M/instances/nobody/events/Approve'"
equal "nothing sent" "$(ask WriteHub count)" 0

# B12: scratch names of editors.
for name in .Approve.swp 4913 'Approve~' sedAbCdEf; do
    refuse "B12 $name" bash -c "echo '{}' > '$E/$name'"
done
unmount
mount_hub -o ro WriteHub
refuse "read-only" bash -c "echo '{}' > '$E/Approve'"
equal "nothing sent at all" "$(ask WriteHub count)" 0
finish
