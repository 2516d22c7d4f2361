/* word: eight bytes of text in one number, for the few loops that a listing of a million rows
 * spends its time in. Knows bytes, not what they mean. Ownership: none. Threads: any. */
#ifndef BACKEND_BASE_WORD_H
#define BACKEND_BASE_WORD_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define WORD_BYTES 8
/* The byte c in each place. */
#define WORD_EACH(c) (UINT64_C(0x0101010101010101) * (c))
/* The highest bit of each byte: marks are left there, and no byte of ASCII has it. */
#define WORD_TOPS WORD_EACH(0x80)

/* The first byte is the least, on any machine. Any alignment; all eight must be there. */
static inline uint64_t word_at(const char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof w);
    return le64toh(w);
}

/* The place of the first byte that is not 0 in a word that is not. */
static inline unsigned word_first(uint64_t w)
{
    return (unsigned)__builtin_ctzll(w) >> 3;
}

#endif
