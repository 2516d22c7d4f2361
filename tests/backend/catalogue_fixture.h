/* catalogue_fixture: a catalogue in front of a fake hub, for the tests of its files.
 * Threads: the test's own. */
#ifndef TESTS_BACKEND_CATALOGUE_FIXTURE_H
#define TESTS_BACKEND_CATALOGUE_FIXTURE_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend/base/limits.h"
#include "backend/catalogue_private.h"
#include "backend/listing_build.h"
#include "tests/backend/fake_hub.h"
#include "tests/backend/unit.h"

#define ALL_CAPS (CAP_REWIND | CAP_RESTART | CAP_ENTITIES | CAP_CHANGES)
#define FOREVER  INT64_C(1000000000) /* ms: a time to live that does not end in a test */

static struct fake_hub *f;
static struct catalogue *c;

static inline void open_catalogue(unsigned caps, int64_t ttl_ms)
{
    f = fake_hub_new(caps);
    struct catalogue_settings settings = { ttl_ms, 64 * MIB, 64 * MIB };
    c = catalogue_new(&f->hub, &settings);
    assert_non_null(c);
}

static inline int close_catalogue(void **state)
{
    catalogue_free(c);
    return 0;
}

/* Ages everything that is cached by more than any time to live, deterministically. */
static inline void time_passes(void)
{
    LOCK_SCOPE(&c->lock);
    for (struct entry *e = c->newest; e; e = e->older)
        e->read_ms -= 2 * FOREVER;
    for (int i = 0; i < 2; i++)
        if (c->shelves[i].current)
            listing_confirm(c->shelves[i].current,
                            listing_as_of_ms(c->shelves[i].current) - 2 * FOREVER);
}

static inline enum err row(const char *id, int64_t max_age_ms, struct row_hold *ret)
{
    struct call call;
    call_init(&call, 20000);
    return catalogue_row(c, &call, str_c(id), max_age_ms, ret);
}

static inline enum status status_now(const char *id, int64_t max_age_ms)
{
    struct row_hold h = { 0 };
    assert_int_equal(row(id, max_age_ms, &h), OK);
    enum status s = h.row.status;
    row_hold_fini(&h);
    return s;
}

static inline uint32_t slot_now(const char *id)
{
    struct row_hold h = { 0 };
    assert_int_equal(row(id, INT64_MAX, &h), OK);
    uint32_t slot = h.row.slot;
    row_hold_fini(&h);
    assert_true(slot > 0);
    return slot;
}

static inline struct listing *open_listing(enum list_what what)
{
    struct call call;
    call_init(&call, 20000);
    struct listing *l = NULL;
    assert_int_equal(catalogue_listing(c, &call, what, &l), OK);
    return l;
}

/* Ids of a listing with their statuses' first letters: "a:R b:F "; follows one that loads. */
static inline void list_into(struct listing *l, char *ret, size_t size)
{
    static const struct listing_filter all = { .kind = FILTER_ALL };
    struct call call;
    call_init(&call, 20000);
    uint64_t cursor = 0;
    size_t len = 0;
    ret[0] = '\0';
    for (;;) {
        struct row r;
        bool more;
        assert_int_equal(listing_next(l, &call, &all, &cursor, &r, &more), OK);
        if (!more)
            break;
        len += (size_t)snprintf(ret + len, size - len, STR_FMT ":%c ", STR_ARG(r.id),
                                *status_name(r.status));
    }
}

static inline void assert_listed(enum list_what what, const char *want)
{
    char got[512];
    struct listing *l = open_listing(what);
    list_into(l, got, sizeof got);
    assert_string_equal(got, want);
    listing_unref(l);
}

/* Until the first load has ended: readers may be done a moment before the shelf knows. */
static inline void await_listed(void)
{
    struct catalogue_stats stats;
    do
        catalogue_stats(c, &stats);
    while (!stats.listed);
}

static inline enum err send(enum command_kind kind, const char *id, const char *name,
                            const char *data)
{
    struct call call;
    call_init(&call, 20000);
    struct command cmd = { .kind = kind,
                           .id = str_c(id),
                           .name = str_c(name),
                           .has_data = data != NULL,
                           .data = str_c(data) };
    return catalogue_send(c, &call, &cmd, NULL);
}

static inline enum err purge(const char *id)
{
    struct call call;
    call_init(&call, 20000);
    struct receipt receipt;
    return catalogue_purge(c, &call, str_c(id), &receipt);
}

#endif
