/* axis: the time axis of a picture, with long idle stretches folded.
 * A stretch is idle while nothing but timers, events and children is waited for. It is folded when
 * it lasts at least five seconds and four times as long as all that stays visible: then activities
 * of seconds can still be told apart in an instance that slept for a week.
 * Knows moments and positions; not characters or pixels: the unit is the caller's.
 * Ownership: a value. Threads: any. */
#ifndef FS_AXIS_H
#define FS_AXIS_H

#include "fs/bars.h"

#define FOLDS_MAX 12 /* more would be all there is to see */

struct fold {
    ticks from, to;
};

struct axis {
    ticks from, to;
    ticks visible; /* to - from, without what is folded */
    struct fold folds[FOLDS_MAX];
    size_t n;
};

/* A picture of that width, in which a fold takes fold_width. */
struct scale {
    const struct axis *axis;
    double width, fold_width;
};

MUST_CHECK enum err axis_init(struct axis *a, const struct bars *bars); /* ERR_NO_MEMORY */

/* Where a moment is, 0 to width; moments outside are at the ends. */
double scale_at(const struct scale *s, ticks t);

/* The marks of the axis: every multiple of step that is not folded away. Begin with
 * axis->from; false: there are no more. */
bool axis_mark(const struct axis *a, ticks step, ticks *at);

/* A moment as a mark says it: as fine as the step needs, with the day when it is another one than
 * that of `before` (TICKS_NONE: without). "14:06", "14:06:41", "14:06:41.5", "12-01 14:06". */
void axis_label(struct buf *out, ticks at, ticks step, ticks before);

#endif
