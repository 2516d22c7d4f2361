/* scene: a hub of a scripted account, one thing done to it, and what came of that.
 * A SCENE_TEST keeps its scene in the test's state; however the test goes, scene_teardown ends it
 * and fails when a request fitted no rule.
 * Ownership: the state's; rules are borrowed until then. Threads: the test's own. */
#ifndef TESTS_BACKEND_STORAGE_SCENE_H
#define TESTS_BACKEND_STORAGE_SCENE_H

#include "tests/backend/storage/fakeserver.h"
#include "tests/backend/unit.h"

struct scene {
    struct fakeserver *f;
    struct storage *s; /* MyHub; nothing was asked but to open it */
    struct call call;
    struct receipt receipt;
    struct arena arena; /* for what the test takes out of requests */
    enum err err;       /* of what was done */
};

#define SCENE_TEST(name) cmocka_unit_test_teardown(name, scene_teardown)

/* Ends the scene that was open before. */
struct scene *scene_open(void **state, const struct fake_rule *rules);
/* The same, and sends that command. */
struct scene *scene_send(void **state, const struct fake_rule *rules, const struct command *cmd);
int scene_teardown(void **state);

void assert_err(const struct scene *scene, enum err err);
void assert_requests(const struct scene *scene, size_t n);
void assert_end(const struct scene *scene, enum err err, size_t requests); /* both */
/* No request of that method was made: "POST". */
void assert_no(const struct scene *scene, const char *method);
/* Request i had that header. */
void assert_header(const struct scene *scene, size_t i, const char *name, const char *value);

void assert_has(struct str text, const char *part);
void assert_has_not(struct str text, const char *part);

/* A JSON string of n bytes, made in data. */
struct str large_text(char *data, size_t n);

/* -- rules in short -- */

#define CODE(c)    "x-ms-error-code: " c "\r\n"
#define VERSION(n) "W/\"" n "\"" /* an ETag of the table service */
#define ETAG(n)    "etag: " n "\r\n"
#define CHANGED    "UpdateConditionNotSatisfied" /* with 412: it is another version */
#define NOTHING    "{\"value\":[]}"              /* a page without rows */

#define DOES(verb, where, code)                                                                    \
    {                                                                                              \
        .method = verb, .path = where, .status = code                                              \
    }
#define RESETS(verb, where)                                                                        \
    {                                                                                              \
        .method = verb, .path = where, .fault = FAKE_RESETS                                        \
    }
#define REFUSES(verb, where, code, why)                                                            \
    {                                                                                              \
        .method = verb, .path = where, .status = code, .headers = CODE(why)                        \
    }
#define GIVES(where, text)                                                                         \
    {                                                                                              \
        .method = "GET", .path = where, .status = 200, .body = text                                \
    }
#define GIVES_ROW(where, etag, text)                                                               \
    {                                                                                              \
        .method = "GET", .path = where, .status = 200, .headers = ETAG(etag), .body = text         \
    }
/* The same answer n times. */
#define GIVES_ROW_TIMES(where, etag, text, n)                                                      \
    {                                                                                              \
        .method = "GET", .path = where, .status = 200, .headers = ETAG(etag), .body = text,        \
        .times = n                                                                                 \
    }
/* The row that request number i wrote. */
#define GIVES_BACK(where, etag, i)                                                                 \
    {                                                                                              \
        .method = "GET", .path = where, .status = 200, .headers = ETAG(etag), .echo_of = i         \
    }

#endif
