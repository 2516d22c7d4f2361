/* fuzz: what every fuzz target shares. A target is one file fuzz_NAME.c with the entry below; it
 * takes any bytes and stops the program when something that must hold does not.
 * Built twice: with corpus.c as a test over corpus/NAME/, and by scripts/fuzz with libFuzzer.
 * Ownership: data is borrowed. Threads: one. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert that no build type switches off. */
#define MUST_HOLD(what)                                                                            \
    do {                                                                                           \
        if (!(what))                                                                               \
            fuzz_failed(#what, __FILE__, __LINE__);                                                \
    } while (0)

__attribute__((noreturn)) static inline void fuzz_failed(const char *what, const char *file,
                                                         int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

static inline struct str fuzz_str(const uint8_t *data, size_t size)
{
    return (struct str){ size ? (const char *)data : NULL, size };
}

#endif
