#include "fs/chart.h"

#define FIRST_STRIP_Y 74
#define NOTE_HEIGHT   16 /* that the history is incomplete */

void chart_init(struct chart *c, const struct timeline *t, struct buf *out)
{
    size_t n = t->bars->count;

    *c = (struct chart){ .bars = t->bars, .row = t->row, .axis = &t->axis, .out = out };
    c->scale = (struct scale){ c->axis, CHART_WIDTH, FOLD_WIDTH };
    c->row_height = n <= 40 ? 24 : n <= 150 ? 18 : 14;
    c->font = n <= 40 ? 12 : n <= 150 ? 11 : 10;
}

double chart_x(const struct chart *c, ticks t)
{
    return CHART_X + scale_at(&c->scale, t);
}

size_t chart_strips(const struct chart *c)
{
    return (c->bars->count - 1) / REPEAT_ROWS + 1;
}

double chart_strip_y(const struct chart *c, size_t strip)
{
    return FIRST_STRIP_Y + (c->bars->incomplete ? NOTE_HEIGHT : 0) +
           (double)strip * (STRIP_HEIGHT + REPEAT_ROWS * c->row_height);
}

double chart_strip_end(const struct chart *c, size_t strip)
{
    return strip + 1 < chart_strips(c) ? chart_strip_y(c, strip + 1) : chart_rows_end(c);
}

double chart_row_y(const struct chart *c, size_t bar)
{
    return chart_strip_y(c, bar / REPEAT_ROWS) + STRIP_HEIGHT +
           (double)(bar % REPEAT_ROWS) * c->row_height;
}

double chart_rows_end(const struct chart *c)
{
    return chart_row_y(c, c->bars->count - 1) + c->row_height;
}
