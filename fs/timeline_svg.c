#include "backend/base/limits.h"
#include "fs/columns.h"
#include "fs/duration.h"
#include "fs/format.h"
#include "fs/pictures.h"
#include "fs/timeline.h"

/* All in user units, which are pixels at the picture's natural size. */
#define PAGE_WIDTH      1000
#define MARGIN          20
#define LABEL_WIDTH     230
#define CHART_X         262
#define CHART_WIDTH     560
#define DURATION_X      904 /* right edge */
#define STATE_X         914
#define TITLE_Y         32
#define SUBTITLE_Y      52
#define NOTE_Y          70
#define FIRST_STRIP_Y   74
#define STRIP_HEIGHT    22 /* labels of the axis, above every REPEAT_ROWS bars */
#define REPEAT_ROWS     40
#define LEGEND_HEIGHT   40
#define FOLD_WIDTH      26
#define LEAST_WIDTH     2.0 /* of what took no time */
#define AXIS_PARTS      6
#define EXACT_SPANS_MAX 64 /* of a bar; more are drawn pixel by pixel */
#define LINE_MAX_BYTES  (64 * KIB)
#define NOTE_COLUMNS    300
#define TITLE_COLUMNS   80
#define CLIP_HEIGHT     1000000

struct sheet {
    const struct bars *bars;
    const struct row *row;
    const struct axis *axis;
    struct scale scale;
    unsigned row_height, font;
    struct buf *out;
};

/* -- numbers and text -- */

/* With one decimal and a point in every locale. */
static void add_number(struct buf *out, double x)
{
    long tenths = (long)(x * 10 + 0.5);

    buf_printf(out, "%ld", tenths / 10);
    if (tenths % 10)
        buf_printf(out, ".%ld", tenths % 10);
}

static void add_attribute(struct buf *out, const char *name, double x)
{
    buf_printf(out, " %s=\"", name);
    add_number(out, x);
    buf_add_ch(out, '"');
}

/* Printable text: what is left that no XML document may have are U+FFFE and U+FFFF. */
static void add_text(struct buf *out, struct str s)
{
    size_t from = 0;

    for (size_t i = 0; i + 2 < s.len; i++) {
        const unsigned char *p = (const unsigned char *)s.p + i;

        if (p[0] != 0xef || p[1] != 0xbf || p[2] < 0xbe)
            continue;
        buf_add_xml(out, str_slice(s, from, i));
        buf_add_c(out, "\xef\xbf\xbd");
        from = i + 3;
    }
    buf_add_xml(out, str_slice(s, from, s.len));
}

/* anchor: NULL = starts at x. */
static void draw_text(struct sheet *s, const char *class, const char *anchor, double x, double y,
                      struct str text)
{
    if (text.len == 0)
        return;
    buf_printf(s->out, "<text class=\"%s\"", class);
    if (anchor)
        buf_printf(s->out, " text-anchor=\"%s\"", anchor);
    add_attribute(s->out, "x", x);
    add_attribute(s->out, "y", y);
    buf_add_ch(s->out, '>');
    add_text(s->out, text);
    buf_add_c(s->out, "</text>\n");
}

static void draw_rect(struct sheet *s, const char *class, double x, double y, double width,
                      double height)
{
    buf_printf(s->out, "<rect class=\"%s\"", class);
    add_attribute(s->out, "x", x);
    add_attribute(s->out, "y", y);
    add_attribute(s->out, "width", width);
    add_attribute(s->out, "height", height);
    buf_add_c(s->out, "/>\n");
}

static void draw_line(struct sheet *s, const char *class, double x, double y1, double y2)
{
    buf_printf(s->out, "<path class=\"%s\" d=\"M", class);
    add_number(s->out, x);
    buf_add_ch(s->out, ' ');
    add_number(s->out, y1);
    buf_add_ch(s->out, 'V');
    add_number(s->out, y2);
    buf_add_c(s->out, "\"/>\n");
}

/* A path around a point: d is relative to it. */
static void draw_mark(struct sheet *s, const char *class, double x, double y, const char *d)
{
    buf_printf(s->out, "<path class=\"%s\" transform=\"translate(", class);
    add_number(s->out, x);
    buf_add_ch(s->out, ' ');
    add_number(s->out, y);
    buf_printf(s->out, ")\" d=\"%s\"/>\n", d);
}

#define DIAMOND "M0-5L5 0 0 5-5 0z"
#define CROSS   "M-2.2-2.2 2.2 2.2M-2.2 2.2 2.2-2.2"
#define DISC    "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0"
#define BAR_END "M0-7V7"
#define ARROW   "M0-5L6 0 0 5z"

/* -- where things are -- */

static double x_of(const struct sheet *s, ticks t)
{
    return CHART_X + scale_at(&s->scale, t);
}

static double strip_y(const struct sheet *s, size_t strip)
{
    return FIRST_STRIP_Y + (s->bars->incomplete ? 16 : 0) +
           (double)strip * (STRIP_HEIGHT + REPEAT_ROWS * s->row_height);
}

static double row_y(const struct sheet *s, size_t i)
{
    return strip_y(s, i / REPEAT_ROWS) + STRIP_HEIGHT + (double)(i % REPEAT_ROWS) * s->row_height;
}

static double rows_end(const struct sheet *s)
{
    return row_y(s, s->bars->count - 1) + s->row_height;
}

static size_t strip_count(const struct sheet *s)
{
    return (s->bars->count - 1) / REPEAT_ROWS + 1;
}

static double strip_end(const struct sheet *s, size_t strip)
{
    return strip + 1 < strip_count(s) ? strip_y(s, strip + 1) : rows_end(s);
}

/* -- a bar -- */

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

static double thickness(const struct sheet *s)
{
    return s->row_height - (s->row_height > 20 ? 10 : 5);
}

static void draw_span(struct sheet *s, const char *class, double from, double to, double y)
{
    double width = to - from;
    double limit = CHART_X + CHART_WIDTH - LEAST_WIDTH;

    if (width < LEAST_WIDTH)
        width = LEAST_WIDTH;
    if (from > limit)
        from = limit;
    draw_rect(s, class, from, y + (s->row_height - thickness(s)) / 2, width, thickness(s));
}

static void draw_looks(struct sheet *s, const struct bar *bar, double y, bool suspended)
{
    for (size_t i = 0; i < bar->n_spans; i++) {
        const struct span *span = &bar->spans[i];

        if ((span->look == SPAN_SUSPENDED) != suspended)
            continue;
        if (span->to > span->from || span->look == SPAN_RUNNING)
            draw_span(s, class_of(bar, span), x_of(s, span->from), x_of(s, span->to), y);
    }
}

/* Turns that were taken while suspended are seen, too. */
static void draw_exact(struct sheet *s, const struct bar *bar, double y)
{
    draw_looks(s, bar, y, true);
    draw_looks(s, bar, y, false);
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

static void draw_pixels(struct sheet *s, const struct bar *bar, double y)
{
    const struct span *best[CHART_WIDTH] = { NULL };
    bool failure[CHART_WIDTH] = { false };
    size_t from = 0;

    for (size_t i = 0; i < bar->n_spans; i++) {
        const struct span *span = &bar->spans[i];
        size_t at = (size_t)scale_at(&s->scale, span->from);
        size_t last = (size_t)scale_at(&s->scale, span->to);

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
            draw_span(s, class, CHART_X + (double)from, CHART_X + (double)at, y);
        from = at;
    }
}

static void draw_end(struct sheet *s, const struct bar *bar, const struct span *span, double y)
{
    double x = x_of(s, span->to), middle = y + s->row_height / 2.0;

    if (span->failed) {
        draw_mark(s, "bad", x, middle, DISC);
        draw_mark(s, "cross", x, middle, CROSS);
    } else if (bar->state == BAR_OPEN) {
        const char *class = running_class[bar->kind];

        draw_mark(s, bar->kind == BAR_RUN ? "idle" : class, x + 1, middle, ARROW);
    } else if (bar->state == BAR_DROPPED) {
        draw_line(s, "dropped", x, y + 2, y + s->row_height - 2);
    } else if (bar->kind == BAR_EVENT || bar->kind == BAR_TIMER || bar->kind == BAR_SENT) {
        draw_mark(s, running_class[bar->kind], x, middle, DIAMOND);
    }
}

/* Marks on every span of a group would cover the bar. */
static void draw_ends(struct sheet *s, const struct bar *bar, double y)
{
    struct span all = { .from = bar->from, .to = bar->to };

    if (bar->count > 1 && bar->state != BAR_OPEN)
        return;
    for (size_t i = 0; i < bar->n_spans && bar->count == 1; i++)
        if (bar->spans[i].failed || (bar->kind != BAR_RUN && i + 1 == bar->n_spans))
            draw_end(s, bar, &bar->spans[i], y);
    if ((bar->kind == BAR_RUN || bar->count > 1) &&
        (bar->state == BAR_OPEN || bar->state == BAR_DROPPED))
        draw_end(s, bar, &all, y);
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

static void draw_hover(struct sheet *s, const struct bar *bar)
{
    CLEANUP_BUF struct buf label = BUF_INIT(PAYLOAD_MAX_BYTES), times = BUF_INIT(LINE_MAX_BYTES),
                           state = BUF_INIT(PAYLOAD_MAX_BYTES), note = BUF_INIT(PAYLOAD_MAX_BYTES);

    bar_label(&label, bar);
    bar_state(&state, bar, s->row);
    add_hover_times(&times, bar);
    format_escaped(&note, bar->note);
    buf_add_c(s->out, "<title>");
    add_text(s->out, buf_str(&label));
    if (state.len > 0)
        buf_add_c(s->out, "\n");
    add_text(s->out, buf_str(&state));
    buf_add_c(s->out, "\n");
    add_text(s->out, buf_str(&times));
    if (note.len > 0) {
        CLEANUP_BUF struct buf cut = BUF_INIT(LINE_MAX_BYTES);

        (void)columns_add(&cut, buf_str(&note), NOTE_COLUMNS);
        buf_add_c(s->out, "\n");
        add_text(s->out, buf_str(&cut));
    }
    buf_add_c(s->out, "</title>\n");
}

static void draw_label(struct sheet *s, const struct bar *bar, double baseline)
{
    CLEANUP_BUF struct buf label = BUF_INIT(PAYLOAD_MAX_BYTES), cut = BUF_INIT(LINE_MAX_BYTES);

    bar_label(&label, bar);
    /* Six tenths of the font's size is the usual width of a letter. */
    (void)columns_add(&cut, buf_str(&label), LABEL_WIDTH * 10 / (s->font * 6));
    buf_add_c(s->out, "<g clip-path=\"url(#th-names)\">");
    draw_text(s, bar->kind == BAR_RUN ? "strong" : "name", NULL, MARGIN, baseline, buf_str(&cut));
    buf_add_c(s->out, "</g>\n");
}

static void draw_words(struct sheet *s, const struct bar *bar, double baseline)
{
    CLEANUP_BUF struct buf took = BUF_INIT(64), state = BUF_INIT(PAYLOAD_MAX_BYTES),
                           cut = BUF_INIT(LINE_MAX_BYTES);
    bool bad = bar->state == BAR_FAILED || bar->failed > 0;

    bar_duration(&took, bar);
    bar_state(&state, bar, s->row);
    (void)columns_add(&cut, buf_str(&state), 11);
    draw_text(s, "took", "end", DURATION_X, baseline, buf_str(&took));
    draw_text(s, bad ? "red" : "took", NULL, STATE_X, baseline, buf_str(&cut));
}

static void draw_bar(struct sheet *s, size_t i)
{
    const struct bar *bar = &s->bars->bars[i];
    double y = row_y(s, i), baseline = y + s->row_height / 2.0 + s->font * 0.36;

    buf_add_c(s->out, "<g>\n");
    draw_hover(s, bar);
    draw_rect(s, "hit", MARGIN - 8, y, PAGE_WIDTH - 2 * MARGIN + 16, s->row_height);
    draw_label(s, bar, baseline);
    if (bar->kind == BAR_RUN)
        draw_span(s, "idle", x_of(s, bar->from), x_of(s, bar->to), y);
    if (bar->n_spans <= EXACT_SPANS_MAX && bar->count <= 1)
        draw_exact(s, bar, y);
    else
        draw_pixels(s, bar, y);
    draw_ends(s, bar, y);
    draw_words(s, bar, baseline);
    buf_add_c(s->out, "</g>\n");
}

/* -- the axis -- */

static void draw_zigzag(struct sheet *s, double x, double top, double end)
{
    int right = 1;

    buf_add_c(s->out, "<path class=\"zigzag\" d=\"M");
    add_number(s->out, x - 2);
    buf_add_ch(s->out, ' ');
    add_number(s->out, top);
    for (double y = top + 6; y <= end; y += 6, right = -right)
        buf_printf(s->out, "l%d 6", 4 * right);
    buf_add_c(s->out, "\"/>\n");
}

static void draw_fold(struct sheet *s, const struct fold *f, size_t strip)
{
    double x = x_of(s, f->from), top = strip_y(s, strip) + STRIP_HEIGHT;
    CLEANUP_BUF struct buf text = BUF_INIT(64);

    duration_print(&text, f->to - f->from);
    draw_text(s, "gap", "middle", x + FOLD_WIDTH / 2.0, top - 7, buf_str(&text));
    buf_add_c(s->out, "<g><title>");
    duration_print(s->out, f->to - f->from);
    buf_add_c(s->out, " in which nothing ran, folded</title>\n");
    draw_rect(s, "veil", x, top, FOLD_WIDTH, strip_end(s, strip) - top);
    draw_zigzag(s, x + 3, top, strip_end(s, strip));
    draw_zigzag(s, x + FOLD_WIDTH - 3, top, strip_end(s, strip));
    buf_add_c(s->out, "</g>\n");
}

/* Is there room for a label between what was written before and the next fold? */
static bool has_room(const struct sheet *s, double x, double width, double taken)
{
    if (x - width / 2 < taken || x + width / 2 > CHART_X + CHART_WIDTH + 30)
        return false;
    for (size_t i = 0; i < s->axis->n; i++) {
        double fold = x_of(s, s->axis->folds[i].from) + FOLD_WIDTH / 2.0;

        if (x + width / 2 > fold - 28 && x - width / 2 < fold + 28)
            return false;
    }
    return true;
}

static void draw_marks(struct sheet *s, size_t strip)
{
    ticks step = duration_step(s->axis->visible, AXIS_PARTS), at = s->axis->from;
    ticks labelled = s->axis->from;
    double top = strip_y(s, strip) + STRIP_HEIGHT, taken = CHART_X - 20;

    while (axis_mark(s->axis, step, &at)) {
        CLEANUP_BUF struct buf text = BUF_INIT(64);
        double x = x_of(s, at), width;

        draw_line(s, "grid", x, top - 3, strip_end(s, strip));
        axis_label(&text, at, step, labelled);
        width = (double)text.len * 6.5;
        if (!has_room(s, x, width, taken))
            continue;
        draw_text(s, "tick", "middle", x, top - 7, buf_str(&text));
        taken = x + width / 2 + 6;
        labelled = at;
    }
}

/* -- around it -- */

static const char style[] =
    "<style>\n"
    ".th text{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\",sans-serif;"
    "fill:#1f2933}\n"
    ".th .title{font-size:17px;font-weight:600}.th .id{font-weight:400;fill:#64707d}"
    ".th .sub{font-size:12px;fill:#64707d}\n"
    ".th .strong{font-weight:600}.th .took{fill:#64707d}.th .red{fill:#c53030;font-weight:600}\n"
    ".th .tick,.th .gap{font-size:10px;fill:#64707d}.th .gap{font-style:italic}\n"
    ".th .page{fill:#fff}.th .hit{fill:#fff;fill-opacity:0}.th .odd{fill:#f6f8fa}\n"
    ".th .grid{stroke:#d5dbe1;stroke-width:1;fill:none}\n"
    ".th .run{fill:#243b53}.th .idle{fill:#d3dae2}.th .paused{fill:url(#th-paused)}\n"
    ".th .act{fill:#3677c9}.th .sub-o{fill:#7d53b8}.th .timer{fill:#b7791f}.th "
    ".event{fill:#1c7f74}\n"
    ".th .sent{fill:#64707d}.th .failed,.th .bad{fill:#d14343}.th .undone{fill:url(#th-undone)}\n"
    ".th .wtimer{fill:url(#th-timer)}.th .wevent{fill:url(#th-event)}\n"
    ".th .cross{stroke:#fff;stroke-width:1.5;fill:none}\n"
    ".th .dropped{stroke:#64707d;stroke-width:2;fill:none}\n"
    ".th .veil{fill:#fff;fill-opacity:.72}.th .zigzag{stroke:#9aa5b1;stroke-width:1;fill:none}\n"
    "</style>\n";

static void define_hatch(struct buf *out, const char *id, const char *ground, const char *line)
{
    buf_printf(out,
               "<pattern id=\"th-%s\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
               "patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"%s\"/>"
               "<rect width=\"2\" height=\"6\" fill=\"%s\"/></pattern>\n",
               id, ground, line);
}

static void define(struct sheet *s)
{
    buf_add_c(s->out, "<defs>\n");
    define_hatch(s->out, "timer", "#fbeecb", "#e2b04a");
    define_hatch(s->out, "event", "#d8f0ec", "#6dbdb3");
    define_hatch(s->out, "undone", "#fbe3e3", "#e28a8a");
    define_hatch(s->out, "paused", "#e9ecf0", "#9aa5b1");
    buf_add_c(s->out, "<clipPath id=\"th-names\"><rect x=\"0\" y=\"0\"");
    add_attribute(s->out, "width", MARGIN + LABEL_WIDTH + 6);
    /* Higher than any picture: several in one document share the first one's. */
    add_attribute(s->out, "height", CLIP_HEIGHT);
    buf_add_c(s->out, "/></clipPath>\n</defs>\n");
}

/* The names as they fit; the id's share is what the orchestrator's leaves. */
static void add_names(struct sheet *s)
{
    CLEANUP_BUF struct buf name = BUF_INIT(PAYLOAD_MAX_BYTES), id = BUF_INIT(PAYLOAD_MAX_BYTES),
                           cut = BUF_INIT(LINE_MAX_BYTES);
    size_t used;

    format_escaped(&name, s->bars->bars[0].name);
    format_escaped(&id, s->row->id);
    used = columns_add(&cut, buf_str(&name), TITLE_COLUMNS / 2);
    add_text(s->out, buf_str(&cut));
    buf_clear(&cut);
    (void)columns_add(&cut, buf_str(&id), TITLE_COLUMNS - used);
    buf_printf(s->out, "<tspan class=\"id\"%s>", used > 0 ? " dx=\"10\"" : "");
    add_text(s->out, buf_str(&cut));
    buf_add_c(s->out, "</tspan>");
}

static void draw_title(struct sheet *s)
{
    CLEANUP_BUF struct buf state = BUF_INIT(PAYLOAD_MAX_BYTES), word = BUF_INIT(LINE_MAX_BYTES);
    const struct bar *run = &s->bars->bars[0];

    buf_printf(s->out, "<text class=\"title\" x=\"%d\" y=\"%d\">", MARGIN, TITLE_Y);
    add_names(s);
    buf_add_c(s->out, "</text>\n");
    bar_state(&state, run, s->row);
    (void)columns_add(&word, buf_str(&state), 14);
    draw_text(s, run->state == BAR_FAILED ? "title red" : "title", "end", PAGE_WIDTH - MARGIN,
              TITLE_Y, buf_str(&word));
}

static void draw_subtitle(struct sheet *s)
{
    CLEANUP_BUF struct buf text = BUF_INIT(LINE_MAX_BYTES), when = BUF_INIT(64);

    bars_times(&text, s->bars);
    bars_summary(&text, s->bars);
    draw_text(s, "sub", NULL, MARGIN, SUBTITLE_Y, buf_str(&text));
    ticks_print(&when, s->bars->bars[0].from);
    draw_text(s, "sub", "end", PAGE_WIDTH - MARGIN, SUBTITLE_Y, buf_str(&when));
    if (s->bars->incomplete)
        draw_text(s, "sub", NULL, MARGIN, NOTE_Y, STR(BARS_INCOMPLETE));
}

/* What the colours and marks mean, as far as they occur. */
static double draw_key(struct sheet *s, double x, double y, const char *class, const char *mark,
                       const char *words)
{
    if (mark)
        draw_mark(s, class, x + 8, y - 4, mark);
    else
        draw_rect(s, class, x, y - 9, 16, 10);
    draw_text(s, "sub", NULL, x + 22, y, str_c(words));
    return x + 38 + (double)strlen(words) * 6.6;
}

static bool has(const struct bars *bars, enum bar_kind kind, enum bar_state state)
{
    for (size_t i = 1; i < bars->count; i++)
        if (bars->bars[i].kind == kind && (state == BAR_DONE || bars->bars[i].state == state))
            return true;
    return false;
}

static bool has_state(const struct bars *bars, enum bar_state state)
{
    for (size_t i = 0; i < bars->count; i++)
        if (bars->bars[i].state == state)
            return true;
    return false;
}

static bool has_paused(const struct bars *bars)
{
    for (size_t i = 0; i < bars->bars[0].n_spans; i++)
        if (bars->bars[0].spans[i].look == SPAN_SUSPENDED)
            return true;
    return false;
}

static void draw_legend(struct sheet *s)
{
    const struct bars *b = s->bars;
    double x = MARGIN, y = rows_end(s) + 26;

    x = draw_key(s, x, y, "run", NULL, "orchestrator runs");
    x = draw_key(s, x, y, "idle", NULL, "waits");
    if (has(b, BAR_ACTIVITY, BAR_DONE))
        x = draw_key(s, x, y, "act", NULL, "activity");
    if (has(b, BAR_SUB, BAR_DONE))
        x = draw_key(s, x, y, "sub-o", NULL, "sub-orchestration");
    if (has(b, BAR_TIMER, BAR_DONE))
        x = draw_key(s, x, y, "wtimer", NULL, "timer");
    if (has(b, BAR_EVENT, BAR_DONE))
        x = draw_key(s, x, y, "wevent", NULL, "event awaited");
    if (has(b, BAR_SENT, BAR_DONE))
        x = draw_key(s, x, y, "sent", DIAMOND, "event sent");
    if (has_state(b, BAR_FAILED) || has_state(b, BAR_REWOUND))
        x = draw_key(s, x, y, "bad", DISC, "failed");
    if (has_paused(b))
        x = draw_key(s, x, y, "paused", NULL, "suspended");
    if (has_state(b, BAR_DROPPED))
        x = draw_key(s, x, y, "dropped", BAR_END, "dropped");
    if (b->open)
        (void)draw_key(s, x, y, "idle", ARROW, "still open");
}

static void draw_all(struct sheet *s)
{
    double height = rows_end(s) + LEGEND_HEIGHT;

    buf_printf(s->out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"th\" role=\"img\" width=\"%d\" "
               "height=\"%d\" viewBox=\"0 0 %d %d\" font-size=\"%u\">\n",
               PAGE_WIDTH, (int)height, PAGE_WIDTH, (int)height, s->font);
    buf_add_c(s->out, style);
    define(s);
    draw_rect(s, "page", 0, 0, PAGE_WIDTH, height);
    draw_title(s);
    draw_subtitle(s);
    for (size_t i = 1; i < s->bars->count; i += 2)
        draw_rect(s, "odd", MARGIN - 8, row_y(s, i), PAGE_WIDTH - 2 * MARGIN + 16, s->row_height);
    for (size_t strip = 0; strip < strip_count(s); strip++)
        draw_marks(s, strip);
    for (size_t i = 0; i < s->bars->count; i++)
        draw_bar(s, i);
    for (size_t strip = 0; strip < strip_count(s); strip++)
        for (size_t i = 0; i < s->axis->n; i++)
            draw_fold(s, &s->axis->folds[i], strip);
    draw_legend(s);
    buf_add_c(s->out, "</svg>\n");
}

static void draw(const struct timeline *t, struct buf *out)
{
    size_t n = t->bars->count;
    struct sheet s = { .bars = t->bars, .row = t->row, .axis = &t->axis, .out = out };

    s.scale = (struct scale){ s.axis, CHART_WIDTH, FOLD_WIDTH };
    s.row_height = n <= 40 ? 24 : n <= 150 ? 18 : 14;
    s.font = n <= 40 ? 12 : n <= 150 ? 11 : 10;
    draw_all(&s);
}

enum err timeline_svg(const struct history *h, const struct row *row, ticks now, struct buf *out)
{
    return timeline_draw(h, row, now, draw, out);
}
