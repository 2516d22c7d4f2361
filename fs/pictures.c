#include "fs/pictures.h"

#include "fs/duration.h"
#include "fs/format.h"

static const char *const prefixes[BAR_KINDS] = {
    [BAR_RUN] = "",         [BAR_ACTIVITY] = "",    [BAR_SUB] = "sub ",
    [BAR_TIMER] = "timer ", [BAR_EVENT] = "event ", [BAR_SENT] = "send ",
};

static void add_timer(struct buf *out, const struct bar *bar)
{
    if (bar->planned != TICKS_NONE)
        duration_print(out, bar->planned);
    else
        format_escaped(out, bar->name);
}

void bar_label(struct buf *out, const struct bar *bar)
{
    bool awaited = bar->kind == BAR_EVENT && bar->name.len == 0 && bar->state == BAR_OPEN;

    buf_add_c(out, prefixes[bar->kind]);
    if (awaited)
        buf_add_c(out, "(not come yet)");
    else if (bar->kind == BAR_TIMER)
        add_timer(out, bar);
    else
        format_escaped(out, bar->name);
    if (bar->attempt > 1)
        buf_printf(out, " (try %u)", bar->attempt);
    if (bar->target.len > 0) {
        buf_add_c(out, bar->kind == BAR_SENT ? " to " : " ");
        format_escaped(out, bar->target);
    }
    if (bar->count > 1)
        buf_printf(out, ", %zu times", bar->count);
}

void bar_duration(struct buf *out, const struct bar *bar)
{
    if (bar->to > bar->from || bar->kind == BAR_RUN || bar->kind == BAR_ACTIVITY)
        duration_print(out, bar->to - bar->from);
}

void bar_state(struct buf *out, const struct bar *bar, const struct row *row)
{
    static const char *const names[] = {
        [BAR_DONE] = "",           [BAR_FAILED] = "failed",   [BAR_OPEN] = "open",
        [BAR_DROPPED] = "dropped", [BAR_REWOUND] = "rewound",
    };

    if (bar->kind == BAR_RUN)
        format_escaped(out, row->status_text.len > 0 ? row->status_text
                                                     : str_c(status_name(row->status)));
    else if (bar->count > 1 && bar->failed > 0)
        buf_printf(out, "%zu failed", bar->failed);
    else
        buf_add_c(out, names[bar->state]);
}

static void add_failures(struct buf *out, const struct bars *bars, enum bar_kind kind)
{
    size_t failed = 0;

    for (size_t i = 0; i < bars->count; i++)
        if (bars->bars[i].kind == kind)
            failed += bars->bars[i].failed;
    if (failed > 0)
        buf_printf(out, " (%zu failed)", failed);
}

void bars_times(struct buf *out, const struct bars *bars)
{
    const struct bar *run = &bars->bars[0];

    if (bars->begun == TICKS_NONE) {
        buf_add_c(out, bars->open ? "not begun for " : "never begun in ");
        duration_print(out, run->to - run->from);
        return;
    }
    if (bars->begun > run->from) {
        buf_add_c(out, "waited ");
        duration_print(out, bars->begun - run->from);
        buf_add_c(out, " to begin, ");
    }
    buf_add_c(out, bars->open ? "open for " : "took ");
    duration_print(out, run->to - (bars->begun > run->from ? bars->begun : run->from));
}

void bars_summary(struct buf *out, const struct bars *bars)
{
    static const char *const one[BAR_KINDS] = {
        [BAR_ACTIVITY] = "activity", [BAR_SUB] = "sub-orchestration", [BAR_TIMER] = "timer",
        [BAR_EVENT] = "event",       [BAR_SENT] = "event sent",
    };
    static const char *const many[BAR_KINDS] = {
        [BAR_ACTIVITY] = "activities", [BAR_SUB] = "sub-orchestrations", [BAR_TIMER] = "timers",
        [BAR_EVENT] = "events",        [BAR_SENT] = "events sent",
    };
    bool any = false;

    for (int kind = BAR_ACTIVITY; kind < BAR_KINDS; kind++) {
        size_t n = bars->of_kind[kind];

        if (n == 0)
            continue;
        buf_printf(out, "%s%zu %s", any ? ", " : "; ", n, n == 1 ? one[kind] : many[kind]);
        add_failures(out, bars, (enum bar_kind)kind);
        any = true;
    }
}
