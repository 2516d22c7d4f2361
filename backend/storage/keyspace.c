#include "backend/storage/keyspace.h"

#define DIGITS_MORE 4 /* of a bound, behind the first one that the step changed */

/* Digits of a key, most significant first; places behind its end are 0. */
struct number {
    uint32_t digit[KEYSPACE_DIGITS];
};

void keyspace_init(struct keyspace *k)
{
    *k = (struct keyspace){ .base = 1 };
}

void keyspace_learn(struct keyspace *k, struct str key)
{
    for (size_t i = 0; i < key.len && i < KEYSPACE_DIGITS; i++) {
        unsigned char c = (unsigned char)key.p[i];

        if (c >= 0x20 && c < 0x7F)
            k->seen[c] = true;
    }
}

void keyspace_settle(struct keyspace *k)
{
    unsigned rank = 0;

    k->letter[0] = '\0';
    for (unsigned c = 0; c < 256; c++) {
        if (c < 128 && k->seen[c])
            k->letter[++rank] = (char)c;
        k->rank[c] = (unsigned char)rank;
    }
    k->base = rank + 1;
}

/* Bytes beyond ASCII have no letter, so a bound cannot be made of them; but where all keys of a
 * stretch begin with the same ones, they can be kept and the rest be counted. */
static size_t skip_of(struct stretch s, struct str from)
{
    size_t skip = 0;

    for (size_t i = 0; i < s.first.len && i < s.last.len && i < from.len; i++) {
        if (s.first.p[i] != s.last.p[i] || s.first.p[i] != from.p[i])
            break;
        if ((unsigned char)s.first.p[i] >= 0x80)
            skip = i + 1;
    }
    /* Not in the middle of a character that the keys share in part. */
    while (skip && skip < from.len && ((unsigned char)from.p[skip] & 0xC0u) == 0x80)
        skip--;
    return skip;
}

static void number_of(const struct keyspace *k, struct str key, size_t skip, struct number *ret)
{
    for (size_t i = 0; i < KEYSPACE_DIGITS; i++)
        ret->digit[i] = i + skip < key.len ? k->rank[(unsigned char)key.p[i + skip]] : 0;
}

/* Above everything that begins as those that are counted. */
static void number_top(const struct keyspace *k, struct number *ret)
{
    for (size_t i = 0; i < KEYSPACE_DIGITS; i++)
        ret->digit[i] = k->base - 1;
}

/* a - b; false when that is not positive. */
static bool subtract(const struct keyspace *k, const struct number *a, const struct number *b,
                     struct number *ret)
{
    uint32_t borrow = 0, any = 0;

    for (int i = KEYSPACE_DIGITS - 1; i >= 0; i--) {
        uint32_t take = b->digit[i] + borrow;

        borrow = a->digit[i] < take;
        ret->digit[i] = a->digit[i] + (borrow ? k->base : 0) - take;
        any |= ret->digit[i];
    }
    return !borrow && any;
}

static double as_double(const struct keyspace *k, const struct number *n)
{
    double value = 0;

    for (int i = KEYSPACE_DIGITS - 1; i >= 0; i--)
        value = (value + n->digit[i]) / k->base;
    return value;
}

double keyspace_fit(const struct keyspace *k, struct stretch s, struct str from, struct str to)
{
    struct number a, b, length, gap;
    size_t skip = skip_of(s, from);

    number_of(k, s.first, skip, &a);
    number_of(k, s.last, skip, &b);
    if (!subtract(k, &b, &a, &length))
        return 0;
    number_of(k, from, skip, &a);
    if (to.len >= skip && (!skip || memcmp(to.p, from.p, skip) == 0))
        number_of(k, to, skip, &b);
    else
        number_top(k, &b);
    if (!subtract(k, &b, &a, &gap))
        return 0;
    return as_double(k, &gap) / as_double(k, &length);
}

/* a + step * n; false: a carry leaves the first digit. *ret_first: the first place step * n
 * reaches. */
static bool advance(const struct keyspace *k, struct number *a, const struct number *step,
                    unsigned n, int *ret_first)
{
    uint64_t carry = 0, scaled = 0;

    *ret_first = KEYSPACE_DIGITS - 1;
    for (int i = KEYSPACE_DIGITS - 1; i >= 0; i--) {
        uint64_t sum;

        scaled += (uint64_t)step->digit[i] * n;
        sum = a->digit[i] + scaled % k->base + carry;
        if (scaled)
            *ret_first = i;
        scaled /= k->base;
        a->digit[i] = (uint32_t)(sum % k->base);
        carry = sum / k->base;
    }
    return !carry && !scaled;
}

bool keyspace_beyond(const struct keyspace *k, struct stretch s, struct str from, unsigned n,
                     struct buf *ret)
{
    struct number a, b, step;
    size_t skip = skip_of(s, from);
    int first, end;

    number_of(k, s.first, skip, &a);
    number_of(k, s.last, skip, &b);
    if (k->base < 2 || !subtract(k, &b, &a, &step))
        return false;
    number_of(k, from, skip, &a);
    if (!advance(k, &a, &step, n, &first))
        return false;
    end = first + DIGITS_MORE < KEYSPACE_DIGITS ? first + DIGITS_MORE : KEYSPACE_DIGITS;
    while (end > 0 && !a.digit[end - 1])
        end--;
    buf_add(ret, str_slice(from, 0, skip));
    /* Nothing can follow the end of a text: inside, the lowest character stands for it. */
    for (int i = 0; i < end; i++)
        buf_add_ch(ret, k->letter[a.digit[i] ? a.digit[i] : 1]);
    return end > 0;
}
