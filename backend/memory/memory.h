/* memory: a task hub in RAM: the demo, and the stand-in for tests.
 * The second implementation of struct hub_ops: same contracts, no network, nothing kept after
 * close. Ownership: memory_open gives a hub that hub_close frees. Threads: one lock (RANK_HUB)
 * guards it all; nothing blocks. */
#ifndef BACKEND_MEMORY_MEMORY_H
#define BACKEND_MEMORY_MEMORY_H

#include "backend/registry.h"

#define MEMORY_HUB     "Demo"
#define MEMORY_ACCOUNT "memory"

/* The demo: a seeded hub of about 200 instances in every state, with a simulator that acts on
 * commands and lets time pass (simulator.h). config may be NULL. */
MUST_CHECK enum err memory_open(const struct config *config, const struct hub_settings *settings,
                                struct call *call, struct hub **ret);

/* There is one. config may be NULL. */
MUST_CHECK enum err memory_discover(const struct config *config,
                                    const struct hub_settings *settings, struct call *call,
                                    registry_emit emit, void *ctx);

/* For tests: an empty hub without a simulator: commands are stored as sent and change nothing by
 * themselves. */
MUST_CHECK enum err memory_open_empty(struct call *call, struct hub **ret);

#endif
