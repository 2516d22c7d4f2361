#include "backend/storage/payload.h"

#include "backend/base/digest.h"
#include "backend/base/jsonread.h"
#include "backend/base/limits.h"
#include "backend/storage/blobs.h"
#include "backend/storage/cells.h"

#define MESSAGE_FACTOR                                                                             \
    7 /* a payload inside a message is a JSON string: a byte becomes six at most */
#define NAME_SHOWN 160

/* Moves the reader to the value of a member of the object that comes next. */
static bool enter_member(struct jsonread *r, const char *wanted)
{
    struct str name;

    if (!jsonread_object(r))
        return false;
    while (jsonread_member(r, &name)) {
        if (str_eq(name, str_c(wanted)))
            return true;
        jsonread_skip(r);
    }
    return false;
}

/* TaskMessage.Event.Input of a start message; null and absent are empty. */
static bool message_input(struct str message, struct arena *arena, struct str *ret)
{
    struct jsonread r;

    *ret = STR_NONE;
    jsonread_init(&r, message, arena);
    if (!enter_member(&r, "TaskMessage") || !enter_member(&r, "Event"))
        return false;
    if (!enter_member(&r, "Input"))
        return jsonread_ok(&r);
    if (jsonread_peek(&r) == JSON_STRING)
        return jsonread_string(&r, ret);
    return jsonread_ok(&r);
}

static enum err damaged(struct call *call, struct str name, const char *why)
{
    return call_fail(call, ERR_DAMAGED, "payload blob " STR_FMT " is damaged: %s",
                     STR_ARG(str_head_utf8(name, NAME_SHOWN)), why);
}

static enum err too_big(struct call *call, struct str name, size_t max)
{
    return call_fail(call, ERR_TOO_BIG,
                     "payload blob " STR_FMT " has more than %zu bytes (--max-payload)",
                     STR_ARG(str_head_utf8(name, NAME_SHOWN)), max);
}

static enum err take_input(struct call *call, struct str name, struct str message, size_t max,
                           struct text **ret)
{
    struct arena arena;
    struct str input;
    enum err err = OK;

    arena_init(&arena);
    if (!message_input(message, &arena, &input))
        err = damaged(call, name, "it is not a start message");
    else if (input.len > max)
        err = too_big(call, name, max);
    else if (!(*ret = text_new(input)))
        err = call_fail(call, ERR_NO_MEMORY, "no memory for a payload");
    arena_fini(&arena);
    return err;
}

enum err payload_unpack(struct call *call, struct str name, struct str stored, size_t max,
                        struct text **ret)
{
    bool is_message = cell_is_start_message(name);
    CLEANUP_BUF struct buf text = BUF_INIT(is_message ? max * MESSAGE_FACTOR : max);
    enum err err = gzip_unpack(&text, stored);

    if (err == OK)
        err = buf_err(&text);
    if (err == ERR_TOO_BIG)
        return too_big(call, name, max);
    if (err == ERR_NO_MEMORY)
        return call_fail(call, err, "no memory for a payload");
    if (err != OK)
        return damaged(call, name, "it is no whole gzip stream");
    if (!str_is_utf8(buf_str(&text)))
        return damaged(call, name, "it is not UTF-8");
    if (is_message)
        return take_input(call, name, buf_str(&text), max, ret);
    *ret = text_take(&text);
    return *ret ? OK : call_fail(call, ERR_NO_MEMORY, "no memory for a payload");
}

enum err payload_get(struct storage *s, struct call *call, struct str name, struct text **ret)
{
    CLEANUP_RESPONSE struct http_response response = RESPONSE_INIT;
    size_t max = s->payload_max_bytes;
    enum err err;

    if (!cell_is_blob_name(name))
        return damaged(call, name, "its name is none that a blob can have");
    /* Stored bytes beyond the limit cannot become fewer but by a message's frame. */
    err = blobs_get(s, call, CONTAINER_PAYLOADS, name, max + MIB, &response);
    if (err == ERR_NOT_FOUND)
        return call_fail(call, err, "payload blob missing: " STR_FMT,
                         STR_ARG(str_head_utf8(name, NAME_SHOWN)));
    if (err == ERR_TOO_BIG)
        return too_big(call, name, max);
    if (err != OK)
        return err;
    call_progress(call);
    return payload_unpack(call, name, buf_str(&response.body), max, ret);
}
