/* pictures: an instance's history drawn: as text, as SVG, as a Mermaid Gantt chart; and the words
 * all three use for a bar.
 * Knows bars and how they look; asks nobody, not even the clock: unfinished bars end at `now`.
 * Equal arguments give equal bytes.
 * Ownership: appends to the caller's buf. Threads: any; only their arguments are touched.
 * Errors: ERR_NO_MEMORY. history may be NULL or empty: an instance that has not begun. */
#ifndef FS_PICTURES_H
#define FS_PICTURES_H

#include "fs/bars.h"

#define MERMAID_BARS_MAX 400 /* its renderers refuse texts of more than 50,000 characters */

/* 100 columns, one line a bar (mount layout 1, "Other formats on request"). */
MUST_CHECK enum err timeline_text(const struct history *h, const struct row *row, ticks now,
                                  struct buf *out);
/* Self-contained: no script, no font, no link. */
MUST_CHECK enum err timeline_svg(const struct history *h, const struct row *row, ticks now,
                                 struct buf *out);
MUST_CHECK enum err mermaid_gantt(const struct history *h, const struct row *row, ticks now,
                                  struct buf *out);

/* -- words; printable, control characters escaped -- */

/* "Charge (try 2)", "sub Ship order-17:0", "timer 5m 00s", "event Approve", "Charge, 900 times". */
void bar_label(struct buf *out, const struct bar *bar);
/* How long it took; nothing for what is only a moment. */
void bar_duration(struct buf *out, const struct bar *bar);
/* "failed", "open", "dropped", "rewound", "3 failed" of a group; "" when all is well. Of the
 * orchestrator its status. */
void bar_state(struct buf *out, const struct bar *bar, const struct row *row);
/* "waited 36.7 s to begin, took 2.85 s", "not begun for 2h 05m". */
void bars_times(struct buf *out, const struct bars *bars);
/* "; 3 activities (1 failed), 1 timer, 1 event". */
void bars_summary(struct buf *out, const struct bars *bars);
#define BARS_INCOMPLETE "a checkpoint is under way: the last events may be missing"

#endif
