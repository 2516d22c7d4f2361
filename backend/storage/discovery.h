/* discovery: which task hubs an account holds, told from its tables (storage tables 1.2).
 * A hub is a name N for which NInstances and NHistory exist. Names are compared ignoring case, as
 * the service does; the spelling of the tables is kept, because the emulator's addresses need it.
 * Ownership: fills the storage. Threads: while opening. */
#ifndef BACKEND_STORAGE_DISCOVERY_H
#define BACKEND_STORAGE_DISCOVERY_H

#include "backend/storage/storage.h"

/* Finds the hub and sets names and tables of s. One request for 1000 tables. ERR_NOT_FOUND: the
 * sentence lists the hubs that are there, likest names first. */
MUST_CHECK enum err discovery_find(struct storage *s, struct call *call, struct str hub);

/* Every table of the account, as it is spelt. name is borrowed for the callback. */
typedef enum err (*discovery_table)(void *ctx, struct str name);
MUST_CHECK enum err discovery_tables(struct storage *s, struct call *call, discovery_table emit,
                                     void *ctx);

/* Every hub of the account (of three characters or more, as the engine has them), in the order of
 * its tables. */
MUST_CHECK enum err discovery_all(struct storage *s, struct call *call, registry_emit emit,
                                  void *ctx);

/* The name in lower case, of which queues and containers are made, and the names of the tables as
 * they would be spelt. False: it is too long. */
bool discovery_set_names(struct storage *s, struct str hub);

/* The hubs among table names; exposed for vectors. Emits the spelling of the Instances table. */
typedef void (*discovery_emit)(void *ctx, struct str hub, struct str instances, struct str history);
MUST_CHECK enum err discovery_hubs(const struct str *tables, size_t n, discovery_emit emit,
                                   void *ctx);

/* How unlike two names are, ignoring case: insertions, deletions, exchanges. */
unsigned discovery_distance(struct str a, struct str b);

#endif
