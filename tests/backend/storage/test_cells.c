#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backend/storage/cells.h"

/* Storage tables 12.2: hub MyHub, account acct, and the emulator's for path style. */
#define U "https://acct.blob.core.windows.net/myhub-largemessages/"
#define P "http://127.0.0.1:10000/devstoreaccount1/myhub-largemessages/"

static const struct cell_place place = { { "devstoreaccount1", 16 }, { "myhub", 5 } };

struct space {
    struct arena arena;
    struct cell cell;
};

static struct column string(const char *text)
{
    struct column c = { .kind = COLUMN_ABSENT };

    if (text) {
        c.kind = COLUMN_STRING;
        c.text = str_c(text);
    }
    return c;
}

static struct cell instance_cell(struct space *s, const char *value, const char *blob)
{
    struct column v = string(value), b = string(blob);

    cell_of_instance(&s->cell, &place, &v, &b, true, &s->arena);
    return s->cell;
}

static struct cell history_cell(struct space *s, const char *value, const char *blob)
{
    struct column v = string(value), b = string(blob);

    cell_of_history(&s->cell, &v, &b);
    return s->cell;
}

static void assert_ref(struct cell c, const char *name, const char *text)
{
    assert_int_equal(c.kind, CELL_REF);
    assert_true(str_eq(c.ref, str_c(name)));
    assert_true(str_eq(c.text, str_c(text)));
}

static void assert_inline(struct cell c, const char *text)
{
    assert_int_equal(c.kind, CELL_TEXT);
    assert_true(str_eq(c.text, str_c(text)));
}

static void assert_url(struct space *s, const char *url, const char *name)
{
    assert_ref(instance_cell(s, url, NULL), name, url);
}

static void assert_url_inline(struct space *s, const char *text)
{
    assert_inline(instance_cell(s, text, NULL), text);
}

#define STARTED "order-17/history-0000000000000001-ExecutionStarted-1A2B3C4D-Input.json.gz"
#define MESSAGE "order-17/message-0123456789abcdef0123456789abcdef-ExecutionStarted.json.gz"

static void test_T43_inline(void **state)
{
    assert_inline(instance_cell(*state, "{\"a\":1}", NULL), "{\"a\":1}");
    assert_int_equal(instance_cell(*state, NULL, NULL).kind, CELL_NONE);
}

static void test_T44_T45_blob_urls(void **state)
{
    assert_url(*state, U STARTED, STARTED);
    assert_url(*state, U MESSAGE, MESSAGE);
    assert_false(cell_is_start_message(STR(STARTED)));
    assert_true(cell_is_start_message(STR(MESSAGE)));
}

static void test_T47_T48_companion_of_an_instance(void **state)
{
    assert_ref(instance_cell(*state, "", "a/history--Input-0000ABCD-Input.json.gz"),
               "a/history--Input-0000ABCD-Input.json.gz", "");
    assert_inline(instance_cell(*state, "{\"b\":2}", "a/history--Input-0000ABCD-Input.json.gz"),
                  "{\"b\":2}");
    assert_inline(instance_cell(*state, "", NULL), "");
}

static void test_T49_T50_companion_in_the_history(void **state)
{
    const char *name = "a/history-0000000000000005-TaskCompleted-00000001-Result.json.gz";

    assert_ref(history_cell(*state, "", name), name, "");
    assert_ref(history_cell(*state, "x", name), name, "x");
    assert_inline(history_cell(*state, U STARTED, NULL), U STARTED);
    assert_int_equal(history_cell(*state, NULL, NULL).kind, CELL_NONE);
}

static void test_T51_bare_name(void **state)
{
    const char *name = "abc/message-000000000000002a-executionstarted.json.gz";

    assert_ref(instance_cell(*state, name, NULL), name, name);
    assert_true(cell_is_start_message(str_c(name)));
    assert_url_inline(*state, "message-000000000000002a-executionstarted.json.gz");
    assert_url_inline(*state, "abc/message-00000000000002a-executionstarted.json.gz");
    assert_url_inline(*state, "abc/message-000000000000002x-executionstarted.json.gz");
    assert_url_inline(*state, "../message-000000000000002a-executionstarted.json.gz");
}

static void test_T52_T53_path_style_and_encoding(void **state)
{
    const char *name = "@c@k/history-0000000000000004-ExecutionCompleted-0000000A-Result.json.gz";

    assert_url(*state,
               P "%40c%40k/history-0000000000000004-ExecutionCompleted-0000000A-Result.json.gz",
               name);
    assert_url(*state, P "@c@k/history-0000000000000004-ExecutionCompleted-0000000A-Result.json.gz",
               name);
}

static void test_T54_T55_escaped_and_raw_paths(void **state)
{
    assert_url(*state,
               U "a%5E%5Eb/history-0000000000000001-ExecutionStarted-00000001-Input.json.gz",
               "a^^b/history-0000000000000001-ExecutionStarted-00000001-Input.json.gz");
    assert_url(*state,
               U "test|1:x y/history-0000000000000001-ExecutionStarted-00000001-Input.json.gz",
               "test|1:x y/history-0000000000000001-ExecutionStarted-00000001-Input.json.gz");
}

static void test_T56_to_T59_reasons_stay_text(void **state)
{
    assert_url_inline(*state, "http://tracker/4711");
    assert_url_inline(*state, "System.Exception:boom");
    assert_url_inline(*state, "System.Exception: boom");
    assert_url_inline(*state,
                      "\"https://acct.blob.core.windows.net/myhub-largemessages/a/b.json.gz\"");
}

static void test_T60_host_is_not_looked_at(void **state)
{
    assert_url(*state, "https://evil.example/myhub-largemessages/a/b.json.gz", "a/b.json.gz");
}

static void test_T61_T62_B42_not_our_blobs(void **state)
{
    assert_url_inline(*state,
                      "https://acct.blob.core.windows.net/otherhub-largemessages/a/b.json.gz");
    assert_url_inline(*state, U "a/b.json.gz?sv=1");
    assert_url_inline(*state, U "a/b.json.gz#x");
    assert_url_inline(*state, U "b.json.gz");
    assert_url_inline(*state, U "a/b.json");
    assert_url_inline(*state, "ftp://h/myhub-largemessages/a/b.json.gz");
    assert_url_inline(*state, "https://u:p@h/myhub-largemessages/a/b.json.gz");
    assert_url_inline(*state, "https:///myhub-largemessages/a/b.json.gz");
    assert_url_inline(*state, "https://h/other/myhub-largemessages/a/b.json.gz");
    assert_url_inline(*state, U "../x/a/b.json.gz");
    assert_url_inline(*state, U "a/../../x/b.json.gz");
    assert_url_inline(*state, U "%2E%2E/x/b.json.gz");
    assert_url_inline(*state, U "a%2Fb.json.gz/c.json.gz");
    assert_url_inline(*state, U "a%00/b.json.gz");
    assert_url_inline(*state, U "a%FF/b.json.gz");
    assert_url_inline(*state, U "a//b.json.gz");
    assert_url_inline(*state, U);
}

static void test_T64_custom_status_is_never_elsewhere(void **state)
{
    struct space *s = *state;
    struct column v = string(U STARTED), none = string(NULL);

    cell_of_instance(&s->cell, &place, &v, &none, false, &s->arena);
    assert_inline(s->cell, U STARTED);
}

static void test_T130_T131_odd_ids(void **state)
{
    assert_url(*state,
               P "bestell-%C3%A4-%F0%9F%9A%80/"
                 "history-0000000000000005-ExecutionCompleted-00000001-Result.json.gz",
               "bestell-ä-🚀/history-0000000000000005-ExecutionCompleted-00000001-Result.json.gz");
    assert_url(*state,
               P "br[1]/history-0000000000000005-ExecutionCompleted-00000001-Result.json.gz",
               "br[1]/history-0000000000000005-ExecutionCompleted-00000001-Result.json.gz");
}

static void test_names_that_lead_elsewhere(void **state)
{
    assert_true(cell_is_blob_name(STR("a/b")));
    assert_true(cell_is_blob_name(STR("a..b/.c")));
    assert_false(cell_is_blob_name(STR("")));
    assert_false(cell_is_blob_name(STR("/a")));
    assert_false(cell_is_blob_name(STR("a/")));
    assert_false(cell_is_blob_name(STR("a//b")));
    assert_false(cell_is_blob_name(STR("../a")));
    assert_false(cell_is_blob_name(STR("a/./b")));
    assert_false(cell_is_blob_name(STR("a\0/b")));
}

static int space_begin(void **state)
{
    static struct space s;

    arena_init(&s.arena);
    *state = &s;
    return 0;
}

static int space_end(void **state)
{
    struct space *s = *state;

    arena_fini(&s->arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_T43_inline),
        cmocka_unit_test(test_T44_T45_blob_urls),
        cmocka_unit_test(test_T47_T48_companion_of_an_instance),
        cmocka_unit_test(test_T49_T50_companion_in_the_history),
        cmocka_unit_test(test_T51_bare_name),
        cmocka_unit_test(test_T52_T53_path_style_and_encoding),
        cmocka_unit_test(test_T54_T55_escaped_and_raw_paths),
        cmocka_unit_test(test_T56_to_T59_reasons_stay_text),
        cmocka_unit_test(test_T60_host_is_not_looked_at),
        cmocka_unit_test(test_T61_T62_B42_not_our_blobs),
        cmocka_unit_test(test_T64_custom_status_is_never_elsewhere),
        cmocka_unit_test(test_T130_T131_odd_ids),
        cmocka_unit_test(test_names_that_lead_elsewhere),
    };

    return cmocka_run_group_tests(tests, space_begin, space_end);
}
