/* jsonscan: where the tokens and values of JSON end: the inner loops of jsonread.
 * Knows the grammar of RFC 8259, not what a reader wants; never allocates, never recurses.
 * Every function goes from p to a place at most end, or gives NULL when that is not there.
 * Ownership: borrows. Threads: any. */
#ifndef BACKEND_BASE_JSONSCAN_H
#define BACKEND_BASE_JSONSCAN_H

#include "backend/base/limits.h"
#include "backend/base/str.h"
#include "backend/base/word.h"

/* To the first byte that is not white space. */
static inline const char *jsonscan_blank(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p <= ' ') {
        if (*p != ' ' && *p != '\n' && *p != '\r' && *p != '\t')
            break;
        p++;
    }
    return p;
}

/* A high bit in each byte that ends a run of plain string bytes: a quote, a backslash, a control
 * character. Marks above the lowest may be wrong (borrow), the lowest is exact. */
static inline uint64_t jsonscan_marks(uint64_t w)
{
    uint64_t quote = w ^ WORD_EACH(2); /* puts the quote (22) among the controls, at 20 */
    uint64_t slash = w ^ WORD_EACH('\\');
    return (((quote - WORD_EACH(0x21)) & ~quote) | ((slash - WORD_EACH(1)) & ~slash)) & WORD_TOPS;
}

/* Eight bytes a step: pages are mostly strings, and this loop is most of the time of a listing. */
static inline const char *jsonscan_plain(const char *p, const char *end)
{
    for (; end - p >= WORD_BYTES; p += WORD_BYTES) {
        uint64_t m = jsonscan_marks(word_at(p));
        if (m)
            return p + word_first(m);
    }
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
        p++;
    return p;
}

/* From behind the opening quote to the closing one. *ret_escapes becomes true when there are
 * escapes, all of them proper; it is not touched otherwise. */
const char *jsonscan_string(const char *p, const char *end, bool *ret_escapes);

/* From the first byte of a number to behind it. What follows is judged by whoever expects a comma,
 * a bracket or the end there: 007 is a 0 and something else. */
const char *jsonscan_number(const char *p, const char *end);

/* From the first byte of any value to behind it; brackets nest at most depth deep (up to
 * JSON_DEPTH_MAX). */
const char *jsonscan_value(const char *p, const char *end, unsigned depth);

/* The UTF-16 unit of an escape whose four hex digits begin at p; -1: not four digits. */
int jsonscan_unit(const char *p, const char *end);

#endif
