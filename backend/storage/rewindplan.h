/* rewindplan: what a rewind has to change, read completely before anything is written: the tree of
 * failed instances and, for each, the history rows to mark (storage messages 4.7, storage tables
 * 11.2).
 * Knows history rows and which of them a rewind marks; writes nothing.
 * Ownership: the plan owns its texts (arena) and instances; rewind_plan_fini frees.
 * Threads: private to one. */
#ifndef BACKEND_STORAGE_REWINDPLAN_H
#define BACKEND_STORAGE_REWINDPLAN_H

#include "backend/storage/wire.h"

/* One history row to be marked. */
struct rewind_edit {
    struct str row_key, etag;
    struct str reason; /* "Rewound: {its type before}" */
    bool keep_type;    /* a created sub-orchestration keeps its EventType */
};

/* One instance of the tree. */
struct rewind_node {
    struct instance *in;       /* its row, with ETag; a reference */
    struct str execution_id;   /* of the sentinel: rows of any other are left alone (vector 128) */
    bool rewound;              /* by an earlier rewind that was cut off: nothing to mark */
    bool has_children;         /* failed sub-orchestrations: they wake it when they end */
    struct rewind_edit *edits; /* in the order in which they are to be written */
    size_t count, cap;
};

struct rewind_plan {
    struct arena arena;
    struct rewind_node *nodes; /* parents before children; [0] is the root */
    size_t count, cap;
    size_t edits; /* of all nodes */
};

/* Reads only. On failure the plan is to be finished all the same.
 * ERR_WRONG_STATE: a sub-orchestration is gone or did not fail, or a history row is missing;
 * ERR_BUSY: a history changed while it was read; ERR_TOO_BIG: more than rewind.h allows. */
MUST_CHECK enum err rewind_plan_read(struct rewind_plan *plan, struct storage *s, struct call *call,
                                     const struct instance *root);
void rewind_plan_fini(struct rewind_plan *plan);

#endif
