#include "fs/chart.h"
#include "fs/columns.h"
#include "fs/format.h"
#include "fs/pictures.h"
#include "fs/svg.h"

#define TITLE_Y       32
#define SUBTITLE_Y    52
#define NOTE_Y        70
#define TITLE_COLUMNS 80
#define STATE_COLUMNS 14
#define CLIP_HEIGHT   1000000

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

void chart_styles(const struct chart *c)
{
    buf_add_c(c->out, style);
    buf_add_c(c->out, "<defs>\n");
    define_hatch(c->out, "timer", "#fbeecb", "#e2b04a");
    define_hatch(c->out, "event", "#d8f0ec", "#6dbdb3");
    define_hatch(c->out, "undone", "#fbe3e3", "#e28a8a");
    define_hatch(c->out, "paused", "#e9ecf0", "#9aa5b1");
    buf_add_c(c->out, "<clipPath id=\"th-names\"><rect x=\"0\" y=\"0\"");
    svg_attribute(c->out, "width", MARGIN + LABEL_WIDTH + 6);
    /* Higher than any picture: several in one document share the first one's. */
    svg_attribute(c->out, "height", CLIP_HEIGHT);
    buf_add_c(c->out, "/></clipPath>\n</defs>\n");
}

/* The names as they fit; the id's share is what the orchestrator's leaves. */
static void add_names(const struct chart *c)
{
    CLEANUP_BUF struct buf name = BUF_INIT(PAYLOAD_MAX_BYTES), id = BUF_INIT(PAYLOAD_MAX_BYTES),
                           cut = BUF_INIT(CHART_LINE_MAX_BYTES);
    size_t used;

    format_escaped(&name, c->bars->bars[0].name);
    format_escaped(&id, c->row->id);
    used = columns_add(&cut, buf_str(&name), TITLE_COLUMNS / 2);
    svg_escaped(c->out, buf_str(&cut));
    buf_clear(&cut);
    (void)columns_add(&cut, buf_str(&id), TITLE_COLUMNS - used);
    buf_printf(c->out, "<tspan class=\"id\"%s>", used > 0 ? " dx=\"10\"" : "");
    svg_escaped(c->out, buf_str(&cut));
    buf_add_c(c->out, "</tspan>");
}

static void draw_names_and_state(const struct chart *c)
{
    CLEANUP_BUF struct buf state = BUF_INIT(PAYLOAD_MAX_BYTES),
                           word = BUF_INIT(CHART_LINE_MAX_BYTES);
    const struct bar *run = &c->bars->bars[0];

    buf_printf(c->out, "<text class=\"title\" x=\"%d\" y=\"%d\">", MARGIN, TITLE_Y);
    add_names(c);
    buf_add_c(c->out, "</text>\n");
    bar_state(&state, run, c->row);
    (void)columns_add(&word, buf_str(&state), STATE_COLUMNS);
    svg_text(c->out, run->state == BAR_FAILED ? "title red" : "title", "end", PAGE_WIDTH - MARGIN,
             TITLE_Y, buf_str(&word));
}

static void draw_subtitle(const struct chart *c)
{
    CLEANUP_BUF struct buf text = BUF_INIT(CHART_LINE_MAX_BYTES), when = BUF_INIT(64);

    bars_times(&text, c->bars);
    bars_summary(&text, c->bars);
    svg_text(c->out, "sub", NULL, MARGIN, SUBTITLE_Y, buf_str(&text));
    ticks_print(&when, c->bars->bars[0].from);
    svg_text(c->out, "sub", "end", PAGE_WIDTH - MARGIN, SUBTITLE_Y, buf_str(&when));
    if (c->bars->incomplete)
        svg_text(c->out, "sub", NULL, MARGIN, NOTE_Y, STR(BARS_INCOMPLETE));
}

void chart_title(const struct chart *c)
{
    draw_names_and_state(c);
    draw_subtitle(c);
}

/* What the colours and marks mean, as far as they occur. */
static double draw_key(const struct chart *c, double x, double y, const char *class,
                       const char *mark, const char *words)
{
    if (mark)
        svg_mark(c->out, class, x + 8, y - 4, mark);
    else
        svg_rect(c->out, class, x, y - 9, 16, 10);
    svg_text(c->out, "sub", NULL, x + 22, y, str_c(words));
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

void chart_legend(const struct chart *c)
{
    const struct bars *b = c->bars;
    double x = MARGIN, y = chart_rows_end(c) + 26;

    x = draw_key(c, x, y, "run", NULL, "orchestrator runs");
    x = draw_key(c, x, y, "idle", NULL, "waits");
    if (has(b, BAR_ACTIVITY, BAR_DONE))
        x = draw_key(c, x, y, "act", NULL, "activity");
    if (has(b, BAR_SUB, BAR_DONE))
        x = draw_key(c, x, y, "sub-o", NULL, "sub-orchestration");
    if (has(b, BAR_TIMER, BAR_DONE))
        x = draw_key(c, x, y, "wtimer", NULL, "timer");
    if (has(b, BAR_EVENT, BAR_DONE))
        x = draw_key(c, x, y, "wevent", NULL, "event awaited");
    if (has(b, BAR_SENT, BAR_DONE))
        x = draw_key(c, x, y, "sent", DIAMOND, "event sent");
    if (has_state(b, BAR_FAILED) || has_state(b, BAR_REWOUND))
        x = draw_key(c, x, y, "bad", DISC, "failed");
    if (has_paused(b))
        x = draw_key(c, x, y, "paused", NULL, "suspended");
    if (has_state(b, BAR_DROPPED))
        x = draw_key(c, x, y, "dropped", BAR_END, "dropped");
    if (b->open)
        (void)draw_key(c, x, y, "idle", ARROW, "still open");
}
