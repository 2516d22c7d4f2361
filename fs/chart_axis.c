#include "fs/chart.h"
#include "fs/duration.h"
#include "fs/svg.h"

#define AXIS_PARTS 6

static void draw_zigzag(const struct chart *c, double x, double top, double end)
{
    int right = 1, steps = (int)((end - top) / 6);

    buf_add_c(c->out, "<path class=\"zigzag\" d=\"M");
    svg_number(c->out, x - 2);
    buf_add_ch(c->out, ' ');
    svg_number(c->out, top);
    for (; steps > 0; steps--, right = -right)
        buf_printf(c->out, "l%d 6", 4 * right);
    buf_add_c(c->out, "\"/>\n");
}

static void draw_fold(const struct chart *c, const struct fold *f, size_t strip)
{
    double x = chart_x(c, f->from), top = chart_strip_y(c, strip) + STRIP_HEIGHT;
    CLEANUP_BUF struct buf text = BUF_INIT(64);

    duration_print(&text, f->to - f->from);
    svg_text(c->out, "gap", "middle", x + FOLD_WIDTH / 2.0, top - 7, buf_str(&text));
    buf_add_c(c->out, "<g><title>");
    duration_print(c->out, f->to - f->from);
    buf_add_c(c->out, " in which nothing ran, folded</title>\n");
    svg_rect(c->out, "veil", x, top, FOLD_WIDTH, chart_strip_end(c, strip) - top);
    draw_zigzag(c, x + 3, top, chart_strip_end(c, strip));
    draw_zigzag(c, x + FOLD_WIDTH - 3, top, chart_strip_end(c, strip));
    buf_add_c(c->out, "</g>\n");
}

/* Is there room for a label between what was written before and the next fold? */
static bool has_room(const struct chart *c, double x, double width, double taken)
{
    if (x - width / 2 < taken || x + width / 2 > CHART_X + CHART_WIDTH + 30)
        return false;
    for (size_t i = 0; i < c->axis->n; i++) {
        double fold = chart_x(c, c->axis->folds[i].from) + FOLD_WIDTH / 2.0;

        if (x + width / 2 > fold - 28 && x - width / 2 < fold + 28)
            return false;
    }
    return true;
}

void chart_marks(const struct chart *c, size_t strip)
{
    ticks step = duration_step(c->axis->visible, AXIS_PARTS), at = c->axis->from;
    ticks labelled = c->axis->from;
    double top = chart_strip_y(c, strip) + STRIP_HEIGHT, taken = CHART_X - 20;

    while (axis_mark(c->axis, step, &at)) {
        CLEANUP_BUF struct buf text = BUF_INIT(64);
        double x = chart_x(c, at), width;

        svg_line(c->out, "grid", x, top - 3, chart_strip_end(c, strip));
        axis_label(&text, at, step, labelled);
        width = (double)text.len * 6.5;
        if (!has_room(c, x, width, taken))
            continue;
        svg_text(c->out, "tick", "middle", x, top - 7, buf_str(&text));
        taken = x + width / 2 + 6;
        labelled = at;
    }
}

void chart_folds(const struct chart *c, size_t strip)
{
    for (size_t i = 0; i < c->axis->n; i++)
        draw_fold(c, &c->axis->folds[i], strip);
}
