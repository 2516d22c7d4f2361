#include "backend/storage/refusal.h"

#include "backend/base/clock.h"
#include "backend/base/jsonread.h"
#include "backend/base/limits.h"
#include "backend/storage/xml.h"

#define BODY_READ_MAX (16 * KIB) /* of an error's body; real ones have less than 1 KiB */

/* Copies the first line, cut at a whole character, with what a terminal would obey replaced. */
static void copy_line(char *dst, size_t size, struct str text)
{
    struct str line = str_cut(&text, '\n');

    line = str_head_utf8(str_trim(line), size - 1);
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.p[i];

        dst[i] = c < 0x20 || c == 0x7F ? '?' : line.p[i];
    }
    dst[line.len] = '\0';
}

/* -- JSON: {"odata.error":{"code":"X","message":{"lang":"en-US","value":"..."}}} -- */

static void read_message(struct refusal *ret, struct jsonread *r)
{
    struct str name, text;

    if (!jsonread_object(r)) {
        if (jsonread_string(r, &text))
            copy_line(ret->message, sizeof(ret->message), text);
        return;
    }
    while (jsonread_member(r, &name)) {
        if (!str_eq(name, STR("value")))
            jsonread_skip(r);
        else if (jsonread_string(r, &text))
            copy_line(ret->message, sizeof(ret->message), text);
    }
}

static void read_error(struct refusal *ret, struct jsonread *r)
{
    struct str name, text;

    if (!jsonread_object(r)) {
        jsonread_skip(r);
        return;
    }
    while (jsonread_member(r, &name)) {
        if (str_eq(name, STR("message"))) {
            read_message(ret, r);
        } else if (!str_eq(name, STR("code"))) {
            jsonread_skip(r);
        } else if (jsonread_string(r, &text)) {
            copy_line(ret->code, sizeof(ret->code), text);
        }
    }
}

static void read_json(struct refusal *ret, struct str body)
{
    struct arena arena;
    struct jsonread r;
    struct str name;

    arena_init(&arena);
    jsonread_init(&r, body, &arena);
    if (jsonread_object(&r))
        while (jsonread_member(&r, &name)) {
            if (str_eq(name, STR("odata.error")) || str_eq(name, STR("error")))
                read_error(ret, &r);
            else
                jsonread_skip(&r);
        }
    arena_fini(&arena);
}

/* -- XML: <Error><Code>X</Code><Message>...</Message></Error> -- */

static enum err xml_member(void *ctx, struct str path, struct str text)
{
    struct refusal *ret = ctx;

    if (str_eq(path, STR("Error/Code")))
        copy_line(ret->code, sizeof(ret->code), text);
    else if (str_eq(path, STR("Error/Message")))
        copy_line(ret->message, sizeof(ret->message), text);
    return OK;
}

static void read_xml(struct refusal *ret, struct str body)
{
    struct call ignored; /* what is wrong with the text about an error is not worth a sentence */

    call_init(&ignored, INT64_MAX);
    if (xml_read(&ignored, body, xml_member, ret) != OK)
        ret->code[0] = ret->message[0] = '\0';
}

void refusal_read_body(struct refusal *ret, int status, struct str body)
{
    *ret = (struct refusal){ .status = status };
    body = str_trim(str_slice(body, 0, BODY_READ_MAX));
    if (str_starts(body, STR("\xEF\xBB\xBF")))
        body = str_slice(body, 3, body.len);
    if (str_starts(body, STR("{")))
        read_json(ret, body);
    else if (str_starts(body, STR("<?xml")) || str_starts(body, STR("<Error")))
        read_xml(ret, body);
}

void refusal_read(struct refusal *ret, const struct http_response *r)
{
    struct str code;

    refusal_read_body(ret, r->status, buf_str(&r->body));
    if (response_header(r, "x-ms-error-code", &code) && code.len)
        copy_line(ret->code, sizeof(ret->code), code);
}

/* -- outcomes -- */

static bool has_code(const struct refusal *r, const char *code)
{
    return str_eq(str_c(r->code), str_c(code));
}

static enum err outcome_forbidden(const struct refusal *r, bool with_sas)
{
    struct str message = str_c(r->message);

    if (with_sas &&
        (str_has(message, STR("specified time frame")) || str_has(message, STR("expired"))))
        return ERR_KEY_EXPIRED;
    if (r->status == 401 || has_code(r, "AuthenticationFailed") ||
        has_code(r, "InvalidAuthenticationInfo"))
        return ERR_KEY_REJECTED;
    /* With a key that is good, everything is allowed, so this is a firewall's no; the emulator says
     * the same of a wrong key, but in words about authentication. */
    if (has_code(r, "AuthorizationFailure") && !with_sas && str_has(message, STR("authenticate")))
        return ERR_KEY_REJECTED;
    return ERR_DENIED;
}

static enum err outcome_timeout(enum http_class class)
{
    return class == CLASS_READ ? ERR_TIMEOUT : ERR_UNKNOWN_OUTCOME;
}

enum err refusal_outcome(const struct refusal *r, enum http_class class, bool with_sas)
{
    switch (r->status) {
    case 401:
    case 403:
        return outcome_forbidden(r, with_sas);
    case 404:
    case 410:
        return ERR_NOT_FOUND;
    case 409:
        if (has_code(r, "EntityAlreadyExists"))
            return ERR_EXISTS;
        /* A table or container that is going is as good as gone (F41). */
        if (has_code(r, "TableBeingDeleted") || has_code(r, "ContainerBeingDeleted") ||
            has_code(r, "QueueBeingDeleted"))
            return ERR_NOT_FOUND;
        return ERR_BUSY;
    case 412:
        return ERR_BUSY;
    case 413:
    case 431:
        return ERR_TOO_BIG;
    case 429:
    case 503:
        return ERR_THROTTLED;
    case 408:
    case 502:
    case 504:
        return outcome_timeout(class);
    case 500:
        return has_code(r, "OperationTimedOut") ? outcome_timeout(class) : ERR_BROKEN;
    default:
        return ERR_BROKEN;
    }
}

bool refusal_clock_error(const struct http_response *r, int64_t *ret_s)
{
    struct str date;
    ticks theirs;

    if (!response_header(r, "date", &date) || !ticks_parse_http(date, &theirs))
        return false;
    *ret_s = (clock_wall() - theirs) / TICKS_PER_SEC;
    return true;
}
