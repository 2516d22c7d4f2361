#include "fs/option_names.h"

#define NEAR_MAX 3 /* letters that a misspelt name may differ in */

static bool same_name(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (a.p[i] != b.p[i] && !(strchr("-_", a.p[i]) && strchr("-_", b.p[i])))
            return false;
    return true;
}

const struct option_row *option_named(struct str name)
{
    for (size_t i = 0; i < option_row_count; i++)
        if (same_name(name, str_c(option_rows[i].name)))
            return &option_rows[i];
    return NULL;
}

const struct option_row *option_lettered(char letter)
{
    for (size_t i = 0; i < option_row_count; i++)
        if (letter && option_rows[i].letter == letter)
            return &option_rows[i];
    return NULL;
}

/* Levenshtein distance; names are short, so one row of numbers is enough. */
static size_t distance(struct str a, struct str b)
{
    size_t row[OPTION_NAME_MAX + 1];

    if (a.len > OPTION_NAME_MAX || b.len > OPTION_NAME_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t up = row[j];
            size_t best = diagonal + (a.p[i - 1] != b.p[j - 1]);

            best = best < up + 1 ? best : up + 1;
            row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
            diagonal = up;
        }
    }
    return row[b.len];
}

const char *option_nearest(const char *name)
{
    const char *nearest = NULL;
    size_t best = NEAR_MAX + 1;

    for (size_t i = 0; i < option_row_count; i++) {
        size_t d = distance(str_c(name), str_c(option_rows[i].name));

        if (d < best && d < strlen(option_rows[i].name)) {
            best = d;
            nearest = option_rows[i].name;
        }
    }
    return nearest;
}
