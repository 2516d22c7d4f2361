#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/net/certificate.h"
#include "tests/backend/net/client.h"
#include "tests/backend/net/server.h"

extern char **environ;

/* The openssl program as a TLS server with a certificate that nobody signed; 0 = there is none. Its
 * output stays open, or it dies of it. */
static pid_t serve_tls(int *port, FILE **ret_out)
{
    static const char *const argv[] = { "openssl", "s_server",
                                        "-accept", "127.0.0.1:0",
                                        "-cert",   TEST_DATA_DIR "/net/self-signed.pem",
                                        "-www",    NULL };
    int out[2], found = 0;
    pid_t pid = 0;
    char line[256];
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe(out), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", 1, 0);
    posix_spawn_file_actions_addclose(&actions, out[0]);
    if (posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ))
        pid = 0;
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    while (pid && !found && fgets(line, sizeof(line), f))
        found = sscanf(line, "ACCEPT 127.0.0.1:%d", port);
    *ret_out = f;
    if (pid && !found) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return found ? pid : 0;
}

static void test_F06_an_unknown_certificate_is_named_and_not_tried_again(void **state)
{
    int port = 0;
    FILE *out;
    pid_t pid = serve_tls(&port, &out);
    if (!pid) {
        fclose(out);
        skip();
    }
    for (enum http_class class = CLASS_READ; class <= CLASS_ONCE; class ++) {
        struct http_client *c = quick_client(1);
        CLEANUP_RESPONSE struct http_response answer = RESPONSE_INIT;
        struct call call = patient_call();
        char url[128], address[64], place[32];
        struct http_request r = request_to(url, port, HTTP_GET, class);
        snprintf(address, sizeof(address), "https://127.0.0.1:%d/t?sig=hidden", port);
        snprintf(place, sizeof(place), "127.0.0.1:%d", port);
        r.url = str_c(address);
        assert_int_equal(http_send(c, &call, &r, true, &answer), ERR_UNREACHABLE);
        assert_int_equal(answer.tries, 1);
        assert_non_null(strstr(call.text, place));
        assert_non_null(strstr(call.text, "certificate"));
        assert_non_null(strstr(call.text, "wrong.example"));
        http_client_free(c);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    fclose(out);
}

static void test_F06_a_certificate_that_cannot_be_had_has_no_subject(void **state)
{
    static const struct step script[] = { ACCEPT, SEND("no server hello\r\n"), STALL, END };
    struct server *server = server_start(script);
    struct call call = patient_call();
    char place[32], subject[64] = "old";
    snprintf(place, sizeof(place), "127.0.0.1:%d", server_port(server));
    certificate_subject(&call, place, 5000, subject, sizeof(subject));
    assert_string_equal(subject, "");
    server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_F06_an_unknown_certificate_is_named_and_not_tried_again),
        cmocka_unit_test(test_F06_a_certificate_that_cannot_be_had_has_no_subject),
    };
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
