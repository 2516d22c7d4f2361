#include "fs/gather.h"
#include "backend/base/limits.h"

void gather_init(struct gather *g, enum body_kind body, bool append)
{
    *g = (struct gather){ .body = body, .append = append };
    /* A reason may end in the newline that is taken off again. */
    buf_init(&g->data, body == BODY_JSON ? JSON_WRITE_MAX_BYTES : REASON_MAX_BYTES + 1);
    jsoncheck_init(&g->check);
}

void gather_fini(struct gather *g)
{
    buf_fini(&g->data);
}

static bool is_blank(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!strchr(" \t\r\n", s.p[i]) || s.p[i] == '\0')
            return false;
    return true;
}

static enum err refuse(struct gather *g, enum err err)
{
    g->state = GATHER_REFUSED;
    g->outcome = err;
    return err;
}

static enum err too_big(struct gather *g, struct call *call)
{
    if (g->body == BODY_JSON)
        return refuse(g, call_fail(call, ERR_TOO_BIG,
                                   "the value is longer than %u bytes; nothing was sent",
                                   JSON_WRITE_MAX_BYTES));
    return refuse(g,
                  call_fail(call, ERR_TOO_BIG, "the text is longer than %u bytes; nothing was sent",
                            REASON_MAX_BYTES));
}

static enum err after_commit(struct gather *g, struct call *call, uint64_t offset, struct str bytes)
{
    struct str last = str_slice(buf_str(&g->data), g->last_from, g->data.len);

    if (g->repeats && (g->append || offset == g->last_at) && str_eq(bytes, last)) {
        if (g->outcome == OK)
            return OK;
        return call_fail(call, g->outcome,
                         "the same write was interrupted before; it is not sent again: %s",
                         err_name(g->outcome));
    }
    if (g->body == BODY_TEXT)
        return call_fail(call, ERR_TOO_BIG,
                         "this file takes one write, and that was sent already; nothing more was "
                         "sent");
    if (is_blank(bytes))
        return OK;
    return call_fail(call, ERR_INVALID,
                     "text after the value, which was sent already; nothing more was sent");
}

static enum err refused_before(const struct gather *g, struct call *call)
{
    return call_fail(call, g->outcome,
                     "an earlier write to this open file was refused; nothing was sent");
}

static enum err text_write(struct gather *g, struct call *call, struct str bytes)
{
    struct str text = bytes;

    if (text.len && text.p[text.len - 1] == '\n')
        text.len--;
    if (text.len > REASON_MAX_BYTES)
        return too_big(g, call);
    if (memchr(text.p, '\0', text.len))
        return refuse(g, call_fail(call, ERR_INVALID, "a NUL byte in the text; nothing was sent"));
    if (!str_is_utf8(text))
        return refuse(g, call_fail(call, ERR_BAD_NAME, "the text is not UTF-8; nothing was sent"));
    buf_add(&g->data, bytes);
    enum err err = buf_err(&g->data);
    return err ? refuse(g, call_fail(call, err, "no memory for what was written")) : OK;
}

static enum err json_bad(struct gather *g, struct call *call)
{
    uint64_t at = g->check.bad_at;
    struct str data = buf_str(&g->data);
    unsigned byte = at < data.len ? (unsigned char)data.p[at] : 0;

    return refuse(g, call_fail(call, ERR_INVALID,
                               "not one JSON value: %s (byte 0x%02x at offset %llu); nothing was "
                               "sent",
                               g->check.reason ? g->check.reason : "unexpected byte", byte,
                               (unsigned long long)at));
}

static enum err json_write(struct gather *g, struct call *call, struct str bytes,
                           enum gather_step *ret)
{
    if (bytes.len > JSON_WRITE_MAX_BYTES - g->data.len)
        return too_big(g, call);
    buf_add(&g->data, bytes);
    enum err err = buf_err(&g->data);
    if (err)
        return refuse(g, call_fail(call, err, "no memory for what was written"));
    switch (jsoncheck_feed(&g->check, bytes)) {
    case JSONCHECK_BAD:
        return json_bad(g, call);
    case JSONCHECK_BLANK: /* only a newline (or blanks): no data */
    case JSONCHECK_COMPLETE:
        *ret = GATHER_COMMIT;
        break;
    case JSONCHECK_OPEN:
    case JSONCHECK_NUMBER:
        break;
    }
    return OK;
}

static enum err collect(struct gather *g, struct call *call, struct str bytes,
                        enum gather_step *ret)
{
    if (g->body == BODY_JSON)
        return json_write(g, call, bytes, ret);
    *ret = GATHER_COMMIT;
    return text_write(g, call, bytes);
}

enum err gather_write(struct gather *g, struct call *call, uint64_t offset, struct str bytes,
                      enum gather_step *ret)
{
    *ret = GATHER_KEEP;
    if (bytes.len == 0)
        return OK;
    if (g->state == GATHER_SENDING)
        return call_fail(call, ERR_BUSY, "what was written before is being sent");
    if (g->state == GATHER_SENT)
        return after_commit(g, call, offset, bytes);
    if (g->state == GATHER_REFUSED)
        return refused_before(g, call);
    if (!g->append && offset != g->next)
        return call_fail(
            call, ERR_INVALID,
            "written at offset %llu, but what was written so far ends at %llu; nothing "
            "was sent",
            (unsigned long long)offset, (unsigned long long)g->next);
    g->check_before = g->check;
    g->last_at = offset;
    g->last_from = g->data.len;
    enum err err = collect(g, call, bytes, ret);
    if (err) {
        *ret = GATHER_KEEP;
        return err;
    }
    g->next += bytes.len;
    if (*ret == GATHER_COMMIT)
        g->state = GATHER_SENDING;
    return OK;
}

enum err gather_flush(struct gather *g, struct call *call, enum gather_step *ret)
{
    *ret = GATHER_KEEP;
    if (g->state != GATHER_COLLECTING || g->data.len == 0 || g->body != BODY_JSON)
        return OK;
    if (g->check.state == JSONCHECK_NUMBER) {
        g->check_before = g->check;
        g->last_at = g->next;
        g->last_from = g->data.len;
        g->state = GATHER_SENDING;
        *ret = GATHER_COMMIT;
        return OK;
    }
    return call_fail(call, ERR_INVALID,
                     "closed before the JSON value was complete (%zu bytes); nothing was sent",
                     g->data.len);
}

bool gather_value(const struct gather *g, struct str *ret)
{
    *ret = buf_str(&g->data);
    if (g->body == BODY_JSON)
        return g->check.state != JSONCHECK_BLANK;
    if (ret->len && ret->p[ret->len - 1] == '\n')
        ret->len--;
    return ret->len > 0;
}

void gather_outcome(struct gather *g, enum err err, bool interrupted)
{
    if (err == ERR_CANCELLED) {
        g->data.len = g->last_from;
        g->check = g->check_before;
        g->next = g->last_at;
        g->state = GATHER_COLLECTING;
        return;
    }
    g->state = GATHER_SENT;
    g->outcome = err;
    g->repeats = interrupted && err != OK;
}
