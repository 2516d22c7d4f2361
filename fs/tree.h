/* tree: the mounted tree as nodes: lookup, attributes, listing, content, actions. Names no file
 * itself: it walks the tables of dir_*.c. Has never heard of FUSE.
 * A node is 64 bits: view (4), kind (12), hub (10), index (38); 1 is the root. Kind is the row in
 * the tables, index a slot (instances), or the number of a group name (by-name/<x>,
 * by-created/<day>, start/<x>, entities/<x>). The same instance in two views is two nodes (fuse
 * facts D). A tree is about one hub and does not look at the hub's bits: children get those of
 * their directory, so that several trees can share the numbers (forest.h).
 * Ownership: tree_free frees; content comes as a reference. Threads: any. With a local call
 * (call.h) every function answers from memory or ERR_WOULD_BLOCK. */
#ifndef FS_TREE_H
#define FS_TREE_H

#include "backend/catalogue.h"
#include "fs/failures.h"

typedef uint64_t node; /* an inode number; a scalar, so that it can be printed and compared */
#define NODE_ROOT ((node)1)

struct dir_def;
struct tree;
struct progress;
struct secret;

/* The HTTP management API of the app, for the files that name its addresses. */
struct tree_http {
    const char *base;       /* ".../runtime/webhooks/durabletask"; NULL = none was given */
    const char *connection; /* the name that the app knows its connection by */
    /* Appends "&code=" and the system key, if there is one; NULL = there is none. Any thread. */
    void (*add_key)(void *ctx, struct buf *out);
    void *ctx;
};

/* What the top of a mount of several hubs asks of the whole. */
struct tree_whole {
    void (*each)(void *ctx, void (*visit)(void *visit_ctx, struct tree *tree), void *visit_ctx);
    void (*forget)(void *ctx); /* everything cached */
    void *ctx;
};

struct tree_settings {
    struct catalogue *catalogue; /* NULL only with a root whose files ask nothing of a hub */
    const struct dir_def *root;  /* NULL = that of a hub */
    struct failures *failures;
    struct progress *progress;      /* NULL = nobody watches */
    const char *prefix;             /* the hub's directory in a mount of several; NULL = none */
    const struct tree_whole *whole; /* NULL = this tree is all there is */
    struct tree_http http;
    bool read_only; /* no write bits, writes are ERR_READ_ONLY */
    bool purge;     /* false: --no-purge */
    uint32_t uid, gid, umask;
    int64_t ttl_ms; /* --cache-ttl */
    /* Who tells the kernel what is no longer so, and for how long that lets it believe what is in
     * the directory of a finished instance; 0 and NULL = nobody does. news is called as
     * catalogue_watcher is, with the number of the hub in nodes. */
    int64_t told_ms;
    void (*news)(void *news_ctx, unsigned hub, const struct catalogue_news *news);
    void *news_ctx;
    unsigned hub; /* its number in the mount; 0 = the only one */
    const char *version;
    /* Prints .taskhubfs/config. */
    void (*print_config)(void *ctx, struct buf *out);
    void *ctx;
};

struct tree;
struct tree *tree_new(const struct tree_settings *settings);
void tree_free(struct tree *t); /* accepts NULL; the catalogue stays the caller's */

enum node_class {
    CLASS_DIR_VIEW,     /* root, instances/, by-status, by-status/x, start/, entities/ ...: never
                           removable */
    CLASS_DIR_INSTANCE, /* an instance's directory in any view: rmdir purges */
    CLASS_DIR_INSIDE,   /* events/, signal/ inside one: part of what rm -r walks */
    CLASS_DIR_MESSAGES, /* start/<name>/: lists nothing, a name created there is a message */
    CLASS_FILE,         /* readable, perhaps writable */
    CLASS_FILE_ACTION,  /* command file: read as empty, a write acts */
    CLASS_FILE_MESSAGE, /* a message being written (events/X, start/O/ID, signal/OP): its name is
                           ENOENT */
};
enum node_class tree_class(node n);

struct attr {
    node node;
    uint32_t mode; /* type and permission bits, umask applied */
    uint32_t uid, gid;
    uint64_t size;
    bool size_exact; /* false: size is a non-zero guess; getattr and open make it exact */
    ticks mtime, ctime;
    int64_t entry_ms, attr_ms; /* how long the kernel may believe name and attributes */
};

/* Finds a child; on OK the node is held until tree_forget counted it down (once per success).
 * ERR_NOT_FOUND: negative_ms says how long that may be believed. Fetches at most the instance's
 * row, never a payload. */
MUST_CHECK enum err tree_lookup(struct tree *t, struct call *call, node parent, struct str name,
                                struct attr *ret, int64_t *negative_ms);
void tree_forget(struct tree *t, node n, uint64_t count);
/* Holds a node that was listed with its attributes (readdirplus), as a successful lookup does. */
MUST_CHECK enum err tree_hold(struct tree *t, const struct attr *a, struct str id);
/* Once more what is held already. ERR_NOT_FOUND: it is not. */
MUST_CHECK enum err tree_hold_again(struct tree *t, node n);

/* exact: fetch what the true size needs (stat, open). ERR_NOT_FOUND: purged meanwhile. */
MUST_CHECK enum err tree_attr(struct tree *t, struct call *call, node n, bool exact,
                              struct attr *ret);
/* What a control file is, whether its instance still offers it or not: for who has it open. */
void tree_attr_sent(struct tree *t, node n, struct attr *ret);

/* -- directories: a frozen listing per open -- */
struct lister;
MUST_CHECK enum err tree_opendir(struct tree *t, struct call *call, node dir, struct lister **ret);
void lister_free(struct lister *l); /* accepts NULL */
/* For who has several trees (forest.h), in a directory whose table has no data: the root of another
 * tree is an entry of this listing, too. Copies the name. */
MUST_CHECK enum err lister_add(struct lister *l, struct str name, node root);
struct entry {
    struct str name;  /* terminated; borrowed until the next call on this lister */
    struct attr attr; /* node, mode always; all if complete */
    bool complete;    /* attributes are known without a request, size too */
    bool due;         /* complete though nobody wanted it: the kernel knows it, but too long */
    struct str id;    /* of an instance's directory, for tree_hold */
    uint64_t next;    /* offset of what follows */
};
/* The entry at an offset (0 = first; "." and ".." are not among them). *more false at the end.
 * Errors: R3, a listing is complete or an error. */
MUST_CHECK enum err lister_entry(struct lister *l, struct call *call, uint64_t offset,
                                 struct entry *ret, bool *more);
/* false: entries come with node and type only, which costs less, unless they are due.
 * To be said again from time to time, as it counts from then which are. At first: true. */
void lister_want(struct lister *l, bool attributes);
uint64_t lister_count(struct lister *l); /* entries so far: for "a small directory" decisions */

/* -- reading -- */
struct content {
    struct text *text; /* frozen bytes; NULL for a file that waits */
    struct attr attr;  /* of the file with these bytes */
    bool live;         /* of an unfinished instance: do not use the page cache */
    uint64_t version;  /* equal versions of a node have equal bytes */
    bool waits;        /* block until the instance is finished (park) */
    bool follows;      /* may grow: ask tree_follow */
};
void content_fini(struct content *c);
MUST_CHECK enum err tree_read(struct tree *t, struct call *call, node file, struct content *ret);
/* Newer bytes of a followed file: what was read stays a prefix (mount layout 3.3). ret may be the
 * same text again. */
MUST_CHECK enum err tree_follow(struct tree *t, struct call *call, node file, struct text *old,
                                struct text **ret);
/* Of a followed file: a number, never 0, that is another one when there may be more, and whether
 * the instance is finished. max_age_ms as catalogue_row. */
MUST_CHECK enum err tree_moved(struct tree *t, struct call *call, node file, int64_t max_age_ms,
                               uint64_t *ret_number, bool *ret_finished);
bool tree_waits(struct tree *t, node file); /* is it one that waits? */
/* For a file that waits: ERR_BUSY while the instance is unfinished, else its text. max_age_ms as
 * catalogue_row. */
MUST_CHECK enum err tree_waited(struct tree *t, struct call *call, node file, int64_t max_age_ms,
                                struct text **ret);

/* -- acting -- */
struct target {
    enum command_kind command;
    bool is_store; /* not a command: .taskhubfs/refresh */
    enum body_kind body;
    node node;                /* for attributes of the open file */
    struct buf id, key, name; /* decoded */
};
void target_fini(struct target *t);
/* What writing to this file would do. Checks what can be refused at open: read-only, state as
 * listed. ERR_WRONG_STATE, ERR_READ_ONLY, ERR_FORBIDDEN (not writable). */
MUST_CHECK enum err tree_target(struct tree *t, struct call *call, node file, struct target *ret);
/* The same for a name created in events/, start/<orchestrator>/, signal/. ERR_FORBIDDEN elsewhere
 * and for editors' scratch names (B12), ERR_BAD_NAME, ERR_INVALID (an id the framework refuses),
 * ERR_EXISTS. Fills attributes. */
MUST_CHECK enum err tree_create(struct tree *t, struct call *call, node dir, struct str name,
                                struct target *ret, struct attr *ret_attr);
/* Acts: one complete value or reason; has_data false = only a newline was written. */
MUST_CHECK enum err tree_act(struct tree *t, struct call *call, const struct target *target,
                             bool has_data, struct str data, struct receipt *ret);

/* May this child be taken away by a walking rm -r? OK, ERR_BUSY (unfinished), ERR_NOT_FOUND (no
 * such entry), ERR_FORBIDDEN (--no-purge, or not inside an instance), ERR_READ_ONLY. No remote
 * effect. */
MUST_CHECK enum err tree_unlink_check(struct tree *t, struct call *call, node dir, struct str name);
/* Purges the instance of this directory (any view). */
MUST_CHECK enum err tree_purge(struct tree *t, struct call *call, node dir);

/* -- what news make doubtful (stale.c): asks nothing of the hub -- */

/* Nodes whose attributes may be other ones now; of directories also the names. */
typedef void (*stale_node)(void *ctx, node n, bool is_dir);
void tree_stale_nodes(struct tree *t, const struct catalogue_news *news, stale_node emit,
                      void *ctx);
/* The same for the view directories that count the instance; only attributes. */
void tree_stale_views(struct tree *t, const struct catalogue_news *news, stale_node emit,
                      void *ctx);
/* Names that may be there or not be there now. */
typedef void (*stale_name)(void *ctx, node dir, struct str name);
void tree_stale_names(struct tree *t, const struct catalogue_news *news, stale_name emit,
                      void *ctx);
/* The slots of all instances of which the kernel holds something: to be freed; NULL = none. */
uint64_t *tree_held_slots(struct tree *t, size_t *ret_count);

/* The path of a node (and a child name) as a user writes it, for failures; best effort. */
void tree_path(struct tree *t, node n, struct str child, struct buf *ret);

uint64_t tree_instance_count(struct tree *t); /* as listed now, for statfs */

void tree_drop_cached(struct tree *t); /* .taskhubfs/refresh, SIGHUP */

#endif
