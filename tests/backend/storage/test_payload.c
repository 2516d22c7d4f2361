#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "backend/base/digest.h"
#include "backend/base/limits.h"
#include "backend/storage/cells.h"
#include "backend/storage/payload.h"
#include "tests/backend/storage/fixture.h"

#define PLAIN   "a/history-0000000000000001-ExecutionStarted-00000001-Input.json.gz"
#define MESSAGE "a/message-0123456789abcdef0123456789abcdef-ExecutionStarted.json.gz"

struct unpacked {
    enum err err;
    struct text *text;
    struct call call;
};

static struct unpacked unpack(const char *name, struct str stored, size_t max)
{
    struct unpacked u = { 0 };

    call_init(&u.call, 1000);
    u.err = payload_unpack(&u.call, str_c(name), stored, max, &u.text);
    return u;
}

static struct unpacked unpack_text(const char *name, const char *content, size_t max)
{
    CLEANUP_BUF struct buf gz = BUF_INIT(MIB);

    assert_int_equal(gzip_pack(&gz, str_c(content)), OK);
    return unpack(name, buf_str(&gz), max);
}

static void assert_text(struct unpacked u, const char *want)
{
    assert_int_equal(u.err, OK);
    assert_true(str_eq(text_str(u.text), str_c(want)));
    u.text = text_unref(u.text);
}

#define WRAPPED(input)                                                                             \
    "{\"$type\":\"DurableTask.AzureStorage.MessageData\",\"TaskMessage\":{\"Event\":{"             \
    "\"EventType\":0,"                                                                             \
    "\"Input\":" input "}}}"

static void test_T44_text_of_a_blob(void **state)
{
    assert_text(unpack_text(PLAIN, "{\"a\":1}", 100), "{\"a\":1}");
}

static void test_T45_T46_input_of_a_start_message(void **state)
{
    assert_text(unpack_text(MESSAGE, WRAPPED("\"{\\\"a\\\":1}\""), 100), "{\"a\":1}");
    assert_text(unpack_text(MESSAGE, WRAPPED("null"), 100), "");
    assert_text(unpack_text(MESSAGE, "{\"TaskMessage\":{\"Event\":{}}}", 100), "");
    assert_text(
        unpack_text("a/message-000000000000002a-executionstarted.json.gz", WRAPPED("\"x\""), 100),
        "x");
    assert_int_equal(unpack_text(MESSAGE, "{\"TaskMessage\":7}", 100).err, ERR_DAMAGED);
    assert_int_equal(unpack_text(MESSAGE, "not json", 100).err, ERR_DAMAGED);
}

static void test_genuine_start_message(void **state)
{
    CLEANUP_BUF struct buf index = BUF_INIT(MIB), stored = BUF_INIT(MIB);
    static const struct str names[] = { { "name", 4 }, { "file", 4 } };
    unsigned found = 0;
    struct str lines;

    fixture_read(&index, "v2.9.1/1-pending/blobs.index.jsonl");
    for (lines = buf_str(&index); lines.len;) {
        struct str line = str_cut(&lines, '\n');
        struct column c[2];
        struct arena arena;
        struct jsonread r;
        char path[512], name[512];
        struct unpacked u;

        arena_init(&arena);
        jsonread_init(&r, line, &arena);
        assert_true(columns_read(&r, names, c, 2));
        if (cell_is_start_message(column_str(&c[0]))) {
            snprintf(path, sizeof(path), "v2.9.1/1-pending/blobs/" STR_FMT,
                     STR_ARG(column_str(&c[1])));
            snprintf(name, sizeof(name), STR_FMT, STR_ARG(column_str(&c[0])));
            buf_clear(&stored);
            fixture_read(&stored, path);
            u = unpack(name, buf_str(&stored), 64 * MIB);
            assert_int_equal(u.err, OK);
            assert_true(json_valid(text_str(u.text)));
            assert_true(u.text->len > 46080);
            u.text = text_unref(u.text);
            found++;
        }
        arena_fini(&arena);
    }
    assert_true(found > 0);
}

static void test_B40_limits_and_damage(void **state)
{
    CLEANUP_BUF struct buf gz = BUF_INIT(MIB);
    struct unpacked u;

    assert_text(unpack_text(PLAIN, "12345", 5), "12345");
    u = unpack_text(PLAIN, "123456", 5);
    assert_int_equal(u.err, ERR_TOO_BIG);
    assert_true(str_has(str_c(u.call.text), STR("--max-payload")));
    assert_int_equal(unpack_text(MESSAGE, WRAPPED("\"123456\""), 5).err, ERR_TOO_BIG);

    assert_int_equal(gzip_pack(&gz, STR("a text that is long enough to be cut in the middle")), OK);
    u = unpack(PLAIN, str_slice(buf_str(&gz), 0, gz.len - 9), 100);
    assert_int_equal(u.err, ERR_DAMAGED);
    assert_true(str_has(str_c(u.call.text), STR(PLAIN)));
    assert_text(unpack(PLAIN, STR("not gzip at all"), 100), "not gzip at all");
    assert_int_equal(unpack(PLAIN, STR("\xff\xfe"), 100).err, ERR_DAMAGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_T44_text_of_a_blob),
        cmocka_unit_test(test_T45_T46_input_of_a_start_message),
        cmocka_unit_test(test_genuine_start_message),
        cmocka_unit_test(test_B40_limits_and_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
