/* Any bytes as a document: reading it value by value and skipping it in one go must agree, and a
 * text that was read must survive being written and read again. */
#include "backend/base/jsonread.h"
#include "backend/base/jsonw.h"
#include "backend/base/limits.h"
#include "tests/fuzz/fuzz.h"

static void write_and_read_again(struct str text, struct arena *arena)
{
    CLEANUP_BUF struct buf b = BUF_INIT(16 * MIB);
    struct str again;
    json_quote(&b, text);
    MUST_HOLD(buf_err(&b) == OK);
    MUST_HOLD(json_valid(buf_str(&b)));
    MUST_HOLD(json_unquote(buf_str(&b), arena, &again));
    if (str_is_utf8(text)) /* other bytes do not survive, by design */
        MUST_HOLD(str_eq(again, text));
}

/* Reads what is no object or array; asks for the wrong kind now and then, as a page with the wrong
 * types makes us do. */
static void read_scalar(struct jsonread *r, enum json_kind kind)
{
    struct str text;
    int64_t number;
    bool truth;
    switch ((unsigned)kind + (unsigned)(r->at - r->start) % 5 / 4) {
    case JSON_STRING:
        if (jsonread_string(r, &text))
            write_and_read_again(text, r->arena);
        break;
    case JSON_NUMBER:
        (void)jsonread_i64(r, &number);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        (void)jsonread_bool(r, &truth);
        break;
    default:
        jsonread_skip(r);
    }
}

/* Enters or reads the value that comes next; true when it was entered. */
static bool enter_or_read(struct jsonread *r, bool *objects)
{
    enum json_kind kind = jsonread_peek(r);
    bool entered = kind == JSON_OBJECT  ? jsonread_object(r)
                   : kind == JSON_ARRAY ? jsonread_array(r)
                                        : false;
    if (entered)
        objects[r->depth] = kind == JSON_OBJECT;
    else
        read_scalar(r, kind);
    return entered;
}

static void walk(struct jsonread *r)
{
    bool objects[JSON_DEPTH_MAX + 1];
    struct str name;
    (void)enter_or_read(r, objects);
    while (r->depth && jsonread_ok(r)) {
        unsigned depth = r->depth;
        bool more = objects[depth] ? jsonread_member(r, &name) : jsonread_element(r);
        MUST_HOLD(more || !jsonread_ok(r) || r->depth == depth - 1);
        MUST_HOLD(r->depth <= JSON_DEPTH_MAX);
        /* Some values are left alone; the reader then skips them itself. */
        if (more && (r->at - r->start) % 7)
            (void)enter_or_read(r, objects);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct jsonread r;
    struct str doc = fuzz_str(data, size), text;
    arena_init(&arena);

    jsonread_init(&r, doc, &arena);
    walk(&r);
    bool walked = jsonread_done(&r);
    MUST_HOLD(!r.no_memory);

    jsonread_init(&r, doc, NULL);
    struct str raw = jsonread_raw(&r);
    MUST_HOLD(walked == jsonread_done(&r));
    MUST_HOLD(json_valid(doc) == (walked && str_is_utf8(doc)));
    if (walked && str_is_utf8(doc))
        MUST_HOLD(json_valid(raw));
    if (json_unquote(doc, &arena, &text))
        MUST_HOLD(walked && text.len <= raw.len - 2);
    arena_fini(&arena);
    return 0;
}
