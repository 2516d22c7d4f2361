/* target: what of a URL may be told: scheme, host and port, never the query, which may be a
 * signature. Knows URLs as text; the URL itself is the provider's, already encoded. Ownership:
 * values. Threads: any. */
#ifndef BACKEND_NET_TARGET_H
#define BACKEND_NET_TARGET_H

#include "backend/base/str.h"

struct target {
    char place[300]; /* "host:port", for sentences */
    char path[200];  /* from the first '/', cut before '?', for sentences */
    bool loopback;   /* never through a proxy */
};

/* False for anything but http:// or https:// with a host. */
bool target_parse(struct str url, struct target *ret);

#endif
