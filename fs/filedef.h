/* filedef: the vocabulary of the tree. A virtual file is a table row and at most one function; the
 * function gets an object and a buffer, the core owns offsets, handles, sizes and modes.
 * Threads: the tables are constants; show functions run on any thread and touch only their view. */
#ifndef FS_FILEDEF_H
#define FS_FILEDEF_H

#include "backend/catalogue.h"

struct tree;

/* What a show function prints from. It makes no request: .parts told the core what to fetch first. */
struct view {
    struct tree *tree;
    const struct row *row;         /* of the instance; NULL outside instance directories */
    const struct details *details; /* the parts of the file's row; NULL when it has none */
    struct str text;               /* directory-specific (entity name ...) */
};

enum file_time { TIME_UPDATED, TIME_CREATED, TIME_COMPLETED };

struct file_def {
    const char *name;
    const char *about;      /* one line for README and manual */
    unsigned short mode;    /* 0444 or 0644, before umask */
    bool hidden;            /* resolves without being listed */
    bool waits;             /* reading blocks until the instance is finished */
    bool follows;           /* a running instance's file grows while open (tail -f) */
    enum file_time time;    /* which moment is its mtime */
    unsigned parts;         /* enum part: what show needs; 0 = the row (or nothing) is enough */
    bool (*present)(const struct row *row); /* NULL = always */
    enum err (*show)(const struct view *v, struct buf *out); /* NULL = reads as empty */
    bool is_command;        /* a write sends .command */
    enum command_kind command;
    /* A write of one complete text to a file that is no command (.taskhubfs/refresh). */
    enum err (*store)(struct tree *tree, struct call *call, struct str text);
};

#endif
