#include "fs/axis.h"

#include <stdlib.h>

#define FOLD_MIN_TICKS (5 * TICKS_PER_SEC)
#define FOLD_RATIO     4  /* to all that stays visible */
#define FOLD_LEAST     10 /* this part of the longest stretch counts as visible in any case */
#define FOLD_WORTH     20 /* without activities, this part of it must be, or stretches of that ... */
#define FOLD_WORTH_MIN                                                                             \
    2                  /* ... number: a single long wait is no gap in a picture, but the picture */
#define FOLD_MARGIN 24 /* this part of the visible stays unfolded on both sides */

/* A moment at which something begins or ends; depth counts what is busy. */
struct edge {
    ticks at;
    int busy; /* +1, -1; 0 = only a moment that must stay visible */
};

static int edge_cmp(const void *pa, const void *pb)
{
    const struct edge *a = pa, *b = pb;

    return a->at < b->at ? -1 : a->at > b->at;
}

static int longest_last(const void *pa, const void *pb)
{
    const struct fold *a = pa, *b = pb;
    ticks la = a->to - a->from, lb = b->to - b->from;

    if (la != lb)
        return la < lb ? -1 : 1;
    return a->from < b->from ? -1 : a->from > b->from;
}

static int earliest_first(const void *pa, const void *pb)
{
    const struct fold *a = pa, *b = pb;

    return a->from < b->from ? -1 : a->from > b->from;
}

static bool is_busy(const struct bars *bars, const struct span *s)
{
    enum bar_kind kind = bars->bars[s->bar].kind;

    return s->look == SPAN_RUNNING && (kind == BAR_RUN || kind == BAR_ACTIVITY);
}

static bool has_activities(const struct bars *bars)
{
    return bars->of_kind[BAR_ACTIVITY] > 0;
}

static size_t collect_edges(const struct bars *bars, struct edge *edges)
{
    size_t n = 0;

    edges[n++] = (struct edge){ bars->from, 0 };
    edges[n++] = (struct edge){ bars->to, 0 };
    for (size_t i = 0; i < bars->n_spans; i++) {
        int busy = is_busy(bars, &bars->spans[i]);

        edges[n++] = (struct edge){ bars->spans[i].from, busy };
        edges[n++] = (struct edge){ bars->spans[i].to, -busy };
    }
    qsort(edges, n, sizeof(*edges), edge_cmp);
    return n;
}

/* The idle stretches between two edges; *ret_busy gets the rest. */
static size_t collect_idle(const struct edge *edges, size_t n, struct fold *idle, ticks *ret_busy)
{
    size_t n_idle = 0;
    int depth = 0;

    *ret_busy = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        ticks length = edges[i + 1].at - edges[i].at;

        depth += edges[i].busy;
        if (length == 0)
            continue;
        if (depth > 0)
            *ret_busy += length;
        else
            idle[n_idle++] = (struct fold){ edges[i].at, edges[i + 1].at };
    }
    return n_idle;
}

/* From the shortest on: what is not much longer than all before it stays. */
static size_t count_kept(const struct fold *idle, size_t n, ticks busy, bool activities)
{
    ticks visible = busy, longest = idle[n - 1].to - idle[n - 1].from;

    for (size_t i = 0; i < n; i++) {
        ticks length = idle[i].to - idle[i].from;
        bool worth = activities || i >= FOLD_WORTH_MIN || visible >= longest / FOLD_WORTH;
        bool is_long =
            length >= FOLD_MIN_TICKS && length / FOLD_RATIO > visible + longest / FOLD_LEAST;

        if (worth && is_long && n - i <= FOLDS_MAX)
            return i;
        visible += length;
    }
    return n;
}

static void choose_folds(struct axis *a, struct fold *idle, size_t n, ticks busy, bool activities)
{
    size_t kept;

    if (n == 0)
        return;
    qsort(idle, n, sizeof(*idle), longest_last);
    kept = count_kept(idle, n, busy, activities);
    a->n = n - kept;
    if (a->n > 0)
        memcpy(a->folds, idle + kept, a->n * sizeof(*idle));
    qsort(a->folds, a->n, sizeof(*a->folds), earliest_first);
}

/* What begins or ends at the edge of a fold keeps some room. */
static void leave_margins(struct axis *a)
{
    ticks margin, folded = 0;

    for (size_t i = 0; i < a->n; i++)
        folded += a->folds[i].to - a->folds[i].from;
    a->visible = a->to - a->from - folded;
    if (a->n == 0)
        return;
    margin = a->visible / FOLD_MARGIN;
    if (margin < TICKS_PER_SEC / 1000)
        margin = TICKS_PER_SEC / 1000;
    for (size_t i = 0; i < a->n; i++) {
        a->folds[i].from += margin;
        a->folds[i].to -= margin;
        a->visible += 2 * margin;
    }
}

enum err axis_init(struct axis *a, const struct bars *bars)
{
    size_t room = 2 * bars->n_spans + 2;
    struct edge *edges = calloc(room, sizeof(*edges));
    struct fold *idle = calloc(room, sizeof(*idle));
    enum err err = edges && idle ? OK : ERR_NO_MEMORY;
    ticks busy;

    *a = (struct axis){ .from = bars->from, .to = bars->to };
    if (err == OK) {
        size_t n = collect_edges(bars, edges);

        n = collect_idle(edges, n, idle, &busy);
        choose_folds(a, idle, n, busy, has_activities(bars));
        leave_margins(a);
    }
    free(edges);
    free(idle);
    return err;
}

double scale_at(const struct scale *s, ticks t)
{
    const struct axis *a = s->axis;
    double room = s->width - (double)a->n * s->fold_width, x = 0;
    ticks seen;

    if (t <= a->from)
        return 0;
    if (t >= a->to)
        return a->to > a->from ? s->width : 0;
    seen = t - a->from;
    for (size_t i = 0; i < a->n && a->folds[i].from < t; i++) {
        const struct fold *f = &a->folds[i];
        ticks end = t < f->to ? t : f->to;

        seen -= end - f->from;
        x += s->fold_width * (double)(end - f->from) / (double)(f->to - f->from);
    }
    return a->visible > 0 ? x + room * (double)seen / (double)a->visible : x;
}

bool axis_mark(const struct axis *a, ticks step, ticks *at)
{
    ticks t = *at, rest = t % step;

    t += step - (rest < 0 ? rest + step : rest);
    for (size_t i = 0; i < a->n; i++) {
        const struct fold *f = &a->folds[i];

        if (t < f->from || t > f->to)
            continue;
        rest = f->to % step;
        t = f->to + step - (rest < 0 ? rest + step : rest);
    }
    if (t >= a->to)
        return false;
    *at = t;
    return true;
}

static unsigned decimals_of(ticks step)
{
    unsigned n = 0;

    for (ticks unit = TICKS_PER_SEC; step % unit != 0 && n < 7; unit /= 10)
        n++;
    return n;
}

void axis_label(struct buf *out, ticks at, ticks step, ticks before)
{
    CLEANUP_BUF struct buf day = BUF_INIT(32), last = BUF_INIT(32), all = BUF_INIT(64);
    struct str text;
    bool new_day;

    ticks_print_day(&day, at);
    ticks_print_day(&last, before);
    ticks_print(&all, at); /* 2026-11-24T13:25:00.1234567Z; years have four digits */
    text = buf_str(&all);
    new_day = before != TICKS_NONE && !str_eq(buf_str(&day), buf_str(&last));
    if (new_day || step >= TICKS_PER_DAY)
        buf_add(out, str_slice(text, 5, 10));
    if (step >= TICKS_PER_DAY)
        return;
    if (new_day)
        buf_add_ch(out, ' ');
    if (step % (60 * TICKS_PER_SEC) == 0)
        buf_add(out, str_slice(text, 11, 16));
    else
        buf_add(out, str_slice(text, 11, 19 + (decimals_of(step) ? decimals_of(step) + 1 : 0)));
}
