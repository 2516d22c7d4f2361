#include "backend/storage/start.h"

#include <stdio.h>

#include "backend/base/log.h"
#include "backend/storage/blobs.h"
#include "backend/storage/deliver.h"
#include "backend/storage/keys.h"
#include "backend/storage/queues.h"
#include "backend/storage/startrow.h"
#include "backend/storage/tables.h"

#define BLOB_NAME_MAX 8192u /* bytes; the service takes 1,024 characters */
#define BLOB_URL_MAX  (WIRE_URL_MAX)

/* One start under way: what was made of it, and what must be taken back if it fails. */
struct start {
    struct storage *s;
    struct call *call;
    struct message m;
    char execution_id[32 + 1];
    struct buf key; /* PartitionKey */
    struct parcel parcel;
    struct buf input_url;  /* the cell of a large start */
    struct buf input_blob; /* companion blob of a long input */
    bool input_stored;     /* it was put */
    struct buf row;        /* JSON */
    struct buf old;        /* the row that is replaced; "" = none */
    struct str etag;       /* of that */
};

static void start_init(struct start *st, struct storage *s, struct call *call)
{
    *st = (struct start){ .s = s,
                          .call = call,
                          .key = BUF_INIT(KEY_MAX_BYTES),
                          .input_url = BUF_INIT(BLOB_URL_MAX),
                          .input_blob = BUF_INIT(BLOB_NAME_MAX),
                          .row = BUF_INIT(START_ROW_MAX),
                          .old = BUF_INIT(2 * START_ROW_MAX) };
}

static void start_fini(struct start *st)
{
    buf_fini(&st->key);
    parcel_fini(&st->parcel);
    buf_fini(&st->input_url);
    buf_fini(&st->input_blob);
    buf_fini(&st->row);
    buf_fini(&st->old);
}

/* -- making -- */

static enum err make_row(struct start *st)
{
    struct start_row row = { .key = buf_str(&st->key), .updated = clock_wall() };

    if (st->parcel.blob_name.len)
        blobs_url(&st->input_url, st->s, CONTAINER_PAYLOADS, buf_str(&st->parcel.blob_name));
    else if (start_row_needs_blob(&st->m))
        start_row_blob_name(&st->input_blob, row.key);
    row.input_url = buf_str(&st->input_url);
    row.input_blob = buf_str(&st->input_blob);
    start_row_json(&st->row, st->s, &st->m, &row);
    enum err err = buf_err(&st->input_url);
    if (err == OK)
        err = buf_err(&st->input_blob);
    if (err == OK)
        err = buf_err(&st->row);
    return err == OK ? OK : call_fail(st->call, err, "the instance's row cannot be built");
}

/* The rest of st->m was set by the caller. Nothing is written yet. */
static enum err make(struct start *st)
{
    st->m.kind = MESSAGE_START;
    st->m.scheduled = TICKS_NONE;
    guid_new_plain(st->execution_id);
    st->m.execution_id = str_c(st->execution_id);
    deliver_stamp(st->s, &st->m);
    key_escape(&st->key, st->m.instance_id);
    enum err err = buf_err(&st->key);
    if (err != OK)
        return call_fail(st->call, err, "the instance's id is too long");
    err = parcel_pack(st->s, st->call, &st->m, &st->parcel);
    return err == OK ? make_row(st) : err;
}

/* -- taking back -- */

static void remove_blobs(struct start *st)
{
    struct call undo;

    parcel_unstore(st->s, &st->parcel);
    if (!st->input_stored)
        return;
    call_init(&undo, UNDO_TIMEOUT_MS);
    if (blobs_delete(st->s, &undo, buf_str(&st->input_blob), NULL) != OK)
        log_debug("blob=%s left behind: %s", buf_c(&st->input_blob), undo.text);
}

/* The message is certainly not in the queue: row and blobs go again. err is passed on. */
static enum err take_back(struct start *st, enum err err)
{
    struct call undo;

    call_init(&undo, UNDO_TIMEOUT_MS);
    enum err undone =
        start_row_undo(st->s, &undo, buf_str(&st->key), str_c(st->execution_id), buf_str(&st->old));
    if (undone == OK) {
        remove_blobs(st);
        return err;
    }
    log_debug("row=%s execution=%s left Pending: %s", buf_c(&st->key), st->execution_id, undo.text);
    char why[CALL_TEXT_MAX];
    snprintf(why, sizeof(why), "%s", st->call->text);
    return call_fail(st->call, err, "%.500s; its row says Pending, but no message was sent", why);
}

/* -- writing -- */

static enum err store_blobs(struct start *st)
{
    enum err err = parcel_store(st->s, st->call, &st->parcel);

    if (err == OK && st->input_blob.len) {
        err = blobs_put(st->s, st->call, buf_str(&st->input_blob), st->m.text);
        st->input_stored = err == OK;
    }
    return err;
}

static enum err write_row(struct start *st)
{
    struct str table = str_c(st->s->instances);

    if (!st->old.len)
        return tables_insert(st->s, st->call, table, buf_str(&st->row));
    return tables_replace(st->s, st->call, table, buf_str(&st->key), STR(""), st->etag,
                          buf_str(&st->row));
}

/* Refused by a row that is there already: ours, if the layer below repeated a write whose answer
 * was lost; else somebody was faster. */
static enum err settle_refusal(struct start *st)
{
    bool ours = false;

    wire_forgive(st->call);
    enum err err =
        start_row_is_ours(st->s, st->call, buf_str(&st->key), str_c(st->execution_id), &ours);
    if (err == OK && !ours)
        err = call_fail(st->call, ERR_EXISTS,
                        st->old.len ? "the instance changed meanwhile" : "the id is in use");
    return err;
}

static enum err put_row(struct start *st)
{
    enum err err = write_row(st);

    if (err == ERR_EXISTS || err == ERR_BUSY || (err == ERR_NOT_FOUND && st->old.len))
        err = settle_refusal(st);
    if (err == OK)
        return OK;
    /* A write that may have been done must not leave a row for which no message comes. */
    if (err == ERR_UNKNOWN_OUTCOME)
        err = call_fail(st->call, ERR_TIMEOUT,
                        "the instance's row did not get through in time; nothing was started");
    if (err == ERR_TIMEOUT || err == ERR_CANCELLED)
        return take_back(st, err);
    remove_blobs(st);
    return err;
}

/* A start is the one message that may be sent twice: the worker drops the second with the same
 * execution (storage messages 4.1; faults and limits R2). */
static enum err post(struct start *st)
{
    enum err err = parcel_post(st->s, st->call, &st->parcel);

    if (err != ERR_UNKNOWN_OUTCOME)
        return err;
    if (call_check(st->call) == OK) {
        wire_forgive(st->call);
        if (parcel_post(st->s, st->call, &st->parcel) == OK)
            return OK;
    }
    return call_fail(st->call, ERR_UNKNOWN_OUTCOME,
                     "outcome unknown: instance " STR_FMT ", execution %s: its row is there, its "
                     "message may be in queue %s; if it stays Pending, purge it or start it again",
                     STR_ARG(str_slice(st->m.instance_id, 0, 300)), st->execution_id,
                     st->parcel.queue);
}

static enum err run(struct start *st)
{
    enum err err = store_blobs(st);

    if (err != OK) {
        remove_blobs(st);
        return err;
    }
    err = put_row(st);
    if (err != OK)
        return err;
    err = post(st);
    return deliver_failed_for_certain(err) ? take_back(st, err) : err;
}

static void tell(struct receipt *ret, struct str id)
{
    if (id.len < sizeof(ret->instance_id))
        snprintf(ret->instance_id, sizeof(ret->instance_id), STR_FMT, STR_ARG(id));
}

/* -- CMD_START -- */

static enum err refuse_existing(struct storage *s, struct call *call, struct str id)
{
    CLEANUP(instance_unref) struct instance *there = NULL;
    enum err err = storage_get(&s->hub, call, id, STR(""), NEED_ROW, &there);

    if (err == ERR_NOT_FOUND) {
        wire_forgive(call);
        return OK;
    }
    if (err != OK)
        return err;
    return call_fail(call, ERR_EXISTS, "the id is in use: the instance is " STR_FMT,
                     STR_ARG(str_slice(there->row.status_text, 0, 100)));
}

/* m: ids, name, version and text are set. */
static enum err start_new(struct storage *s, struct call *call, const struct message *m,
                          struct receipt *ret)
{
    struct start st;
    enum err err = refuse_existing(s, call, m->instance_id);

    if (err != OK)
        return err;
    start_init(&st, s, call);
    st.m = *m;
    err = make(&st);
    if (err == OK)
        err = run(&st);
    if (err == OK || err == ERR_UNKNOWN_OUTCOME)
        tell(ret, m->instance_id);
    start_fini(&st);
    return err;
}

enum err storage_start(struct hub *hub, struct call *call, const struct command *cmd,
                       struct receipt *ret)
{
    struct message m = { .instance_id = cmd->id,
                         .name = cmd->name,
                         .has_text = cmd->has_data,
                         .text = str_trim(cmd->data) };

    return start_new(storage_of(hub), call, &m, ret);
}

/* -- CMD_RESTART -- */

struct trap {
    struct str id;
    bool found;
};

static enum err look_at_message(void *ctx, struct str text)
{
    struct trap *t = ctx;
    struct message_seen seen;
    struct arena arena;

    arena_init(&arena);
    message_read(text, &arena, &seen);
    t->found |= !seen.opaque && str_eq(seen.instance_id, t->id);
    arena_fini(&arena);
    return OK;
}

/* A message for the finished run that is still queued would be taken in one batch with the new
 * start, and the new run could stay Running for ever ("restart trap", storage messages 4.2). */
static enum err avoid_trap(struct start *st)
{
    struct trap trap = { .id = st->m.instance_id };
    struct queue_metadata metadata = { .messages = 0 };
    size_t seen = 0;
    enum err err = queues_peek(st->s, st->call, st->parcel.queue, look_at_message, &trap, &seen);

    if (err == OK && !trap.found && seen >= QUEUE_PEEK_MAX)
        err = queues_metadata(st->s, st->call, st->parcel.queue, &metadata);
    if (err == ERR_NOT_FOUND) {
        partitions_forget(st->s);
        return call_fail(st->call, ERR_BROKEN, "queue %s is not there: nothing was done",
                         st->parcel.queue);
    }
    if (err != OK)
        return err;
    if (trap.found)
        return call_fail(st->call, ERR_BUSY,
                         "restart: a message for the old run is still in queue %s; try again when "
                         "the worker has taken it, or purge the instance and start it anew",
                         st->parcel.queue);
    /* A count that was not told is as bad as one too many. */
    if (seen >= QUEUE_PEEK_MAX && (metadata.messages < 0 || metadata.messages > QUEUE_PEEK_MAX))
        return call_fail(st->call, ERR_BUSY,
                         "restart: queue %s holds more messages than can be looked at; try again "
                         "when the worker has taken some",
                         st->parcel.queue);
    return OK;
}

static enum err restart_same(struct storage *s, struct call *call, const struct instance *in,
                             const struct message *m, struct receipt *ret)
{
    struct start st;

    start_init(&st, s, call);
    st.m = *m;
    st.etag = in->etag;
    /* A row without the column stays without: null + 1 is null to the framework. */
    st.m.generation = in->generation < 0 ? -1 : in->generation + 1;
    enum err err = make(&st);
    /* The stored key, not the escaped id: rows of old versions differ (storage tables 2.3). */
    if (err == OK && !str_eq(buf_str(&st.key), in->row.key))
        err = call_fail(call, ERR_UNSUPPORTED,
                        "restart: the row has an old key; start it under another id");
    if (err == OK)
        err = start_row_copy(s, call, in->row.key, in->etag, &st.old);
    if (err == OK)
        err = avoid_trap(&st);
    if (err == OK)
        err = run(&st);
    if (err == OK || err == ERR_UNKNOWN_OUTCOME)
        tell(ret, m->instance_id);
    start_fini(&st);
    return err;
}

/* The stored input, unchanged; one that cannot be had is an error, never an empty restart. */
static enum err stored_input(struct hub *hub, struct call *call, const struct instance *in,
                             struct text **hold, struct message *m)
{
    enum err err;

    m->has_text = in->input.kind != CELL_NONE;
    m->text = in->input.text;
    if (in->input.kind != CELL_REF)
        return OK;
    err = storage_payload(hub, call, in->input.ref, hold);
    m->text = text_str(*hold);
    return err;
}

enum err storage_restart(struct hub *hub, struct call *call, const struct command *cmd,
                         const struct instance *in, struct receipt *ret)
{
    CLEANUP(text_unref) struct text *hold = NULL;
    struct message m = { .name = in->row.name, .version = in->row.version };
    char fresh[32 + 1];
    enum err err = stored_input(hub, call, in, &hold, &m);

    if (err != OK)
        return err;
    guid_new_plain(fresh);
    m.instance_id = cmd->has_data ? cmd->data : str_c(fresh);
    if (str_eq(m.instance_id, in->row.id))
        return restart_same(storage_of(hub), call, in, &m, ret);
    return start_new(storage_of(hub), call, &m, ret);
}
