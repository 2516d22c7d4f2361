/* recorded: histories of the genuine engine (tests/data/genuine-hub) as the provider gives them.
 * Ownership: the caller unrefs the history; the row's texts lie in its arena.
 * Threads: the test's own. */
#ifndef TESTS_FS_RECORDED_H
#define TESTS_FS_RECORDED_H

#include "backend/history.h"

/* The instance of that id at a stage: "5-final", "3-first-run"; exits with a message if there is
 * none. */
struct history *recorded_history(const char *stage, const char *id, struct row *ret_row);

/* The instances that docs/pictures/ shows, and the moment at which unfinished ones were drawn. */
struct recorded_picture {
    const char *name, *stage, *id;
};
#define RECORDED_PICTURES 10
extern const struct recorded_picture recorded_pictures[RECORDED_PICTURES];
#define RECORDED_NOW STR("2026-11-26T09:30:00Z")

#endif
