#include "tests/fs/recorded.h"

#include <stdio.h>
#include <stdlib.h>

#include "backend/base/jsonread.h"
#include "backend/storage/events.h"

const struct recorded_picture recorded_pictures[RECORDED_PICTURES] = {
    { "sequence", "5-final", "hello-1" },      { "fan-out", "5-final", "fan-1" },
    { "retry", "3-first-run", "retry-1" },     { "sub-orchestration", "5-final", "parent-1" },
    { "timer", "5-final", "timer-1" },         { "long-timer", "5-final", "timer-long" },
    { "failure", "5-final", "fail-1" },        { "rewound", "5-final", "flaky-1" },
    { "approval", "5-final", "aot-approved" }, { "suspended", "5-final", "wait-susp" },
};

static void must(bool ok, const char *what, const char *which)
{
    if (ok)
        return;
    fprintf(stderr, "recorded: %s: %s\n", what, which);
    exit(1);
}

static void read_file(struct buf *b, const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t n;

    must(f, "cannot open", path);
    do {
        char *space = buf_space(b, 65536);

        must(space, "out of memory", path);
        n = fread(space, 1, 65536, f);
        buf_grown(b, n);
    } while (n > 0);
    fclose(f);
}

static struct str member(struct str object, const char *wanted, struct arena *arena)
{
    struct str name, value = STR_NONE;
    struct jsonread r;

    jsonread_init(&r, object, arena);
    if (!jsonread_object(&r))
        return STR_NONE;
    while (jsonread_member(&r, &name)) {
        if (str_eq(name, str_c(wanted)) && jsonread_peek(&r) == JSON_STRING)
            (void)jsonread_string(&r, &value);
        else
            jsonread_skip(&r);
    }
    return value;
}

/* The rows of one partition out of a recorded table, as a page of their own. */
static void partition(struct buf *page, struct str table, const char *id, struct arena *arena)
{
    struct str name;
    struct jsonread r;
    bool any = false;

    buf_add_c(page, "{\"value\":[");
    jsonread_init(&r, table, arena);
    must(jsonread_object(&r), "not an object", id);
    while (jsonread_member(&r, &name)) {
        if (!str_eq(name, STR("value"))) {
            jsonread_skip(&r);
            continue;
        }
        must(jsonread_array(&r), "not an array", id);
        while (jsonread_element(&r)) {
            struct str row = jsonread_raw(&r);

            if (!str_eq(member(row, "PartitionKey", arena), str_c(id)))
                continue;
            buf_add_c(page, any ? "," : "");
            buf_add(page, row);
            any = true;
        }
    }
    buf_add_c(page, "]}");
    must(any, "no such instance", id);
}

static ticks moment(struct str row, const char *name, struct arena *arena)
{
    ticks t = TICKS_NONE;

    (void)ticks_parse(member(row, name, arena), &t);
    return t;
}

static void read_row(struct str table, const char *id, struct arena *arena, struct row *ret)
{
    CLEANUP_BUF struct buf page = BUF_INIT(1 << 20);
    struct str row;

    partition(&page, table, id, arena);
    row = str_slice(arena_str(arena, buf_str(&page)), strlen("{\"value\":["), page.len - 2);
    *ret = (struct row){ .id = arena_str(arena, str_c(id)) };
    ret->name = member(row, "Name", arena);
    ret->status_text = member(row, "RuntimeStatus", arena);
    ret->status = status_parse(ret->status_text);
    ret->created = moment(row, "CreatedTime", arena);
    ret->updated = moment(row, "LastUpdatedTime", arena);
    ret->completed = moment(row, "CompletedTime", arena);
    ret->scheduled = moment(row, "ScheduledStartTime", arena);
    ret->stamp = ret->updated;
}

static void read_history(struct str table, const char *id, struct history **ret)
{
    CLEANUP_BUF struct buf page = BUF_INIT(16 << 20);
    struct events events;
    struct arena arena;

    arena_init(&arena);
    partition(&page, table, id, &arena);
    must(events_init(&events) == OK, "out of memory", id);
    must(events_page(&events, buf_str(&page)) == OK, "not a page", id);
    must(events_finish(&events, ret) == OK, "no history", id);
    events_fini(&events);
    arena_fini(&arena);
    must(history_link(*ret) == OK, "out of memory", id);
}

struct history *recorded_history(const char *stage, const char *id, struct row *ret_row)
{
    static const char base[] = TEST_DATA_DIR "/genuine-hub/v2.9.1";
    CLEANUP_BUF struct buf rows = BUF_INIT(16 << 20), events = BUF_INIT(16 << 20);
    struct history *h = NULL;
    char path[512];

    snprintf(path, sizeof(path), "%s/%s/GenuineHubHistory.nometadata.json", base, stage);
    read_file(&events, path);
    read_history(buf_str(&events), id, &h);
    snprintf(path, sizeof(path), "%s/%s/GenuineHubInstances.nometadata.json", base, stage);
    read_file(&rows, path);
    read_row(buf_str(&rows), id, &h->arena, ret_row);
    return h;
}
