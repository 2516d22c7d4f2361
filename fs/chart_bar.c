#include "fs/chart.h"
#include "fs/columns.h"
#include "fs/duration.h"
#include "fs/format.h"
#include "fs/pictures.h"
#include "fs/svg.h"

#define DURATION_X      904 /* right edge */
#define STATE_X         914
#define STATE_COLUMNS   11
#define LEAST_WIDTH     2.0 /* of what took no time */
#define EXACT_SPANS_MAX 64  /* of a bar; more are drawn pixel by pixel */
#define NOTE_COLUMNS    300

static const char *const running_class[BAR_KINDS] = {
    [BAR_RUN] = "run",     [BAR_ACTIVITY] = "act", [BAR_SUB] = "sub-o",
    [BAR_TIMER] = "timer", [BAR_EVENT] = "event",  [BAR_SENT] = "sent",
};
static const char *const waiting_class[BAR_KINDS] = {
    [BAR_RUN] = "idle",     [BAR_ACTIVITY] = "idle", [BAR_SUB] = "idle",
    [BAR_TIMER] = "wtimer", [BAR_EVENT] = "wevent",  [BAR_SENT] = "wevent",
};

static const char *class_of(const struct bar *bar, const struct span *span)
{
    if (span->look == SPAN_SUSPENDED)
        return "paused";
    if (bar->kind != BAR_RUN && span->failed)
        return bar->state == BAR_REWOUND ? "undone" : "failed";
    return (span->look == SPAN_RUNNING ? running_class : waiting_class)[bar->kind];
}

static double thickness(const struct chart *c)
{
    return c->row_height - (c->row_height > 20 ? 10 : 5);
}

static void draw_span(const struct chart *c, const char *class, double from, double to, double y)
{
    double width = to - from;
    double limit = CHART_X + CHART_WIDTH - LEAST_WIDTH;

    if (width < LEAST_WIDTH)
        width = LEAST_WIDTH;
    if (from > limit)
        from = limit;
    svg_rect(c->out, class, from, y + (c->row_height - thickness(c)) / 2, width, thickness(c));
}

static void draw_looks(const struct chart *c, const struct bar *bar, double y, bool suspended)
{
    for (size_t i = 0; i < bar->n_spans; i++) {
        const struct span *span = &bar->spans[i];

        if ((span->look == SPAN_SUSPENDED) != suspended)
            continue;
        if (span->to > span->from || span->look == SPAN_RUNNING)
            draw_span(c, class_of(bar, span), chart_x(c, span->from), chart_x(c, span->to), y);
    }
}

/* Turns that were taken while suspended are seen, too. */
static void draw_exact(const struct chart *c, const struct bar *bar, double y)
{
    draw_looks(c, bar, y, true);
    draw_looks(c, bar, y, false);
}

/* Many spans: each pixel shows the most remarkable of what lies there; of failures, their ends. */
static const char *pixel_class(const struct bar *bar, const struct span *best, bool failure)
{
    struct span plain;

    if (failure)
        return "failed";
    if (!best)
        return NULL;
    plain = *best;
    plain.failed = false;
    return class_of(bar, &plain);
}

static void draw_pixels(const struct chart *c, const struct bar *bar, double y)
{
    const struct span *best[CHART_WIDTH] = { NULL };
    bool failure[CHART_WIDTH] = { false };
    size_t from = 0;

    for (size_t i = 0; i < bar->n_spans; i++) {
        const struct span *span = &bar->spans[i];
        size_t at = (size_t)scale_at(&c->scale, span->from);
        size_t last = (size_t)scale_at(&c->scale, span->to);

        for (; at <= last && at < CHART_WIDTH; at++)
            if (!best[at] || span->look > best[at]->look)
                best[at] = span;
        if (span->failed && bar->kind != BAR_RUN)
            failure[last < CHART_WIDTH ? last : CHART_WIDTH - 1] = true;
    }
    for (size_t at = 1; at <= CHART_WIDTH; at++) {
        const char *class = pixel_class(bar, best[from], failure[from]);

        if (at < CHART_WIDTH && class == pixel_class(bar, best[at], failure[at]))
            continue;
        if (class)
            draw_span(c, class, CHART_X + (double)from, CHART_X + (double)at, y);
        from = at;
    }
}

static void draw_end(const struct chart *c, const struct bar *bar, const struct span *span,
                     double y)
{
    double x = chart_x(c, span->to), middle = y + c->row_height / 2.0;

    if (span->failed) {
        svg_mark(c->out, "bad", x, middle, DISC);
        svg_mark(c->out, "cross", x, middle, CROSS);
    } else if (bar->state == BAR_OPEN) {
        const char *class = running_class[bar->kind];

        svg_mark(c->out, bar->kind == BAR_RUN ? "idle" : class, x + 1, middle, ARROW);
    } else if (bar->state == BAR_DROPPED) {
        svg_line(c->out, "dropped", x, y + 2, y + c->row_height - 2);
    } else if (bar->kind == BAR_EVENT || bar->kind == BAR_TIMER || bar->kind == BAR_SENT) {
        svg_mark(c->out, running_class[bar->kind], x, middle, DIAMOND);
    }
}

/* Marks on every span of a group would cover the bar. */
static void draw_ends(const struct chart *c, const struct bar *bar, double y)
{
    struct span all = { .from = bar->from, .to = bar->to };

    if (bar->count > 1 && bar->state != BAR_OPEN)
        return;
    for (size_t i = 0; i < bar->n_spans && bar->count == 1; i++)
        if (bar->spans[i].failed || (bar->kind != BAR_RUN && i + 1 == bar->n_spans))
            draw_end(c, bar, &bar->spans[i], y);
    if ((bar->kind == BAR_RUN || bar->count > 1) &&
        (bar->state == BAR_OPEN || bar->state == BAR_DROPPED))
        draw_end(c, bar, &all, y);
}

static void add_hover_times(struct buf *out, const struct bar *bar)
{
    ticks_print(out, bar->from);
    if (bar->to <= bar->from)
        return;
    buf_add_c(out, bar->state == BAR_OPEN ? " to now, " : " to ");
    if (bar->state != BAR_OPEN)
        ticks_print(out, bar->to);
    buf_add_c(out, bar->state == BAR_OPEN ? "" : ", ");
    duration_print(out, bar->to - bar->from);
}

static void draw_hover(const struct chart *c, const struct bar *bar)
{
    CLEANUP_BUF struct buf label = BUF_INIT(PAYLOAD_MAX_BYTES),
                           times = BUF_INIT(CHART_LINE_MAX_BYTES),
                           state = BUF_INIT(PAYLOAD_MAX_BYTES), note = BUF_INIT(PAYLOAD_MAX_BYTES);

    bar_label(&label, bar);
    bar_state(&state, bar, c->row);
    add_hover_times(&times, bar);
    format_escaped(&note, bar->note);
    buf_add_c(c->out, "<title>");
    svg_escaped(c->out, buf_str(&label));
    if (state.len > 0)
        buf_add_c(c->out, "\n");
    svg_escaped(c->out, buf_str(&state));
    buf_add_c(c->out, "\n");
    svg_escaped(c->out, buf_str(&times));
    if (note.len > 0) {
        CLEANUP_BUF struct buf cut = BUF_INIT(CHART_LINE_MAX_BYTES);

        (void)columns_add(&cut, buf_str(&note), NOTE_COLUMNS);
        buf_add_c(c->out, "\n");
        svg_escaped(c->out, buf_str(&cut));
    }
    buf_add_c(c->out, "</title>\n");
}

static void draw_label(const struct chart *c, const struct bar *bar, double baseline)
{
    CLEANUP_BUF struct buf label = BUF_INIT(PAYLOAD_MAX_BYTES),
                           cut = BUF_INIT(CHART_LINE_MAX_BYTES);

    bar_label(&label, bar);
    /* Six tenths of the font's size is the usual width of a letter. */
    (void)columns_add(&cut, buf_str(&label), LABEL_WIDTH * 10 / (c->font * 6));
    buf_add_c(c->out, "<g clip-path=\"url(#th-names)\">");
    svg_text(c->out, bar->kind == BAR_RUN ? "strong" : "name", NULL, MARGIN, baseline,
             buf_str(&cut));
    buf_add_c(c->out, "</g>\n");
}

static void draw_words(const struct chart *c, const struct bar *bar, double baseline)
{
    CLEANUP_BUF struct buf took = BUF_INIT(64), state = BUF_INIT(PAYLOAD_MAX_BYTES),
                           cut = BUF_INIT(CHART_LINE_MAX_BYTES);
    bool bad = bar->state == BAR_FAILED || bar->failed > 0;

    bar_duration(&took, bar);
    bar_state(&state, bar, c->row);
    (void)columns_add(&cut, buf_str(&state), STATE_COLUMNS);
    svg_text(c->out, "took", "end", DURATION_X, baseline, buf_str(&took));
    svg_text(c->out, bad ? "red" : "took", NULL, STATE_X, baseline, buf_str(&cut));
}

void chart_bar(const struct chart *c, size_t i)
{
    const struct bar *bar = &c->bars->bars[i];
    double y = chart_row_y(c, i), baseline = y + c->row_height / 2.0 + c->font * 0.36;

    buf_add_c(c->out, "<g>\n");
    draw_hover(c, bar);
    svg_rect(c->out, "hit", MARGIN - 8, y, PAGE_WIDTH - 2 * MARGIN + 16, c->row_height);
    draw_label(c, bar, baseline);
    if (bar->kind == BAR_RUN)
        draw_span(c, "idle", chart_x(c, bar->from), chart_x(c, bar->to), y);
    if (bar->n_spans <= EXACT_SPANS_MAX && bar->count <= 1)
        draw_exact(c, bar, y);
    else
        draw_pixels(c, bar, y);
    draw_ends(c, bar, y);
    draw_words(c, bar, baseline);
    buf_add_c(c->out, "</g>\n");
}
