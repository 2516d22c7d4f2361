#include "backend/storage/deliver.h"

#include "backend/base/log.h"
#include "backend/storage/blobs.h"
#include "backend/storage/queues.h"

#define BLOB_NAME_MAX 8192u /* bytes; the service takes 1,024 characters */
#define WRAPPER_MAX   (2 * BLOB_NAME_MAX + 1024)

void parcel_fini(struct parcel *p)
{
    buf_fini(&p->json);
    buf_fini(&p->blob_name);
    buf_fini(&p->wrapper);
}

void deliver_stamp(struct storage *s, struct message *m)
{
    ticks now = clock_wall();

    guid_new(m->activity_id);
    m->time = message_clock_time(&s->clock, now);
    m->sequence = m->kind == MESSAGE_START ? 0 : message_clock_sequence(&s->clock, now);
}

static enum err pack(struct call *call, const struct message *m, struct parcel *p)
{
    buf_init(&p->json, MESSAGE_JSON_MAX);
    buf_init(&p->blob_name, BLOB_NAME_MAX);
    buf_init(&p->wrapper, WRAPPER_MAX);
    message_json(&p->json, m);
    if (buf_err(&p->json) == OK && message_is_large(buf_str(&p->json))) {
        message_blob_name(&p->blob_name, m);
        message_wrapper_json(&p->wrapper, buf_str(&p->blob_name));
    }
    enum err err = buf_err(&p->json);
    if (err == OK)
        err = buf_err(&p->blob_name);
    if (err == OK)
        err = buf_err(&p->wrapper);
    return err == OK ? OK : call_fail(call, err, "the message for the worker cannot be built");
}

enum err parcel_pack(struct storage *s, struct call *call, const struct message *m,
                     struct parcel *ret)
{
    struct parcel p = { .delay_s = 0 };
    enum err err = OK;

    if (m->scheduled != TICKS_NONE && m->kind == MESSAGE_START &&
        !message_delay_s(m->time, m->scheduled, &p.delay_s))
        return call_fail(call, ERR_INVALID, "a start can be at most seven days ahead");
    err = pack(call, m, &p);
    if (err == OK)
        err = partitions_queue(s, call, m->instance_id, p.queue);
    if (err == OK)
        *ret = p;
    else
        parcel_fini(&p);
    return err;
}

enum err parcel_store(struct storage *s, struct call *call, struct parcel *p)
{
    if (!p->blob_name.len)
        return OK;
    enum err err = blobs_put(s, call, buf_str(&p->blob_name), buf_str(&p->json));
    if (err == OK || err == ERR_UNKNOWN_OUTCOME || err == ERR_TIMEOUT)
        p->stored = true; /* perhaps: to be removed if nothing follows */
    if (err != ERR_UNKNOWN_OUTCOME)
        return err;
    /* Of the message itself the outcome is known. */
    return call_fail(call, ERR_TIMEOUT, "the payload's blob did not get through; nothing was sent");
}

enum err parcel_post(struct storage *s, struct call *call, const struct parcel *p)
{
    struct str text = buf_str(p->blob_name.len ? &p->wrapper : &p->json);
    enum err err = queues_put(s, call, p->queue, text, p->delay_s);

    if (err != ERR_NOT_FOUND)
        return err;
    partitions_forget(s);
    return call_fail(call, ERR_BROKEN,
                     "queue %s is not there, nothing was sent: the hub was deleted, or its workers "
                     "use another partition count",
                     p->queue);
}

void parcel_unstore(struct storage *s, struct parcel *p)
{
    struct call undo;

    if (!p->stored)
        return;
    call_init(&undo, UNDO_TIMEOUT_MS);
    if (blobs_delete(s, &undo, buf_str(&p->blob_name), NULL) == OK)
        p->stored = false;
    else
        log_debug("blob=%s left behind: %s", buf_c(&p->blob_name), undo.text);
}

bool deliver_failed_for_certain(enum err err)
{
    return err != OK && err != ERR_UNKNOWN_OUTCOME;
}

enum err deliver(struct storage *s, struct call *call, const struct message *m)
{
    CLEANUP_PARCEL struct parcel p = { .stored = false };
    enum err err = parcel_pack(s, call, m, &p);

    if (err == OK)
        err = parcel_store(s, call, &p);
    if (err == OK)
        err = parcel_post(s, call, &p);
    /* A blob whose message may be in the queue must stay: without it that message would be
     * poison for its worker. */
    if (deliver_failed_for_certain(err))
        parcel_unstore(s, &p);
    return err;
}
