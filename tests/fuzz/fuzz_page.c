/* Any bytes as a page of the Instances and of the History table, and as one row: no row of a page
 * that is accepted is lost or out of order, and a history's JSON stays JSON. */
#include "backend/base/limits.h"
#include "backend/storage/events.h"
#include "backend/storage/rows.h"
#include "tests/fuzz/fuzz.h"

static const struct cell_place place = { { "acct", 4 }, { "myhub", 5 } };

static void check_block(const struct block *b)
{
    for (size_t i = 0; i < block_count(b); i++) {
        struct row row;

        block_row(b, i, &row);
        MUST_HOLD(str_eq(row.key, block_key(b, i)));
        MUST_HOLD(row.status == status_parse(row.status_text));
        if (i)
            MUST_HOLD(str_cmp_utf16(block_key(b, i - 1), row.key) < 0);
    }
}

static void read_instances(struct str page, enum list_what what)
{
    struct rows_wanted wanted = { .what = what };
    struct block *b = NULL;
    bool past;
    enum err err = rows_block(page, &wanted, &b, &past);

    MUST_HOLD(err == OK || err == ERR_BROKEN || err == ERR_TOO_BIG);
    if (err != OK)
        return;
    check_block(b);
    MUST_HOLD(!past);
    /* The same page again has nothing new. */
    wanted.previous = b;
    struct block *again = NULL;
    MUST_HOLD(rows_block(page, &wanted, &again, &past) == OK);
    MUST_HOLD(!block_count(b) || !block_count(again));
    again = block_unref(again);
    b = block_unref(b);
}

static void read_history(struct str page)
{
    struct events e;
    struct history *h = NULL;
    bool utf8 = str_is_utf8(page);

    MUST_HOLD(events_init(&e) == OK);
    if (events_page(&e, page) == OK) {
        MUST_HOLD(events_finish(&e, &h) == OK);
        for (size_t i = 0; i < h->count; i++) {
            struct event *ev = &h->events[i];

            MUST_HOLD(!utf8 || json_valid(ev->json));
            MUST_HOLD(events_resolved(h, ev, STR("Input"), STR("\"x\"")) == OK);
            MUST_HOLD(!utf8 || json_valid(ev->json));
        }
        h = history_unref(h);
    }
    events_fini(&e);
}

static void read_row(struct str json)
{
    struct instance *in = NULL;

    if (rows_instance(json, &place, STR("W/\"e\""), NEED_CELLS, &in) != OK)
        return;
    if (in->input.kind == CELL_REF)
        MUST_HOLD(in->input.ref.len > 0);
    in = instance_unref(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_str(data, size);

    if (size > PAGE_MAX_BYTES)
        return 0;
    read_instances(text, LIST_INSTANCES);
    read_instances(text, LIST_ENTITIES);
    read_history(text);
    read_row(text);
    return 0;
}
