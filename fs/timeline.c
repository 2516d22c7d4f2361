#include "fs/timeline.h"

enum err timeline_draw(const struct history *h, const struct row *row, ticks now,
                       void (*draw)(const struct timeline *t, struct buf *out), struct buf *out)
{
    CLEANUP(bars_free) struct bars *bars = bars_new(h, row, now, BARS_MAX);
    struct timeline t = { .bars = bars, .row = row };
    enum err err;

    if (!bars)
        return ERR_NO_MEMORY;
    err = axis_init(&t.axis, bars);
    if (err == OK)
        draw(&t, out);
    return err;
}
