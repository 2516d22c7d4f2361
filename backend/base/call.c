#include "backend/base/call.h"

#include <stdarg.h>
#include <stdio.h>

#include "backend/base/clock.h"

static int64_t from_now(int64_t ms)
{
    int64_t at;

    return __builtin_add_overflow(clock_now_ms(), ms, &at) ? INT64_MAX : at;
}

void call_init(struct call *c, int64_t timeout_ms)
{
    memset(c, 0, sizeof(*c));
    atomic_init(&c->cancelled, false);
    atomic_init(&c->done, 0);
    atomic_init(&c->of, 0);
    c->deadline_ms = from_now(timeout_ms);
}

void call_init_local(struct call *c)
{
    call_init(c, INT64_MAX);
    c->local = true;
}

/* Copies text to dst, which holds CALL_TEXT_MAX bytes. A terminal must survive it: C0, DEL, C1 and
 * bytes that are no UTF-8 become '?'. */
static void copy_clean(char *dst, struct str text)
{
    size_t len = 0;

    for (size_t step; text.len; text = str_slice(text, step ? step : 1, text.len)) {
        uint32_t c = 0;

        step = str_utf8_at(text, &c);
        if (step == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0)) {
            dst[len++] = '?';
            continue;
        }
        memcpy(dst + len, text.p, step);
        len += step;
    }
    dst[len] = '\0';
}

enum err call_fail(struct call *c, enum err err, const char *fmt, ...)
{
    /* Not straight into c->text: it may be among the arguments. Four bytes more than fit, so that a
     * cut is seen as one and not as a broken character. */
    char text[CALL_TEXT_MAX + 4];
    va_list ap;

    va_start(ap, fmt);
    if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
        text[0] = '\0';
    va_end(ap);
    copy_clean(c->text, str_head_utf8(str_c(text), CALL_TEXT_MAX - 1));
    c->err = err == OK ? ERR_BUG : err; /* success has no sentence */
    return c->err;
}

void call_cancel(struct call *c)
{
    atomic_store(&c->cancelled, true);
}

bool call_cancelled(const struct call *c)
{
    return atomic_load(&c->cancelled);
}

int64_t call_left_ms(const struct call *c)
{
    int64_t now;

    if (c->deadline_ms == INT64_MAX)
        return INT64_MAX;
    now = clock_now_ms();
    return c->deadline_ms > now ? c->deadline_ms - now : 0;
}

void call_progress(struct call *c)
{
    int64_t at;

    if (c->patience_ms <= 0)
        return;
    at = from_now(c->patience_ms);
    if (at > c->deadline_ms)
        c->deadline_ms = at;
}

enum err call_check(struct call *c)
{
    if (call_cancelled(c))
        return call_fail(c, ERR_CANCELLED, "interrupted by the caller");
    if (call_left_ms(c) == 0)
        return call_fail(c, ERR_TIMEOUT, "not finished within the time limit of the operation");
    return OK;
}

void call_steps(struct call *c, uint64_t of)
{
    atomic_store(&c->done, 0);
    atomic_store(&c->of, of);
}

void call_step(struct call *c, uint64_t n)
{
    atomic_fetch_add(&c->done, n);
    call_progress(c);
}
