#include <stdlib.h>

#include "backend/base/clock.h"
#include "backend/base/jsonw.h"
#include "backend/base/limits.h"
#include "backend/base/lock.h"
#include "backend/base/log.h"
#include "fs/errmap.h"
#include "fs/failures.h"

#define FOLD_MS       10000 /* R7: equal lines within this are one line */
#define PATH_KEPT_MAX 4096  /* longer paths are cut: the kernel's own limit */

struct failure {
    ticks time;      /* of the first */
    int64_t seen_ms; /* of the last; monotonic */
    char *op, *path, *reason;
    enum err err;
    int http_status;
    char code[64], request_id[64];
    int pid, uid;
    uint64_t count;
};

struct failures {
    struct lock lock;
    struct failure ring[FAILURES_MAX]; /* L */
    size_t first, used;                /* L */
};

struct failures *failures_new(void)
{
    struct failures *f = calloc(1, sizeof *f);

    if (f)
        lock_init(&f->lock, RANK_LOG);
    return f;
}

static void failure_fini(struct failure *e)
{
    free(e->op);
    free(e->path);
    free(e->reason);
}

void failures_free(struct failures *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->used; i++)
        failure_fini(&f->ring[(f->first + i) % FAILURES_MAX]);
    lock_fini(&f->lock);
    free(f);
}

static bool failure_make(struct failure *ret, const char *op, struct str path, enum err err,
                         const struct call *call)
{
    const char *reason = call->text[0] ? call->text : errmap[err].meaning;

    *ret = (struct failure){ .time = clock_wall(),
                             .seen_ms = clock_now_ms(),
                             .op = str_dup_c(str_c(op)),
                             .path = str_dup_c(str_slice(path, 0, PATH_KEPT_MAX)),
                             .reason = str_dup_c(str_c(reason)),
                             .err = err,
                             .http_status = call->http_status,
                             .count = 1 };
    memcpy(ret->code, call->code, sizeof ret->code);
    memcpy(ret->request_id, call->request_id, sizeof ret->request_id);
    if (ret->op && ret->path && ret->reason) {
        log_redact(ret->reason);
        log_redact(ret->path);
        return true;
    }
    failure_fini(ret);
    return false;
}

static bool failure_same(const struct failure *a, const struct failure *b)
{
    return errmap_errno(a->err) == errmap_errno(b->err) && strcmp(a->op, b->op) == 0 &&
           strcmp(a->path, b->path) == 0 && strcmp(a->reason, b->reason) == 0;
}

/* True if an equal line was young enough to count this one, too. */
static bool fold_locked(struct failures *f, const struct failure *e)
{
    for (size_t i = f->used; i-- > 0;) {
        struct failure *old = &f->ring[(f->first + i) % FAILURES_MAX];

        if (e->seen_ms - old->seen_ms < FOLD_MS && failure_same(old, e)) {
            old->count++;
            old->seen_ms = e->seen_ms;
            return true;
        }
    }
    return false;
}

static void push_locked(struct failures *f, const struct failure *e)
{
    if (f->used == FAILURES_MAX) {
        failure_fini(&f->ring[f->first]);
        f->first = (f->first + 1) % FAILURES_MAX;
        f->used--;
    }
    f->ring[(f->first + f->used++) % FAILURES_MAX] = *e;
}

static bool is_worth_a_line(enum err err, const struct call *call)
{
    if (err == OK || (unsigned)err >= ERR_COUNT)
        return false;
    if (err == ERR_NOT_FOUND || err == ERR_CANCELLED)
        return call->err == ERR_UNKNOWN_OUTCOME;
    return true;
}

/* The path and the reason quote foreign text: a line break there must not begin a second line. */
static void log_failure(const struct failure *e)
{
    CLEANUP_BUF struct buf path = BUF_INIT(PATH_KEPT_MAX * 6);
    const char *level_word = e->err == ERR_BUG || e->err == ERR_WOULD_BLOCK ? " please report" : "";

    json_quote(&path, str_c(e->path));
    if (*level_word)
        log_error("op=%s path=%s errno=%s reason=%s%s", e->op, buf_c(&path),
                  errmap[e->err].errno_name, e->reason, level_word);
    else
        log_warning("op=%s path=%s errno=%s reason=%s", e->op, buf_c(&path),
                    errmap[e->err].errno_name, e->reason);
}

void failures_add(struct failures *f, const char *op, struct str path, enum err err,
                  const struct call *call, int pid, int uid)
{
    struct failure e;

    if (!is_worth_a_line(err, call) || !failure_make(&e, op, path, err, call))
        return;
    e.pid = pid;
    e.uid = uid;
    lock_take(&f->lock);
    bool folded = fold_locked(f, &e);
    lock_drop(&f->lock);
    if (folded) {
        failure_fini(&e);
        return;
    }
    log_failure(&e);
    LOCK_SCOPE(&f->lock);
    push_locked(f, &e);
}

static void print_text(struct jsonw *w, const char *name, const char *text)
{
    jsonw_name(w, name);
    jsonw_str(w, str_c(text));
}

static void print_number(struct jsonw *w, const char *name, int64_t v)
{
    jsonw_name(w, name);
    jsonw_i64(w, v);
}

static void failure_print(const struct failure *e, struct buf *out)
{
    CLEANUP_BUF struct buf time = BUF_INIT(64);
    struct jsonw w;

    ticks_print(&time, e->time);
    jsonw_init(&w, out);
    jsonw_object(&w);
    print_text(&w, "time", buf_c(&time));
    print_text(&w, "op", e->op);
    print_text(&w, "path", e->path);
    print_text(&w, "errno", errmap[e->err].errno_name);
    print_text(&w, "reason", e->reason);
    print_number(&w, "status", e->http_status);
    print_text(&w, "code", e->code);
    print_text(&w, "requestId", e->request_id);
    print_number(&w, "pid", e->pid);
    print_number(&w, "uid", e->uid);
    print_number(&w, "count", (int64_t)e->count);
    jsonw_object_end(&w);
    buf_add_ch(out, '\n');
}

void failures_print(struct failures *f, struct buf *out)
{
    LOCK_SCOPE(&f->lock);
    for (size_t i = 0; i < f->used; i++)
        failure_print(&f->ring[(f->first + i) % FAILURES_MAX], out);
}
