/* unit: cmocka with the headers that it wants to be included before it, in that order.
 * Threads, ownership: none. */
#ifndef TESTS_BACKEND_UNIT_H
#define TESTS_BACKEND_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "backend/base/str.h"

#define assert_str(s, text) assert_true(str_eq((s), str_c(text)))

#endif
