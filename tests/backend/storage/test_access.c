/* access: credentials that change while a hub is used (F33, F57). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "backend/storage/access.h"
#include "backend/storage/provider.h"
#include "backend/storage/wire.h"
#include "tests/backend/storage/fakeserver.h"

#define OLD_KEY   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define NEW_KEY   "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA="
#define WITH(key) "AccountKey=" key
#define T(n)      "{\"TableName\":\"" n "\"}"
#define TABLES    "{\"value\":[" T("MyHubHistory") "," T("MyHubInstances") "]}"
#define NO(code)  "x-ms-error-code: " code "\r\n"

/* Where the connection string is kept; what stands there is read when it is asked for. */
struct source {
    int port;
    const char *account, *credential; /* credential NULL: it cannot change */
    enum err err;                     /* what reading fails with */
    int reads, refusals;
    char why[CALL_TEXT_MAX];
};

struct scene {
    struct source source;
    struct fakeserver *f;
    struct call call;
    struct hub *hub;
};

static enum err put(const struct source *from, struct secret *ret)
{
    char text[1024];

    snprintf(text, sizeof(text),
             "AccountName=%s;%s;TableEndpoint=http://127.0.0.1:%d/t;"
             "QueueEndpoint=http://127.0.0.1:%d/q;BlobEndpoint=http://127.0.0.1:%d/b",
             from->account, from->credential, from->port, from->port, from->port);
    return secret_set(ret, str_c(text));
}

static enum err read_source(void *ctx, struct call *call, struct secret *ret)
{
    struct source *from = ctx;

    from->reads++;
    if (from->err)
        return call_fail(call, from->err, "the file is gone");
    return from->credential ? put(from, ret) : OK;
}

static void refused(void *ctx, const char *why)
{
    struct source *from = ctx;

    from->refusals++;
    snprintf(from->why, sizeof(from->why), "%s", why);
}

static void begin(struct scene *s, const struct fake_rule *rules, const char *credential)
{
    struct config config = { .hub = "MyHub" };
    const struct hub_settings settings = { .timeout_ms = 30000,
                                           .connections = 2,
                                           .reread = { read_source, refused, &s->source } };

    *s = (struct scene){ .f = fakeserver_new(rules) };
    s->source =
        (struct source){ fakeserver_port(s->f), .account = "acct", .credential = credential };
    assert_int_equal(put(&s->source, &config.connection_string), OK);
    fake_call_init(&s->call);
    assert_int_equal(storage_open(&config, &settings, &s->call, &s->hub), OK);
    config_fini(&config);
}

static void end(struct scene *s)
{
    assert_null(strstr(s->call.text, OLD_KEY));
    assert_null(strstr(s->call.text, NEW_KEY));
    assert_null(strstr(s->source.why, NEW_KEY));
    hub_close(s->hub);
    fakeserver_free(s->f);
}

/* One request: GET /t/X, or POST /q/X as a message would go. */
static enum err ask(struct scene *s, bool message)
{
    struct storage *storage = storage_of(s->hub);
    CLEANUP_BUF struct buf url = BUF_INIT(KIB);
    CLEANUP_RESPONSE struct http_response answer = RESPONSE_INIT;
    struct http_request r = { .method = message ? HTTP_POST : HTTP_GET,
                              .class = message ? CLASS_ONCE : CLASS_READ };
    enum service service = message ? SERVICE_QUEUES : SERVICE_TABLES;

    wire_url(&url, storage, service);
    buf_add_c(&url, "/X");
    r.url = buf_str(&url);
    if (message) {
        r.body = STR("<QueueMessage/>");
        wire_header(&r, "Content-Type", STR("application/xml"));
    }
    return wire_send(storage, &s->call, service, &r, &answer);
}

static struct str authorization(struct scene *s, size_t i)
{
    return fakeserver_header(s->f, i, "authorization");
}

#define OPENS                                                                                      \
    {                                                                                              \
        "GET", "/t/Tables", 200, NULL, TABLES                                                      \
    }
#define REFUSES(method, path, code)                                                                \
    {                                                                                              \
        method, path, 403, NO(code)                                                                \
    }

static void test_F33_a_changed_key_is_read_and_used(void **state)
{
    const struct fake_rule rules[] = { OPENS,
                                       REFUSES("GET", "/t/X", "AuthenticationFailed"),
                                       { "GET", "/t/X", 200, NULL, "{}", .times = -1 },
                                       { 0 } };
    struct scene s;

    begin(&s, rules, WITH(OLD_KEY));
    s.source.credential = WITH(NEW_KEY);
    assert_int_equal(ask(&s, false), OK);
    assert_int_equal(s.source.reads, 1);
    assert_int_equal(fakeserver_count(s.f), 3);
    assert_int_equal(ask(&s, false), OK);
    assert_int_equal(s.source.reads, 1); /* what was read is kept */
    assert_int_equal(s.source.refusals, 0);
    assert_int_equal(fakeserver_count(s.f), 4);
    end(&s);
}

/* The date is of the second, so that one moment's signatures can be compared. */
static void test_F33_the_new_key_signs(void **state)
{
    const struct fake_rule rules[] = { OPENS, { 0 } };
    const struct sign_moment moment = { STR("Wed, 01 May 2024 10:00:00 GMT"), STR(WIRE_VERSION) };
    const struct http_request r = { .method = HTTP_GET, .url = STR("http://127.0.0.1/t/X") };
    struct buf first = BUF_INIT(KIB), second = BUF_INIT(KIB), suffix = BUF_INIT(KIB);
    struct scene s;
    unsigned edition = 99;

    begin(&s, rules, WITH(OLD_KEY));
    struct storage *storage = storage_of(s.hub);
    assert_int_equal(access_sign(storage, SERVICE_TABLES, &r, &moment, &first, &suffix, &edition),
                     OK);
    assert_int_equal(edition, 0);
    s.source.credential = WITH(NEW_KEY);
    hub_forget(s.hub); /* SIGHUP */
    assert_int_equal(access_sign(storage, SERVICE_TABLES, &r, &moment, &second, &suffix, &edition),
                     OK);
    assert_int_equal(edition, 1);
    assert_string_not_equal(buf_c(&first), buf_c(&second));
    assert_int_equal(suffix.len, 0);
    assert_false(access_is_sas(storage));
    s.source.credential = "SharedAccessSignature=?sv=1&sig=n3w";
    hub_forget(s.hub);
    buf_clear(&second);
    assert_int_equal(access_sign(storage, SERVICE_TABLES, &r, &moment, &second, &suffix, &edition),
                     OK);
    assert_int_equal(second.len, 0);
    assert_string_equal(buf_c(&suffix), "?sv=1&sig=n3w");
    assert_true(access_is_sas(storage));
    buf_fini(&first);
    buf_fini(&second);
    buf_fini(&suffix);
    end(&s);
}

static void test_F33_the_same_key_is_asked_with_once(void **state)
{
    const struct fake_rule rules[] = {
        OPENS, { "GET", "/t/X", 403, NO("AuthenticationFailed"), .times = -1 }, { 0 }
    };
    struct scene s;

    begin(&s, rules, WITH(OLD_KEY));
    assert_int_equal(ask(&s, false), ERR_KEY_REJECTED);
    assert_int_equal(s.source.reads, 1);
    assert_int_equal(fakeserver_count(s.f), 2);
    s.source.credential = NULL; /* of the environment */
    assert_int_equal(ask(&s, false), ERR_KEY_REJECTED);
    assert_int_equal(fakeserver_count(s.f), 3);
    assert_int_equal(s.source.refusals, 0);
    end(&s);
}

static void test_F33_a_new_key_that_is_refused_ends_it(void **state)
{
    const struct fake_rule rules[] = {
        OPENS, { "GET", "/t/X", 403, NO("AuthenticationFailed"), .times = -1 }, { 0 }
    };
    struct scene s;

    begin(&s, rules, WITH(OLD_KEY));
    s.source.credential = WITH(NEW_KEY);
    assert_int_equal(ask(&s, false), ERR_KEY_REJECTED);
    assert_int_equal(fakeserver_count(s.f), 3);
    end(&s);
}

/* Refused requests were not executed, so a message goes once more, and is stored once. */
static void test_F33_a_message_is_sent_with_the_new_key(void **state)
{
    const struct fake_rule rules[] = {
        OPENS, REFUSES("POST", "/q/X", "AuthenticationFailed"), { "POST", "/q/X", 201 }, { 0 }
    };
    struct scene s;

    begin(&s, rules, WITH(OLD_KEY));
    s.source.credential = WITH(NEW_KEY);
    assert_int_equal(ask(&s, true), OK);
    assert_int_equal(fakeserver_count(s.f), 3);
    assert_false(str_eq(authorization(&s, 1), authorization(&s, 2)));
    end(&s);
}

static void test_a_missing_right_is_no_reason_to_read(void **state)
{
    const struct fake_rule rules[] = { OPENS,
                                       REFUSES("GET", "/t/X", "AuthorizationPermissionMismatch"),
                                       { 0 } };
    struct scene s;

    begin(&s, rules, WITH(OLD_KEY));
    s.source.credential = WITH(NEW_KEY);
    assert_int_equal(ask(&s, false), ERR_DENIED);
    assert_int_equal(s.source.reads, 0);
    end(&s);
}

static void test_F57_what_is_broken_leaves_the_old_key(void **state)
{
    const struct fake_rule rules[] = { OPENS,
                                       { "GET", "/t/X", 200, NULL, "{}", .times = -1 },
                                       { 0 } };
    struct scene s;

    begin(&s, rules, WITH(OLD_KEY));
    s.source.credential = "AccountKey=" NEW_KEY "!";
    hub_forget(s.hub);
    assert_int_equal(s.source.refusals, 1);
    assert_non_null(strstr(s.source.why, "AccountKey"));
    s.source.err = ERR_INVALID;
    hub_forget(s.hub);
    assert_int_equal(s.source.refusals, 2);
    assert_string_equal(s.source.why, "the file is gone");
    s.source.err = OK;
    s.source.credential = WITH(NEW_KEY);
    s.source.account = "other";
    hub_forget(s.hub);
    assert_int_equal(s.source.refusals, 3);
    assert_non_null(strstr(s.source.why, "'other'"));
    assert_int_equal(ask(&s, false), OK);
    assert_true(str_starts(authorization(&s, 1), STR("SharedKey acct:")));
    end(&s);
}

static void test_somebody_else_has_read_it(void **state)
{
    const struct fake_rule rules[] = { OPENS, { 0 } };
    struct scene s;

    begin(&s, rules, WITH(OLD_KEY));
    s.source.credential = WITH(NEW_KEY);
    assert_true(access_renew(storage_of(s.hub), 0));
    assert_int_equal(s.source.reads, 1);
    assert_true(access_renew(storage_of(s.hub), 0));
    assert_int_equal(s.source.reads, 1);
    assert_false(access_renew(storage_of(s.hub), 1));
    assert_int_equal(s.source.reads, 2);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_F33_a_changed_key_is_read_and_used),
        cmocka_unit_test(test_F33_the_new_key_signs),
        cmocka_unit_test(test_F33_the_same_key_is_asked_with_once),
        cmocka_unit_test(test_F33_a_new_key_that_is_refused_ends_it),
        cmocka_unit_test(test_F33_a_message_is_sent_with_the_new_key),
        cmocka_unit_test(test_a_missing_right_is_no_reason_to_read),
        cmocka_unit_test(test_F57_what_is_broken_leaves_the_old_key),
        cmocka_unit_test(test_somebody_else_has_read_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
