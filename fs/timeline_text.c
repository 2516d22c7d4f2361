#include "backend/base/limits.h"
#include "fs/columns.h"
#include "fs/duration.h"
#include "fs/format.h"
#include "fs/pictures.h"
#include "fs/timeline.h"

#define PAGE_COLUMNS     100
#define LABEL_COLUMNS    26
#define CHART_COLUMNS    53
#define DURATION_COLUMNS 8
#define STATE_COLUMNS    10
#define FOLD_COLUMNS     3
#define LINE_MAX_BYTES   8192
#define AXIS_PARTS       5

_Static_assert(LABEL_COLUMNS + CHART_COLUMNS + DURATION_COLUMNS + STATE_COLUMNS + 3 == PAGE_COLUMNS,
               "label, chart, duration and state fill the line");

/* What a place of the chart shows; the higher covers the lower. */
enum ink {
    INK_BLANK,
    INK_FOLDED, /* beside a bar */
    INK_WAITING,
    INK_SUSPENDED,
    INK_BRIEF, /* the orchestrator ran, for less than half of this place */
    INK_RUNNING,
    INK_FOLD, /* through a bar */
    INK_CAME,
    INK_DROPPED,
    INK_OPEN,
    INK_FAILED,
    INK_COUNT
};

static const struct {
    const char *glyph, *legend;
} looks[INK_COUNT] = {
    [INK_BLANK] = { " ", NULL },          [INK_FOLDED] = { "┊", NULL },
    [INK_WAITING] = { "░", "waiting" },   [INK_SUSPENDED] = { "▒", "suspended" },
    [INK_BRIEF] = { "▌", "ran briefly" }, [INK_RUNNING] = { "█", "running" },
    [INK_FOLD] = { "≈", "idle, folded" }, [INK_CAME] = { "◆", "came" },
    [INK_DROPPED] = { "┤", "dropped" },   [INK_OPEN] = { ">", "still open" },
    [INK_FAILED] = { "✗", "failed" },
};

struct sheet {
    const struct bars *bars;
    const struct row *row;
    const struct axis *axis;
    struct scale scale;
    size_t fold_at[FOLDS_MAX]; /* first column */
    bool used[INK_COUNT];
    struct buf *out;
};

static void end_line(struct sheet *s, struct buf *line)
{
    struct str text = buf_str(line);

    while (text.len > 0 && text.p[text.len - 1] == ' ')
        text.len--;
    buf_add(s->out, text);
    buf_add_ch(s->out, '\n');
}

/* -- a bar -- */

static size_t column_of(const struct sheet *s, ticks t)
{
    size_t at = (size_t)scale_at(&s->scale, t);

    return at < CHART_COLUMNS ? at : CHART_COLUMNS - 1;
}

/* The column in which what lasts until t has its end: the one left of a boundary. */
static size_t end_column(const struct sheet *s, ticks from, ticks to)
{
    double x = scale_at(&s->scale, to);
    size_t at = (size_t)x, first = column_of(s, from);

    if ((double)at == x && at > 0)
        at--;
    return at > first ? at : first;
}

static void cover(enum ink *inks, size_t at, enum ink c)
{
    if (c > inks[at])
        inks[at] = c;
}

static void paint_span(const struct sheet *s, enum ink *inks, const struct span *span)
{
    static const enum ink of[] = {
        [SPAN_WAITING] = INK_WAITING, [SPAN_SUSPENDED] = INK_SUSPENDED, [SPAN_RUNNING] = INK_RUNNING
    };
    size_t last = end_column(s, span->from, span->to);

    for (size_t at = column_of(s, span->from); at <= last; at++)
        cover(inks, at, of[span->look]);
}

/* Episodes take milliseconds: how much of each place they fill decides what it shows. */
static void paint_episode(const struct sheet *s, double *filled, const struct span *span)
{
    double from = scale_at(&s->scale, span->from), to = scale_at(&s->scale, span->to);
    size_t last = end_column(s, span->from, span->to);

    for (size_t at = column_of(s, span->from); at <= last; at++) {
        double left = from > (double)at ? from : (double)at;
        double right = to < (double)at + 1 ? to : (double)at + 1;

        filled[at] += right > left ? right - left : 0;
        filled[at] += 1e-9; /* however short: it ran */
    }
}

static void paint_run(const struct sheet *s, enum ink *inks, const struct bar *bar)
{
    struct span all = { .from = bar->from, .to = bar->to, .look = SPAN_WAITING };
    double filled[CHART_COLUMNS] = { 0 };

    paint_span(s, inks, &all);
    for (size_t i = 0; i < bar->n_spans; i++) {
        if (bar->spans[i].look == SPAN_RUNNING)
            paint_episode(s, filled, &bar->spans[i]);
        else
            paint_span(s, inks, &bar->spans[i]);
    }
    for (size_t at = 0; at < CHART_COLUMNS; at++)
        if (filled[at] > 0)
            cover(inks, at, filled[at] < 0.5 ? INK_BRIEF : INK_RUNNING);
}

static void paint_folds(const struct sheet *s, enum ink *inks)
{
    for (size_t i = 0; i < s->axis->n; i++)
        for (size_t k = 0; k < FOLD_COLUMNS; k++) {
            size_t at = s->fold_at[i] + k;

            if (inks[at] != INK_BLANK)
                inks[at] = INK_FOLD;
            else if (k == FOLD_COLUMNS / 2)
                inks[at] = INK_FOLDED;
        }
}

static enum ink end_mark(const struct bar *bar)
{
    if (bar->state == BAR_OPEN)
        return INK_OPEN;
    if (bar->state == BAR_DROPPED)
        return INK_DROPPED;
    if (bar->kind == BAR_EVENT || bar->kind == BAR_TIMER || bar->kind == BAR_SENT)
        return INK_CAME;
    return INK_BLANK;
}

static void paint_marks(const struct sheet *s, enum ink *inks, const struct bar *bar)
{
    enum ink mark = end_mark(bar);
    bool single = bar->count <= 1 && bar->kind != BAR_RUN;

    for (size_t i = 0; i < bar->n_spans; i++) {
        const struct span *span = &bar->spans[i];

        if (span->failed)
            cover(inks, end_column(s, span->from, span->to), INK_FAILED);
        else if (mark == INK_CAME || (single && i + 1 == bar->n_spans))
            cover(inks, end_column(s, span->from, span->to), mark);
    }
    if (!single && mark != INK_CAME)
        cover(inks, end_column(s, bar->from, bar->to), mark);
}

static void add_inks(struct sheet *s, struct buf *line, const enum ink *inks)
{
    for (size_t at = 0; at < CHART_COLUMNS; at++) {
        buf_add_c(line, looks[inks[at]].glyph);
        s->used[inks[at]] = true;
    }
}

static void add_column(struct buf *line, const struct buf *text, size_t width, bool right)
{
    (right ? columns_add_right : columns_add_left)(line, buf_str(text), width);
}

static void add_bar(struct sheet *s, const struct bar *bar)
{
    CLEANUP_BUF struct buf line = BUF_INIT(LINE_MAX_BYTES), label = BUF_INIT(PAYLOAD_MAX_BYTES),
                           took = BUF_INIT(64), state = BUF_INIT(PAYLOAD_MAX_BYTES);
    enum ink inks[CHART_COLUMNS] = { INK_BLANK };

    bar_label(&label, bar);
    bar_duration(&took, bar);
    bar_state(&state, bar, s->row);
    if (bar->kind == BAR_RUN)
        paint_run(s, inks, bar);
    for (size_t i = 0; bar->kind != BAR_RUN && i < bar->n_spans; i++)
        paint_span(s, inks, &bar->spans[i]);
    paint_folds(s, inks);
    paint_marks(s, inks, bar);

    add_column(&line, &label, LABEL_COLUMNS, false);
    buf_add_ch(&line, ' ');
    add_inks(s, &line, inks);
    buf_add_ch(&line, ' ');
    add_column(&line, &took, DURATION_COLUMNS, true);
    buf_add_ch(&line, ' ');
    add_column(&line, &state, STATE_COLUMNS, false);
    end_line(s, &line);
}

/* -- above and below -- */

static void add_wide_line(struct sheet *s, struct str left, struct str right)
{
    CLEANUP_BUF struct buf line = BUF_INIT(LINE_MAX_BYTES);
    size_t rest = columns_of(right);

    columns_add_left(&line, left, PAGE_COLUMNS - rest - 2);
    buf_add_c(&line, "  ");
    buf_add(&line, right);
    end_line(s, &line);
}

static void add_title(struct sheet *s)
{
    CLEANUP_BUF struct buf who = BUF_INIT(PAYLOAD_MAX_BYTES), when = BUF_INIT(64);

    format_escaped(&who, s->bars->bars[0].name);
    buf_add_c(&who, "  ");
    format_escaped(&who, s->row->id);
    ticks_print(&when, s->bars->bars[0].from);
    add_wide_line(s, buf_str(&who), buf_str(&when));
}

static void add_subtitle(struct sheet *s)
{
    CLEANUP_BUF struct buf what = BUF_INIT(1024), when = BUF_INIT(64);

    bars_times(&what, s->bars);
    bars_summary(&what, s->bars);
    ticks_print(&when, s->bars->to);
    add_wide_line(s, buf_str(&what), buf_str(&when));
    if (s->bars->incomplete)
        add_wide_line(s, STR(BARS_INCOMPLETE), STR_NONE);
}

/* One line of text written into places; what is taken stays. */
struct places {
    struct {
        char text[24];
        size_t len;
    } at[CHART_COLUMNS];
    bool taken[PAGE_COLUMNS];
};

static bool place(struct places *p, size_t at, struct str text)
{
    size_t end = at + text.len;

    if (text.len >= sizeof(p->at[0].text) || at >= CHART_COLUMNS ||
        end > CHART_COLUMNS + DURATION_COLUMNS)
        return false;
    for (size_t i = at ? at - 1 : 0; i <= end; i++)
        if (p->taken[i])
            return false;
    memset(p->taken + at, true, text.len);
    memcpy(p->at[at].text, text.p, text.len);
    p->at[at].len = text.len;
    return true;
}

static void place_folds(struct sheet *s, struct places *p)
{
    for (size_t i = 0; i < s->axis->n; i++) {
        CLEANUP_BUF struct buf text = BUF_INIT(32);
        size_t middle = s->fold_at[i] + FOLD_COLUMNS / 2, half;

        duration_print(&text, s->axis->folds[i].to - s->axis->folds[i].from);
        half = text.len / 2;
        (void)place(p, middle > half ? middle - half : 0, buf_str(&text));
    }
}

static void place_marks(struct sheet *s, struct places *p, bool *marks)
{
    ticks step = duration_step(s->axis->visible, AXIS_PARTS), at = s->axis->from;
    ticks labelled = s->axis->from;

    while (axis_mark(s->axis, step, &at)) {
        CLEANUP_BUF struct buf text = BUF_INIT(64);
        size_t column = column_of(s, at);

        marks[column] = true;
        axis_label(&text, at, step, labelled);
        if (place(p, column, buf_str(&text)))
            labelled = at;
    }
}

static void add_axis(struct sheet *s)
{
    CLEANUP_BUF struct buf labels = BUF_INIT(LINE_MAX_BYTES), ruler = BUF_INIT(LINE_MAX_BYTES);
    struct places places = { 0 };
    bool marks[CHART_COLUMNS] = { false };
    enum ink inks[CHART_COLUMNS] = { INK_BLANK };

    place_folds(s, &places);
    place_marks(s, &places, marks);
    paint_folds(s, inks);
    columns_add_left(&labels, STR_NONE, LABEL_COLUMNS + 1);
    columns_add_left(&ruler, STR_NONE, LABEL_COLUMNS + 1);
    for (size_t at = 0; at < CHART_COLUMNS; at++) {
        if (places.at[at].len > 0)
            buf_add(&labels, (struct str){ places.at[at].text, places.at[at].len });
        else if (!places.taken[at])
            buf_add_ch(&labels, ' ');
        buf_add_c(&ruler, inks[at] == INK_FOLDED ? "┊" : marks[at] ? "┬" : "─");
    }
    end_line(s, &labels);
    end_line(s, &ruler);
}

static void add_legend(struct sheet *s)
{
    CLEANUP_BUF struct buf line = BUF_INIT(LINE_MAX_BYTES);

    for (int c = 0; c < INK_COUNT; c++)
        if (s->used[c] && looks[c].legend)
            buf_printf(&line, "%s%s %s", line.len ? "   " : "", looks[c].glyph, looks[c].legend);
    buf_add_ch(s->out, '\n');
    end_line(s, &line);
}

static void place_columns(struct sheet *s)
{
    s->scale = (struct scale){ s->axis, CHART_COLUMNS, FOLD_COLUMNS };
    for (size_t i = 0; i < s->axis->n; i++) {
        size_t at = (size_t)(scale_at(&s->scale, s->axis->folds[i].from) + 0.5);

        s->fold_at[i] = at + FOLD_COLUMNS <= CHART_COLUMNS ? at : CHART_COLUMNS - FOLD_COLUMNS;
    }
}

static void draw(const struct timeline *t, struct buf *out)
{
    struct sheet s = { .bars = t->bars, .row = t->row, .axis = &t->axis, .out = out };

    place_columns(&s);
    add_title(&s);
    add_subtitle(&s);
    buf_add_ch(out, '\n');
    add_axis(&s);
    for (size_t i = 0; i < s.bars->count; i++)
        add_bar(&s, &s.bars->bars[i]);
    add_legend(&s);
}

enum err timeline_text(const struct history *h, const struct row *row, ticks now, struct buf *out)
{
    return timeline_draw(h, row, now, draw, out);
}
