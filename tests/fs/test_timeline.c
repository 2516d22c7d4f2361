#include <stdio.h>

#include "fs/pictures.h"
#include "tests/fs/check.h"
#include "tests/fs/picture.h"
#include "tests/fs/recorded.h"

/* What the documents show is what the program draws. */

static void expect_file(const char *name, const char *suffix, const struct buf *drawn)
{
    CLEANUP_BUF struct buf file = BUF_INIT(PICTURE_MAX);
    char path[512], *space;
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "%s/docs/pictures/%s.%s", TEST_SOURCE_DIR, name, suffix);
    f = fopen(path, "rb");
    if (!f)
        fail_msg("no such picture: %s", path);
    do {
        space = buf_space(&file, 65536);
        assert_non_null(space);
        n = fread(space, 1, 65536, f);
        buf_grown(&file, n);
    } while (n > 0);
    fclose(f);
    if (!str_eq(buf_str(&file), buf_str(drawn)))
        fail_msg("%s is not what is drawn now: tests/fs/draw draws all of them anew", path);
}

static void test_genuine_pictures_of_the_documents(void **state)
{
    ticks now = 0;

    assert_true(ticks_parse(RECORDED_NOW, &now));
    for (size_t i = 0; i < RECORDED_PICTURES; i++) {
        const struct recorded_picture *p = &recorded_pictures[i];
        CLEANUP_BUF struct buf text = BUF_INIT(PICTURE_MAX), svg = BUF_INIT(PICTURE_MAX);
        struct row row;
        struct history *h = recorded_history(p->stage, p->id, &row);

        assert_int_equal(timeline_text(h, &row, now, &text), OK);
        assert_int_equal(timeline_svg(h, &row, now, &svg), OK);
        expect_file(p->name, "txt", &text);
        expect_file(p->name, "svg", &svg);
        expect_well_formed(buf_str(&svg));
        history_unref(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_genuine_pictures_of_the_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
