#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "backend/base/limits.h"
#include "backend/storage/columns.h"
#include "tests/backend/storage/fixture.h"

const char *const fixture_lines[2] = { "v2.9.1", "v1.17.5" };
const char *const fixture_hubs[2] = { "GenuineHub", "GenuineHubV1" };

void fixture_read(struct buf *b, const char *path)
{
    char full[512];
    FILE *f;
    size_t n;

    snprintf(full, sizeof(full), "%s/genuine-hub/%s", TEST_DATA_DIR, path);
    f = fopen(full, "rb");
    if (!f)
        fail_msg("no such fixture: %s", full);
    do {
        char *space = buf_space(b, 64 * KIB);

        assert_non_null(space);
        n = fread(space, 1, 64 * KIB, f);
        buf_grown(b, n);
    } while (n);
    fclose(f);
    assert_int_equal(buf_err(b), OK);
}

/* Calls nothing: appends the raw rows of a key, with commas. */
static unsigned rows_of(struct buf *b, struct str page, const char *key)
{
    static const struct str names[] = { { "PartitionKey", 12 } };
    struct arena arena;
    struct jsonread r, again;
    struct column column;
    unsigned found = 0;

    arena_init(&arena);
    jsonread_init(&r, page, &arena);
    assert_true(columns_page(&r));
    while (jsonread_element(&r)) {
        again = r;
        assert_true(columns_read(&r, names, &column, 1));
        if (!str_eq(column_str(&column), str_c(key)))
            continue;
        if (found++)
            buf_add_ch(b, ',');
        buf_add(b, jsonread_raw(&again));
    }
    assert_true(columns_page_end(&r));
    arena_fini(&arena);
    return found;
}

void fixture_partition(struct buf *b, struct str page, const char *key)
{
    buf_add_c(b, "{\"value\":[");
    assert_true(rows_of(b, page, key) > 0);
    buf_add_c(b, "]}");
}

void fixture_row(struct buf *b, struct str page, const char *key)
{
    assert_int_equal(rows_of(b, page, key), 1);
}
