#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/base/clock.h"
#include "backend/base/lock.h"
#include "backend/base/map.h"
#include "fs/walkers.h"

struct name {
    bool unlinked; /* L */
    char *text;    /* I */
};

/* One directory as one process sees it, however many descriptors it has on it. */
struct walk {
    int process;              /* I */
    bool above;               /* I: of the tree, not of an instance */
    node dir;                 /* I */
    unsigned opens;           /* L */
    int64_t closed_ms;        /* L: when opens fell to 0 */
    struct name *names;       /* L: entries as listed when it was first opened */
    size_t n_names;           /* L */
    struct walk *prev, *next; /* L: of closed walks, oldest first */
};

/* How many view directories a process has open, and since when a wait for them was in vain. */
struct process {
    int id;                 /* I */
    unsigned above;         /* L */
    int64_t waited_vain_ms; /* L: 0 = never */
};

struct walkers {
    struct lock lock;
    struct cond released;
    struct map walks;                        /* L: "process dir" -> struct walk of instances */
    struct map processes;                    /* L: process -> struct process with views open */
    struct walk *closed_first, *closed_last; /* L */
    size_t n_closed;                         /* L */
};

struct walk_key {
    int64_t process;
    node dir;
};

static struct str key_str(const struct walk_key *k)
{
    return (struct str){ (const char *)k, sizeof *k };
}

struct walkers *walkers_new(void)
{
    struct walkers *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    lock_init(&w->lock, RANK_OPENDIRS);
    cond_init(&w->released);
    map_init(&w->walks);
    map_init(&w->processes);
    return w;
}

static void names_free(struct walk *k)
{
    for (size_t i = 0; i < k->n_names; i++)
        free(k->names[i].text);
    free(k->names);
    k->names = NULL;
    k->n_names = 0;
}

static void walk_free(struct walk *k)
{
    names_free(k);
    free(k);
}

void walkers_free(struct walkers *w)
{
    struct str key;
    void *value;

    if (!w)
        return;
    for (size_t i = 0; map_next(&w->walks, &i, &key, &value);)
        walk_free(value);
    for (size_t i = 0; map_next(&w->processes, &i, &key, &value);)
        free(value);
    map_fini(&w->walks);
    map_fini(&w->processes);
    cond_fini(&w->released);
    lock_fini(&w->lock);
    free(w);
}

/* "Tgid:\t123" in /proc/TID/status; the thread itself when it cannot be read (it has gone). */
static int process_from_proc(int tid)
{
    char path[64], line[256];
    int process = tid;

    snprintf(path, sizeof path, "/proc/%d/status", tid);
    FILE *f = fopen(path, "re");
    if (!f)
        return tid;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "Tgid: %d", &process) == 1)
            break;
    fclose(f);
    return process;
}

int walkers_process(int tid)
{
    if (tid <= 0)
        return 0;
    /* Signal 0 to (tid, tid) tells cheaply whether the thread leads its group, which nearly all do.
     */
    if (syscall(SYS_tgkill, tid, tid, 0) == 0 || errno == EPERM)
        return tid;
    return process_from_proc(tid);
}

static struct walk *find_locked(struct walkers *w, int process, node dir)
{
    struct walk_key key = { process, dir };

    return map_get(&w->walks, key_str(&key));
}

static struct process *process_locked(struct walkers *w, int process)
{
    return map_get(&w->processes, (struct str){ (const char *)&process, sizeof process });
}

enum err walkers_open_above(struct walkers *w, int process, node dir, struct walk **ret)
{
    struct walk *k = calloc(1, sizeof *k);

    if (!k)
        return ERR_NO_MEMORY;
    *k = (struct walk){ .process = process, .above = true, .dir = dir, .opens = 1 };
    LOCK_SCOPE(&w->lock);
    struct process *p = process_locked(w, process);
    if (!p) {
        p = calloc(1, sizeof *p);
        if (!p ||
            map_set(&w->processes, (struct str){ (const char *)&process, sizeof process }, p)) {
            free(p);
            free(k);
            return ERR_NO_MEMORY;
        }
        p->id = process;
    }
    p->above++;
    *ret = k;
    return OK;
}

static void closed_remove_locked(struct walkers *w, struct walk *k)
{
    *(k->prev ? &k->prev->next : &w->closed_first) = k->next;
    *(k->next ? &k->next->prev : &w->closed_last) = k->prev;
    k->prev = k->next = NULL;
    w->n_closed--;
}

static void closed_append_locked(struct walkers *w, struct walk *k)
{
    k->prev = w->closed_last;
    k->next = NULL;
    *(k->prev ? &k->prev->next : &w->closed_first) = k;
    w->closed_last = k;
    w->n_closed++;
}

static void forget_locked(struct walkers *w, struct walk *k)
{
    struct walk_key key = { k->process, k->dir };

    closed_remove_locked(w, k);
    map_del(&w->walks, key_str(&key));
    walk_free(k);
}

static void expire_locked(struct walkers *w)
{
    int64_t now = clock_now_ms();

    while (w->closed_first && (w->n_closed > WALKERS_CLOSED_MAX ||
                               now - w->closed_first->closed_ms > WALKERS_MEMORY_MS))
        forget_locked(w, w->closed_first);
}

static bool has_name(const struct walk *k, struct str name)
{
    for (size_t i = 0; i < k->n_names; i++)
        if (str_eq(str_c(k->names[i].text), name))
            return true;
    return false;
}

/* Entries of a later listing (the state changed meanwhile) must be unlinked as well. */
static enum err add_names(struct walk *k, const struct str *names, size_t n)
{
    struct name *grown = realloc(k->names, (k->n_names + n + 1) * sizeof *grown);

    if (!grown)
        return ERR_NO_MEMORY;
    k->names = grown;
    for (size_t i = 0; i < n; i++) {
        if (has_name(k, names[i]))
            continue;
        char *text = str_dup_c(names[i]);
        if (!text)
            return ERR_NO_MEMORY;
        k->names[k->n_names++] = (struct name){ .text = text };
    }
    return OK;
}

static struct walk *find_or_add_locked(struct walkers *w, int process, node dir)
{
    struct walk_key key = { process, dir };
    struct walk *k = find_locked(w, process, dir);

    if (k)
        return k;
    k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    *k = (struct walk){ .process = process, .dir = dir, .closed_ms = clock_now_ms() };
    if (map_set(&w->walks, key_str(&key), k)) {
        free(k);
        return NULL;
    }
    closed_append_locked(w, k);
    return k;
}

enum err walkers_open_instance(struct walkers *w, int process, node dir, const struct str *names,
                               size_t n, struct walk **ret)
{
    LOCK_SCOPE(&w->lock);
    expire_locked(w);
    struct walk *k = find_or_add_locked(w, process, dir);
    if (!k)
        return ERR_NO_MEMORY;
    enum err err = add_names(k, names, n);
    if (err)
        return err;
    if (k->opens++ == 0)
        closed_remove_locked(w, k);
    *ret = k;
    return OK;
}

static void close_above_locked(struct walkers *w, struct walk *k)
{
    struct process *p = process_locked(w, k->process);

    if (p && --p->above == 0) {
        map_del(&w->processes, (struct str){ (const char *)&k->process, sizeof k->process });
        free(p);
    }
    free(k);
}

void walkers_close(struct walkers *w, struct walk *k)
{
    if (!k)
        return;
    LOCK_SCOPE(&w->lock);
    if (k->above) {
        close_above_locked(w, k);
        cond_wake_all(&w->released);
        return;
    }
    if (--k->opens > 0)
        return;
    k->closed_ms = clock_now_ms();
    closed_append_locked(w, k);
    expire_locked(w);
}

bool walkers_walks(struct walkers *w, int process, node dir)
{
    LOCK_SCOPE(&w->lock);
    struct walk *k = find_locked(w, process, dir);
    return k && k->opens > 0;
}

static enum err refuse_above(struct call *call)
{
    return call_fail(call, ERR_FORBIDDEN,
                     "the process that deletes has a directory above the instances open: a delete "
                     "that begins there is refused unless the mount has --allow-tree-delete; name "
                     "the instances (rm -r by-status/Completed/*)");
}

/* A program that goes on after a refusal is not kept waiting before each of the next ones. */
static bool waited_in_vain_locked(const struct process *p)
{
    return p->waited_vain_ms && clock_now_ms() - p->waited_vain_ms < WALKERS_MEMORY_MS;
}

enum err walkers_above(struct walkers *w, struct call *call, int process)
{
    int64_t until = clock_now_ms() + WALKERS_PATIENCE_MS;

    LOCK_SCOPE(&w->lock);
    struct process *p;
    while ((p = process_locked(w, process))) {
        if (waited_in_vain_locked(p))
            return refuse_above(call);
        if (call->local)
            return ERR_WOULD_BLOCK;
        if (!cond_wait_until(&w->released, &w->lock, until)) {
            p = process_locked(w, process);
            if (!p)
                return OK;
            p->waited_vain_ms = clock_now_ms();
            return refuse_above(call);
        }
    }
    return OK;
}

void walkers_unlinked(struct walkers *w, int process, node dir, struct str name)
{
    LOCK_SCOPE(&w->lock);
    struct walk *k = find_locked(w, process, dir);
    for (size_t i = 0; k && i < k->n_names; i++)
        if (str_eq(str_c(k->names[i].text), name))
            k->names[i].unlinked = true;
}

enum err walkers_complete(struct walkers *w, struct call *call, int process, node dir)
{
    LOCK_SCOPE(&w->lock);
    expire_locked(w);
    const struct walk *k = find_locked(w, process, dir);
    for (size_t i = 0; k && i < k->n_names; i++)
        if (!k->names[i].unlinked)
            return call_fail(
                call, ERR_NOT_EMPTY,
                "the process that removes this directory has left out '%s'; nothing was "
                "purged",
                k->names[i].text);
    return OK;
}
