/* intern: one copy, and a small number, for each orchestrator name, version and unknown status of
 * the process: a million rows name a few dozen orchestrators.
 * Ownership: a string lives to the end of the process.
 * Threads: any. Bounded: beyond INTERN_MAX strings intern gives 0 (the empty text) and the block
 * keeps its own copy. */
#ifndef BACKEND_INTERN_H
#define BACKEND_INTERN_H

#include "backend/base/str.h"

#define INTERN_MAX 65536 /* distinct texts; more than any hub has functions */

uint32_t intern(struct str s); /* 0 for "" and when the table is full (intern_full says which) */
struct str intern_str(uint32_t n);
bool intern_full(void);

#endif
