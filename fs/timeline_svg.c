#include "fs/chart.h"
#include "fs/pictures.h"
#include "fs/svg.h"
#include "fs/timeline.h"

static void draw_chart(const struct chart *c)
{
    double height = chart_rows_end(c) + LEGEND_HEIGHT;

    buf_printf(c->out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"th\" role=\"img\" width=\"%d\" "
               "height=\"%d\" viewBox=\"0 0 %d %d\" font-size=\"%u\">\n",
               PAGE_WIDTH, (int)height, PAGE_WIDTH, (int)height, c->font);
    chart_styles(c);
    svg_rect(c->out, "page", 0, 0, PAGE_WIDTH, height);
    chart_title(c);
    for (size_t i = 1; i < c->bars->count; i += 2)
        svg_rect(c->out, "odd", MARGIN - 8, chart_row_y(c, i), PAGE_WIDTH - 2 * MARGIN + 16,
                 c->row_height);
    for (size_t strip = 0; strip < chart_strips(c); strip++)
        chart_marks(c, strip);
    for (size_t i = 0; i < c->bars->count; i++)
        chart_bar(c, i);
    for (size_t strip = 0; strip < chart_strips(c); strip++)
        chart_folds(c, strip);
    chart_legend(c);
    buf_add_c(c->out, "</svg>\n");
}

static void draw(const struct timeline *t, struct buf *out)
{
    struct chart chart;

    chart_init(&chart, t, out);
    draw_chart(&chart);
}

enum err timeline_svg(const struct history *h, const struct row *row, ticks now, struct buf *out)
{
    return timeline_draw(h, row, now, draw, out);
}
