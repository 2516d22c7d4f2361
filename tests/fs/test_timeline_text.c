#include "fs/columns.h"
#include "fs/pictures.h"
#include "tests/fs/check.h"
#include "tests/fs/picture.h"

static struct story s;

static void expect_text(double now, const char *expected)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PICTURE_MAX);

    picture_draw(&out, timeline_text, &s, now);
    assert_string_equal(buf_c(&out), expected);
}

/* A picture is read as a whole. */
/* clang-format off */
static const char sequence_text[] =
    "Flow  flow-1                                                            2026-11-24T09:00:00.0000000Z\n"
    "waited 500 ms to begin, took 4.50 s; 2 activities                       2026-11-24T09:00:05.0000000Z\n"
    "\n"
    "                                                09:00:02             09:00:04\n"
    "                           ─────────────────────┬────────────────────┬──────────\n"
    "Flow                       ░░░░░▌░░░░░░░░░░░░░░░░░░░░▌░░░░░░░░░░░░░░░░░░░░░░░░░▌   5.00 s Completed\n"
    "Reserve                         █████████████████████                              1.90 s\n"
    "Charge                                               ██████████████████████████    2.40 s\n"
    "\n"
    "░ waiting   ▌ ran briefly   █ running\n";

static const char fan_out_text[] =
    "Flow  flow-1                                                            2026-11-24T09:00:00.0000000Z\n"
    "open for 10.0 s; 4 activities                                           2026-11-24T09:00:10.0000000Z\n"
    "\n"
    "                                                     09:00:05\n"
    "                           ──────────────────────────┬──────────────────────────\n"
    "Flow                       █░░░░░░░░░░░░░░░░░░░░█░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░>   10.0 s Running\n"
    "Resize                     ███████████                                             2.00 s\n"
    "Resize                     ████████████████████████████████████████████████████>   10.0 s open\n"
    "Resize                     ████████████████                                        3.00 s\n"
    "Resize                     ██████████████████████                                  4.00 s\n"
    "\n"
    "░ waiting   █ running   > still open\n";

static const char retry_text[] =
    "Flow  flow-1                                                            2026-11-24T09:00:00.0000000Z\n"
    "took 5.00 s; 2 activities (1 failed), 1 timer                           2026-11-24T09:00:05.0000000Z\n"
    "\n"
    "                                                09:00:02             09:00:04\n"
    "                           ─────────────────────┬────────────────────┬──────────\n"
    "Flow                       ▌░░░░░░░░░░░░░░░░░░░░▌░░░░░░░░░░░░░░░░░░░░▌░░░░░░░░░▌   5.00 s Completed\n"
    "Charge                     █████████████████████✗                                  2.00 s failed\n"
    "timer 2.00 s                                    ░░░░░░░░░░░░░░░░░░░░░◆             2.00 s\n"
    "Charge (try 2)                                                       ███████████   1.00 s\n"
    "\n"
    "░ waiting   ▌ ran briefly   █ running   ◆ came   ✗ failed\n";

static const char failure_text[] =
    "Flow  flow-1                                                            2026-11-24T09:00:00.0000000Z\n"
    "took 6.00 s; 1 activity (1 failed), 1 sub-orchestration                 2026-11-24T09:00:06.0000000Z\n"
    "\n"
    "                                            09:00:02          09:00:04\n"
    "                           ─────────────────┬─────────────────┬─────────────────\n"
    "Flow                       ▌░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░▌░░░░░░░░░░░░░░░░✗   6.00 s Failed\n"
    "sub Ship flow-1:ship       ████████████████████████████████████                    4.00 s\n"
    "Notify                                                        █████████████████✗   2.00 s failed\n"
    "\n"
    "░ waiting   ▌ ran briefly   █ running   ✗ failed\n";

static const char week_text[] =
    "Flow  flow-1                                                            2026-11-24T09:00:00.0000000Z\n"
    "took 7d 00h; 2 activities, 1 timer                                      2026-12-01T09:00:05.0000000Z\n"
    "\n"
    "                                             6d 23h 12-01 09:00:02    09:00:04\n"
    "                           ──────────────────┬──┊───┬─────────────────┬─────────\n"
    "Flow                       ▌░░░░░░░░░░░░░░░░░▌░≈≈≈░░▌░░░░░░░░░░░░░░░░░░░░░░░░░░▌   7d 00h Completed\n"
    "Ask                        ███████████████████  ┊                                  2.00 s\n"
    "timer 7d 00h                                 ░░≈≈≈░░◆                              7d 00h\n"
    "Remind                                          ┊   ████████████████████████████   3.00 s\n"
    "\n"
    "░ waiting   ▌ ran briefly   █ running   ≈ idle, folded   ◆ came\n";

static const char suspended_text[] =
    "Flow  flow-1                                                            2026-11-24T09:00:00.0000000Z\n"
    "waited 1.00 s to begin, open for 8.00 s                                 2026-11-24T09:00:09.0000000Z\n"
    "\n"
    "                                      09:00:02    09:00:04    09:00:06    09:00:08\n"
    "                           ───────────┬───────────┬───────────┬───────────┬─────\n"
    "Flow                       ░░░░░▌░░░░░░░░░░░░░░░░░▌▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒>   9.00 s Suspended\n"
    "event (not come yet)                              ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░>   5.00 s open\n"
    "\n"
    "░ waiting   ▒ suspended   ▌ ran briefly   > still open\n";

static const char pending_text[] =
    "Flow  flow-1                                                            2026-11-24T09:00:00.0000000Z\n"
    "not begun for 2m 05s                                                    2026-11-24T09:02:05.0000000Z\n"
    "\n"
    "                                       09:00:30     09:01:00     09:01:30    09:02:00\n"
    "                           ────────────┬────────────┬────────────┬───────────┬──\n"
    "Flow                       ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░>   2m 05s Pending\n"
    "\n"
    "░ waiting   > still open\n";
/* clang-format on */

static void test_text_sequence(void **state)
{
    begins(&s, 0.5);
    decides(&s, EVENT_TASK_SCHEDULED, 0.5, "Reserve");
    rest(&s, 0.51);
    turn(&s, 2.5);
    comes(&s, EVENT_TASK_COMPLETED, 2.4, 0);
    decides(&s, EVENT_TASK_SCHEDULED, 2.5, "Charge");
    rest(&s, 2.51);
    turn(&s, 5);
    comes(&s, EVENT_TASK_COMPLETED, 4.9, 1);
    ends(&s, 5, "Completed");
    expect_text(0, sequence_text);
}

static void test_text_fan_out_of_which_one_is_open(void **state)
{
    begins(&s, 0);
    for (int i = 0; i < 4; i++)
        decides(&s, EVENT_TASK_SCHEDULED, 0, "Resize");
    rest(&s, 0.1);
    turn(&s, 4);
    comes(&s, EVENT_TASK_COMPLETED, 2, 0);
    comes(&s, EVENT_TASK_COMPLETED, 3, 2);
    comes(&s, EVENT_TASK_COMPLETED, 4, 3);
    rest(&s, 4.1);
    expect_text(10, fan_out_text);
}

static void test_text_retry(void **state)
{
    begins(&s, 0);
    decides(&s, EVENT_TASK_SCHEDULED, 0, "Charge");
    rest(&s, 0);
    turn(&s, 2);
    fails(&s, EVENT_TASK_FAILED, 2, 0, "no answer");
    sets_timer(&s, 2, 4);
    rest(&s, 2);
    turn(&s, 4);
    comes(&s, EVENT_TIMER_FIRED, 2, 1);
    decides(&s, EVENT_TASK_SCHEDULED, 4, "Charge");
    rest(&s, 4);
    turn(&s, 5);
    comes(&s, EVENT_TASK_COMPLETED, 5, 2);
    ends(&s, 5, "Completed");
    expect_text(0, retry_text);
}

static void test_text_child_and_failure(void **state)
{
    begins(&s, 0);
    decides(&s, EVENT_SUB_CREATED, 0, "Ship");
    s.h->events[s.h->count - 1].instance_id = STR("flow-1:ship");
    rest(&s, 0);
    turn(&s, 4);
    comes(&s, EVENT_SUB_COMPLETED, 4, 0);
    decides(&s, EVENT_TASK_SCHEDULED, 4, "Notify");
    rest(&s, 4);
    turn(&s, 6);
    fails(&s, EVENT_TASK_FAILED, 6, 1, "refused");
    ends(&s, 6, "Failed");
    expect_text(0, failure_text);
}

static void test_text_a_week_is_folded(void **state)
{
    begins(&s, 0);
    decides(&s, EVENT_TASK_SCHEDULED, 0, "Ask");
    rest(&s, 0);
    turn(&s, 2);
    comes(&s, EVENT_TASK_COMPLETED, 2, 0);
    sets_timer(&s, 2, 2 + 7 * 86400);
    rest(&s, 2);
    turn(&s, 2 + 7 * 86400);
    comes(&s, EVENT_TIMER_FIRED, 2, 1);
    decides(&s, EVENT_TASK_SCHEDULED, 2 + 7 * 86400, "Remind");
    rest(&s, 2 + 7 * 86400);
    turn(&s, 5 + 7 * 86400);
    comes(&s, EVENT_TASK_COMPLETED, 5 + 7 * 86400, 2);
    ends(&s, 5 + 7 * 86400, "Completed");
    expect_text(0, week_text);
}

static void test_text_suspended_while_an_event_is_awaited(void **state)
{
    begins(&s, 1);
    rest(&s, 1);
    turn(&s, 4);
    (void)told(&s, EVENT_SUSPENDED, 4);
    rest(&s, 4);
    s.row.status = STATUS_SUSPENDED;
    s.row.status_text = STR("Suspended");
    expect_text(9, suspended_text);
}

static void test_text_not_begun(void **state)
{
    s.row.status = STATUS_PENDING;
    s.row.status_text = STR("Pending");
    expect_text(125, pending_text);
}

static void test_text_a_checkpoint_under_way(void **state)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PICTURE_MAX);

    begins(&s, 1);
    s.h->complete = false;
    picture_draw(&out, timeline_text, &s, 9);
    assert_true(str_has(buf_str(&out), STR("\n" BARS_INCOMPLETE "\n")));
}

/* 100 columns, and nothing that a terminal would obey. */
static void expect_lines(struct str text, size_t lines)
{
    size_t n = 0;

    assert_true(str_is_utf8(text));
    while (text.len > 0) {
        struct str line = str_cut(&text, '\n');

        n++;
        assert_true(columns_of(line) <= 100);
        assert_false(str_ends(line, STR(" ")));
        for (size_t i = 0; i < line.len; i++)
            assert_true((unsigned char)line.p[i] >= 0x20 && line.p[i] != 0x7f);
    }
    assert_int_equal(n, lines);
}

static void test_text_evil_names(void **state)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PICTURE_MAX);

    tells_evil(&s);
    picture_draw(&out, timeline_text, &s, 9);
    expect_lines(buf_str(&out), 12);
}

static void test_text_500_tasks(void **state)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PICTURE_MAX);

    tells_tasks(&s, 500);
    picture_draw(&out, timeline_text, &s, 0);
    expect_lines(buf_str(&out), 5 + 501 + 2);
    assert_true(str_has(buf_str(&out), STR("500 activities (10 failed)")));
}

#define TEST(name) STORY_TEST(name, &s)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_text_sequence),
        TEST(test_text_fan_out_of_which_one_is_open),
        TEST(test_text_retry),
        TEST(test_text_child_and_failure),
        TEST(test_text_a_week_is_folded),
        TEST(test_text_suspended_while_an_event_is_awaited),
        TEST(test_text_not_begun),
        TEST(test_text_a_checkpoint_under_way),
        TEST(test_text_evil_names),
        TEST(test_text_500_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
