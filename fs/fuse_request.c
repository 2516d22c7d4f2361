#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "backend/base/limits.h"
#include "backend/base/log.h"
#include "fs/errmap.h"
#include "fs/fuse_attr.h"
#include "fs/fuse_request.h"
#include "fs/nodes.h"

#define PATH_SHOWN_MAX 8192 /* of a failure; longer ones are cut by failures */

atomic_uint *mount_lookups(struct mount *m, node dir)
{
    return &m->lookups[(dir ^ (dir >> 12) ^ (dir >> 48)) % LOOKUP_COUNTERS];
}

void request_init(struct request *r, fuse_req_t req, const struct op *op, node n, const char *name)
{
    const struct fuse_ctx *ctx = fuse_req_ctx(req);

    *r = (struct request){ .req = req,
                           .mount = fuse_req_userdata(req),
                           .op = op,
                           .process_tid = ctx->pid,
                           .uid = ctx->uid,
                           .node = n,
                           .began = notify_now(((struct mount *)fuse_req_userdata(req))->notify),
                           .name = name };
    call_init_local(&r->call);
}

/* -- replying -- */

static void record_failure(struct request *r, enum err err, const struct call *why)
{
    CLEANUP_BUF struct buf path = BUF_INIT(PATH_SHOWN_MAX);

    if (err == ERR_NOT_FOUND && why->err != ERR_UNKNOWN_OUTCOME)
        return;
    forest_path(r->mount->forest, r->node, request_name(r), &path);
    failures_add(r->mount->failures, r->op->name, buf_str(&path), err, why, r->process_tid,
                 (int)r->uid);
}

/* A write that was interrupted and whose outcome stayed unknown: the caller hears EINTR (R5). */
static int errno_of(struct request *r, enum err err)
{
    if (err == ERR_UNKNOWN_OUTCOME && call_cancelled(&r->call))
        return EINTR;
    return errmap_errno(err);
}

static void reply_entry(struct request *r)
{
    struct fuse_entry_param e;

    entry_from_attr(&e, &r->reply.attr);
    if (fuse_reply_entry(r->req, &e) != 0)
        forest_forget(r->mount->forest, r->reply.attr.node, 1);
}

static void reply_absent(struct request *r)
{
    struct fuse_entry_param e = { .entry_timeout = timeout_from_ms(r->reply.negative_ms) };

    fuse_reply_entry(r->req, &e);
}

static void reply_attr(struct request *r)
{
    struct stat st;

    stat_from_attr(&st, &r->reply.attr);
    fuse_reply_attr(r->req, &st, timeout_from_ms(r->reply.attr.attr_ms));
}

static struct handle *opened_handle(const struct request *r)
{
    return (struct handle *)(uintptr_t)r->fi.fh; /* NOLINT: the kernel hands our pointer back */
}

static void close_opened(struct request *r)
{
    struct handle *h = opened_handle(r);

    if (!r->reply.opened)
        return;
    if (h->kind == HANDLE_LISTER)
        walkers_close(r->mount->walkers, ((struct lister_handle *)h)->walk);
    handles_close(r->mount->handles, h);
}

static void reply_open(struct request *r)
{
    if (fuse_reply_open(r->req, &r->fi) != 0)
        close_opened(r);
}

static void reply_create(struct request *r)
{
    struct fuse_entry_param e;

    entry_from_attr(&e, &r->reply.attr);
    if (fuse_reply_create(r->req, &e, &r->fi) == 0)
        return;
    close_opened(r);
    forest_forget(r->mount->forest, r->reply.attr.node, 1);
}

static void reply_text(struct request *r)
{
    struct str s = text_str(r->reply.text);

    s = str_slice(s, r->offset, s.len);
    fuse_reply_buf(r->req, s.p, s.len < r->size ? s.len : r->size);
}

static void reply_success(struct request *r)
{
    switch (r->reply.kind) {
    case REPLY_DONE:
    case REPLY_LATER:
        fuse_reply_err(r->req, 0);
        break;
    case REPLY_ENTRY:
        reply_entry(r);
        break;
    case REPLY_ABSENT:
        reply_absent(r);
        break;
    case REPLY_ATTR:
        reply_attr(r);
        break;
    case REPLY_OPEN:
        reply_open(r);
        break;
    case REPLY_CREATE:
        reply_create(r);
        break;
    case REPLY_TEXT:
        reply_text(r);
        break;
    case REPLY_BYTES:
        fuse_reply_buf(r->req, r->reply.buffer, r->reply.used);
        break;
    case REPLY_WRITTEN:
        fuse_reply_write(r->req, r->size);
        break;
    case REPLY_STATFS:
        fuse_reply_statfs(r->req, &r->reply.statfs);
        break;
    case REPLY_POLL:
        fuse_reply_poll(r->req, r->reply.events);
        break;
    case REPLY_DETOUR:
        fuse_reply_err(r->req, ESTALE);
        break;
    }
}

/* What this reply was about; 0 = nothing that the kernel keeps. */
static node told_of(const struct request *r)
{
    switch (r->reply.kind) {
    case REPLY_ENTRY:
    case REPLY_CREATE:
    case REPLY_ATTR:
        return r->reply.attr.node;
    case REPLY_ABSENT:
    case REPLY_BYTES:
        return r->node;
    case REPLY_DONE:
    case REPLY_OPEN:
    case REPLY_TEXT:
    case REPLY_WRITTEN:
    case REPLY_STATFS:
    case REPLY_POLL:
    case REPLY_DETOUR:
    case REPLY_LATER:
        break;
    }
    return 0;
}

/* News that came while the operation ran may have been told before its reply, which is older. */
static void tell_again(struct request *r)
{
    node of = told_of(r);

    if (of && notify_since(r->mount->notify, of, r->began))
        notify_again(r->mount->notify, of);
}

static void reply_fini(struct reply *reply)
{
    reply->text = text_unref(reply->text);
    free(reply->buffer);
    reply->buffer = NULL;
}

/* The one place where the kernel gets its answer. The failure is recorded first, so that who sees
 * the errno finds the reason. */
static void finish(struct request *r, enum err err, const struct call *why)
{
    if (r->handed_over)
        fuse_req_interrupt_func(r->req, NULL, NULL); /* waits until it is not running */
    if (err) {
        record_failure(r, err, why);
        fuse_reply_err(r->req, errno_of(r, err));
    } else {
        reply_success(r);
        tell_again(r);
    }
    reply_fini(&r->reply);
}

/* -- handing over -- */

static struct request *from_job(struct job *job)
{
    return (struct request *)((char *)job - offsetof(struct request, job));
}

static void request_free(struct request *r)
{
    notify_leave(r->mount->notify, r->node);
    free((char *)r->name);
    free(r);
}

/* The second run will not happen. */
static void drop(struct request *r)
{
    if (r->op->drop)
        r->op->drop(r);
}

static void job_work(struct job *job)
{
    struct request *r = from_job(job);

    r->outcome = call_check(&r->call);
    if (r->outcome == OK)
        r->outcome = r->op->run(r);
    else
        drop(r);
    if (r->outcome == ERR_WOULD_BLOCK) /* it was no local call */
        r->outcome = call_fail(&r->call, ERR_BUG, "%s would block although it may", r->op->name);
}

/* The awaited text, or why not. */
static void wake(struct ticket *t, enum err err, struct text *text, const struct call *why)
{
    struct request *r = (struct request *)((char *)t - offsetof(struct request, ticket));
    struct reader *reader = (struct reader *)opened_handle(r);

    if (!err)
        err = reader_replace(r->mount->handles, &r->call, reader, NULL, text);
    r->reply = (struct reply){ .kind = REPLY_TEXT, .text = err ? NULL : text_ref(text) };
    finish(r, err, err == r->call.err ? &r->call : why);
    request_free(r);
}

static void job_end(struct job *job)
{
    struct request *r = from_job(job);

    if (r->outcome == OK && r->reply.kind == REPLY_LATER) {
        r->ticket.node = r->node;
        r->ticket.wake = wake;
        r->outcome = park_add(r->mount->park, &r->call, &r->ticket);
        if (r->outcome == OK)
            return; /* it may have been answered and freed by now */
    }
    finish(r, r->outcome, &r->call);
    request_free(r);
}

/* Runs while libfuse holds the request's lock, so finish, which waits for this function, cannot be
 * called here; a parked request is answered directly. */
static void on_interrupt(fuse_req_t req, void *data)
{
    struct request *r = data;

    call_cancel(&r->call);
    callers_hurry(r->mount->callers, &r->job);
    if (!park_remove(r->mount->park, &r->ticket))
        return;
    fuse_reply_err(req, EINTR);
    request_free(r);
}

static struct request *copy_request(struct request *r)
{
    struct request *copy = malloc(sizeof *copy);
    char *name = r->name ? strdup(r->name) : NULL;

    if (!copy || (r->name && !name)) {
        free(copy);
        free(name);
        return NULL;
    }
    memcpy(copy, r, sizeof *copy);
    copy->name = name;
    notify_enter(copy->mount->notify, copy->node);
    copy->data = STR_NONE;
    copy->reply = (struct reply){ 0 };
    reply_fini(&r->reply); /* of the run that did not get through */
    copy->handed_over = true;
    copy->job = (struct job){
        .work = job_work, .end = job_end, .call = &copy->call, .group = node_hub(copy->node)
    };
    return copy;
}

static void hand_over(struct request *r)
{
    int64_t timeout_ms = r->mount->options->timeout_ms;
    struct request *copy = copy_request(r);

    if (!copy) {
        drop(r);
        finish(r, call_fail(&r->call, ERR_NO_MEMORY, "no memory for an operation"), &r->call);
        return;
    }
    call_init(&copy->call, timeout_ms);
    copy->call.patience_ms = copy->op->patient ? timeout_ms : 0;
    fuse_req_interrupt_func(copy->req, on_interrupt, copy);
    enum err err = callers_submit(copy->mount->callers, &copy->job);
    if (err) {
        drop(copy);
        finish(copy, err, &copy->call);
        request_free(copy);
    }
}

void request_run(struct request *r)
{
    enum err err = r->op->run(r);

    if (err == ERR_WOULD_BLOCK)
        hand_over(r);
    else
        finish(r, err, &r->call);
}
