#include "backend/base/limits.h"
#include "fs/columns.h"
#include "fs/format.h"
#include "fs/pictures.h"

#define LABEL_COLUMNS 48
#define TICKS_PER_MS  (TICKS_PER_SEC / 1000)

/* Mermaid has no quoting: these end a text, begin a comment or are markup. Look-alikes are read by
 * every version, entities only by some. */
static const struct {
    char c;
    const char *instead;
} look_alikes[] = {
    { ':', "∶" },  { ';', "；" }, { '#', "＃" }, { '%', "％" }, { '<', "‹" }, { '>', "›" },
    { '&', "＆" }, { '"', "″" },  { '{', "(" },  { '}', ")" },  { '`', "ˋ" }, { '\\', "＼" },
};

static const char *instead_of(char c)
{
    for (size_t i = 0; i < ARRAY_LEN(look_alikes); i++)
        if (look_alikes[i].c == c)
            return look_alikes[i].instead;
    return NULL;
}

static void add_text(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        const char *instead = instead_of(s.p[i]);

        if (instead)
            buf_add_c(out, instead);
        else
            buf_add_ch(out, s.p[i]);
    }
}

static void add_cut(struct buf *out, const struct buf *text, size_t columns)
{
    CLEANUP_BUF struct buf cut = BUF_INIT(64 * KIB);

    (void)columns_add(&cut, buf_str(text), columns);
    add_text(out, buf_str(&cut));
}

/* Round to negative infinity: 1969 is before 1970. */
static long long ms_of(ticks t)
{
    return (long long)(t / TICKS_PER_MS - (t % TICKS_PER_MS < 0));
}

static const char milestone[] = "milestone, ";

static const char *tags_of(const struct bar *bar, const struct span *span)
{
    if (span->failed || bar->state == BAR_FAILED)
        return "crit, ";
    if (bar->kind == BAR_SENT || span->from == span->to)
        return milestone;
    if (bar->state == BAR_OPEN)
        return "active, ";
    return span->look == SPAN_RUNNING ? "" : "done, ";
}

/* What took no time at all still gets a millisecond: a bar without one is not drawn. */
static void add_task(struct buf *out, const struct buf *label, const char *tags, ticks from,
                     ticks to)
{
    long long begin = ms_of(from), end = ms_of(to);

    buf_add_c(out, "    ");
    add_cut(out, label, LABEL_COLUMNS);
    if (end == begin && tags != milestone)
        end++;
    buf_printf(out, " :%s%lld, %lld\n", tags, begin, end);
}

static void add_bar(struct buf *out, const struct bar *bar)
{
    static const char *const words[BAR_KINDS] = { [BAR_ACTIVITY] = "activity " };
    CLEANUP_BUF struct buf label = BUF_INIT(PAYLOAD_MAX_BYTES);

    /* A word first: a name alone might be one of Mermaid's own. */
    if (words[bar->kind])
        buf_add_c(&label, words[bar->kind]);
    bar_label(&label, bar);
    if (bar->count > 1) {
        struct span all = { .failed = bar->failed > 0,
                            .from = bar->from,
                            .to = bar->to,
                            .look = bar->kind == BAR_TIMER || bar->kind == BAR_EVENT
                                        ? SPAN_WAITING
                                        : SPAN_RUNNING };

        add_task(out, &label, tags_of(bar, &all), all.from, all.to);
        return;
    }
    for (size_t i = 0; i < bar->n_spans; i++)
        add_task(out, &label, tags_of(bar, &bar->spans[i]), bar->spans[i].from, bar->spans[i].to);
}

static void add_run(struct buf *out, const struct bars *bars)
{
    static const struct {
        enum bar_state state;
        const char *tags;
    } all[] = {
        { BAR_FAILED, "crit, " },
        { BAR_OPEN, "active, " },
    };
    const struct bar *run = &bars->bars[0];
    CLEANUP_BUF struct buf word = BUF_INIT(64);
    const char *tags = "";

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].state == run->state)
            tags = all[i].tags;
    if (bars->begun == TICKS_NONE || bars->begun > run->from) {
        buf_add_c(&word, "waits to begin");
        add_task(out, &word, "done, ", run->from,
                 bars->begun != TICKS_NONE ? bars->begun : run->to);
    }
    if (bars->begun == TICKS_NONE)
        return;
    buf_clear(&word);
    buf_add_c(&word, "orchestrator");
    add_task(out, &word, tags, bars->begun > run->from ? bars->begun : run->from, run->to);
}

static void add_kind(struct buf *out, const struct bars *bars, enum bar_kind kind)
{
    static const char *const sections[BAR_KINDS] = {
        [BAR_RUN] = "Orchestrator", [BAR_ACTIVITY] = "Activities", [BAR_SUB] = "Sub-orchestrations",
        [BAR_TIMER] = "Timers",     [BAR_EVENT] = "Events",        [BAR_SENT] = "Events sent",
    };
    bool any = false;

    for (size_t i = 0; i < bars->count; i++) {
        if (bars->bars[i].kind != kind)
            continue;
        if (!any)
            buf_printf(out, "    section %s\n", sections[kind]);
        any = true;
        if (kind == BAR_RUN)
            add_run(out, bars);
        else
            add_bar(out, &bars->bars[i]);
    }
}

static void add_head(struct buf *out, const struct bars *bars, const struct row *row)
{
    CLEANUP_BUF struct buf title = BUF_INIT(PAYLOAD_MAX_BYTES);
    ticks length = bars->to - bars->from;

    format_escaped(&title, bars->bars[0].name);
    buf_add_ch(&title, ' ');
    format_escaped(&title, row->id);
    buf_add_c(&title, ", ");
    bar_state(&title, &bars->bars[0], row);
    buf_add_c(out, "gantt\n    title ");
    add_cut(out, &title, 2 * LABEL_COLUMNS);
    buf_add_c(out, "\n    dateFormat x\n    todayMarker off\n    axisFormat ");
    buf_add_c(out, length < 10 * TICKS_PER_SEC ? "%H:%M:%S.%L\n"
                   : length < TICKS_PER_DAY    ? "%H:%M:%S\n"
                                               : "%m-%d %H:%M\n");
}

enum err mermaid_gantt(const struct history *h, const struct row *row, ticks now, struct buf *out)
{
    CLEANUP(bars_free) struct bars *bars = bars_new(h, row, now, MERMAID_BARS_MAX);

    if (!bars)
        return ERR_NO_MEMORY;
    add_head(out, bars, row);
    for (int kind = 0; kind < BAR_KINDS; kind++)
        add_kind(out, bars, (enum bar_kind)kind);
    return OK;
}
