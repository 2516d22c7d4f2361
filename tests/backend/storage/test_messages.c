#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/base/jsonread.h"
#include "backend/base/jsonw.h"
#include "backend/storage/messages.h"

#define ACTIVITY  "7ef1dff1-22cd-4c2b-9fbe-1d9a0f0d3c4a"
#define EXECUTION "8d2f7a6c5b4e4f3a9c1d0e2f3a4b5c6d"
#define SIGNAL_ID "11111111-2222-3333-4444-555555555555"

static ticks time_of(const char *text)
{
    ticks t;

    assert_true(ticks_parse(str_c(text), &t));
    return t;
}

/* What all vectors of storage messages 10.2 have in common. */
static struct message message_of(enum message_kind kind)
{
    return (struct message){ .kind = kind,
                             .instance_id = STR("abc"),
                             .activity_id = ACTIVITY,
                             .sequence = 1,
                             .time = time_of("2024-05-01T10:00:00.1234567Z"),
                             .generation = -1,
                             .scheduled = TICKS_NONE };
}

static struct message with_text(struct message m, struct str text)
{
    m.has_text = true;
    m.text = text;
    return m;
}

static struct message event_of(const char *name, const char *json)
{
    struct message m = with_text(message_of(MESSAGE_EVENT), str_c(json));

    m.name = str_c(name);
    return m;
}

static struct message start_of(void)
{
    struct message m = with_text(message_of(MESSAGE_START), STR("{\"a\":1}"));

    m.name = STR("Flow");
    m.execution_id = STR(EXECUTION);
    m.generation = 0;
    return m;
}

static void assert_json(struct buf *json, size_t bytes, const char *sha256, size_t base64)
{
    unsigned char digest[32];
    CLEANUP_BUF struct buf hex = BUF_INIT(65);
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);

    assert_int_equal(buf_err(json), OK);
    assert_int_equal(json->len, bytes);
    digest_sha256(buf_str(json), digest);
    digest_hex(&hex, digest, sizeof(digest));
    assert_memory_equal(buf_c(&hex), sha256, strlen(sha256));
    base64_encode(&text, buf_str(json));
    assert_int_equal(text.len, base64);
    assert_memory_equal(buf_c(&text), "eyIkdHlwZSI6", 12);
}

static void assert_message(struct message m, size_t bytes, const char *sha256, size_t base64)
{
    CLEANUP_BUF struct buf json = BUF_INIT(MESSAGE_JSON_MAX);

    message_json(&json, &m);
    assert_json(&json, bytes, sha256, base64);
}

static void test_E1_start(void **state)
{
    static const char whole[] =
        "{\"$type\":\"DurableTask.AzureStorage.MessageData\",\"ActivityId\":\"" ACTIVITY
        "\",\"TaskMessage\":{\"$type\":\"DurableTask.Core.TaskMessage\",\"Event\":{\"$type\":"
        "\"DurableTask.Core.History.ExecutionStartedEvent\",\"OrchestrationInstance\":{\"$type\":"
        "\"DurableTask.Core.OrchestrationInstance\",\"InstanceId\":\"abc\",\"ExecutionId\":"
        "\"" EXECUTION "\"},\"EventType\":0,\"ParentInstance\":null,\"Name\":\"Flow\",\"Version\":"
        "\"\",\"Input\":\"{\\\"a\\\":1}\",\"Tags\":null,\"Correlation\":null,"
        "\"ParentTraceContext\":null,\"ScheduledStartTime\":null,\"Generation\":0,\"EventId\":-1,"
        "\"IsPlayed\":false,\"Timestamp\":\"2024-05-01T10:00:00.1234567Z\"},\"SequenceNumber\":0,"
        "\"OrchestrationInstance\":{\"$type\":\"DurableTask.Core.OrchestrationInstance\","
        "\"InstanceId\":\"abc\",\"ExecutionId\":\"" EXECUTION
        "\"},\"OrchestrationExecutionContext\":null},\"CompressedBlobName\":null,"
        "\"SequenceNumber\":1,\"Sender\":{\"InstanceId\":\"\",\"ExecutionId\":\"\"},"
        "\"SerializableTraceContext\":null}";
    CLEANUP_BUF struct buf json = BUF_INIT(MESSAGE_JSON_MAX);
    struct message m = start_of();

    message_json(&json, &m);
    assert_string_equal(buf_c(&json), whole);
    assert_json(&json, 939, "ab2fa7e50e78411266469be2a7054289e9dd7bf12411a913bcde3b29ffacb50b",
                1252);
}

static void test_E2_start_scheduled_again(void **state)
{
    struct message m = start_of();

    m.instance_id = STR("été");
    m.version = STR("2.0");
    m.has_text = false;
    m.scheduled = time_of("2024-05-02T00:00:00Z");
    m.generation = 3;
    m.sequence = 2;
    assert_message(m, 957, "95a39b37ecb228e93017414203866fb9ef4d7193440326ce683b9575ed611297",
                   1276);
}

static void test_E3_event(void **state)
{
    assert_message(event_of("Approve", "{\"ok\":true}"), 662,
                   "282489817a330ed4ef5387d0c60197c7e1a2339f68911b0247d384c865e918e3", 884);
}

static void test_E4_event_null(void **state)
{
    assert_message(event_of("Go", "null"), 648,
                   "ed0d23c0cf6f624768e1b350581daeb1b71552cc7b3ff79b08a3891f49224537", 864);
}

static void test_E5_event_with_quotes_and_beyond_ascii(void **state)
{
    assert_message(event_of("Say", "\"a \\\"q\\\" \\\\ / é 世 🌍\""), 679,
                   "e006adbadc130c341752971f733a27d61910ab4ddbcc4d58474bfb0a8d65a6bc", 908);
}

static void test_E6_V30_terminate(void **state)
{
    assert_message(with_text(message_of(MESSAGE_TERMINATE), STR("bug")), 616,
                   "17543feb500681d7a411ec8fe20ae1a013dc5a31bc6837c1f3804463ea912939", 824);
}

static void test_E7_V30_terminate_without_reason(void **state)
{
    assert_message(message_of(MESSAGE_TERMINATE), 615,
                   "eceb82bfb09847cb3f0daf2ee5ad8957b92b00bee6bb3aa06347f7e7a39bc28c", 820);
}

static void test_E8_terminate_with_odd_characters(void **state)
{
    struct str reason = STR("line1\nline2\t\"q\" \\ / \x01\x7f\xc2\x85\xe2\x80\xa8 é 世 🌍 <&>");

    assert_message(with_text(message_of(MESSAGE_TERMINATE), reason), 673,
                   "805b7b6b7764a85a7312dace8b73841b18d60fc724e24e0ecc99f9d4f281c112", 900);
}

static void test_E9_suspend(void **state)
{
    assert_message(with_text(message_of(MESSAGE_SUSPEND), STR("hold")), 618,
                   "edbc9196cdf2fd0850e62ddd1718438fa512bd96f3bb80f2ca2f4421f842b3a3", 824);
}

static void test_E10_resume(void **state)
{
    assert_message(message_of(MESSAGE_RESUME), 614,
                   "a3034e512732d018166d21b4ec0c3b27304723ade4ed542fd62f1f8d02d99f81", 820);
}

static void test_E11_rewind(void **state)
{
    assert_message(with_text(message_of(MESSAGE_GENERIC), STR("again")), 606,
                   "4b5763ea1efe3dc94405bdfd3f451b7d823828573fb56aa4e7abc95610ce8b4a", 808);
}

static struct message signal_message(struct buf *request, struct buf *name, const struct signal *s,
                                     ticks delivery)
{
    signal_json(request, s);
    signal_event_name(name, delivery);
    struct message m = with_text(message_of(MESSAGE_EVENT), buf_str(request));
    m.instance_id = STR("@counter@steps");
    m.name = buf_str(name);
    return m;
}

static void test_E12_signal(void **state)
{
    CLEANUP_BUF struct buf request = BUF_INIT(1000), name = BUF_INIT(100);
    struct signal s = { .operation = STR("add"),
                        .has_input = true,
                        .input = STR("5"),
                        .id = SIGNAL_ID,
                        .due = TICKS_NONE };

    assert_message(signal_message(&request, &name, &s, TICKS_NONE), 829,
                   "3dd9a2dad4ecb48a83020d9e187a3c3294c02337a729b2d8f6c77504af309633", 1108);
    assert_string_equal(buf_c(&name), "op");
}

static void test_E13_signal_for_later(void **state)
{
    CLEANUP_BUF struct buf request = BUF_INIT(1000), name = BUF_INIT(100);
    struct signal s = { .operation = STR("reset"),
                        .id = SIGNAL_ID,
                        .due = time_of("2024-05-02T10:00:00Z") };

    assert_message(signal_message(&request, &name, &s, s.due), 877,
                   "477adaeee70f78ec8cff6d5765734dab2305c36d402cf86a7b10ef1ad3deeb32", 1172);
    assert_string_equal(buf_c(&name), "op@2024-05-02T10:00:00.0000000Z");
}

static const char e14_queue_text[] =
    "eyIkdHlwZSI6IkR1cmFibGVUYXNrLkF6dXJlU3RvcmFnZS5NZXNzYWdlRGF0YSIsIkFjdGl2aXR5SWQiOiIwMDAwMDAwMC"
    "0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDAiLCJUYXNrTWVzc2FnZSI6bnVsbCwiQ29tcHJlc3NlZEJsb2JOYW1lIjoi"
    "YWJjL21lc3NhZ2UtN2VmMWRmZjEyMmNkNGMyYjlmYmUxZDlhMGYwZDNjNGEtRXZlbnRSYWlzZWQuanNvbi5neiIsIlNlcX"
    "VlbmNlTnVtYmVyIjowLCJTZW5kZXIiOm51bGwsIlNlcmlhbGl6YWJsZVRyYWNlQ29udGV4dCI6bnVsbH0=";

static void test_E14_wrapper(void **state)
{
    CLEANUP_BUF struct buf name = BUF_INIT(1000), json = BUF_INIT(1000), body = BUF_INIT(2000);
    struct message m = event_of("Approve", "1");

    message_blob_name(&name, &m);
    assert_string_equal(buf_c(&name),
                        "abc/message-7ef1dff122cd4c2b9fbe1d9a0f0d3c4a-EventRaised.json.gz");
    message_wrapper_json(&json, buf_str(&name));
    assert_json(&json, 272, "91d4592e77b35657c5b3ca76bf7094d91bc77f912c6ef64f57dc0bdba00c1b6f",
                364);
    message_queue_body(&body, buf_str(&json));
    char expected[2000];
    snprintf(expected, sizeof(expected),
             "<QueueMessage><MessageText>%s</MessageText></QueueMessage>", e14_queue_text);
    assert_string_equal(buf_c(&body), expected);
}

/* -- the threshold -- */

static void fill_event(struct buf *json, struct buf *input, const char *part, size_t times)
{
    struct message m;

    buf_clear(input);
    buf_clear(json);
    buf_add_ch(input, '"');
    for (size_t i = 0; i < times; i++)
        buf_add_c(input, part);
    buf_add_ch(input, '"');
    m = event_of("Approve", buf_c(input));
    message_json(json, &m);
    assert_int_equal(buf_err(json), OK);
}

static void assert_threshold(const char *part, size_t small, size_t small_bytes, size_t large,
                             size_t large_bytes)
{
    CLEANUP_BUF struct buf json = BUF_INIT(1 << 20), input = BUF_INIT(1 << 20);

    fill_event(&json, &input, part, small);
    assert_int_equal(json.len, small_bytes);
    assert_false(message_is_large(buf_str(&json)));
    fill_event(&json, &input, part, large);
    assert_int_equal(json.len, large_bytes);
    assert_true(message_is_large(buf_str(&json)));
}

static void test_V13_the_largest_inline_message(void **state)
{
    CLEANUP_BUF struct buf json = BUF_INIT(1 << 20), input = BUF_INIT(1 << 20);

    fill_event(&json, &input, "", 0);
    assert_int_equal(json.len, 653);
    fill_event(&json, &input, "x", 45427);
    assert_json(&json, 46080, "1e3762d267c7a8a3", 61440);
    assert_false(message_is_large(buf_str(&json)));
}

static void test_V14_the_smallest_large_message(void **state)
{
    CLEANUP_BUF struct buf name = BUF_INIT(1000);
    struct message m = event_of("Approve", "1");

    assert_threshold("x", 45427, 46080, 45428, 46081);
    m.instance_id = STR("a b/ü");
    message_blob_name(&name, &m);
    assert_string_equal(buf_c(&name),
                        "a b/ü/message-7ef1dff122cd4c2b9fbe1d9a0f0d3c4a-EventRaised.json.gz");
}

static void test_V15_threshold_in_bytes_not_characters(void **state)
{
    assert_threshold("世", 15142, 46079, 15143, 46082);
}

static void test_V16_threshold_after_escaping(void **state)
{
    assert_threshold("\\\"", 11356, 46077, 11357, 46081);
}

/* -- reading -- */

static void assert_e3(struct str text)
{
    struct arena arena;
    struct message_seen seen;

    arena_init(&arena);
    message_read(text, &arena, &seen);
    assert_false(seen.opaque);
    assert_int_equal(seen.json.len, 662);
    assert_true(str_eq(seen.instance_id, STR("abc")));
    assert_true(str_eq(seen.event_type, STR("EventRaised")));
    assert_int_equal(seen.blob_name.len, 0);
    arena_fini(&arena);
}

static void test_V18_reads_base64_and_plain(void **state)
{
    CLEANUP_BUF struct buf json = BUF_INIT(2000), text = BUF_INIT(2000);
    struct message m = event_of("Approve", "{\"ok\":true}");

    message_json(&json, &m);
    assert_e3(buf_str(&json));
    base64_encode(&text, buf_str(&json));
    assert_e3(buf_str(&text));
    buf_clear(&text);
    buf_add_c(&text, " \n");
    buf_add(&text, buf_str(&json));
    assert_e3(buf_str(&text));
}

static void test_V19_what_is_no_message_is_opaque(void **state)
{
    static const struct {
        const char *text;
        bool opaque;
    } cases[] = { { "aGVsbG8=", true }, { "hello", true }, { "{\"a\":", true }, { "e30=", false },
                  { "", true },         { "{}", false },   { "bnVsbA==", true } };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena;
        struct message_seen seen;
        arena_init(&arena);
        message_read(str_c(cases[i].text), &arena, &seen);
        assert_int_equal(seen.opaque, cases[i].opaque);
        assert_int_equal(seen.instance_id.len, 0);
        assert_int_equal(seen.event_type.len, 0);
        arena_fini(&arena);
    }
}

static void test_V20_members_in_any_order(void **state)
{
    static const char json[] =
        "{\"TaskMessage\":{\"OrchestrationInstance\":{\"ExecutionId\":null,\"InstanceId\":\"abc\"},"
        "\"Event\":{\"Name\":\"x\",\"Input\":\"{}\","
        "\"$type\":\"DurableTask.Core.History.GenericEvent, DurableTask.Core\"}}}";
    struct arena arena;
    struct message_seen seen;

    arena_init(&arena);
    message_read(str_c(json), &arena, &seen);
    assert_false(seen.opaque);
    assert_true(str_eq(seen.instance_id, STR("abc")));
    assert_true(str_eq(seen.event_type, STR("GenericEvent")));
    arena_fini(&arena);
}

static void test_wrapper_tells_its_instance(void **state)
{
    struct arena arena;
    struct message_seen seen;

    arena_init(&arena);
    message_read(str_c(e14_queue_text), &arena, &seen);
    assert_false(seen.opaque);
    assert_true(str_eq(seen.instance_id, STR("abc")));
    message_read(STR("{\"TaskMessage\":null,\"CompressedBlobName\":\"a/b/message-1-X.json.gz\"}"),
                 &arena, &seen);
    assert_true(str_eq(seen.instance_id, STR("a/b")));
    arena_fini(&arena);
}

/* -- times and delays -- */

static void assert_times(const char *time, const char *in_message, const char *in_name)
{
    CLEANUP_BUF struct buf json = BUF_INIT(2000), name = BUF_INIT(100);
    struct message m = message_of(MESSAGE_RESUME);
    char expected[100];

    m.time = time_of(time);
    message_json(&json, &m);
    snprintf(expected, sizeof(expected), "\"Timestamp\":\"%s\"", in_message);
    assert_non_null(strstr(buf_c(&json), expected));
    signal_event_name(&name, m.time);
    assert_string_equal(buf_c(&name) + strlen("op@"), in_name);
}

static void test_V21_V22_times(void **state)
{
    assert_times("2024-05-01T10:00:00Z", "2024-05-01T10:00:00Z", "2024-05-01T10:00:00.0000000Z");
    assert_times("2024-05-01T10:00:00.12Z", "2024-05-01T10:00:00.12Z",
                 "2024-05-01T10:00:00.1200000Z");
    assert_times("2024-05-01T10:00:00.0000001Z", "2024-05-01T10:00:00.0000001Z",
                 "2024-05-01T10:00:00.0000001Z");
}

static void test_V23_V24_V25_delays(void **state)
{
    ticks now = time_of("2024-05-01T10:00:00Z");
    int64_t s = -1;

    assert_true(message_delay_s(now, time_of("2024-05-02T00:00:00Z"), &s));
    assert_int_equal(s, 50400);
    assert_true(message_delay_s(now, now + 604800 * TICKS_PER_SEC, &s));
    assert_int_equal(s, 604800);
    assert_false(message_delay_s(now, now + 604801 * TICKS_PER_SEC, &s));
    assert_int_equal(s, 604800); /* untouched */
    assert_true(message_delay_s(now, now - 3600 * TICKS_PER_SEC, &s));
    assert_int_equal(s, 0);
}

static void assert_signal_due(const char *due, const char *name, int64_t delay_s)
{
    CLEANUP_BUF struct buf b = BUF_INIT(1000);
    ticks now = time_of("2024-05-01T10:00:00Z");
    ticks delivery = signal_delivery(now, time_of(due));
    struct signal signal = { .operation = STR("x"), .id = SIGNAL_ID, .due = time_of(due) };
    char expected[100];
    int64_t s;

    signal_event_name(&b, delivery);
    assert_string_equal(buf_c(&b), name);
    assert_true(message_delay_s(now, delivery, &s));
    assert_int_equal(s, delay_s);
    buf_clear(&b);
    signal_json(&b, &signal);
    snprintf(expected, sizeof(expected), "\"due\":\"%s\"", due);
    assert_non_null(strstr(buf_c(&b), expected));
}

static void test_V26_V27_signals_for_later(void **state)
{
    assert_signal_due("2024-05-07T10:00:00Z", "op@2024-05-07T10:00:00.0000000Z", 518400);
    assert_signal_due("2024-05-09T10:00:00Z", "op@2024-05-04T10:00:00.0000000Z", 259200);
}

static void test_V62_numbers_rise(void **state)
{
    struct message_clock c = { 0 };
    ticks now = time_of("2024-05-01T10:00:00Z"); /* 1714557600 */

    assert_int_equal(message_clock_sequence(&c, now), 1714557600000001);
    assert_int_equal(message_clock_sequence(&c, now + 5 * TICKS_PER_SEC), 1714557600000002);
    assert_int_equal(message_clock_time(&c, now), now);
    assert_int_equal(message_clock_time(&c, now), now + 1);
    assert_int_equal(message_clock_time(&c, now - TICKS_PER_SEC), now + 2);
    assert_int_equal(message_clock_time(&c, now + 10), now + 10);
}

struct taker {
    struct message_clock *clock;
    pthread_t thread;
    int64_t sequences[1000], times[1000];
};

static void *take(void *arg)
{
    struct taker *t = arg;

    for (size_t i = 0; i < ARRAY_LEN(t->sequences); i++) {
        t->sequences[i] = message_clock_sequence(t->clock, TICKS_PER_SEC);
        t->times[i] = message_clock_time(t->clock, 5);
    }
    return NULL;
}

/* Four thousand numbers from four threads: each is given once, so their sums are known. */
static void test_numbers_are_given_once(void **state)
{
    struct message_clock clock = { 0 };
    static struct taker takers[4];
    int64_t sequences = 0, times = 0;
    const int64_t n = 4000;

    for (size_t i = 0; i < ARRAY_LEN(takers); i++) {
        takers[i].clock = &clock;
        assert_int_equal(pthread_create(&takers[i].thread, NULL, take, &takers[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(takers); i++) {
        pthread_join(takers[i].thread, NULL);
        for (size_t k = 0; k < ARRAY_LEN(takers[i].sequences); k++) {
            assert_true(k == 0 || takers[i].sequences[k] > takers[i].sequences[k - 1]);
            assert_true(k == 0 || takers[i].times[k] > takers[i].times[k - 1]);
            sequences += takers[i].sequences[k] - 1000000;
            times += takers[i].times[k] - 4;
        }
    }
    assert_int_equal(sequences, n * (n + 1) / 2);
    assert_int_equal(times, n * (n + 1) / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_E1_start),
        cmocka_unit_test(test_E2_start_scheduled_again),
        cmocka_unit_test(test_E3_event),
        cmocka_unit_test(test_E4_event_null),
        cmocka_unit_test(test_E5_event_with_quotes_and_beyond_ascii),
        cmocka_unit_test(test_E6_V30_terminate),
        cmocka_unit_test(test_E7_V30_terminate_without_reason),
        cmocka_unit_test(test_E8_terminate_with_odd_characters),
        cmocka_unit_test(test_E9_suspend),
        cmocka_unit_test(test_E10_resume),
        cmocka_unit_test(test_E11_rewind),
        cmocka_unit_test(test_E12_signal),
        cmocka_unit_test(test_E13_signal_for_later),
        cmocka_unit_test(test_E14_wrapper),
        cmocka_unit_test(test_V13_the_largest_inline_message),
        cmocka_unit_test(test_V14_the_smallest_large_message),
        cmocka_unit_test(test_V15_threshold_in_bytes_not_characters),
        cmocka_unit_test(test_V16_threshold_after_escaping),
        cmocka_unit_test(test_V18_reads_base64_and_plain),
        cmocka_unit_test(test_V19_what_is_no_message_is_opaque),
        cmocka_unit_test(test_V20_members_in_any_order),
        cmocka_unit_test(test_wrapper_tells_its_instance),
        cmocka_unit_test(test_V21_V22_times),
        cmocka_unit_test(test_V23_V24_V25_delays),
        cmocka_unit_test(test_V26_V27_signals_for_later),
        cmocka_unit_test(test_V62_numbers_rise),
        cmocka_unit_test(test_numbers_are_given_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
