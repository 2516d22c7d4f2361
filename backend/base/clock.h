/* clock: the two clocks, and moments as the tables write them.
 * A tick is 100 ns, counted from 1970-01-01T00:00:00Z, negative before: the resolution of EDM
 * DateTime (storage tables 12.3).
 * Threads: any. */
#ifndef BACKEND_BASE_CLOCK_H
#define BACKEND_BASE_CLOCK_H

#include <time.h>

#include "backend/base/buf.h"

typedef int64_t ticks; /* the one scalar typedef: a moment must not be mixed with a duration */

#define TICKS_NONE    INT64_MIN
#define TICKS_PER_SEC INT64_C(10000000)
#define TICKS_PER_DAY (TICKS_PER_SEC * 86400)

int64_t clock_now_ms(void); /* monotonic, for deadlines and ages */
ticks clock_wall(void);     /* UTC now */
void clock_sleep_ms(int64_t ms);

/* ISO 8601 with 0 to any number of fraction digits (those after the seventh ignored), Z, an offset,
 * or no zone (taken as UTC). False, and *ret untouched, for anything else (vectors 75-83). */
bool ticks_parse(struct str s, ticks *ret);

/* TICKS_NONE prints as nothing.
 *
 * 2026-11-24T13:25:00.1234567Z, always seven digits: what files and filters show (V22). */
void ticks_print(struct buf *b, ticks t);
/* As Json.NET writes it: trailing zeros cut, no point when zero (storage messages 3.2, V21). */
void ticks_print_short(struct buf *b, ticks t);
/* 2026-11-24: the UTC day. */
void ticks_print_day(struct buf *b, ticks t);
/* Parses YYYY-MM-DD exactly to the first tick of that day; false for anything else. */
bool ticks_parse_day(struct str s, ticks *ret);
/* Wed, 01 May 2024 10:00:00 GMT (RFC 1123), for x-ms-date. */
void ticks_print_http(struct buf *b, ticks t);
bool ticks_parse_http(struct str s, ticks *ret);

void ticks_to_timespec(ticks t, struct timespec *ret); /* TICKS_NONE gives the epoch */

#endif
