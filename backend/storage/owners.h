/* owners: who works on the partitions of a hub, and whether an app holds the hub at all.
 * Read only. The table manager writes rows, the two blob managers lease blobs; a hub that was moved
 * from one to the other has both, and then whoever holds something now is believed (storage
 * messages 6). Moments are compared on the service's clock, not on ours.
 * Knows leases; not queues' lengths.
 * Ownership: a plain value, to be had from the heap (about 40 KiB). Threads: private. */
#ifndef BACKEND_STORAGE_OWNERS_H
#define BACKEND_STORAGE_OWNERS_H

#include "backend/storage/blobs.h"
#include "backend/storage/partition.h"

#define OWNERS_MAX     100 /* indexes that a queue's name can have */
#define OWNER_NAME_MAX 160 /* a machine's name, or {stamp}:{role instance} */

enum owner_state {
    OWNER_UNTOLD,   /* nothing is written of this partition */
    OWNER_FREE,     /* nobody, or a claim that ran out */
    OWNER_HELD,     /* by current */
    OWNER_DRAINING, /* by current, who finishes what is under way and lets go */
    OWNER_HANDOVER, /* on its way from current ("" = let go already) to next */
};
const char *owner_state_name(enum owner_state s);

struct owner {
    enum owner_state state;
    char current[OWNER_NAME_MAX], next[OWNER_NAME_MAX];
    ticks renewed; /* TICKS_NONE = not told (leases do not say) */
};

struct owners {
    struct owner partitions[OWNERS_MAX];
    char app_lease[LEASE_STATE_MAX]; /* of the container; "" = there is none */
    char app_owner[OWNER_NAME_MAX];  /* the lease id of the app; "" = not told */
};

/* One request for the table (if the hub has one), one for the leases, one for the app lease; and
 * one for each leased blob, whose content names who holds it. */
MUST_CHECK enum err owners_read(struct storage *s, struct call *call, struct owners *ret);

/* Does a worker hold the app lease or a partition? */
bool owners_alive(const struct owners *o);
/* The first partition that is held, -1: none. */
int owners_first_held(const struct owners *o);

/* -- the table's part, as a function of what it says (tests) -- */
MUST_CHECK enum err owners_read_page(struct owners *o, struct str page, struct str hub, ticks now);

#endif
