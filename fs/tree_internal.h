/* tree_internal: what the files behind tree.h share: the tree itself, and a node taken apart.
 * Private to the files of this room that make up the tree.
 * Ownership: a place holds a reference to its text until place_fini; a subject holds its row until
 * subject_fini. Threads: as tree.h. Field letters: I fixed at tree_new, L under that lock, A
 * atomic. */
#ifndef FS_TREE_INTERNAL_H
#define FS_TREE_INTERNAL_H

#include <stdatomic.h>

#include "backend/base/limits.h"
#include "backend/base/map.h"
#include "fs/folders.h"
#include "fs/kinds.h"
#include "fs/nodes.h"

#define STALE_SINGLY_MAX 16   /* so many old rows are asked for one by one, then the listing is */
#define MEMO_MAX         8192 /* remembered restarts, shortened names: a burst of them, not a hub */

/* memo: text -> text, bounded: when full it forgets everything. */
struct memo {
    struct lock lock;
    struct map map; /* L: struct text * */
};
void memo_init(struct memo *m);
void memo_fini(struct memo *m);
MUST_CHECK enum err memo_put(struct memo *m, struct str key, struct str value);
struct text *memo_get(struct memo *m, struct str key); /* a reference, or NULL */
void memo_clear(struct memo *m);

/* sizes: how many entries the view directories have, as the listing at hand says. */
#define SIZES_MAX 8 /* directories that consist of groups: five in dirs.h */
struct sizes {
    struct lock lock;
    struct sizes_row {
        const struct dir_def *dir;
        const struct listing *of; /* compared only, never followed */
        int64_t as_of_ms;
        struct folders folders;
    } rows[SIZES_MAX];          /* L */
    const struct listing *seen; /* L: compared only */
    uint64_t seen_count;        /* L */
    ticks changed;              /* L: when the listing was last seen to change */
};

struct tree {
    struct tree_settings settings; /* I */
    struct catalogue *catalogue;   /* I */
    struct kinds kinds;            /* I */
    ticks mounted;                 /* I */
    struct nodes nodes;
    struct sizes sizes;
    struct memo restarts;                    /* id -> id that its last restart started */
    struct memo shortened;                   /* file name with a hash -> id */
    atomic_uint_fast64_t messages, versions; /* A: last number given */
    atomic_int_fast64_t stale_since_ms;      /* A */
    atomic_uint stale_count;                 /* A: old rows asked for since then */
};

/* -- place.c -- */
struct place {
    node node;
    unsigned view;
    const struct kind *kind;
    uint64_t index;
    struct text *text; /* of its directory: id or group name; NULL for SPACE_NONE */
};
/* ERR_NOT_FOUND: no such node, or nobody holds it. */
MUST_CHECK enum err place_of(struct tree *t, struct call *call, node n, struct place *ret);
void place_fini(struct place *p);
#define CLEANUP_PLACE __attribute__((cleanup(place_fini)))
static inline const struct dir_def *place_dir(const struct place *p)
{
    return p->kind->dir;
}
static inline struct str place_text(const struct place *p)
{
    return text_str(p->text);
}
enum node_space place_space(const struct kind *kind);
/* Holds a node of a kind for the kernel. */
MUST_CHECK enum err place_hold(struct tree *t, const struct kind *kind, unsigned view,
                               uint64_t index, struct str text);
/* Remembers how long the kernel was told to believe a name that is held. */
void place_told(struct tree *t, const struct kind *kind, const struct attr *a);
/* A child that is a table row; its text is borrowed from the directory. */
struct place place_fixed(const struct place *dir, const struct kind *kind);

/* The row of what a directory is about. */
struct subject {
    struct row_hold hold;
    const struct row *row; /* NULL: about no instance, or an entity that is not there */
};
void subject_fini(struct subject *s);
#define CLEANUP_SUBJECT __attribute__((cleanup(subject_fini)))
/* ERR_NOT_FOUND: the instance is gone, or its id belongs to another one now. */
MUST_CHECK enum err subject_get(struct tree *t, struct call *call, const struct place *p,
                                struct subject *ret);
/* Of an instance: its row of any age, from memory if it is in any cache. */
MUST_CHECK enum err subject_at_hand(struct tree *t, struct call *call, const struct place *p,
                                    struct subject *ret);
/* A row at most ttl_ms old, without one request a row when many are old. */
MUST_CHECK enum err tree_row(struct tree *t, struct call *call, struct str id,
                             struct row_hold *ret);
/* Does the slot still belong to the place's id? */
bool slot_matches(const struct place *p, const struct row *row);
/* The same for the row at hand, whatever its age; true if there is none. */
bool place_is_current(struct tree *t, const struct place *p);

/* -- sizes.c -- */
void sizes_init(struct sizes *s);
void sizes_fini(struct sizes *s);
uint64_t sizes_of(struct tree *t, const struct kind *kind, unsigned view, struct str text,
                  const struct row *row);
/* Entries of one group of a directory whose text is empty; 0: no such group at hand. */
uint64_t sizes_of_folder(struct tree *t, const struct dir_def *dir, struct str name);
ticks sizes_changed(struct tree *t);

/* -- attrs.c -- */
/* How long the kernel may believe what a row says that was so at known_ms: the rest of that row's
 * own life (L15) for the instance's directory; for what is in it longer, as changes are told. */
int64_t attrs_row_ms(struct tree *t, const struct row *row, int64_t known_ms);
int64_t attrs_inside_ms(struct tree *t, const struct row *row, int64_t known_ms);
/* The same for content of a row of the moment. */
int64_t attrs_life_ms(struct tree *t, const struct row *row);
#define CONSTANT_MS (INT64_C(24) * 3600 * 1000) /* what no table will ever say differently */
/* What is said of something whose row was so at known_ms; no row: neither counts. */
void attrs_dir(struct tree *t, const struct kind *kind, node n, struct str text,
               const struct row *row, int64_t known_ms, struct attr *ret);
/* exact as in tree_attr; a local call gives a guess where a request would be needed. */
MUST_CHECK enum err attrs_file(struct tree *t, struct call *call, const struct place *p,
                               const struct row *row, int64_t known_ms, bool exact,
                               struct attr *ret);
ticks row_time(const struct row *row, enum file_time time); /* falls back to what is known */
void attrs_message(struct tree *t, node n, struct attr *ret);
bool file_is_present(const struct file_def *f, const struct row *row);
bool file_is_writable(const struct file_def *f);

/* -- content.c -- */
struct rendered {
    struct text *text;
    uint64_t version;
    bool live;
    ticks mtime;
    int64_t life_ms;
};
void rendered_fini(struct rendered *r);
/* -- attrs.c: of the file that has these bytes -- */
void attrs_rendered(struct tree *t, const struct place *p, const struct rendered *r,
                    struct attr *ret);
MUST_CHECK enum err content_render(struct tree *t, struct call *call, const struct place *p,
                                   struct rendered *ret);
/* A file whose row needs no parts, printed from that row. */
MUST_CHECK enum err content_from_row(struct tree *t, struct call *call, const struct place *p,
                                     const struct row *row, struct text **ret);

/* -- lookup.c -- */
/* The id of a directory entry that is a row or group of dir: decodes, finds shortened names through
 * the listing. */
MUST_CHECK enum err tree_decode_entry(struct tree *t, struct call *call, const struct place *dir,
                                      struct str name, struct buf *ret);

/* -- tree.c -- */
/* The groups of a directory as a listing says that is at most ttl_ms old. */
MUST_CHECK enum err tree_folders(struct tree *t, struct call *call, const struct place *dir,
                                 struct folders *ret);

#endif
