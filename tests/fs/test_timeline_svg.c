#include "fs/pictures.h"
#include "tests/fs/check.h"
#include "tests/fs/picture.h"

static struct story s;

static void test_svg_evil_names(void **state)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PICTURE_MAX);

    tells_evil(&s);
    picture_draw(&out, timeline_svg, &s, 9);
    expect_well_formed(buf_str(&out));
    assert_true(str_has(buf_str(&out), STR("&lt;b&gt;&amp;&quot;")));
    assert_true(str_has(buf_str(&out), STR("\\u0001")));
    assert_false(str_has(buf_str(&out), STR("<b>")));
    assert_false(str_has(buf_str(&out), STR("script")));
    assert_false(str_has(buf_str(&out), STR("href")));
}

static void test_svg_one_task_and_many(void **state)
{
    static const int sizes[] = { 1, 60, 500, 5100 };

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        CLEANUP_BUF struct buf out = BUF_INIT(PICTURE_MAX);
        size_t rows = sizes[i] > 5000 ? 4 : (size_t)sizes[i] + 1;

        story_fini(&s);
        story_init(&s);
        tells_tasks(&s, sizes[i]);
        picture_draw(&out, timeline_svg, &s, 0);
        expect_well_formed(buf_str(&out));
        assert_int_equal(count_of(buf_str(&out), STR("class=\"hit\"")), rows);
        assert_int_equal(count_of(buf_str(&out), STR("<title>")), rows);
        /* A bar of thousands of tasks costs no more than its pixels. */
        assert_true(out.len < 4000 + rows * 1200 + 60000);
    }
}

static void test_svg_without_a_history(void **state)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PICTURE_MAX);

    assert_int_equal(timeline_svg(NULL, &s.row, at(0), &out), OK); /* takes no time at all */
    expect_well_formed(buf_str(&out));
}

static void test_svg_says_why_it_failed(void **state)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PICTURE_MAX);

    begins(&s, 0);
    decides(&s, EVENT_TASK_SCHEDULED, 0, "Charge");
    rest(&s, 0);
    turn(&s, 2);
    fails(&s, EVENT_TASK_FAILED, 2, 0, "no <answer>");
    ends(&s, 2, "Failed");
    picture_draw(&out, timeline_svg, &s, 0);
    assert_true(str_has(buf_str(&out), STR("<title>Charge\nfailed\n2026-11-24T09:00:00.0000000Z to "
                                           "2026-11-24T09:00:02.0000000Z, 2.00 s\n"
                                           "no &lt;answer&gt;</title>")));
}

#define TEST(name) STORY_TEST(name, &s)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_svg_evil_names),
        TEST(test_svg_one_task_and_many),
        TEST(test_svg_without_a_history),
        TEST(test_svg_says_why_it_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
