#include "backend/flight.h"

#include <stdlib.h>

#include "backend/base/clock.h"

#define SLICE_MS 100

struct flight {
    int refs;     /* L */
    bool landed;  /* L */
    enum err err; /* L, like the rest: of the leader's call */
    int http_status;
    char code[sizeof((struct call *)0)->code];
    char request_id[sizeof((struct call *)0)->request_id];
    char text[CALL_TEXT_MAX];
    struct cond done;
};

struct flight *flight_new(void)
{
    struct flight *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->refs = 1;
    cond_init(&f->done);
    return f;
}

static void flight_unref(struct flight *f)
{
    if (--f->refs > 0)
        return;
    cond_fini(&f->done);
    free(f);
}

/* An interruption or a deadline is the leader's own affair. */
static bool concerns_others(enum err err)
{
    return err != OK && err != ERR_CANCELLED && err != ERR_TIMEOUT;
}

static enum err outcome(const struct flight *f, struct call *call)
{
    if (!concerns_others(f->err))
        return OK;
    enum err err = call_fail(call, f->err, "%s", f->text);
    call->http_status = f->http_status;
    memcpy(call->code, f->code, sizeof call->code);
    memcpy(call->request_id, f->request_id, sizeof call->request_id);
    return err;
}

enum err flight_wait_for(struct flight *f, struct lock *held, struct call *call, int64_t max_ms,
                         bool *ret_late)
{
    enum err err = OK;
    int64_t began_ms = clock_now_ms();
    f->refs++;
    *ret_late = false;
    while (!f->landed && err == OK && !*ret_late) {
        err = call_check(call);
        if (err == OK)
            (void)cond_wait_until(&f->done, held, clock_now_ms() + SLICE_MS);
        *ret_late = !f->landed && clock_now_ms() - began_ms >= max_ms;
    }
    if (err == OK && f->landed)
        err = outcome(f, call);
    flight_unref(f);
    return err;
}

enum err flight_wait(struct flight *f, struct lock *held, struct call *call)
{
    bool late;
    return flight_wait_for(f, held, call, INT64_MAX, &late);
}

void flight_land(struct flight *f, enum err err, const struct call *call)
{
    f->landed = true;
    f->err = err;
    if (concerns_others(err)) {
        f->http_status = call->http_status;
        memcpy(f->code, call->code, sizeof f->code);
        memcpy(f->request_id, call->request_id, sizeof f->request_id);
        memcpy(f->text, call->text, sizeof f->text);
    }
    cond_wake_all(&f->done);
    flight_unref(f);
}
