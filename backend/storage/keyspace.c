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

static void number_of(const struct keyspace *k, struct str key, struct number *ret)
{
    for (size_t i = 0; i < KEYSPACE_DIGITS; i++)
        ret->digit[i] = i < key.len ? k->rank[(unsigned char)key.p[i]] : 0;
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

    number_of(k, s.first, &a);
    number_of(k, s.last, &b);
    if (!subtract(k, &b, &a, &length))
        return 0;
    number_of(k, from, &a);
    number_of(k, to, &b);
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
    int first, end;

    number_of(k, s.first, &a);
    number_of(k, s.last, &b);
    if (k->base < 2 || !subtract(k, &b, &a, &step))
        return false;
    number_of(k, from, &a);
    if (!advance(k, &a, &step, n, &first))
        return false;
    end = first + DIGITS_MORE < KEYSPACE_DIGITS ? first + DIGITS_MORE : KEYSPACE_DIGITS;
    while (end > 0 && !a.digit[end - 1])
        end--;
    /* Nothing can follow the end of a text: inside, the lowest character stands for it. */
    for (int i = 0; i < end; i++)
        buf_add_ch(ret, k->letter[a.digit[i] ? a.digit[i] : 1]);
    return end > 0;
}
