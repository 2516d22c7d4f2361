/* Any bytes as a moment, a day, a date header; what was understood is printed and read again. */
#include "backend/base/clock.h"
#include "tests/fuzz/fuzz.h"

typedef void print_fn(struct buf *b, ticks t);
typedef bool parse_fn(struct str s, ticks *ret);

/* A zone can move a moment out of the years that have four digits. */
static bool is_printable(ticks t)
{
    ticks first = 0, last = 0;
    MUST_HOLD(ticks_parse_day(STR("0001-01-01"), &first));
    MUST_HOLD(ticks_parse_day(STR("9999-12-31"), &last));
    return t >= first && t < last + TICKS_PER_DAY;
}

static void print_and_parse(ticks t, ticks expected, print_fn *print, parse_fn *parse)
{
    CLEANUP_BUF struct buf b = BUF_INIT(100);
    ticks again = TICKS_NONE;
    print(&b, t);
    MUST_HOLD(buf_err(&b) == OK);
    MUST_HOLD(parse(buf_str(&b), &again) && again == expected);
}

static ticks rounded_down(ticks t, ticks unit)
{
    ticks rest = t % unit;
    return t - (rest < 0 ? rest + unit : rest);
}

static void print_all(ticks t)
{
    struct timespec ts;
    ticks_to_timespec(t, &ts);
    MUST_HOLD(ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000);
    MUST_HOLD((int64_t)ts.tv_sec * TICKS_PER_SEC + ts.tv_nsec / 100 == t);
    if (!is_printable(t))
        return;
    print_and_parse(t, t, ticks_print, ticks_parse);
    print_and_parse(t, t, ticks_print_short, ticks_parse);
    print_and_parse(t, rounded_down(t, TICKS_PER_SEC), ticks_print_http, ticks_parse_http);
    print_and_parse(t, rounded_down(t, TICKS_PER_DAY), ticks_print_day, ticks_parse_day);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static parse_fn *const parsers[] = { ticks_parse, ticks_parse_day, ticks_parse_http };
    for (size_t i = 0; i < ARRAY_LEN(parsers); i++) {
        ticks t = 42;
        if (parsers[i](fuzz_str(data, size), &t))
            print_all(t);
        else
            MUST_HOLD(t == 42);
    }
    return 0;
}
