/* filedef: the vocabulary of the tree. A virtual file is a table row and at most one function; the
 * function gets an object and a buffer, the core owns offsets, handles, sizes and modes. A
 * directory is a row, too: fixed children in tables, the others by functions over a listing.
 * Listing and lookup ask the same fields, so they cannot disagree. Ownership: constants. Threads:
 * the tables are constants; show functions run on any thread and touch only their view. */
#ifndef FS_FILEDEF_H
#define FS_FILEDEF_H

#include "backend/catalogue.h"
#include "fs/tree.h"

struct folders;

/* What a show function prints from. It makes no request: .parts told the core what to fetch first.
 */
struct view {
    struct tree *tree;
    const struct row *row;         /* of the instance; NULL outside instance directories */
    const struct details *details; /* the parts of the file's row; NULL when it has none */
    struct str text;               /* directory-specific (entity id ...) */
};

enum file_time { TIME_UPDATED, TIME_CREATED, TIME_COMPLETED };

struct file_def {
    const char *name;
    const char *about;   /* one line for README and manual */
    unsigned short mode; /* 0444 or 0644, before umask */
    bool hidden;         /* resolves without being listed */
    bool waits;          /* reading blocks until the instance is finished */
    bool follows;        /* a running instance's file grows while open (tail -f) */
    bool ages;           /* an unfinished instance's file also depends on the clock */
    bool constant;       /* outside instances: the same bytes as long as the mount lives */
    enum file_time time; /* which moment is its mtime */
    unsigned parts;      /* enum part: what show needs; 0 = the row (or nothing) is enough */
    bool (*present)(const struct row *row); /* NULL = always */
    bool (*empty)(const struct row *row);   /* the row alone says that there is nothing to fetch */
    enum err (*show)(const struct view *v, struct buf *out); /* NULL = reads as empty */
    /* Instead of show, outside instances: content that needs a request. */
    enum err (*fetch)(struct tree *tree, struct call *call, struct buf *out);
    bool is_command; /* a write sends .command */
    enum command_kind command;
    /* A write of one complete text to a file that is no command (.taskhubfs/refresh). */
    enum err (*store)(struct tree *tree, struct call *call, struct str text);
};

/* Views that show the same instances each have inode numbers of their own (fuse facts D). */
enum view_number { VIEW_PLAIN, VIEW_STATUS, VIEW_NAME, VIEW_DAY, VIEW_COUNT };

/* What the index of a directory's node is, and that of everything in it. */
enum node_space {
    SPACE_NONE,    /* there is only one: index 0 */
    SPACE_SLOT,    /* an instance: the catalogue's slot; text is the id */
    SPACE_FOLDER,  /* a name (status, orchestrator, day, entity): folder_number; text is the name */
    SPACE_MESSAGE, /* a message being written: counted up; text is its path */
};

/* Does the directory belong to an instance, and must that be there? */
enum dir_row { ROW_NONE, ROW_INSTANCE, ROW_ENTITY /* may be missing: then row is NULL */ };

struct dir_def {
    const char *name;  /* in its parent; NULL: the parent's rows or groups name it */
    const char *about; /* one line for README and manual */
    enum node_class class;
    enum node_space space;
    enum dir_row row;
    enum view_number view;                  /* of the instance directories below */
    const struct file_def *files;           /* ends with a row without a name; NULL = none */
    const struct dir_def *const *dirs;      /* fixed subdirectories, ends with NULL; NULL = none */
    bool (*present)(const struct row *row); /* listed only then, but it can always be entered */
    bool takes_messages;                    /* creating a file sends .message */
    enum command_kind message;

    /* Children made of data: directories of the kind .child, */
    const struct dir_def *child;
    enum list_what what; /* from this listing */
    /* - one for each instance that passes the filter for this directory's text; false = none can;
     */
    bool (*rows)(struct str text, struct listing_filter *ret);
    /* - or one for each group; waits while l loads. */
    enum err (*folders)(struct listing *l, struct call *call, struct str text, struct folders *ret);
    /* The texts of those groups of this kind that may have the instance of the news, now or before;
     * NULL: the directory is no group. */
    void (*holders)(const struct catalogue_news *news, void (*emit)(void *ctx, struct str text),
                    void *ctx);
    /* May this unlisted name be entered all the same? */
    bool (*admits)(struct str text, struct str name);
    /* The text of a child; NULL: its name. */
    void (*compose)(struct buf *ret, struct str text, struct str name);
};

#endif
