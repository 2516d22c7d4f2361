#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/base/limits.h"
#include "fs/keyfile.h"
#include "tests/fs/check.h"

static char dir[64], path[128];

static int setup(void **state)
{
    snprintf(dir, sizeof(dir), "/tmp/test_keyfile.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/key", dir);
    return 0;
}

static int teardown(void **state)
{
    unlink(path);
    rmdir(path);
    return rmdir(dir);
}

static void put(struct str text, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.p, text.len), (ssize_t)text.len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void accepted(struct str text, const char *key)
{
    struct secret secret = SECRET_NONE;
    struct call call;

    put(text, 0600);
    call_init(&call, 1000);
    if (keyfile_read(path, &call, &secret) != OK)
        fail_msg("%s", call.text);
    assert_str(secret_reveal(&secret), key);
    secret_fini(&secret);
}

static void refused(const char *part)
{
    struct secret secret = SECRET_NONE;
    struct call call;

    call_init(&call, 1000);
    assert_int_equal(keyfile_read(path, &call, &secret), ERR_INVALID);
    assert_false(secret_is_set(&secret));
    if (!strstr(call.text, part) || !strstr(call.text, path))
        fail_msg("'%s' does not say '%s'", call.text, part);
    assert_null(strstr(call.text, "k3y")); /* never what is in it */
}

static void test_a_key(void **state)
{
    accepted(STR("k3y=="), "k3y==");
    accepted(STR("  k3y/+-_~\r\n"), "k3y/+-_~");
}

static void test_B55_modes(void **state)
{
    static const mode_t open_to_others[] = { 0644, 0640, 0604, 0620, 0601 };

    for (size_t i = 0; i < ARRAY_LEN(open_to_others); i++) {
        put(STR("k3y"), open_to_others[i]);
        refused("read by others");
    }
    put(STR("k3y"), 0400);
    if (geteuid() == 0) /* or nobody could make the file another's */
        assert_int_equal(chown(path, 12345, -1), 0);
    if (geteuid() == 0)
        refused("another user");
}

static void test_B55_kinds(void **state)
{
    char other[128];

    refused("No such file");
    snprintf(other, sizeof(other), "%s/other", dir);
    put(STR("k3y"), 0600);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    refused("link");
    unlink(path);
    unlink(other);
    assert_int_equal(mkdir(path, 0700), 0);
    refused("not a plain file");
    rmdir(path);
    assert_int_equal(mkfifo(path, 0600), 0); /* and nobody waits for a writer */
    refused("not a plain file");
}

static void test_B55_sizes(void **state)
{
    char *big = malloc(64 * KIB + 1);

    memset(big, 'a', 64 * KIB + 1);
    put(STR_NONE, 0600);
    refused("empty");
    put((struct str){ big, 64 * KIB + 1 }, 0600);
    refused("64 KiB");
    put((struct str){ big, 64 * KIB }, 0600);
    struct secret secret = SECRET_NONE;
    struct call call;
    call_init(&call, 1000);
    assert_int_equal(keyfile_read(path, &call, &secret), OK);
    secret_fini(&secret);
    free(big);
}

static void test_what_is_no_key(void **state)
{
    put(STR(" \n"), 0600);
    refused("one line");
    put(STR("k3y\nk3y\n"), 0600);
    refused("one line");
    put(STR("k3y&x=1"), 0600);
    refused("one line");
    put(STR("k3y\xc3\xa9"), 0600);
    refused("one line");
    put(STR("k3y\0k3y"), 0600);
    refused("one line");
}

static void test_a_connection_string(void **state)
{
    struct secret secret = SECRET_NONE;
    struct call call;

    call_init(&call, 1000);
    put(STR(" AccountName=a;SharedAccessSignature=?sv=1&sig=k3y%3D\n"), 0600);
    assert_int_equal(keyfile_read_connection(path, &call, &secret), OK);
    assert_str(secret_reveal(&secret), "AccountName=a;SharedAccessSignature=?sv=1&sig=k3y%3D");
    put(STR("AccountName=a\nAccountKey=k3y\n"), 0600);
    assert_int_equal(keyfile_read_connection(path, &call, &secret), ERR_INVALID);
    assert_non_null(strstr(call.text, "one line with a connection string"));
    assert_null(strstr(call.text, "k3y"));
    put(STR("AccountName=b"), 0644);
    assert_int_equal(keyfile_read_connection(path, &call, &secret), ERR_INVALID);
    assert_str(secret_reveal(&secret), "AccountName=a;SharedAccessSignature=?sv=1&sig=k3y%3D");
    secret_fini(&secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_B55_modes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_B55_kinds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_B55_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_connection_string, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
