#include "backend/base/clock.h"

#include <errno.h>

#include "backend/base/word.h"

#define NS_PER_TICK 100

int64_t clock_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

ticks clock_wall(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (ticks)now.tv_sec * TICKS_PER_SEC + now.tv_nsec / NS_PER_TICK;
}

void clock_sleep_ms(int64_t ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    if (ms <= 0)
        return;
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
        ;
}

/* A moment in the parts that a text has. */
struct parts {
    unsigned year, month, day, hour, minute, second;
    unsigned fraction; /* ticks */
};

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days of a common year before each month; behind the last: of all its months. */
static const unsigned short days_past[13] = { 0,   31,  59,  90,  120, 151, 181,
                                              212, 243, 273, 304, 334, 365 };

static unsigned month_days(unsigned year, unsigned month)
{
    return days_past[month] - days_past[month - 1] + (month == 2 && is_leap(year));
}

#define DAYS_TO_1970 719162 /* from 0001-01-01 */

/* Days from 0001-01-01. Not timegm: that takes a lock for the time zone, a million times a list. */
static unsigned days_before(unsigned year, unsigned month)
{
    unsigned past = year - 1;

    return past * 365 + past / 4 - past / 100 + past / 400 + days_past[month - 1] +
           (month > 2 && is_leap(year));
}

static bool parts_to_ticks(const struct parts *p, ticks *ret)
{
    int64_t days;

    if (p->year < 1 || p->year > 9999 || p->month < 1 || p->month > 12)
        return false;
    if (p->day < 1 || p->day > month_days(p->year, p->month))
        return false;
    if (p->hour > 23 || p->minute > 59 || p->second > 59)
        return false;
    days = (int64_t)days_before(p->year, p->month) + p->day - 1 - DAYS_TO_1970;
    *ret = days * TICKS_PER_DAY +
           ((int64_t)p->hour * 3600 + (int64_t)p->minute * 60 + p->second) * TICKS_PER_SEC +
           p->fraction;
    return true;
}

/* Exactly n digits at the front of *s; takes them off. */
static bool take_digits(struct str *s, size_t n, unsigned *ret)
{
    uint64_t v;

    if (s->len < n || !str_to_u64(str_slice(*s, 0, n), &v))
        return false;
    *ret = (unsigned)v;
    *s = str_slice(*s, n, s->len);
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (s->len == 0 || s->p[0] != c)
        return false;
    *s = str_slice(*s, 1, s->len);
    return true;
}

static bool take_date(struct str *s, struct parts *p)
{
    return take_digits(s, 4, &p->year) && take_char(s, '-') && take_digits(s, 2, &p->month) &&
           take_char(s, '-') && take_digits(s, 2, &p->day);
}

static bool take_time(struct str *s, struct parts *p)
{
    return take_digits(s, 2, &p->hour) && take_char(s, ':') && take_digits(s, 2, &p->minute) &&
           take_char(s, ':') && take_digits(s, 2, &p->second);
}

/* .1234567 and more digits, which are beyond our resolution; or nothing at all. */
static bool take_fraction(struct str *s, unsigned *ret)
{
    unsigned unit = TICKS_PER_SEC / 10, digit;

    *ret = 0;
    if (!take_char(s, '.'))
        return true;
    if (!take_digits(s, 1, &digit))
        return false;
    do {
        *ret += digit * unit;
        unit /= 10;
    } while (take_digits(s, 1, &digit));
    return true;
}

/* Z, +hh:mm, -hh:mm or nothing. */
static bool take_zone(struct str *s, int *ret_minutes)
{
    unsigned hours, minutes;
    bool negative;

    *ret_minutes = 0;
    if (s->len == 0 || take_char(s, 'Z'))
        return true;
    negative = take_char(s, '-');
    if (!negative && !take_char(s, '+'))
        return false;
    if (!take_digits(s, 2, &hours) || !take_char(s, ':') || !take_digits(s, 2, &minutes))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *ret_minutes = (int)(hours * 60 + minutes) * (negative ? -1 : 1);
    return true;
}

static bool parse_any(struct str s, ticks *ret)
{
    struct parts p = { 0 };
    int zone_minutes;
    ticks t;

    if (!take_date(&s, &p) || !take_char(&s, 'T') || !take_time(&s, &p) ||
        !take_fraction(&s, &p.fraction) || !take_zone(&s, &zone_minutes) || s.len)
        return false;
    if (!parts_to_ticks(&p, &t))
        return false;
    *ret = t - zone_minutes * 60 * TICKS_PER_SEC;
    return true;
}

/* -- the form in which tables write: a listing of a million rows reads five million of them -- */

#define FIXED_SECONDS 19 /* 2026-11-24T13:25:00, then Z, or a fraction of 1 to 7 digits and Z */
#define FIXED_LEN     28

/* Eight bytes at a step. low and high say what may stand in each place: '0' and '9' for a digit,
 * which becomes its value, or twice the same mark, which becomes 0. *bad: something else did. */
static inline uint64_t digits_at(const char *p, const char low[9], const char high[9],
                                 uint64_t *bad)
{
    uint64_t w = word_at(p) ^ word_at(low);
    uint64_t most = word_at(low) ^ word_at(high);

    *bad |= (w | (w + (WORD_EACH(0x7f) - most))) & WORD_TOPS;
    return w;
}

/* The number that the digits at two places make, counted from the least byte of a word. */
static inline unsigned pair(uint64_t digits, unsigned at)
{
    return (unsigned)(digits >> 8 * at & 0xff) * 10 + (unsigned)(digits >> 8 * (at + 1) & 0xff);
}

static bool parse_whole(const char *p, ticks *ret)
{
    uint64_t bad = 0;
    uint64_t date = digits_at(p, "0000-00-", "9999-99-", &bad);
    uint64_t minutes = digits_at(p + 8, "00T00:00", "99T99:99", &bad);
    uint64_t seconds = digits_at(p + 16, ":00.0000", ":99.9999", &bad);
    uint64_t fraction = digits_at(p + 20, "0000000Z", "9999999Z", &bad);
    struct parts parts = {
        .year = pair(date, 0) * 100 + pair(date, 2),
        .month = pair(date, 5),
        .day = pair(minutes, 0),
        .hour = pair(minutes, 3),
        .minute = pair(minutes, 6),
        .second = pair(seconds, 1),
        .fraction = pair(fraction, 0) * 100000 + pair(fraction, 2) * 1000 + pair(fraction, 4) * 10 +
                    (unsigned)(fraction >> 48 & 0xff),
    };

    return !bad && parts_to_ticks(&parts, ret);
}

/* False: it has not this form, or is no moment; parse_any decides. */
static bool parse_fixed(struct str s, ticks *ret)
{
    char whole[] = "0000-00-00T00:00:00.0000000Z";

    if (s.len == FIXED_LEN)
        return parse_whole(s.p, ret);
    if (s.len <= FIXED_SECONDS || s.len > FIXED_LEN || s.len == FIXED_SECONDS + 2 ||
        s.p[s.len - 1] != 'Z')
        return false;
    memcpy(whole, s.p, s.len - 1); /* its last zeros were cut */
    return parse_whole(whole, ret);
}

bool ticks_parse(struct str s, ticks *ret)
{
    return parse_fixed(s, ret) || parse_any(s, ret);
}

bool ticks_parse_day(struct str s, ticks *ret)
{
    struct parts p = { 0 };

    return take_date(&s, &p) && s.len == 0 && parts_to_ticks(&p, ret);
}

/* Whole seconds, rounded down also before 1970, and what is left. */
static int64_t ticks_split(ticks t, unsigned *ret_fraction)
{
    int64_t seconds = t / TICKS_PER_SEC, fraction = t % TICKS_PER_SEC;

    if (fraction < 0) {
        fraction += TICKS_PER_SEC;
        seconds--;
    }
    *ret_fraction = (unsigned)fraction;
    return seconds;
}

static unsigned ticks_to_tm(ticks t, struct tm *ret)
{
    unsigned fraction;
    time_t seconds = ticks_split(t, &fraction);

    (void)gmtime_r(&seconds, ret); /* cannot fail: ticks reach less than 30000 years */
    return fraction;
}

/* The last n digits of v, with leading zeros. */
static void put_digits(char *to, unsigned v, unsigned n)
{
    for (; n-- > 0; v /= 10)
        to[n] = (char)('0' + v % 10);
}

static void print_seconds(struct buf *b, const struct tm *tm)
{
    char text[] = "0000-00-00T00:00:00";

    /* Every status has several, and every stat of one asks how long it is: printf takes longer than
     * all the rest. */
    if (tm->tm_year >= -1900 && tm->tm_year < 10000 - 1900) {
        put_digits(text, (unsigned)tm->tm_year + 1900, 4);
        put_digits(text + 5, (unsigned)tm->tm_mon + 1, 2);
        put_digits(text + 8, (unsigned)tm->tm_mday, 2);
        put_digits(text + 11, (unsigned)tm->tm_hour, 2);
        put_digits(text + 14, (unsigned)tm->tm_min, 2);
        put_digits(text + 17, (unsigned)tm->tm_sec, 2);
        buf_add(b, (struct str){ text, sizeof text - 1 });
        return;
    }
    buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d", tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday,
               tm->tm_hour, tm->tm_min, tm->tm_sec);
}

void ticks_print(struct buf *b, ticks t)
{
    struct tm tm;
    unsigned fraction = ticks_to_tm(t, &tm);

    if (t == TICKS_NONE)
        return;
    char end[] = ".0000000Z";

    print_seconds(b, &tm);
    put_digits(end + 1, fraction, 7);
    buf_add(b, (struct str){ end, sizeof end - 1 });
}

void ticks_print_short(struct buf *b, ticks t)
{
    struct tm tm;
    unsigned fraction = ticks_to_tm(t, &tm);
    int digits = 7;

    if (t == TICKS_NONE)
        return;
    print_seconds(b, &tm);
    for (; digits > 0 && fraction % 10 == 0; digits--)
        fraction /= 10;
    if (digits)
        buf_printf(b, ".%0*u", digits, fraction);
    buf_add_ch(b, 'Z');
}

void ticks_print_day(struct buf *b, ticks t)
{
    struct tm tm;

    if (t == TICKS_NONE)
        return;
    (void)ticks_to_tm(t, &tm);
    buf_printf(b, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

/* Not strftime: these names are English whatever the locale. */
static const char day_names[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

void ticks_print_http(struct buf *b, ticks t)
{
    struct tm tm;

    if (t == TICKS_NONE)
        return;
    (void)ticks_to_tm(t, &tm);
    buf_printf(b, "%s, %02d %s %04d %02d:%02d:%02d GMT", day_names[tm.tm_wday], tm.tm_mday,
               month_names[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* One of n names of three letters at the front of *s; its number, counted from 0. */
static bool take_name(struct str *s, const char names[][4], unsigned n, unsigned *ret)
{
    for (unsigned i = 0; i < n; i++) {
        if (!str_starts(*s, str_c(names[i])))
            continue;
        *s = str_slice(*s, 3, s->len);
        *ret = i;
        return true;
    }
    return false;
}

bool ticks_parse_http(struct str s, ticks *ret)
{
    struct parts p = { 0 };
    unsigned weekday, month;

    if (!take_name(&s, day_names, 7, &weekday) || !take_char(&s, ',') || !take_char(&s, ' ') ||
        !take_digits(&s, 2, &p.day) || !take_char(&s, ' ') ||
        !take_name(&s, month_names, 12, &month) || !take_char(&s, ' ') ||
        !take_digits(&s, 4, &p.year) || !take_char(&s, ' ') || !take_time(&s, &p) ||
        !str_eq(s, STR(" GMT")))
        return false;
    p.month = month + 1;
    return parts_to_ticks(&p, ret);
}

void ticks_to_timespec(ticks t, struct timespec *ret)
{
    unsigned fraction = 0;
    int64_t seconds = t == TICKS_NONE ? 0 : ticks_split(t, &fraction);

    *ret = (struct timespec){ .tv_sec = seconds, .tv_nsec = (long)fraction * NS_PER_TICK };
}
