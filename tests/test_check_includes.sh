#!/bin/sh
# scripts/check-includes must name every forbidden edge of a small tree, and nothing else.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

mkdir -p "$tree/scripts" "$tree/backend/base" "$tree/backend/net" "$tree/backend/storage" \
    "$tree/backend/memory" "$tree/fs" "$tree/tests/fs"
cp "$top/scripts/rooms.txt" "$tree/scripts"

put() { # FILE INCLUDE...
    file=$tree/$1
    shift
    for header; do printf '#include %s\n' "$header"; done >"$file"
}
put backend/base/json.c '<cjson/cJSON.h>' '<stdio.h>' '"backend/base/json.h"'
put backend/base/buf.c '<cjson/cJSON.h>' '"backend/hub.h"' '"buf.h"'
put backend/net/http.c '<curl/curl.h>' '"backend/base/buf.h"' '"backend/hub.h"'
put backend/storage/rows.c '"backend/net/http.h"' '"backend/net/pool.h"' '"backend/memory/memory.h"'
put backend/registry.c '"backend/storage/provider.h"' '"backend/storage/rows.h"'
put backend/hub.c '"backend/storage/storage.h"' '<backend/net/http.h>'
put fs/fuse_ops.c '<fuse_lowlevel.h>' '"backend/hub.h"' '"backend/base/json.h"'
put fs/tree.c '<fuse_lowlevel.h>' '"backend/catalogue.h"' '"backend/net/http.h"'
put tests/fs/test_tree.c '<cmocka.h>' '"fs/tree.h"' '"backend/memory/memory.h"'

cat >"$tree/expected" <<'EOF'
backend/base/buf.c:1: may not include cjson/cJSON.h
backend/base/buf.c:2: may not include backend/hub.h
backend/base/buf.c:3: may not include buf.h
backend/hub.c:1: may not include backend/storage/storage.h
backend/hub.c:2: may not include backend/net/http.h
backend/net/http.c:3: may not include backend/hub.h
backend/registry.c:2: may not include backend/storage/rows.h
backend/storage/rows.c:2: may not include backend/net/pool.h
backend/storage/rows.c:3: may not include backend/memory/memory.h
fs/fuse_ops.c:3: may not include backend/base/json.h
fs/tree.c:1: may not include fuse_lowlevel.h
fs/tree.c:3: may not include backend/net/http.h
EOF

if "$top/scripts/check-includes" "$tree" >"$tree/found"; then
    echo "forbidden edges were accepted"
    exit 1
fi
diff -u "$tree/expected" "$tree/found"
