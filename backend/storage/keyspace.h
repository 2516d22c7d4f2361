/* keyspace: guesses where keys lie that have not been seen, so that a long range can be split.
 * Keys are read as numbers whose digits are the characters seen so far, in their order: a counter,
 * a random id, a time stamp then all have a distance. A wrong guess costs a request, never a row.
 * Knows texts only; makes bounds of ASCII characters.
 * Ownership: embedded, no memory. Threads: none of its own; the owner's lock guards it. */
#ifndef BACKEND_STORAGE_KEYSPACE_H
#define BACKEND_STORAGE_KEYSPACE_H

#include "backend/base/buf.h"

#define KEYSPACE_DIGITS 64 /* characters of a key that are looked at */

struct keyspace {
    bool seen[128];
    unsigned char
        rank[256];    /* of a byte: 1 + how many seen characters are below it; 0 = below all */
    char letter[129]; /* of a rank; letter[0] stands for the end of the text */
    unsigned base;    /* ranks there are */
};

void keyspace_init(struct keyspace *k);
/* Learns the characters of a key. */
void keyspace_learn(struct keyspace *k, struct str key);
/* Must follow learning, before anything is asked. */
void keyspace_settle(struct keyspace *k);

/* A stretch of keys that was seen: one page. */
struct stretch {
    struct str first, last;
};

/* How many stretches of that length fit between two keys; 0 when the stretch has no length. */
double keyspace_fit(const struct keyspace *k, struct stretch s, struct str from, struct str to);

/* Appends a key n stretches beyond from. False: that is beyond every key. */
bool keyspace_beyond(const struct keyspace *k, struct stretch s, struct str from, unsigned n,
                     struct buf *ret);

#endif
