/* timeline: the bars of an instance on their axis: what both timelines draw, each in its own way.
 * Ownership: timeline_draw lends it for one drawing, which appends to out. Threads: any. */
#ifndef FS_TIMELINE_H
#define FS_TIMELINE_H

#include "fs/axis.h"

struct timeline {
    const struct bars *bars;
    const struct row *row;
    struct axis axis;
};

/* ERR_NO_MEMORY: nothing was drawn. What the drawing itself could not get stays in out. */
MUST_CHECK enum err timeline_draw(const struct history *h, const struct row *row, ticks now,
                                  void (*draw)(const struct timeline *t, struct buf *out),
                                  struct buf *out);

#endif
