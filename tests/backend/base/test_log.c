#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/base/limits.h"
#include "backend/base/log.h"
#include "backend/base/str.h"

static char said[512 * 1024];

/* What write_some puts on stderr; whatever it leaves folded is told as well. */
static const char *capture(void (*write_some)(void))
{
    FILE *file = tmpfile();
    int old = dup(STDERR_FILENO);
    size_t n;

    if (!file || old < 0)
        fail_msg("no temporary file");
    (void)dup2(fileno(file), STDERR_FILENO);
    write_some();
    log_flush();
    (void)dup2(old, STDERR_FILENO);
    close(old);
    rewind(file);
    n = fread(said, 1, sizeof(said) - 1, file);
    said[n] = '\0';
    (void)fclose(file);
    return said;
}

static int reset_level(void **state)
{
    log_set_level(LOG_LEVEL_WARNING);
    return 0;
}

static void write_each_level(void)
{
    log_error("e %d", 1);
    log_warning("w %s", "x");
    log_info("i");
    log_debug("d");
}

static void test_level(void **state)
{
    assert_int_equal(log_get_level(), LOG_LEVEL_WARNING);
    assert_string_equal(capture(write_each_level), "error e 1\nwarning w x\n");
    log_set_level(LOG_LEVEL_ERROR);
    assert_string_equal(capture(write_each_level), "error e 1\n");
    log_set_level(LOG_LEVEL_DEBUG);
    assert_string_equal(capture(write_each_level), "error e 1\nwarning w x\ninfo i\ndebug d\n");
}

static void test_level_names(void **state)
{
    enum log_level level = LOG_LEVEL_INFO;

    assert_false(log_parse_level(&level, "loud"));
    assert_false(log_parse_level(&level, ""));
    assert_int_equal(level, LOG_LEVEL_INFO);
    assert_true(log_parse_level(&level, "error"));
    assert_int_equal(level, LOG_LEVEL_ERROR);
    assert_true(log_parse_level(&level, "debug"));
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_true(log_parse_level(&level, "warning"));
    assert_int_equal(level, LOG_LEVEL_WARNING);
    assert_true(log_parse_level(&level, "info"));
    assert_int_equal(level, LOG_LEVEL_INFO);
}

static void write_lines_in_one(void)
{
    log_error("a\nerror forged\x1b[2J");
}

static void test_one_message_is_one_line(void **state)
{
    assert_string_equal(capture(write_lines_in_one), "error a?error forged?[2J\n");
}

static void write_long(void)
{
    char text[3 * LOG_LINE_MAX];

    for (size_t i = 0; i + 3 < sizeof(text); i += 3)
        memcpy(text + i, "\xe2\x82\xac", 4);
    log_error("%s", text);
}

static void test_L19_line_is_cut(void **state)
{
    const char *text = capture(write_long);

    assert_in_range(strlen(text), LOG_LINE_MAX - 3, LOG_LINE_MAX);
    assert_true(str_is_utf8(str_c(text)));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void write_equal(void)
{
    for (int i = 0; i < 250; i++)
        log_warning("no answer");
    log_error("no answer"); /* another level, another line */
}

static void test_L19_equal_lines_are_folded(void **state)
{
    assert_string_equal(capture(write_equal), "warning no answer\n"
                                              "warning (100 times again) no answer\n"
                                              "warning (100 times again) no answer\n"
                                              "error no answer\n"
                                              "warning (49 times again) no answer\n");
}

static void write_alternating(void)
{
    for (int i = 0; i < 9; i++)
        log_warning("line %d", i % 3);
}

static void test_L19_equal_lines_need_not_follow_each_other(void **state)
{
    assert_string_equal(capture(write_alternating), "warning line 0\n"
                                                    "warning line 1\n"
                                                    "warning line 2\n"
                                                    "warning (2 times again) line 0\n"
                                                    "warning (2 times again) line 1\n"
                                                    "warning (2 times again) line 2\n");
}

static void write_many_different(void)
{
    log_warning("first");
    log_warning("first");
    for (int i = 0; i < 100; i++)
        log_warning("line %d", i);
}

static void test_a_forgotten_line_tells_its_count(void **state)
{
    const char *text = capture(write_many_different);

    assert_non_null(strstr(text, "warning (1 times again) first\n"));
    assert_non_null(strstr(text, "warning line 99\n"));
    assert_null(strstr(strstr(text, "again") + 1, "again"));
}

static void check_redacted(const char *text, const char *expected)
{
    char line[256];

    (void)snprintf(line, sizeof(line), "%s", text);
    log_redact(line);
    assert_string_equal(line, expected);
}

static void test_redaction(void **state)
{
    check_redacted("GET /t?sv=1&sig=a%2Bb%3D&se=2", "GET /t?sv=1&sig=***&se=2");
    check_redacted("SIG=abc", "SIG=***");
    check_redacted("https://h/x?code=abc==", "https://h/x?code=***");
    check_redacted("AccountName=a;AccountKey=Eby8vdM0/+==;X=1", "AccountName=a;AccountKey=***;X=1");
    check_redacted("Authorization: Bearer  ey.J-x_y", "Authorization: Bearer  ***");
    check_redacted("Authorization: SharedKey acct:c2ln", "Authorization: SharedKey ***");
    check_redacted("sharedkeylite acct:c2ln, more", "sharedkeylite ***, more");
    check_redacted("x-functions-key: abcdef", "x-functions-key: ***");
    check_redacted("url=https%3A%2F%2Fh%3Fsig%3Dabc\"", "url=https%3A%2F%2Fh%3Fsig%3D***\"");
    check_redacted("'sig=a' \"code=bc\" (sig=def)", "'sig=*' \"code=**\" (sig=***)");
    check_redacted("sig=1&sig=2222&sig=", "sig=*&sig=***&sig=");
    check_redacted("sig=code=abc", "sig=***");
}

static void test_redaction_leaves_the_rest(void **state)
{
    check_redacted("", "");
    check_redacted("exitcode=3 design=x", "exitcode=3 design=x");
    check_redacted("signature of the bearer's code", "signature of the bearer's code");
    check_redacted("sig", "sig");
}

static void write_secret(void)
{
    log_error("GET /?sig=%s", "hunter2");
}

static void test_secrets_are_not_written(void **state)
{
    assert_string_equal(capture(write_secret), "error GET /?sig=***\n");
}

/* Runs in a process of its own, with SIGPIPE deadly; true when it comes to its end. */
static bool survives(void (*child)(int), int fd)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        (void)signal(SIGPIPE, SIG_DFL);
        (void)alarm(60); /* blocked is as bad as killed */
        child(fd);
        _exit(0);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static void log_to_closed(int fd)
{
    close(STDERR_FILENO);
    log_error("nobody hears");
    log_error("nobody hears either");
}

static void log_to_fd(int fd)
{
    (void)dup2(fd, STDERR_FILENO);
    for (int i = 0; i < 1000; i++)
        log_error("%d nobody hears", i);
}

static void log_keeping_errno(int fd)
{
    close(STDERR_FILENO);
    errno = ENOTEMPTY;
    log_error("not written: EBADF");
    if (errno != ENOTEMPTY)
        _exit(1);
}

static void test_errno_stays(void **state)
{
    assert_true(survives(log_keeping_errno, -1));
}

static void test_closed_stderr(void **state)
{
    assert_true(survives(log_to_closed, -1));
}

static void test_reader_of_stderr_gone(void **state)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_true(survives(log_to_fd, ends[1]));
    close(ends[1]);
}

static void log_then_count_pending(int fd)
{
    sigset_t pending;

    log_to_fd(fd);
    if (sigpending(&pending) != 0 || sigismember(&pending, SIGPIPE))
        _exit(1);
    log_flush();
}

static void log_with_one_pending(int fd)
{
    sigset_t pending;

    (void)raise(SIGPIPE); /* blocked by the test: someone else's */
    log_to_fd(fd);
    if (sigpending(&pending) != 0 || !sigismember(&pending, SIGPIPE))
        _exit(1);
}

static void test_pending_signals_stay_as_they_were(void **state)
{
    int ends[2];
    sigset_t block, before;

    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    sigemptyset(&block);
    sigaddset(&block, SIGPIPE);
    assert_int_equal(sigprocmask(SIG_BLOCK, &block, &before), 0);
    assert_true(survives(log_then_count_pending, ends[1]));
    assert_true(survives(log_with_one_pending, ends[1]));
    assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
    close(ends[1]);
}

/* Fills the pipe, empties it, and logs once more. */
static void log_to_stopped_reader(int fd)
{
    char text[4096];
    int ends[2];
    ssize_t n;

    if (pipe(ends) != 0)
        _exit(1);
    (void)dup2(ends[1], STDERR_FILENO);
    for (int i = 0; i < 20000; i++)
        log_error("%d nobody hears", i);
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    while (read(ends[0], text, sizeof(text)) > 0)
        ;
    log_error("awake");
    n = read(ends[0], text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    if (!strstr(text, "lines of this log were lost\n") || !strstr(text, "error awake\n"))
        _exit(1);
}

static void test_stopped_reader_of_stderr(void **state)
{
    assert_true(survives(log_to_stopped_reader, -1));
}

static void *log_some(void *arg)
{
    for (int i = 0; i < 200; i++)
        log_warning("thread %s line %d", (const char *)arg, i);
    return NULL;
}

static void write_from_threads(void)
{
    static char names[] = "a\0b";
    pthread_t a, b;

    if (pthread_create(&a, NULL, log_some, names) != 0)
        abort();
    if (pthread_create(&b, NULL, log_some, names + 2) != 0)
        abort();
    (void)pthread_join(a, NULL);
    (void)pthread_join(b, NULL);
}

static void test_lines_of_threads_stay_whole(void **state)
{
    struct str rest = str_c(capture(write_from_threads));
    int lines = 0;

    while (rest.len) {
        struct str line = str_cut(&rest, '\n');

        assert_true(str_starts(line, STR("warning thread ")));
        lines++;
    }
    assert_int_equal(lines, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_level, reset_level),
        cmocka_unit_test(test_level_names),
        cmocka_unit_test(test_one_message_is_one_line),
        cmocka_unit_test(test_L19_line_is_cut),
        cmocka_unit_test(test_L19_equal_lines_are_folded),
        cmocka_unit_test(test_L19_equal_lines_need_not_follow_each_other),
        cmocka_unit_test(test_a_forgotten_line_tells_its_count),
        cmocka_unit_test(test_errno_stays),
        cmocka_unit_test(test_redaction),
        cmocka_unit_test(test_redaction_leaves_the_rest),
        cmocka_unit_test(test_secrets_are_not_written),
        cmocka_unit_test(test_closed_stderr),
        cmocka_unit_test(test_reader_of_stderr_gone),
        cmocka_unit_test(test_pending_signals_stay_as_they_were),
        cmocka_unit_test(test_stopped_reader_of_stderr),
        cmocka_unit_test(test_lines_of_threads_stay_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
