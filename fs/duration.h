/* duration: how long something took, in a few characters a person reads.
 * Knows ticks only; never a moment.
 * Ownership: appends to the caller's buf. Threads: any. */
#ifndef FS_DURATION_H
#define FS_DURATION_H

#include "backend/base/clock.h"

/* "0", "0.4 ms", "857 ms", "1.15 s", "36.8 s", "12m 03s", "3h 04m", "7d 02h", "1234d": at most 8
 * characters for anything that ends before the year 10000. A negative duration is "0". */
void duration_print(struct buf *out, ticks duration);

/* The smallest step of a clock's face (1, 2, 5 x 10^n below a second, then 1, 2, 5, 10, 15, 30
 * seconds and minutes, hours, days) that divides a duration into at most so many parts. */
ticks duration_step(ticks duration, unsigned parts);

#endif
