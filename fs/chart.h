/* chart: where the parts of a timeline's SVG are, and what draws them.
 * From the top: title, then strips of an axis with up to REPEAT_ROWS bars each, then the legend.
 * Knows bars, their axis and user units; not how elements are written (fs/svg.h).
 * Ownership: borrows all that it points to. Threads: any. Errors stay in out. */
#ifndef FS_CHART_H
#define FS_CHART_H

#include "backend/base/limits.h"
#include "fs/timeline.h"

/* All in user units, which are pixels at the picture's natural size. */
#define PAGE_WIDTH    1000
#define MARGIN        20
#define LABEL_WIDTH   230
#define CHART_X       262
#define CHART_WIDTH   560
#define FOLD_WIDTH    26
#define STRIP_HEIGHT  22 /* labels of the axis, above every REPEAT_ROWS bars */
#define REPEAT_ROWS   40
#define LEGEND_HEIGHT 40

#define CHART_LINE_MAX_BYTES (64 * KIB) /* of a text as it is cut */

/* Marks, as svg_mark takes them. */
#define DIAMOND "M0-5L5 0 0 5-5 0z"
#define CROSS   "M-2.2-2.2 2.2 2.2M-2.2 2.2 2.2-2.2"
#define DISC    "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0"
#define BAR_END "M0-7V7"
#define ARROW   "M0-5L6 0 0 5z"

struct chart {
    const struct bars *bars;
    const struct row *row;
    const struct axis *axis;
    struct scale scale;
    unsigned row_height, font;
    struct buf *out;
};

void chart_init(struct chart *c, const struct timeline *t, struct buf *out);

/* -- where -- */

double chart_x(const struct chart *c, ticks t);
size_t chart_strips(const struct chart *c);
double chart_strip_y(const struct chart *c, size_t strip);
double chart_strip_end(const struct chart *c, size_t strip);
double chart_row_y(const struct chart *c, size_t bar);
double chart_rows_end(const struct chart *c);

/* -- what -- */

void chart_styles(const struct chart *c); /* what the classes look like */
void chart_title(const struct chart *c);
void chart_legend(const struct chart *c);
void chart_marks(const struct chart *c, size_t strip); /* the axis */
void chart_folds(const struct chart *c, size_t strip); /* over the bars */
void chart_bar(const struct chart *c, size_t bar);     /* with its label, duration, state */

#endif
