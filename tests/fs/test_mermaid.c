#include "fs/pictures.h"
#include "tests/fs/check.h"
#include "tests/fs/picture.h"

static struct story s;

static void test_mermaid(void **state)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PICTURE_MAX);

    begins(&s, 1);
    decides(&s, EVENT_TASK_SCHEDULED, 1, "Charge");
    sets_timer(&s, 1, 61);
    rest(&s, 1);
    turn(&s, 4);
    fails(&s, EVENT_TASK_FAILED, 3, 0, "no");
    told(&s, EVENT_RAISED, 3)->name = STR("Approve");
    decides(&s, EVENT_TASK_SCHEDULED, 4, "Charge");
    rest(&s, 4);
    picture_draw(&out, mermaid_gantt, &s, 9);
    assert_string_equal(buf_c(&out), "gantt\n"
                                     "    title Flow flow-1, Running\n"
                                     "    dateFormat x\n"
                                     "    todayMarker off\n"
                                     "    axisFormat %H:%M:%S.%L\n"
                                     "    section Orchestrator\n"
                                     "    waits to begin :done, 1795510800000, 1795510801000\n"
                                     "    orchestrator :active, 1795510801000, 1795510809000\n"
                                     "    section Activities\n"
                                     "    activity Charge :crit, 1795510801000, 1795510803000\n"
                                     "    activity Charge (try 2) :active, 1795510804000, "
                                     "1795510809000\n"
                                     "    section Timers\n"
                                     "    timer 1m 00s :active, 1795510801000, 1795510809000\n"
                                     "    section Events\n"
                                     "    event Approve :done, 1795510801000, 1795510803000\n");
}

/* Each line of a task has one colon of its own, and nothing that Mermaid takes for a comment. */
static void test_mermaid_evil_names(void **state)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PICTURE_MAX);
    struct str text;

    tells_evil(&s);
    picture_draw(&out, mermaid_gantt, &s, 9);
    text = buf_str(&out);
    assert_true(str_is_utf8(text));
    while (text.len > 0) {
        struct str line = str_cut(&text, '\n');

        if (str_starts(line, STR("    axisFormat")))
            continue;
        assert_true(count_of(line, STR(":")) <= 1);
        for (const char *p = "%#;<>&\"{}\\"; *p; p++)
            assert_null(line.len ? memchr(line.p, *p, line.len) : NULL);
    }
}

static void test_mermaid_is_accepted_by_its_renderers(void **state)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PICTURE_MAX);

    tells_tasks(&s, MERMAID_BARS_MAX - 1);
    picture_draw(&out, mermaid_gantt, &s, 0);
    assert_int_equal(count_of(buf_str(&out), STR("activity ")), MERMAID_BARS_MAX - 1);
    assert_true(out.len < 50000);
    buf_clear(&out);
    tells_tasks(&s, 1000);
    picture_draw(&out, mermaid_gantt, &s, 0);
    assert_int_equal(count_of(buf_str(&out), STR("activity ")), 3);
}

#define TEST(name) STORY_TEST(name, &s)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mermaid),
        TEST(test_mermaid_evil_names),
        TEST(test_mermaid_is_accepted_by_its_renderers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
