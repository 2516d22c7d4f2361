/* What we would send and write for the same operations, byte by byte beside what the engine's own
 * client did (tests/data/genuine-hub). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "backend/base/jsonread.h"
#include "backend/storage/messages.h"
#include "backend/storage/partition.h"
#include "backend/storage/startrow.h"
#include "tests/backend/storage/fixture.h"

static const char *const stages[] = { "1-pending", "4-client-ops" };

/* -- one recorded message -- */

/* Members by name, at any depth; the first of a name counts, which is the event's. */
static void collect(struct jsonread *r, struct message *m, struct str *type, struct str *times)
{
    struct str name;

    while (jsonread_member(r, &name)) {
        struct str value;
        if (jsonread_peek(r) == JSON_OBJECT) {
            assert_true(jsonread_object(r));
            collect(r, m, type, times);
        } else if (str_eq(name, STR("Generation"))) {
            (void)jsonread_i64(r, &m->generation);
        } else if (str_eq(name, STR("SequenceNumber"))) {
            (void)jsonread_i64(r, &m->sequence); /* the envelope's is the last */
        } else if (!jsonread_string(r, &value)) {
            continue;
        } else if (str_eq(name, STR("$type")) &&
                   str_starts(value, STR("DurableTask.Core.History."))) {
            *type = value;
        } else if (str_eq(name, STR("ActivityId"))) {
            snprintf(m->activity_id, sizeof(m->activity_id), STR_FMT, STR_ARG(value));
        } else if (str_eq(name, STR("InstanceId")) && value.len) {
            m->instance_id = value;
        } else if (str_eq(name, STR("ExecutionId")) && value.len) {
            m->execution_id = value;
        } else if (str_eq(name, STR("Name"))) {
            m->name = value;
        } else if (str_eq(name, STR("Version"))) {
            m->version = value;
        } else if (str_eq(name, STR("Input")) || str_eq(name, STR("Reason")) ||
                   str_eq(name, STR("Data"))) {
            m->has_text = true;
            m->text = value;
        } else if (str_eq(name, STR("ScheduledStartTime"))) {
            times[0] = value;
        } else if (str_eq(name, STR("Timestamp"))) {
            times[1] = value;
        }
    }
}

static enum message_kind kind_of(struct str event_type)
{
    for (int k = MESSAGE_START; k <= MESSAGE_GENERIC; k++)
        if (str_eq(event_type, str_c(message_event_name((enum message_kind)k))))
            return (enum message_kind)k;
    fail_msg("an event type that we do not write: " STR_FMT, STR_ARG(event_type));
    return MESSAGE_START;
}

static struct message read_message(const struct message_seen *seen, struct arena *arena)
{
    struct message m = { .generation = -1, .scheduled = TICKS_NONE };
    struct str type = STR_NONE, times[2] = { STR_NONE, STR_NONE };
    struct jsonread r;

    jsonread_init(&r, seen->json, arena);
    assert_true(jsonread_object(&r));
    collect(&r, &m, &type, times);
    assert_true(jsonread_done(&r));
    m.kind = kind_of(seen->event_type);
    assert_true(ticks_parse(times[1], &m.time));
    if (times[0].len)
        assert_true(ticks_parse(times[0], &m.scheduled));
    return m;
}

/* What we do not write: a member that only 2.9.1 knows, and tags. */
static void leave_out(struct buf *b, struct str json)
{
    static const char *const parts[] = { ",\"GenerateNewTrace\":false",
                                         ",\"GenerateNewTrace\":true" };

    for (size_t i = 0; i < json.len;) {
        bool skipped = false;
        for (size_t p = 0; p < ARRAY_LEN(parts) && !skipped; p++)
            if (str_starts(str_slice(json, i, json.len), str_c(parts[p]))) {
                i += strlen(parts[p]);
                skipped = true;
            }
        if (!skipped)
            buf_add_ch(b, json.p[i++]);
    }
}

static void compare_message(const struct message_seen *seen, struct arena *arena)
{
    CLEANUP_BUF struct buf theirs = BUF_INIT(1 << 20), ours = BUF_INIT(1 << 20);

    if (seen->blob_name.len) {
        message_wrapper_json(&ours, seen->blob_name);
        buf_add(&theirs, seen->json);
    } else {
        struct message m = read_message(seen, arena);
        message_json(&ours, &m);
        leave_out(&theirs, seen->json);
    }
    assert_string_equal(buf_c(&ours), buf_c(&theirs));
}

static bool has_tags(const struct message_seen *seen)
{
    return str_has(seen->json, STR("\"Tags\":{"));
}

static size_t compare_queue(const char *path, unsigned index)
{
    CLEANUP_BUF struct buf file = BUF_INIT(1 << 20);
    size_t n = 0;

    fixture_read(&file, path);
    struct str rest = buf_str(&file);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        struct arena arena;
        struct message_seen seen;
        struct jsonread r;
        struct str name, text = STR_NONE;
        arena_init(&arena);
        jsonread_init(&r, line, &arena);
        (void)jsonread_object(&r);
        while (jsonread_member(&r, &name))
            if (str_eq(name, STR("MessageText")))
                assert_true(jsonread_string(&r, &text));
            else
                jsonread_skip(&r);
        message_read(text, &arena, &seen);
        assert_false(seen.opaque);
        assert_int_equal(partition_of(seen.instance_id, 4), index);
        if (!has_tags(&seen)) {
            compare_message(&seen, &arena);
            n++;
        }
        arena_fini(&arena);
    }
    return n;
}

static void test_messages_of_both_lines(void **state)
{
    for (size_t line = 0; line < ARRAY_LEN(fixture_lines); line++) {
        size_t n = 0;
        for (size_t stage = 0; stage < ARRAY_LEN(stages); stage++)
            for (unsigned i = 0; i < 4; i++) {
                char queue[QUEUE_NAME_MAX], path[256];
                partition_queue(queue, str_c(fixture_hubs[line]), i);
                snprintf(path, sizeof(path), "%s/%s/%s.messages.jsonl", fixture_lines[line],
                         stages[stage], queue);
                n += compare_queue(path, i);
            }
        assert_true(n > 60); /* starts, events, terminates, suspends, resumes, rewinds, signals */
    }
}

/* -- rows of starts -- */

static struct str column(struct str row, const char *wanted, struct arena *arena)
{
    struct jsonread r;
    struct str name, raw = STR_NONE;

    jsonread_init(&r, row, arena);
    assert_true(jsonread_object(&r));
    while (jsonread_member(&r, &name)) {
        struct str value = jsonread_raw(&r);
        if (str_eq(name, str_c(wanted)))
            raw = value;
    }
    assert_true(jsonread_done(&r));
    return raw;
}

static struct str text_of(struct str row, const char *name, struct arena *arena)
{
    struct str text = STR_NONE;

    (void)json_unquote(column(row, name, arena), arena, &text);
    return text;
}

static ticks moment_of(struct str row, const char *name, struct arena *arena)
{
    ticks t = TICKS_NONE;

    (void)ticks_parse(text_of(row, name, arena), &t);
    return t;
}

/* Same columns, same values; moments may differ in trailing zeros. */
static void compare_rows(struct str ours, struct str theirs, struct arena *arena)
{
    static const char *const all[] = { "PartitionKey", "RowKey",        "Input",
                                       "Name",         "Version",       "RuntimeStatus",
                                       "TaskHubName",  "ExecutionId",   "Generation",
                                       "Tags",         "InputBlobName", "CustomStatus",
                                       "Output",       "TagsBlobName" };
    static const char *const moments[] = { "CreatedTime", "LastUpdatedTime", "ScheduledStartTime",
                                           "CompletedTime" };

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (!str_eq(column(ours, all[i], arena), column(theirs, all[i], arena)))
            fail_msg("%s differs: " STR_FMT "\n" STR_FMT, all[i], STR_ARG(ours), STR_ARG(theirs));
    for (size_t i = 0; i < ARRAY_LEN(moments); i++)
        assert_true(moment_of(ours, moments[i], arena) == moment_of(theirs, moments[i], arena));
}

static void compare_start_row(struct storage *s, struct str row)
{
    CLEANUP_BUF struct buf ours = BUF_INIT(START_ROW_MAX);
    struct arena arena;

    arena_init(&arena);
    struct message m = { .kind = MESSAGE_START,
                         .instance_id = text_of(row, "PartitionKey", &arena),
                         .time = moment_of(row, "CreatedTime", &arena),
                         .name = text_of(row, "Name", &arena),
                         .has_text = column(row, "Input", &arena).len > 0,
                         .text = text_of(row, "Input", &arena),
                         .execution_id = text_of(row, "ExecutionId", &arena),
                         .version = text_of(row, "Version", &arena),
                         .generation = 0,
                         .scheduled = moment_of(row, "ScheduledStartTime", &arena) };
    struct start_row start = { .key = m.instance_id,
                               .updated = moment_of(row, "LastUpdatedTime", &arena) };
    start_row_json(&ours, s, &m, &start);
    assert_int_equal(buf_err(&ours), OK);
    compare_rows(buf_str(&ours), row, &arena);
    arena_fini(&arena);
}

static void test_rows_of_starts(void **state)
{
    static const char *const ids[] = { "hello-1", "hello-noinput", "order 42 east", "sched-far",
                                       "it's 50%+1&x=y@z,(;)" };
    struct storage *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    for (size_t line = 0; line < ARRAY_LEN(fixture_lines); line++) {
        CLEANUP_BUF struct buf page = BUF_INIT(1 << 20);
        char path[256];
        snprintf(s->hub.name, sizeof(s->hub.name), "%s", fixture_hubs[line]);
        snprintf(path, sizeof(path), "%s/1-pending/%sInstances.nometadata.json",
                 fixture_lines[line], fixture_hubs[line]);
        fixture_read(&page, path);
        for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
            CLEANUP_BUF struct buf row = BUF_INIT(1 << 20);
            fixture_row(&row, buf_str(&page), ids[i]);
            compare_start_row(s, buf_str(&row));
        }
    }
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_of_both_lines),
        cmocka_unit_test(test_rows_of_starts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
