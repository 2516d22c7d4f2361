#include "fs/duration.h"

#define MS   (TICKS_PER_SEC / 1000)
#define SEC  TICKS_PER_SEC
#define MIN  (60 * SEC)
#define HOUR (60 * MIN)
#define DAY  TICKS_PER_DAY

/* value / unit with so many decimals, cut and not rounded: 999.6 ms must not become 1000 ms. */
static void add_decimal(struct buf *out, ticks value, ticks unit, unsigned decimals,
                        const char *name)
{
    ticks rest = value % unit;

    buf_printf(out, "%lld", (long long)(value / unit));
    if (decimals > 0)
        buf_add_ch(out, '.');
    for (unsigned i = 0; i < decimals; i++) {
        buf_printf(out, "%lld", (long long)(rest * 10 / unit));
        rest = rest * 10 % unit;
    }
    buf_add_c(out, name);
}

static void add_pair(struct buf *out, ticks value, ticks big, const char *big_name, ticks small,
                     const char *small_name)
{
    buf_printf(out, "%lld%s %02lld%s", (long long)(value / big), big_name,
               (long long)(value % big / small), small_name);
}

void duration_print(struct buf *out, ticks duration)
{
    ticks d = duration;

    if (d <= 0)
        buf_add_ch(out, '0');
    else if (d < 10 * MS)
        add_decimal(out, d, MS, 1, " ms");
    else if (d < SEC)
        add_decimal(out, d, MS, 0, " ms");
    else if (d < 10 * SEC)
        add_decimal(out, d, SEC, 2, " s");
    else if (d < MIN)
        add_decimal(out, d, SEC, 1, " s");
    else if (d < HOUR)
        add_pair(out, d, MIN, "m", SEC, "s");
    else if (d < DAY)
        add_pair(out, d, HOUR, "h", MIN, "m");
    else if (d < 1000 * DAY)
        add_pair(out, d, DAY, "d", HOUR, "h");
    else
        buf_printf(out, "%lldd", (long long)(d / DAY));
}

ticks duration_step(ticks duration, unsigned parts)
{
    static const ticks steps[] = {
        MS,       2 * MS,   5 * MS,   10 * MS,  20 * MS,  50 * MS,   100 * MS,  200 * MS,  500 * MS,
        SEC,      2 * SEC,  5 * SEC,  10 * SEC, 15 * SEC, 30 * SEC,  MIN,       2 * MIN,   5 * MIN,
        10 * MIN, 15 * MIN, 30 * MIN, HOUR,     2 * HOUR, 3 * HOUR,  6 * HOUR,  12 * HOUR, DAY,
        2 * DAY,  7 * DAY,  14 * DAY, 30 * DAY, 90 * DAY, 180 * DAY, 365 * DAY,
    };
    ticks step = steps[ARRAY_LEN(steps) - 1];

    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (duration / steps[i] < parts)
            return steps[i];
    while (duration / step >= parts)
        step *= 2;
    return step;
}
