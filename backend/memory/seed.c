/* The demo's first instances: every state, a few stories, and many finished orders. */
#include <stdio.h>

#include "backend/memory/memory_internal.h"

#define SEC TICKS_PER_SEC

static struct record *add(struct memory *m, const char *id, const char *name, const char *input,
                          ticks created)
{
    struct record *r = memory_add(m, record_new(str_c(id), str_c(name), created));
    if (r)
        record_set(&r->input, str_c(input));
    return r;
}

static void begin(struct record *r, ticks now)
{
    r->begun = true;
    r->status = STATUS_RUNNING;
    record_episode(r, now);
    record_event(r, EVENT_EXECUTION_STARTED, r->created, text_str(r->name), text_str(r->input),
                 STR_NONE, -1);
}

static void task(struct record *r, ticks now, const char *name, const char *result, ticks takes)
{
    int64_t id = record_event(r, EVENT_TASK_SCHEDULED, now, str_c(name), STR_NONE, STR_NONE, -1);
    record_episode_end(r, now);
    record_episode(r, now + takes);
    record_event(r, EVENT_TASK_COMPLETED, now + takes, STR_NONE, str_c(result), STR_NONE, id);
}

static void finish(struct record *r, ticks now, enum status status, const char *output)
{
    record_finish(r, status, str_c(output), now);
    record_episode_end(r, now);
}

static void orders(struct memory *m, ticks now)
{
    for (int i = 1; i <= 160; i++) {
        char id[32], input[64], output[64];
        ticks at = now - (int64_t)(161 - i) * 3 * 3600 * SEC;
        snprintf(id, sizeof(id), "order-%d", i);
        snprintf(input, sizeof(input), "{\"id\":%d,\"sku\":\"A%d\"}", i, i % 7);
        snprintf(output, sizeof(output), "{\"id\":%d,\"ok\":true}", i);
        struct record *r = add(m, id, "OrderFlow", input, at);
        if (!r)
            return;
        begin(r, at + SEC / 10);
        task(r, at + SEC / 5, "ReserveStock", "{\"reserved\":true}", SEC);
        task(r, at + 2 * SEC, "Charge", "{\"paid\":true}", 2 * SEC);
        finish(r, at + 5 * SEC, STATUS_COMPLETED, output);
    }
}

static void failures(struct memory *m, ticks now)
{
    static const char details[] =
        "{\"ErrorType\":\"System.InvalidOperationException\",\"ErrorMessage\":\"ERR-17: no stock "
        "for A1\","
        "\"StackTrace\":\"   at Shop.ReserveStock(Order order) in /app/Stock.cs:line 42\\n   at "
        "Shop.Run(TaskContext context) in /app/Shop.cs:line 7\",\"InnerFailure\":{\"ErrorType\":"
        "\"System.TimeoutException\",\"ErrorMessage\":\"warehouse did not "
        "answer\",\"StackTrace\":\"   at "
        "Warehouse.Ask(String sku) in /app/Warehouse.cs:line "
        "9\",\"InnerFailure\":null,\"IsNonRetriable\":"
        "false},\"IsNonRetriable\":false}";
    for (int i = 1; i <= 8; i++) {
        char id[32], output[64];
        ticks at = now - (int64_t)i * 5 * 3600 * SEC;
        snprintf(id, sizeof(id), "failing-%d", i);
        snprintf(output, sizeof(output), "ERR-%d: no stock for A1", i % 2 ? 17 : 23);
        struct record *r = add(m, id, "FailingFlow", "{\"sku\":\"A1\"}", at);
        if (!r)
            return;
        begin(r, at + SEC / 10);
        int64_t t = record_event(r, EVENT_TASK_SCHEDULED, at + SEC, STR("ReserveStock"), STR_NONE,
                                 STR_NONE, -1);
        record_episode_end(r, at + SEC);
        record_episode(r, at + 3 * SEC);
        record_event(r, EVENT_TASK_FAILED, at + 3 * SEC, STR_NONE, str_c(output), str_c(details),
                     t);
        finish(r, at + 3 * SEC, STATUS_FAILED, output);
    }
}

/* Those that move while one watches. */
static void living(struct memory *m, ticks now)
{
    static const struct {
        const char *prefix, *name;
        int n, age_s;
    } kinds[] = { { "approval", "ApprovalFlow", 6, 600 },
                  { "loop", "EternalLoop", 2, 30 },
                  { "fan", "FanOut", 2, 2 } };
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        for (int i = 1; i <= kinds[k].n; i++) {
            char id[32];
            snprintf(id, sizeof(id), "%s-%d", kinds[k].prefix, i);
            struct record *r =
                add(m, id, kinds[k].name, "{\"demo\":true}", now - kinds[k].age_s * SEC);
            if (r)
                simulate_start(r, now - kinds[k].age_s * SEC);
        }
}

static void others(struct memory *m, ticks now)
{
    struct record *r = add(m, "later-1", "OrderFlow", "{\"id\":900}", now);
    if (r)
        r->scheduled = now + 86400 * SEC;
    r = add(m, "paused-1", "OrderFlow", "{\"id\":901}", now - 7200 * SEC);
    if (r) {
        begin(r, now - 7200 * SEC);
        record_event(r, EVENT_SUSPENDED, now - 7100 * SEC, STR_NONE, STR("maintenance"), STR_NONE,
                     -1);
        record_episode_end(r, now - 7100 * SEC);
        r->status = STATUS_SUSPENDED;
        record_set(&r->output, STR("maintenance"));
        simulate_start(r, now - 7100 * SEC);
    }
    r = add(m, "stopped-1", "EternalLoop", "{}", now - 9000 * SEC);
    if (r) {
        begin(r, now - 9000 * SEC);
        record_event(r, EVENT_EXECUTION_TERMINATED, now - 8000 * SEC, STR_NONE, STR("duplicate"),
                     STR_NONE, -1);
        finish(r, now - 8000 * SEC, STATUS_TERMINATED, "duplicate");
    }
    r = add(m, "odd/name 50% #1", "OrderFlow", "{\"id\":902}", now - 9500 * SEC);
    if (r) {
        begin(r, now - 9500 * SEC);
        finish(r, now - 9400 * SEC, STATUS_COMPLETED, "\"odd names work\"");
    }
}

#define BIG_BYTES (2 * 1000 * 1000)

static void big(struct memory *m, ticks now)
{
    struct record *r = add(m, "big-1", "Report", "{\"rows\":40000}", now - 4000 * SEC);
    struct buf b = BUF_INIT(BIG_BYTES + 64);
    if (!r)
        return;
    buf_add_ch(&b, '[');
    while (b.len < BIG_BYTES && !b.err)
        buf_printf(&b, "%s{\"line\":%zu,\"text\":\"report\"}", b.len > 1 ? "," : "", b.len);
    buf_add_ch(&b, ']');
    begin(r, now - 4000 * SEC);
    record_finish(r, STATUS_COMPLETED, buf_str(&b), now - 3990 * SEC);
    record_episode_end(r, now - 3990 * SEC);
    buf_fini(&b);
}

static void family(struct memory *m, ticks now)
{
    ticks at = now - 5000 * SEC;
    struct record *p = add(m, "parent-1", "ShippingFlow", "{\"id\":17}", at);
    struct record *c = add(m, "parent-1:ship", "Ship", "{\"id\":17}", at + SEC);
    if (!p || !c)
        return;
    begin(p, at);
    int64_t id = record_event(p, EVENT_SUB_CREATED, at + SEC, STR("Ship"), STR_NONE,
                              STR("parent-1:ship"), -1);
    record_episode_end(p, at + SEC);
    record_set(&c->parent, STR("parent-1"));
    begin(c, at + SEC);
    finish(c, at + 20 * SEC, STATUS_COMPLETED, "\"shipped\"");
    record_episode(p, at + 21 * SEC);
    record_event(p, EVENT_SUB_COMPLETED, at + 21 * SEC, STR_NONE, STR("\"shipped\""), STR_NONE, id);
    finish(p, at + 21 * SEC, STATUS_COMPLETED, "{\"shipped\":true}");
}

static void entities(struct memory *m, ticks now)
{
    static const struct {
        const char *id, *input;
    } all[] = { { "@counter@steps", "{\"state\":\"42\",\"sorter\":{}}" },
                { "@counter@Visits", "{\"state\":\"7\",\"sorter\":{}}" },
                { "@cart@user/1", "{\"state\":\"{\\\"items\\\":3}\",\"sorter\":{}}" } };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct record *r = add(m, all[i].id, all[i].id, all[i].input, now - 1000 * SEC);
        if (!r)
            return;
        r->begun = true;
        r->status = STATUS_RUNNING;
        record_set(&r->custom_status, STR("{\"entityExists\":true}"));
    }
}

void seed_demo(struct memory *m, ticks now)
{
    orders(m, now);
    failures(m, now);
    living(m, now);
    others(m, now);
    big(m, now);
    family(m, now);
    entities(m, now);
}
