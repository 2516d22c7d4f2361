/* The state of an entity out of two cells of its row: storage tables 9.3 (what the framework's two
 * entity implementations write) and 9.4 (what that means). */
#include "backend/base/jsonread.h"
#include "backend/instance.h"

/* What one JSON object says; a member that was not there or had a wrong type stays unset (B31). */
struct facts {
    bool is_object;
    bool exists;
    bool has_state;
    struct str state;
    struct str locked_by;
    int64_t queue_size;
};

static int64_t count_elements(struct jsonread *r)
{
    int64_t n = 0;
    if (!jsonread_array(r)) {
        jsonread_skip(r);
        return 0;
    }
    while (jsonread_element(r)) {
        jsonread_skip(r);
        n++;
    }
    return n;
}

/* The first of duplicate members wins (B33). */
enum member { EXISTS = 1, STATE = 2, LOCKED = 4, QUEUE = 8 };

static enum member member_of(struct str name)
{
    if (str_eq(name, STR("exists")) || str_eq(name, STR("entityExists")))
        return EXISTS;
    if (str_eq(name, STR("state")))
        return STATE;
    if (str_eq(name, STR("lockedBy")))
        return LOCKED;
    if (str_eq(name, STR("queue")) || str_eq(name, STR("queueSize")))
        return QUEUE;
    return 0;
}

static void read_member(struct jsonread *r, enum member m, struct facts *f)
{
    switch (m) {
    case EXISTS:
        (void)jsonread_bool(r, &f->exists);
        break;
    case STATE:
        f->has_state = jsonread_string(r, &f->state);
        break;
    case LOCKED:
        (void)jsonread_string(r, &f->locked_by);
        break;
    case QUEUE:
        if (jsonread_peek(r) == JSON_ARRAY)
            f->queue_size = count_elements(r);
        else
            (void)jsonread_i64(r, &f->queue_size);
        break;
    }
}

static void facts_read(struct facts *f, struct str text, struct arena *arena)
{
    *f = (struct facts){ 0 };
    struct jsonread r;
    jsonread_init(&r, text, arena);
    if (!text.len || !jsonread_object(&r))
        return;

    unsigned seen = 0;
    struct str name;
    while (jsonread_member(&r, &name)) {
        enum member m = member_of(name);
        if (!m || (seen & m)) {
            jsonread_skip(&r);
            continue;
        }
        seen |= m;
        read_member(&r, m, f);
    }
    if (jsonread_done(&r))
        f->is_object = true;
    else
        *f = (struct facts){ 0 }; /* half a document proves nothing */
    if (f->queue_size < 0)
        f->queue_size = 0;
}

static bool says_nothing(struct str text)
{
    return !text.len || str_eq(text, STR("null"));
}

void entity_state_read_status(struct entity_state *ret, struct str custom, struct arena *arena)
{
    struct facts f;
    facts_read(&f, custom, arena);
    *ret = (struct entity_state){ .exists = f.exists,
                                  .locked_by = f.locked_by,
                                  .queue_size = f.queue_size };
    /* Text that is no status object ("Internal Error: ...", vector 118) leaves existence unknown:
     * such an entity is shown, or the error would be invisible. */
    bool unknown = !f.is_object && !says_nothing(custom);
    ret->empty = !unknown && !f.exists && !f.locked_by.len && f.queue_size == 0;
}

void entity_state_read(struct entity_state *ret, struct str input, struct str custom,
                       struct arena *arena)
{
    entity_state_read_status(ret, custom, arena);
    struct facts in;
    facts_read(&in, input, arena);
    if (!in.is_object) {
        if (!says_nothing(input)) { /* not the scheduler's state: all we can do is show it */
            ret->has_state = true;
            ret->state = input;
        }
        return;
    }
    ret->has_state = in.has_state;
    ret->state = in.state;
    ret->exists = in.exists || in.has_state;
    if (!ret->locked_by.len)
        ret->locked_by = in.locked_by;
    if (ret->queue_size == 0)
        ret->queue_size = in.queue_size;
    ret->empty = !ret->exists && !ret->locked_by.len && ret->queue_size == 0;
}
