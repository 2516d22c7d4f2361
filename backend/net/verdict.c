#include "backend/net/verdict.h"

#include <stdio.h>

enum err verdict_unreachable(struct sending *s, bool paused, const char *why)
{
    if (paused && s->given->class == CLASS_ONCE)
        return call_fail(s->call, ERR_PAUSED, "nothing was sent: %s cannot be reached: %s",
                         s->target.place, why);
    /* ERR_UNREACHABLE would claim that nothing was sent. */
    return call_fail(s->call, s->maybe_done ? ERR_TIMEOUT : ERR_UNREACHABLE, "cannot reach %s: %s",
                     s->target.place, why);
}

/* fail(s, ERR_X, "words"): the sentence begins with the request, without its query. */
static enum err fail(struct sending *s, enum err err, const char *words)
{
    return call_fail(s->call, err, "%s %s%s: %s", http_method_name(s->given->method),
                     s->target.place, s->target.path, words);
}

static enum err unknown_outcome(struct sending *s, const char *why)
{
    return call_fail(s->call, ERR_UNKNOWN_OUTCOME,
                     "%s %s%s was sent, its outcome is unknown: %s (client request id %s)",
                     http_method_name(s->given->method), s->target.place, s->target.path, why,
                     s->client_id);
}

static void note_header(const struct http_response *r, const char *name, char *ret, size_t size)
{
    struct str value;
    if (response_header(r, name, &value) && http_is_clean(value))
        snprintf(ret, size, STR_FMT, STR_ARG(value));
}

static void note_answer(struct sending *s)
{
    struct call *call = s->call;
    call->http_status = s->answer->status;
    note_header(s->answer, "x-ms-error-code", call->code, sizeof(call->code));
    note_header(s->answer, "x-ms-request-id", call->request_id, sizeof(call->request_id));
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static enum err fail_status(struct sending *s, enum err err, const char *words)
{
    return call_fail(s->call, err, "%s %s%s: HTTP %d: %s", http_method_name(s->given->method),
                     s->target.place, s->target.path, s->answer->status, words);
}

static enum err throttled(struct sending *s)
{
    return call_fail(s->call, ERR_THROTTLED, "%s %s%s: throttled for %lld s (HTTP %d)",
                     http_method_name(s->given->method), s->target.place, s->target.path,
                     (long long)((s->throttled_ms + 999) / 1000), s->answer->status);
}

static enum err answered(struct sending *s)
{
    bool once = s->given->class == CLASS_ONCE;
    enum answer_kind kind = retry_answer_kind(s->answer);
    struct str id;
    if (s->answer->status >= 300)
        note_answer(s);
    if (is_redirect(s->answer->status))
        return fail_status(s, ERR_BROKEN, "a redirect, which is not followed");
    if (s->answer->status == 407)
        return verdict_unreachable(s, false, "the proxy asks for credentials (HTTP 407)");
    if (once && kind == ANSWER_UNCERTAIN)
        return unknown_outcome(s, "the server gave up waiting for itself");
    if (s->throttled_ms > 0)
        return throttled(s);
    if (s->out_of_time && !once)
        return fail_status(s, ERR_TIMEOUT, "no time is left to try again");
    if (s->require_request_id && !response_header(s->answer, "x-ms-request-id", &id)) {
        note_answer(s);
        return fail_status(s, ERR_BROKEN, "not an Azure Storage answer");
    }
    return OK;
}

/* After a byte was sent and without an answer: what that means differs by class. */
static enum err unanswered(struct sending *s, enum err read_err, const char *why)
{
    if (s->given->class == CLASS_ONCE && s->last.sent)
        return unknown_outcome(s, why);
    /* R6: EREMOTEIO, ENOMEM and EFBIG would claim that a write was not executed. */
    if (s->given->class == CLASS_IDEMPOTENT && s->last.sent && read_err != ERR_CANCELLED)
        read_err = ERR_TIMEOUT;
    return fail(s, s->out_of_time ? ERR_TIMEOUT : read_err, why);
}

static enum err deadline(struct sending *s)
{
    if (!s->last.connected)
        return verdict_unreachable(s, false, "no connection before the deadline");
    return unanswered(s, ERR_TIMEOUT, "no answer before the deadline");
}

static enum err cancelled(struct sending *s)
{
    return unanswered(s, ERR_CANCELLED,
                      s->last.sent && s->given->class == CLASS_ONCE
                          ? "interrupted, and no answer came in time"
                          : "interrupted");
}

enum err verdict(struct sending *s)
{
    const struct attempt *a = &s->last;
    switch (a->end) {
    case TRY_ANSWERED:
        return answered(s);
    case TRY_UNREACHABLE:
        return verdict_unreachable(s, s->probe, a->words);
    case TRY_REFUSED:
    case TRY_UNSENT:
        return verdict_unreachable(s, false, a->words);
    case TRY_LOST:
    case TRY_BROKEN:
        return unanswered(s, ERR_BROKEN, a->words);
    case TRY_SLOW:
        return unanswered(s, ERR_TIMEOUT, a->words);
    case TRY_TOO_BIG:
        return unanswered(s, ERR_TOO_BIG, a->words);
    case TRY_NO_MEMORY:
        return unanswered(s, ERR_NO_MEMORY, "no memory");
    case TRY_CANCELLED:
        return cancelled(s);
    case TRY_DEADLINE:
        return deadline(s);
    }
    return call_fail(s->call, ERR_BUG, "a try ended in no known way");
}
