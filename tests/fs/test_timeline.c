#include <stdio.h>
#include <stdlib.h>

#include "fs/columns.h"
#include "fs/pictures.h"
#include "tests/fs/check.h"
#include "tests/fs/recorded.h"
#include "tests/fs/story.h"

#define PICTURE_MAX (64 << 20)

static struct story s;

static int setup(void **state)
{
    story_init(&s);
    return 0;
}

static int teardown(void **state)
{
    story_fini(&s);
    return 0;
}

static void draw(struct buf *out,
                 enum err (*picture)(const struct history *, const struct row *, ticks,
                                     struct buf *),
                 double now)
{
    assert_int_equal(history_link(s.h), OK);
    assert_int_equal(picture(s.h, &s.row, at(now), out), OK);
    assert_int_equal(buf_err(out), OK);
}

/* -- text -- */

static void expect_text(double now, const char *expected)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PICTURE_MAX);

    draw(&out, timeline_text, now);
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
    draw(&out, timeline_text, 9);
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

#define EVIL "<b>&\"'\x01\x1b[31m\n\r\t\x7f\xff\xef\xbf\xbf]]>-->%%:;#{}"

static void tell_evil(void)
{
    struct event *e;

    begins(&s, 0);
    s.h->events[s.h->count - 1].name = STR(EVIL);
    s.row.id = STR(EVIL);
    s.row.status_text = STR(EVIL);
    s.row.status = STATUS_UNKNOWN;
    decides(&s, EVENT_TASK_SCHEDULED, 0, EVIL);
    decides(&s, EVENT_SUB_CREATED, 0, EVIL);
    s.h->events[s.h->count - 1].instance_id = STR(EVIL);
    e = told(&s, EVENT_SENT, 0);
    e->name = e->instance_id = STR(EVIL);
    rest(&s, 0);
    turn(&s, 4);
    told(&s, EVENT_RAISED, 3)->name = STR(EVIL);
    fails(&s, EVENT_TASK_FAILED, 3, 0, EVIL);
    rest(&s, 4);
}

static void test_text_evil_names(void **state)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PICTURE_MAX);

    tell_evil();
    draw(&out, timeline_text, 9);
    expect_lines(buf_str(&out), 12);
}

static void tell_tasks(int n)
{
    static const char *const names[] = { "Resize", "Upload",
                                         "注文処理アクティビティとても長い名前" };

    begins(&s, 0);
    for (int i = 0; i < n; i++)
        decides(&s, EVENT_TASK_SCHEDULED, 0, names[i % 3]);
    rest(&s, 0);
    for (int i = 0; i < n; i++) {
        turn(&s, i + 1);
        if (i % 50 == 7)
            fails(&s, EVENT_TASK_FAILED, i + 1, i, "no");
        else
            comes(&s, EVENT_TASK_COMPLETED, i + 1, i);
        rest(&s, i + 1);
    }
    ends(&s, n + 1, "Completed");
}

static void test_text_500_tasks(void **state)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PICTURE_MAX);

    tell_tasks(500);
    draw(&out, timeline_text, 0);
    expect_lines(buf_str(&out), 5 + 501 + 2);
    assert_true(str_has(buf_str(&out), STR("500 activities (10 failed)")));
}

/* -- SVG: well-formed, as far as we use XML -- */

static struct str element_name(struct str tag)
{
    size_t n = 0;

    while (n < tag.len && tag.p[n] != ' ' && tag.p[n] != '/')
        n++;
    return str_slice(tag, 0, n);
}

/* Attributes are name="value", and no value holds a quote. */
static void expect_attributes(struct str tag)
{
    size_t quotes = 0;

    for (size_t i = 0; i < tag.len; i++) {
        quotes += tag.p[i] == '"';
        assert_true(tag.p[i] != '<' && tag.p[i] != '&');
    }
    assert_int_equal(quotes % 2, 0);
}

static void expect_entities(struct str text)
{
    static const char *const known[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#39;" };

    for (size_t i = 0; i < text.len; i++) {
        bool ok = text.p[i] != '&';

        for (size_t k = 0; !ok && k < ARRAY_LEN(known); k++)
            ok = str_starts(str_slice(text, i, text.len), str_c(known[k]));
        assert_true(ok);
    }
}

/* Returns how many elements there are. */
static size_t expect_well_formed(struct str xml)
{
    struct str open[32];
    size_t depth = 0, elements = 0;

    assert_true(str_is_utf8(xml));
    assert_false(str_has(xml, STR("\xef\xbf\xbf")));
    for (size_t i = 0; i < xml.len; i++)
        assert_true((unsigned char)xml.p[i] >= 0x20 || xml.p[i] == '\n');
    while (xml.len > 0) {
        struct str text = str_cut(&xml, '<'), tag;

        expect_entities(text);
        if (xml.len == 0)
            break;
        tag = str_cut(&xml, '>');
        if (str_starts(tag, STR("/"))) {
            assert_true(depth > 0);
            assert_true(str_eq(open[--depth], str_slice(tag, 1, tag.len)));
            continue;
        }
        expect_attributes(tag);
        elements++;
        if (str_ends(tag, STR("/")))
            continue;
        assert_true(depth < ARRAY_LEN(open));
        open[depth++] = element_name(tag);
    }
    assert_int_equal(depth, 0);
    return elements;
}

static size_t count_of(struct str text, struct str part)
{
    size_t n = 0;

    for (size_t i = 0; i + part.len <= text.len; i++)
        n += str_starts(str_slice(text, i, text.len), part);
    return n;
}

static void test_svg_evil_names(void **state)
{
    CLEANUP_BUF struct buf out = BUF_INIT(PICTURE_MAX);

    tell_evil();
    draw(&out, timeline_svg, 9);
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
        tell_tasks(sizes[i]);
        draw(&out, timeline_svg, 0);
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
    draw(&out, timeline_svg, 0);
    assert_true(str_has(buf_str(&out), STR("<title>Charge\nfailed\n2026-11-24T09:00:00.0000000Z to "
                                           "2026-11-24T09:00:02.0000000Z, 2.00 s\n"
                                           "no &lt;answer&gt;</title>")));
}

/* -- Mermaid -- */

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
    draw(&out, mermaid_gantt, 9);
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

    tell_evil();
    draw(&out, mermaid_gantt, 9);
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

    tell_tasks(MERMAID_BARS_MAX - 1);
    draw(&out, mermaid_gantt, 0);
    assert_int_equal(count_of(buf_str(&out), STR("activity ")), MERMAID_BARS_MAX - 1);
    assert_true(out.len < 50000);
    buf_clear(&out);
    tell_tasks(1000);
    draw(&out, mermaid_gantt, 0);
    assert_int_equal(count_of(buf_str(&out), STR("activity ")), 3);
}

/* -- what the documents show is what the program draws -- */

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
        TEST(test_svg_evil_names),
        TEST(test_svg_one_task_and_many),
        TEST(test_svg_without_a_history),
        TEST(test_svg_says_why_it_failed),
        TEST(test_mermaid),
        TEST(test_mermaid_evil_names),
        TEST(test_mermaid_is_accepted_by_its_renderers),
        cmocka_unit_test(test_genuine_pictures_of_the_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
