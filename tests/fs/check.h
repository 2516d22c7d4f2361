/* check: cmocka with what it needs before it, and checks for our own types.
 * Ownership, threads: none. */
#ifndef TESTS_FS_CHECK_H
#define TESTS_FS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backend/base/str.h"

static inline void assert_str(struct str s, const char *expected)
{
    assert_int_equal(s.len, strlen(expected));
    assert_memory_equal(s.p ? s.p : "", expected, s.len);
}

#endif
