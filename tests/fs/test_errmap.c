#include <errno.h>

#include "fs/errmap.h"
#include "tests/fs/check.h"

static void test_every_error_has_a_row(void **state)
{
    for (int e = OK; e < ERR_COUNT; e++) {
        assert_int_equal(errmap[e].err, e);
        assert_non_null(errmap[e].errno_name);
        assert_non_null(errmap[e].meaning);
        assert_true(errmap[e].meaning[strlen(errmap[e].meaning) - 1] == '.');
        assert_true(e == OK ? errmap[e].errno_value == 0 : errmap[e].errno_value > 0);
    }
}

/* faults and limits R6 */
static void test_R6_numbers(void **state)
{
    assert_int_equal(errmap_errno(OK), 0);
    assert_int_equal(errmap_errno(ERR_NOT_FOUND), ENOENT);
    assert_int_equal(errmap_errno(ERR_WRONG_STATE), EPERM);
    assert_int_equal(errmap_errno(ERR_FORBIDDEN), EPERM);
    assert_int_equal(errmap_errno(ERR_READ_ONLY), EROFS);
    assert_int_equal(errmap_errno(ERR_DENIED), EACCES);
    assert_int_equal(errmap_errno(ERR_KEY_REJECTED), EKEYREJECTED);
    assert_int_equal(errmap_errno(ERR_KEY_EXPIRED), EKEYEXPIRED);
    assert_int_equal(errmap_errno(ERR_BUSY), EBUSY);
    assert_int_equal(errmap_errno(ERR_NOT_EMPTY), ENOTEMPTY);
    assert_int_equal(errmap_errno(ERR_EXISTS), EEXIST);
    assert_int_equal(errmap_errno(ERR_INVALID), EINVAL);
    assert_int_equal(errmap_errno(ERR_TOO_BIG), EFBIG);
    assert_int_equal(errmap_errno(ERR_BAD_NAME), EILSEQ);
    assert_int_equal(errmap_errno(ERR_DAMAGED), EBADMSG);
    assert_int_equal(errmap_errno(ERR_UNREACHABLE), EHOSTUNREACH);
    assert_int_equal(errmap_errno(ERR_TIMEOUT), ETIMEDOUT);
    assert_int_equal(errmap_errno(ERR_UNKNOWN_OUTCOME), ETIMEDOUT);
    assert_int_equal(errmap_errno(ERR_BROKEN), EREMOTEIO);
    assert_int_equal(errmap_errno(ERR_PAUSED), EAGAIN);
    assert_int_equal(errmap_errno(ERR_CANCELLED), EINTR);
    assert_int_equal(errmap_errno(ERR_TOO_MANY), ENFILE);
    assert_int_equal(errmap_errno(ERR_BUG), EIO);
}

static void test_what_is_no_error_of_ours_is_EIO(void **state)
{
    assert_int_equal(errmap_errno((enum err)ERR_COUNT), EIO);
    assert_int_equal(errmap_errno((enum err) - 1), EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_error_has_a_row),
        cmocka_unit_test(test_R6_numbers),
        cmocka_unit_test(test_what_is_no_error_of_ours_is_EIO),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
