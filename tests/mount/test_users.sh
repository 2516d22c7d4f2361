#!/bin/bash
# An ordinary user mounts and works; root without a terminal never meets a permission or a question.
# Where the device is open to root alone, the test goes on in a mount namespace of its own with a device
# of the usual mode.
if [ "$(id -u)" -eq 0 ] && [ -e /dev/fuse ] && [ "$(stat -c %a /dev/fuse)" != 666 ] && [ -z "${OWN_DEVICE:-}" ]; then
    OWN_DEVICE=$(mktemp -d)
    export OWN_DEVICE
    # shellcheck disable=SC2016
    unshare -m bash -c 'mount -t tmpfs -o dev,mode=755 none "$OWN_DEVICE" && mknod -m 666 "$OWN_DEVICE/fuse" c 10 229 &&
        mount --bind "$OWN_DEVICE/fuse" /dev/fuse && exec bash "$0"' "$0"
    status=$?
    rmdir "$OWN_DEVICE"
    exit $status
fi
. "$(dirname "$0")/lib.sh"
need_fuse
need_node
[ "$(id -u)" -eq 0 ] || skip "needs root to become another user"
[ "$(stat -c %a /dev/fuse)" = 666 ] || skip "/dev/fuse is not open to ordinary users (mode $(stat -c %a /dev/fuse))"
start_azurite # exports AzureWebJobsStorage
: "${AzureWebJobsStorage:?}"
node "$tools/fill.js" UserHub 40 --history 1 --statuses Completed
chmod 755 "$work"
# The checkout may lie where ordinary users cannot look.
install -m 755 "$TASKHUBFS" "$work/taskhubfs"
TASKHUBFS=$work/taskhubfs
chown nobody "$M"
as() { setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps=-all env HOME=/tmp AzureWebJobsStorage="$AzureWebJobsStorage" "$@"; }

check "an ordinary user mounts" as "$TASKHUBFS" UserHub "$M"
check "and reads" as cat "$M/instances/order-000001/status"
refuse "root does not enter" ls "$M/instances"
check "purges" as rm -r "$M/instances/order-000001"
check "at a terminal without a question" as script -qec "rm -r '$M/instances/order-000002'" /dev/null
equal "two purged" "$(ask UserHub rows)" 38
check "owner" bash -c "[ \"\$(setpriv --reuid=nobody --regid=nogroup --clear-groups stat -c %U '$M/instances/order-000003')\" = nobody ]"
umount "$M"
sleep 0.3

chown root "$M"
mount_hub UserHub
check "root, no terminal: rm -r" bash -c "rm -r '$M/instances/order-000003' </dev/null"
check "cp -r" cp -r "$M/instances/order-000004" "$work/copy"
unmount
mount_hub --allow-other UserHub
check "allow_other: reading" as cat "$M/instances/order-000005/status"
refuse "allow_other: not writing" as sh -c "echo x > $M/instances/order-000005/restart"
refuse "allow_other: not purging" as rm -rf "$M/instances/order-000005"
check "there" test -d "$M/instances/order-000005"
finish
