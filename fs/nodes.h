/* nodes: inode numbers taken apart and put together, and the table of those that the kernel holds.
 * A number is view (4 bits), kind (12), hub (10), index (38); 1 is the root. The hub is 0 where
 * there is only one; else each tree of the mount gives out numbers of its own hub (forest.h). All
 * files and views of an instance share its index, so a held instance costs one entry, however many
 * of its files are known. Knows indexes and texts (the id of an instance, the name of a group); not
 * what they mean. Ownership: nodes_init/nodes_fini. Texts come as references. Threads: any; one
 * lock inside (RANK_INODES). */
#ifndef FS_NODES_H
#define FS_NODES_H

#include "backend/base/lock.h"
#include "backend/base/text.h"
#include "fs/filedef.h"

#define NODE_INDEX_BITS                                                                            \
    38 /* slots have 32; names of groups share the rest without meeting often                      \
        */
#define NODE_HUB_BITS   10
#define NODE_HUB_MAX    ((1u << NODE_HUB_BITS) - 1)
#define NODE_INDEX_MASK ((UINT64_C(1) << NODE_INDEX_BITS) - 1)
#define NODE_KIND_MAX   4096

node node_pack(unsigned view, unsigned kind, uint64_t index); /* of hub 0 */
node node_beside(node other, node n);                         /* n in the hub of the other */
node node_root_of(unsigned hub);
bool node_is_root(node n); /* of any hub */
unsigned node_hub(node n);
unsigned node_view(node n);
unsigned node_kind(node n);
uint64_t node_index(node n);

struct nodes {
    struct lock lock;
    struct bin *bins; /* L: open addressing */
    size_t cap, used; /* L: bins */
    size_t held;      /* L: indexes */
};

void nodes_init(struct nodes *n);
void nodes_fini(struct nodes *n);
/* Counts up; the first one keeps a copy of the text. ERR_BUSY: the index is held for another text.
 * SPACE_NONE is never kept. marks are added to those it has: what of it the kernel may know. */
MUST_CHECK enum err nodes_hold_marked(struct nodes *n, enum node_space space, uint64_t index,
                                      struct str text, unsigned marks);
static inline MUST_CHECK enum err nodes_hold(struct nodes *n, enum node_space space, uint64_t index,
                                             struct str text)
{
    return nodes_hold_marked(n, space, index, text, 0);
}
/* Finds the index of a group (folder_number or one behind it) and holds it. */
MUST_CHECK enum err nodes_hold_folder(struct nodes *n, struct str text, uint64_t *ret);
/* The index that the group is held with; false: it is not. */
bool nodes_find_folder(struct nodes *n, struct str text, uint64_t *ret);
void nodes_forget(struct nodes *n, enum node_space space, uint64_t index, uint64_t count);
struct text *nodes_text(struct nodes *n, enum node_space space,
                        uint64_t index); /* NULL: not held */
/* 0: nothing of it was told. An instance: a bit for each view that its directory (low four) or
 * something in it (next four) was told in. */
unsigned nodes_marks(struct nodes *n, enum node_space space, uint64_t index);
#define NODE_MARK(view)        (1u << (view))
#define NODE_MARK_INSIDE(view) (1u << (4 + (view)))
/* An instance's directory was told with a name to be believed until then (clock_now_ms). */
void nodes_told(struct nodes *n, uint64_t slot, int64_t until_ms);
/* Is the slot held, and its name not believed any more at that moment? For who may as well tell it
 * again: in a view in which it was not told, or after half a day, the answer may be wrong. */
bool nodes_is_due(struct nodes *n, uint64_t slot, int64_t at_ms);
/* Every slot that is held now: an array to be freed; NULL and 0 also without memory. */
uint64_t *nodes_held_slots(struct nodes *n, size_t *ret_count);
size_t nodes_count(struct nodes *n);

#endif
